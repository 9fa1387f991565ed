//go:build unix

package grid

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"flwrup/internal/require"
)

// TestHalfMadeState starts grids over all that a killed first start can leave in their folder, and a used one
// over a full disk's files. A database that was in use is kept.
func TestHalfMadeState(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			env := require.Flwr(t, version)
			o := Options{Dir: filepath.Join(t.TempDir(), "grid"), Python: require.Program(env, "python")}
			put := func(name, content string) {
				t.Helper()
				must(t, os.WriteFile(filepath.Join(o.Dir, name), []byte(content), 0o600))
			}
			must(t, os.Mkdir(o.Dir, 0o700))
			// A SuperLink killed between its first tables leaves this: no version of the schema.
			half := exec.Command(o.Python, "-c", `import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
for table in "node", "run", "context", "message_ins", "message_res", "fab":
    d.execute(f"create table {table} (x)")
d.commit()`, filepath.Join(o.Dir, "superlink.db"))
			if out, err := half.CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			put("superlink.db-journal", "half")
			put("server.crt", "")
			put("server.key", "-----BEGIN PRIVATE KEY-----\n")
			put("ports.json", "")
			put("ready.json", `{"pid": 1, "portal"`)
			put("failed.json", `{"code":`)
			g := start(t, o)
			c := newCLI(t, env, g)
			c.login(g, "ada")
			id := c.register()
			must(t, g.Stop(t.Context()))

			put("federations.json", "")
			must(t, os.Remove(filepath.Join(o.Dir, "ca.crt")))
			g = start(t, o)
			s, err := g.State(t.Context())
			must(t, err)
			if len(s.Nodes) != 1 || s.Nodes[0].NodeID != id {
				t.Errorf("the registered node is gone: %+v", s.Nodes)
			}
		})
	}
}
