//go:build linux

package cli

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScript types the sessions of testdata/script. Each shows a part of the command line as a person meets it.
// They need no flwr and no grid: flwr is scriptedFlwr, and nothing listens at the grid's addresses.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "FLWR_HOME"} {
				dir := filepath.Join(env.WorkDir, ".person", name)
				if err := os.MkdirAll(dir, 0o700); err != nil {
					return err
				}
				env.Setenv(name, dir)
			}
			env.Setenv("ACCESSIBLE", "1")
			tools := filepath.Join(env.WorkDir, ".tools")
			env.Setenv("FLWR", filepath.Join(tools, "bin", "flwr"))
			for name, text := range map[string]string{
				"bin/flwr":             scriptedFlwr,
				"bin/flower-supernode": "#!/bin/sh\n[ \"$1\" = --help ]\n",
				"lib/python3.11/site-packages/flwr-1.42.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: flwr\nVersion: 1.42.0\n",
			} {
				file := filepath.Join(tools, name)
				if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o700)); err != nil {
					return err
				}
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"shaped": func(ts *testscript.TestScript, neg bool, args []string) { // shaped COMMAND, after COMMAND --json
				var whole struct{ Data any }
				if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &whole); err != nil {
					ts.Fatalf("%v", err)
				}
				shape, has := shapes[strings.Join(args, " ")]
				if wrong := misfits(shape, whole.Data); neg || !has || len(wrong) > 0 {
					ts.Fatalf("%v: %v", args, wrong)
				}
			},
			"exits": func(ts *testscript.TestScript, neg bool, args []string) { // exits CODE COMMAND…
				if neg || len(args) < 2 {
					ts.Fatalf("usage: exits CODE COMMAND…")
				}
				var end *exec.ExitError
				err := ts.Exec(args[1], args[2:]...)
				if !errors.As(err, &end) {
					ts.Fatalf("%v: %v, exit code %s expected", args[1:], err, args[0])
				}
				if code := strconv.Itoa(end.ExitCode()); code != args[0] {
					ts.Fatalf("%v: exit code %s, %s expected", args[1:], code, args[0])
				}
			},
		},
	})
}

// scriptedFlwr is a flwr whose grid takes every registration.
const scriptedFlwr = `#!/bin/sh
nodes=${0%/bin/flwr}/nodes members=${0%/bin/flwr}/members
: >>"$nodes" >>"$members"
echo "$*" >>"${0%/bin/flwr}/calls"
case "$1 $2" in
"supernode register")
	id=100$(grep -c . "$nodes")
	echo "{\"node-id\": $id, \"owner-name\": \"ada\", \"status\": \"registered\", \"created-at\": \"2026-01-01T00:00:00Z\", \"online-at\": \"N/A\", \"online-elapsed\": 0}" >>"$nodes"
	echo "{\"success\": true, \"node-id\": \"$id\"}" ;;
"supernode list")
	echo "{\"success\": true, \"nodes\": [$(paste -sd, "$nodes")]}" ;;
"federation list")
	case "$*" in
	*--federation*) echo "{\"success\": true, \"federation\": {\"members\": [], \"nodes\": [$(paste -sd, "$members")], \"runs\": []}}" ;;
	*) echo '{"success": true, "federations": [{"id": "@ada/study"}]}' ;;
	esac ;;
"federation add-supernode")
	echo "{\"node_id\": $3, \"owner\": \"ada\", \"status\": \"registered\"}" >>"$members"
	echo '{"success": true}' ;;
"list "*)
	echo '{"success": true, "runs": []}' ;;
*)
	echo "flwr: not in this script: $*" >&2
	exit 1 ;;
esac
`
