package export

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// parameters are the values that the chart's documentation lists, with the types of their defaults.
func parameters(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile("testdata/helm-parameters.txt")
	if err != nil {
		t.Fatal(err)
	}
	list := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, kind, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			list[name] = kind
		}
	}
	return list
}

// unknown names the values of a file that the chart has not, or with another type.
func unknown(known map[string]string, at string, value any) (list []string) {
	kind := map[bool]string{true: "map"}[value == nil] // null takes a default away
	switch value.(type) {
	case map[string]any:
		kind = "map"
	case []any:
		kind = "list"
	case bool:
		kind = "bool"
	case int:
		kind = "int"
	case string:
		kind = "string"
	}
	switch want := known[at]; {
	case want != "" && want != kind:
		return []string{fmt.Sprintf("%s is a %s, not a %s", at, want, kind)}
	case want != "":
		return nil
	}
	inner, is := value.(map[string]any)
	if !is || len(inner) == 0 {
		return []string{at}
	}
	for name, v := range inner {
		list = append(list, unknown(known, strings.TrimPrefix(at+"."+name, "."), v)...)
	}
	return list
}

func valuesOf(t *testing.T, dir, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, valuesFile(name)))
	var values map[string]any
	if err == nil {
		err = yaml.Unmarshal(text, &values)
	}
	if err != nil {
		t.Fatal(err)
	}
	return values
}

// within returns the value at a path of names with points between.
func within(values map[string]any, path string) any {
	var at any = values
	for name := range strings.SplitSeq(path, ".") {
		inner, _ := at.(map[string]any)
		at = inner[name]
	}
	return at
}

// TestHelmValues: the chart knows every value by the type of its default, and no value is a private key.
func TestHelmValues(t *testing.T) {
	known, s := parameters(t), fixed()
	dir := written(t, Helm, s)
	for _, n := range s.Nodes {
		values := valuesOf(t, dir, serviceName(n.Name))
		if bad := unknown(known, "", values); len(bad) > 0 {
			t.Errorf("%s: the chart does not know %v", n.Name, bad)
		}
		if on := within(values, "global.nodeAuth.enabled"); on != false {
			t.Errorf("%s: node authentication with a key as a value: %v", n.Name, on)
		}
		if args := fmt.Sprint(within(values, "supernode.extraArgs")); !strings.Contains(args, "--auth-supernode-private-key=/run/supernode/key") || strings.Contains(args, "--superlink") {
			t.Errorf("%s: arguments %s", n.Name, args)
		}
		if within(values, "supernode.updateStrategy.type") != "Recreate" || within(values, "supernode.replicas") != 1 {
			t.Errorf("%s: two may run with one key", n.Name)
		}
	}
	wrong := map[string]any{"supernode": map[string]any{"replica": 1, "superlink": map[string]any{"port": "9092"}, "image": map[string]any{"tag": "1"}}}
	bad := unknown(known, "", wrong)
	if slices.Sort(bad); strings.Join(bad, "; ") != "supernode.replica; supernode.superlink.port is a int, not a string" {
		t.Errorf("wrong values are taken: %v", bad)
	}
}

// TestHelmNodeConfig: values keep their types; a text that somebody on the way could read as more stays one argument.
func TestHelmNodeConfig(t *testing.T) {
	for text, want := range map[string]any{
		`partition-id=0 num-partitions=2`:   map[string]any{"partition-id": 0, "num-partitions": 2},
		`site="St. Mary" share=0.5 on=true`: map[string]any{"site": "St. Mary", "share": 0.5, "on": true},
		`a="1" b=1e3`:                       map[string]any{"a": "1", "b": 1000.0},
		`note="$HOME"`:                      nil,
		`note='it"s'`:                       nil,
		`a.b=1`:                             nil,
		`/data/config.toml`:                 nil,
	} {
		s := fixed()
		s.Nodes[0].Args = func(key, _ string) []string {
			return []string{"--superlink", "grid.example.org:443", "--auth-supernode-private-key", key, "--node-config", text}
		}
		values := valuesOf(t, written(t, Helm, s), "supernode-1")
		got, args := within(values, "supernode.node.config"), fmt.Sprint(within(values, "supernode.extraArgs"))
		if fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", want) {
			t.Errorf("%s is %#v", text, got)
		}
		if is := strings.Contains(args, "--node-config="+podText(text)); is != (want == nil) {
			t.Errorf("%s: arguments %s", text, args)
		}
	}
}

// TestImageParts: the chart takes an image in parts.
func TestImageParts(t *testing.T) {
	for image, want := range map[string][3]string{
		"flwr/supernode:1.42.0":                    {"docker.io", "flwr/supernode", "1.42.0"},
		"registry.example.org:5000/a/b:2@sha256:0": {"registry.example.org:5000", "a/b", "2"},
		"localhost/b":                              {"localhost", "b", ""},
	} {
		registry, repository, tag := imageParts(image)
		if got := [3]string{registry, repository, tag}; got != want {
			t.Errorf("%s is %v", image, got)
		}
	}
}
