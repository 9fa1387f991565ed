package steps

import (
	"context"
	"crypto/rand"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/dockerctl"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// listening is a Python script that says on which addresses its network namespace listens for TCP.
const listening = `
import ipaddress
found = set()
for file, size in (("/proc/net/tcp", 4), ("/proc/net/tcp6", 16)):
    for line in open(file).readlines()[1:]:
        local, state = line.split()[1], line.split()[3]
        if state == "0A":
            raw = bytes.fromhex(local.split(":")[0])
            raw = b"".join(raw[i:i + 4][::-1] for i in range(0, size, 4))
            found.add(str(ipaddress.ip_address(raw)) + " " + str(int(local.split(":")[1], 16)))
print("\n".join(sorted(found)))`

// A SuperNode in a container with a network of its own listens on loopback alone, whatever its flwr does by
// default: only its own ClientApps talk to it.
func TestClientAppIoIsLoopback(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			require.Docker(t)
			ctx := context.Background()
			project := "test-" + strings.ToLower(rand.Text()[:10])
			rt, err := dockerctl.New(ctx, dockerctl.Options{Project: project, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { rt.Close() })
			dir := filepath.Join(t.TempDir(), "keys")
			if _, err := keys.Generate(ctx, dir, []string{"k"}, nil); err != nil {
				t.Fatal(err)
			}
			v, err := flwr.ParseVersion(version)
			if err != nil {
				t.Fatal(err)
			}
			spec := supernode.Spec{Name: "supernode_1", Container: project, Image: require.Image(t, version), Flwr: version, KeyFile: filepath.Join(dir, "k"),
				Args: func(key, ca string) []string {
					return flwr.DialectOf(v).SuperNodeArgs(flwr.SuperNodeOptions{Fleet: "127.0.0.1:1", Key: key})
				}}
			t.Cleanup(func() {
				if err := rt.Stop(ctx, spec.Name, time.Second); err != nil {
					t.Error(err)
				}
				if err := rt.Remove(ctx, spec.Name); err != nil {
					t.Error(err)
				}
			})
			if err := rt.Start(ctx, spec); err != nil {
				t.Fatal(err)
			}
			var got string
			for range 30 {
				out, err := exec.Command("docker", "exec", project, "python", "-c", listening).CombinedOutput()
				before := got
				if got = strings.TrimSpace(string(out)); err == nil && got != "" && got == before {
					break
				}
				time.Sleep(time.Second)
			}
			if got == "" {
				t.Fatal("it never listened")
			}
			for line := range strings.SplitSeq(got, "\n") {
				if !strings.HasPrefix(line, "127.") && !strings.HasPrefix(line, "::1 ") && !strings.HasPrefix(line, "::ffff:127.") {
					t.Errorf("it listens on %s", line)
				}
			}
		})
	}
}
