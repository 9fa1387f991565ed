package dockerctl

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/supernode"
)

// dockerConfig makes the docker command's configuration for a test.
func dockerConfig(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "config.json"), text)
	t.Setenv("DOCKER_CONFIG", dir)
}

func TestProxies(t *testing.T) {
	const all = `{"proxies":{"default":{"httpProxy":"http://u:pass@p:3128","noProxy":"10.0.0.0/8"},"tcp://other:1":{"httpsProxy":"http://other:1"}}}`
	both := func(name, value string) map[string]string {
		return map[string]string{name: value, strings.ToLower(name): value}
	}
	join := func(parts ...map[string]string) map[string]string {
		out := map[string]string{}
		for _, p := range parts {
			maps.Copy(out, p)
		}
		return out
	}
	dockerConfig(t, all)
	for _, c := range []struct {
		what, host string
		spec       supernode.Spec
		want       map[string]string
	}{
		{"default", "unix:///var/run/docker.sock", supernode.Spec{}, join(both("HTTP_PROXY", "http://u:pass@p:3128"), both("NO_PROXY", "10.0.0.0/8,localhost,127.0.0.1"))},
		{"the daemon's own", "tcp://other:1", supernode.Spec{}, join(both("HTTPS_PROXY", "http://other:1"), both("NO_PROXY", "localhost,127.0.0.1"))},
		{"chosen by name", "", supernode.Spec{EnvNames: []string{"http_proxy"}}, both("NO_PROXY", "10.0.0.0/8,localhost,127.0.0.1")},
		{"chosen in a file", "", supernode.Spec{Secrets: map[string]string{"HTTP_PROXY": "http://mine", "no_proxy": "x"}}, map[string]string{}},
		{"not known yet", "", supernode.Spec{Missing: []string{"HTTP_PROXY", "NO_PROXY"}}, map[string]string{}},
		{"set", "", supernode.Spec{Env: map[string]string{"HTTP_PROXY": "mine", "A": "1"}}, join(map[string]string{"HTTP_PROXY": "mine", "A": "1"}, both("NO_PROXY", "10.0.0.0/8,localhost,127.0.0.1"))},
	} {
		r, err := New(t.Context(), Options{Project: "p", Host: c.host, Dir: "/d"})
		if err != nil {
			t.Fatal(err)
		}
		proxies, err := r.dockerProxies()
		if err != nil {
			t.Fatal(err)
		}
		if got := withProxies(c.spec, proxies).Env; !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.what, got, c.want)
		}
		c.spec.Container, c.spec.Image, c.spec.KeyFile = "c", "i", "/k"
		if text := strings.Join(r.Commands(c.spec), "\n"); strings.Contains(text, "pass") || strings.Contains(text, "mine") && c.what != "set" {
			t.Errorf("%s: the commands show a proxy: %s", c.what, text)
		}
		r.Close()
	}
	for in, want := range map[string]string{"": loopback, "*": "*", "a, localhost": "a, localhost,127.0.0.1", "127.0.0.1,localhost": "127.0.0.1,localhost"} {
		if got := withLoopback(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	if got := veil("to http://u:pass@p:3128, pass!", map[string]string{"a": "http://u:pass@p:3128"}); strings.Contains(got, "pass") {
		t.Error(got)
	}
	t.Setenv("DOCKER_CONFIG", filepath.Join(t.TempDir(), "none"))
	if proxies, err := offline(t).dockerProxies(); err != nil || len(withProxies(supernode.Spec{}, proxies).Env) > 0 {
		t.Errorf("without a configuration: %v %v", proxies, err)
	}
}

// offline returns a runtime whose daemon is never asked.
func offline(t *testing.T) *Runtime {
	t.Helper()
	r, err := New(t.Context(), Options{Project: "p", Host: "unix:///x"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// A real container gets the same proxies as from `docker create`. Starts keep the container while the proxies
// stay. Other proxies do not restart a running container, and are not forgotten.
func TestProxiesReachTheContainer(t *testing.T) {
	configured := func(port int) string {
		return fmt.Sprintf(`{"proxies":{"default":{"httpProxy":"http://u:pass@127.0.0.1:%d","httpsProxy":"http://127.0.0.1:%[1]d","noProxy":"localhost,127.0.0.1"}}}`, port)
	}
	dockerConfig(t, configured(3128))
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `
import os, time
print(sorted(k + "=" + v for k, v in os.environ.items() if k.lower().endswith("_proxy")), flush=True)
time.sleep(300)`)
	env := func(name string) []string {
		var out []string
		for line := range strings.SplitSeq(docker(t, "inspect", "-f", `{{range .Config.Env}}{{println .}}{{end}}`, name), "\n") {
			if strings.Contains(strings.ToLower(line), "_proxy=") {
				out = append(out, line)
			}
		}
		slices.Sort(out)
		return out
	}
	start(t, r, s)
	reference := r.project + "_reference"
	docker(t, "create", "--name", reference, s.Image)
	t.Cleanup(func() { docker(t, "rm", "-v", reference) })
	if got, want := env(s.Container), env(reference); len(want) != 6 || !slices.Equal(got, want) {
		t.Errorf("%q, docker create gives %q", got, want)
	}
	waitLine(t, r, s.Name, "'http_proxy=http://u:pass@127.0.0.1:3128'")
	id := only(t, r).ID
	write(t, filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), configured(3129))
	start(t, r, s)
	if only(t, r).ID != id {
		t.Error("a running container was replaced for other proxies")
	}
	if err := r.Stop(t.Context(), s.Name, 0); err != nil {
		t.Fatal(err)
	}
	start(t, r, s)
	if got := strings.Join(env(s.Container), " "); strings.Contains(got, "3128") || !strings.Contains(got, "3129") {
		t.Errorf("after a restart: %s", got)
	}
}
