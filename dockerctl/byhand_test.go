package dockerctl

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

func TestKeyOnHost(t *testing.T) {
	guide := []container.MountPoint{{Type: "bind", Source: "/home/ada/keys", Destination: "/app/keys"}}
	for _, c := range []struct {
		name   string
		args   []string
		mounts []container.MountPoint
		want   string
	}{
		{"the guide's", []string{"--superlink", "x:1", supernode.KeyFlag, "keys/client_credentials_1"}, guide, "/home/ada/keys/client_credentials_1"},
		{"one argument", []string{supernode.KeyFlag + "=/app/keys/k"}, guide, "/home/ada/keys/k"},
		{"up and down", []string{supernode.KeyFlag, "./x/../keys//k"}, guide, "/home/ada/keys/k"},
		{"one file", []string{supernode.KeyFlag, "/key"}, []container.MountPoint{{Type: "bind", Source: "/home/ada/k", Destination: "/key"}}, "/home/ada/k"},
		{"Docker Desktop", []string{supernode.KeyFlag, "keys/k"}, []container.MountPoint{{Type: "bind", Source: "/host_mnt/Users/ada/keys", Destination: "/app/keys/"}}, "/Users/ada/keys/k"},
		{"the inner mount counts", []string{supernode.KeyFlag, "keys/sub/k"}, append(guide, container.MountPoint{Type: "volume", Source: "/var/lib/x", Destination: "/app/keys/sub"}), ""},
		{"a folder of like name", []string{supernode.KeyFlag, "/app/keys2/k"}, guide, ""},
		{"a volume", []string{supernode.KeyFlag, "/run/supernode/key"}, []container.MountPoint{{Type: "volume", Source: "/var/lib/x", Destination: "/run/supernode"}}, ""},
		{"no key", []string{"--insecure"}, guide, ""},
		{"no value", []string{supernode.KeyFlag}, guide, ""},
	} {
		in := container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{Args: c.args}, Mounts: c.mounts, Config: &container.Config{WorkingDir: "/app"}}
		if got := keyOnHost(in, supernode.KeyIn(c.args)); got != c.want {
			t.Errorf("%s: %q, %q wanted", c.name, got, c.want)
		}
	}
}

func TestKeysInText(t *testing.T) {
	const flag = supernode.KeyFlag
	for text, want := range map[string]string{
		"exec flower-supernode " + flag + "=/keys/k --port 1":                      "/keys/k",
		"flower-supernode " + flag + " /keys/k; echo":                              "/keys/k",
		"flower-supernode " + flag + ` "/my keys/k" --port 1`:                      "/my keys/k",
		"flower-supernode " + flag + "='/k'":                                       "/k",
		"/usr/bin/python flower-supernode " + flag + " /my keys/k --superlink x:1": "/my keys/k",
		"a " + flag + " $KEY && b " + flag + " /k)":                                "/k",
	} {
		if got := keysIn(text); !slices.Contains(got, want) {
			t.Errorf("%s: %q", text, got)
		}
	}
	for _, text := range []string{"", flag, flag + "=", "x " + flag + ` "open`} {
		for _, got := range keysIn(text) {
			if got == "" {
				t.Errorf("%q: an empty path", text)
			}
		}
	}
}

// A real SuperNode that a shell, a script or env has started is found as its container, read and stopped there.
func TestByHandBehindAShell(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := t.Context()
	image := require.Image(t, require.Newest)
	s := node(t, r, "supernode_1", image)
	dir := filepath.Dir(s.KeyFile)
	keys := map[string]string{}
	const common = "--insecure --superlink 127.0.0.1:1 --auth-supernode-private-key"
	script := filepath.Join(t.TempDir(), "start.sh")
	write(t, script, "#!/bin/sh\nflower-supernode "+common+"=$1\n")
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, how := range map[string][]string{
		"exec":     {"sh", "-c", "exec flower-supernode " + common + "=/keys/exec"},
		"variable": {"bash", "-lc", `PATH=/python/venv/bin:$PATH; K=/keys/variable; flower-supernode ` + common + ` "$K"; echo ended`},
		"script":   {"/start.sh", "/keys/script"},
		"env":      {"env", "A=1", "sh", "-c", "cd /keys; flower-supernode " + common + " ../keys/env & wait"},
	} {
		data, err := os.ReadFile(s.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		key := filepath.Join(dir, name)
		write(t, key, string(data))
		keys["SHA256:"+name] = key
		args := []string{"run", "-d", "--init", "--name", r.project + "-" + name, "-u", "0", "-v", dir + ":/keys:ro", "-v", script + ":/start.sh:ro", "--entrypoint", how[0], image}
		docker(t, append(args, how[1:]...)...)
		t.Cleanup(func() { docker(t, "rm", "-fv", r.project+"-"+name) })
	}
	var found map[string]supernode.Status
	for range 60 {
		var err error
		if found, err = r.ByHand(ctx, keys); err != nil {
			t.Fatal(err)
		}
		if len(found) == len(keys) {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	for fingerprint := range keys {
		name := r.project + "-" + strings.TrimPrefix(fingerprint, "SHA256:")
		st := found[fingerprint]
		if st.ByHand != "container "+name || st.EndWith != "docker stop "+name || st.LogKeptFor != "docker logs "+name {
			t.Errorf("%s: %+v", name, st)
			continue
		}
		if inside, err := r.Container(ctx, st.ID); err != nil || inside.ByHand != st.ByHand {
			t.Errorf("%s by its ID: %+v %v", name, inside, err)
		}
	}
	if st, ok := found["SHA256:exec"]; ok {
		if err := r.StopByHand(ctx, st.ID, 15*time.Second); err != nil {
			t.Error(err)
		}
		if again, err := r.ByHand(ctx, keys); err != nil || again["SHA256:exec"].ID != "" {
			t.Errorf("stopped: %+v %v", again["SHA256:exec"], err)
		}
	}
}

// The test wants words for a log that Docker does not keep.
func TestLogDriverThatKeepsNothing(t *testing.T) {
	t.Parallel()
	r := real(t)
	name := r.project + "-mute"
	docker(t, "run", "-d", "--name", name, "--log-driver", "none", "--entrypoint", "sleep", require.Image(t, require.Newest), "300")
	t.Cleanup(func() { docker(t, "rm", "-f", name) })
	id := docker(t, "inspect", "-f", "{{.Id}}", name)
	st, err := r.Container(t.Context(), id)
	if err != nil || !strings.Contains(st.LogKeptFor, "log driver none keeps nothing") {
		t.Errorf("%+v %v", st, err)
	}
	for _, follow := range []bool{false, true} {
		err = r.LogsByHand(t.Context(), id, supernode.LogOptions{Tail: 5, Follow: follow}, func(supernode.Line) error { return nil })
		if p := problem.Of(err); err == nil || p.Code != LogNotKept || !strings.Contains(p.Why, "log driver none") {
			t.Errorf("follow %v: %v", follow, err)
		}
	}
}
