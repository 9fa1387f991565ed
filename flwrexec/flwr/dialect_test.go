package flwr

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
)

func parse(t *testing.T, s string) Version {
	t.Helper()
	v, err := ParseVersion(s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVersion(t *testing.T) {
	if _, err := ParseVersion("nonsense"); err == nil {
		t.Error("nonsense is a version")
	}
	if v := parse(t, "1.43.0.dev20261101"); !v.Dev || !v.AtLeast(43) || v.String() != "1.43.0.dev20261101" {
		t.Errorf("%+v", v)
	}
	order := []string{"1.24.0", "1.24.1", "1.26.1", "1.42.0.dev20261101", "1.42.0", "1.42.0.post1", "2.0.0"}
	for i := range order[1:] {
		if order[i+1] == "1.42.0.post1" {
			continue
		}
		if a, b := parse(t, order[i]), parse(t, order[i+1]); a.Compare(b) > 0 || b.Compare(a) < 0 {
			t.Errorf("%s is not before %s", a, b)
		}
	}
	if parse(t, "1.9.0").AtLeast(24) || !parse(t, "2.0").AtLeast(24) {
		t.Error("AtLeast")
	}
}

// Typed commands, by version: from the recorded sessions.
func TestArgv(t *testing.T) {
	c := Connection{Name: "supergrid"}
	old, mid, now := DialectOf(parse(t, "1.24.0")), DialectOf(parse(t, "1.26.1")), DialectOf(parse(t, "1.42.0"))
	for _, a := range []struct {
		argv []string
		want string
	}{
		{old.LoginArgv(c), "flwr login . supergrid"},
		{now.LoginArgv(c), "flwr login supergrid"},
		{old.RegisterArgv(c, Registration{"k.pub", "n", "1,2"}), "flwr supernode register k.pub . supergrid"},
		{now.RegisterArgv(c, Registration{"k.pub", "n", ""}), "flwr supernode register k.pub supergrid --name n"},
		{now.RegisterArgv(c, Registration{"k.pub", "n", "-33.9,18.4"}), "flwr supernode register k.pub supergrid --name n --location=-33.9,18.4"},
		{mid.RegisterArgv(c, Registration{"k.pub", "n", "1,2"}), "flwr supernode register k.pub supergrid"},
		{old.NodesArgv(c), "flwr supernode list . supergrid"},
		{now.UnregisterArgv(c, 7), "flwr supernode unregister 7 supergrid"},
		{old.FederationDetailsArgv(c, "f"), "flwr federation show . supergrid"},
		{mid.FederationDetailsArgv(c, "@a/f"), "flwr federation list supergrid --federation @a/f"},
		{mid.FederationDetailsArgv(c, ""), "flwr federation list supergrid"},
		{now.CreateFederationArgv(c, "f", "A f"), "flwr federation create f supergrid --description A f"},
		{now.AddArgv(c, 7, "@a/f"), "flwr federation add-supernode 7 @a/f supergrid"},
		{now.RemoveArgv(c, 7, "@a/f"), "flwr federation remove-supernode 7 @a/f supergrid"},
		{old.RunArgv(c, ".", "@a/f", "", true), "flwr run . supergrid --stream"},
		{now.RunArgv(c, "app", "@a/f", "x=1", true), "flwr run app supergrid --federation @a/f --run-config x=1 --stream"},
		{old.LogArgv(c, 9), "flwr log 9 . supergrid"},
		{now.StopArgv(c, 9), "flwr stop 9 supergrid"},
		{now.RunStatusArgv(c, 9), "flwr list supergrid --run-id 9"},
		{old.RunsArgv(Connection{Name: "s", App: "a b"}), "flwr list a b s"},
	} {
		if got := strings.Join(a.argv, " "); got != a.want {
			t.Errorf("%s, want %s", got, a.want)
		}
	}
}

func TestSuperNodeArgs(t *testing.T) {
	o := SuperNodeOptions{Fleet: "fleet-supergrid.flower.ai", Key: "k", CA: "ca.crt", Port: 9100, NodeConfig: "a=1", AllowInstall: true, Extra: []string{"--max-retries", "3"}}
	for version, want := range map[string]string{
		"1.24.0": "--superlink fleet-supergrid.flower.ai:443 --root-certificates ca.crt --auth-supernode-private-key k --node-config a=1 --clientappio-api-address 127.0.0.1:9100 --max-retries 3",
		"1.33.0": "--superlink fleet-supergrid.flower.ai:443 --root-certificates ca.crt --auth-supernode-private-key k --node-config a=1 --clientappio-api-address 127.0.0.1:9100 --allow-runtime-dependency-installation --max-retries 3",
		"1.42.0": "--superlink fleet-supergrid.flower.ai:443 --root-certificates ca.crt --auth-supernode-private-key k --node-config a=1 --host 127.0.0.1 --port 9100 --allow-runtime-dependency-installation --max-retries 3",
	} {
		args := DialectOf(parse(t, version)).SuperNodeArgs(o)
		if got := strings.Join(args, " "); got != want {
			t.Errorf("%s: %s", version, got)
		}
		for _, a := range args {
			if strings.HasPrefix(a, "--") && ExplainFlag(a) == "" {
				t.Errorf("%s is not explained", a)
			}
		}
	}
	for version, want := range map[string]string{"1.24.0": "--clientappio-api-address 127.0.0.1:9094", "1.34.0": "--clientappio-api-address 127.0.0.1:9094",
		"1.35.0": "--host 127.0.0.1 --port 9094", "1.42.0": "--host 127.0.0.1 --port 9094"} {
		if got := strings.Join(DialectOf(parse(t, version)).SuperNodeArgs(SuperNodeOptions{Fleet: "h", Key: "k"}), " "); !strings.HasSuffix(got, want) {
			t.Errorf("%s without a port of its own: %s", version, got)
		}
	}
	for in, want := range map[string]string{"h:1": "h:1", "h": "h:443", "[::1]": "[::1]:443", "[::1]:9": "[::1]:9", "": ""} {
		if got := withPort(in); got != want {
			t.Errorf("%s: %s", in, got)
		}
	}
}

func TestDialects(t *testing.T) {
	d := DialectOf(parse(t, "1.24.0"))
	if !d.ConfigInPyproject || d.Managed || d.FleetHTTP || d.DefaultControl != "supergrid.flower.ai" || !d.Known() {
		t.Errorf("%+v", d)
	}
	d = DialectOf(parse(t, "1.42.0"))
	if d.ConfigInPyproject || !d.Managed || !d.FleetHTTP || d.DefaultControl != "api.flower.ai" || !d.RegisterName || !d.Known() {
		t.Errorf("%+v", d)
	}
	if DialectOf(parse(t, "1.24.0")).SpeaksTo(d) || !d.SpeaksTo(DialectOf(parse(t, "1.40.0"))) {
		t.Error("SpeaksTo")
	}
	if DialectOf(parse(t, "1.43.0")).Known() || DialectOf(parse(t, "1.42.0.dev20261101")).Known() {
		t.Error("Known")
	}
}

func TestNodeID(t *testing.T) {
	const big = 16580771915538546953
	for _, in := range []string{`16580771915538546953`, `"16580771915538546953"`} {
		var id NodeID
		if err := json.Unmarshal([]byte(in), &id); err != nil || id != big {
			t.Errorf("%s: %v %v", in, id, err)
		}
	}
	if b, _ := json.Marshal(map[NodeID]NodeID{big: big}); string(b) != `{"16580771915538546953":"16580771915538546953"}` {
		t.Errorf("%s", b)
	}
	for _, bad := range []string{`1.5`, `-1`, `"x"`, `1e19`, `99999999999999999999`} {
		var id NodeID
		if json.Unmarshal([]byte(bad), &id) == nil {
			t.Errorf("%s read as %v", bad, id)
		}
	}
}

func TestCheckNamesWhatIsGone(t *testing.T) {
	help := map[string]string{
		"login":              "│   superlink      [SUPERLINK]  │",
		"supernode":          "│ register    Add a SuperNode │\n│ unregister  x │\n│ list   x │",
		"supernode register": "│ --name   TEXT │\n│ --location   TEXT │\n│ --format   [default|json] │",
		"federation":         "│ list   x │\n│ create   x │\n│ add-supernode   x │\n│ invite   x │",
		"federation list":    "│ --format  x │",
		"run":                "│ --federation   TEXT │\n│ --format  x │",
		"log":                "│ x │", "list": "│ --run-id  x │\n│ --format  x │", "stop": "│ --format x │",
	}
	ask := func(_ context.Context, args ...string) (string, error) { return help[strings.Join(args, " ")], nil }
	d := DialectOf(parse(t, "1.50.0"))
	got, err := d.Check(context.Background(), ask, "")
	if err != nil || got != d {
		t.Fatalf("%+v %v", got, err)
	}
	help["list"] = "│ --format  x │"
	help["federation"] = "│ list   x │"
	got, err = d.Check(context.Background(), ask, "  --superlink X\n  --host H\n  --port P\n")
	if err == nil || !strings.Contains(err.Error(), "flwr list --run-id") || !strings.Contains(err.Error(), "flower-supernode --node-config") {
		t.Errorf("%v", err)
	}
	if got.Managed || got.Invitations || !got.HostPort {
		t.Errorf("%+v", got)
	}
}
