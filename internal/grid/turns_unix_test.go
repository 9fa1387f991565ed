//go:build unix

package grid

import (
	"os/exec"
	"strings"
	"testing"

	"flwrup/internal/require"
)

// TestAppTakesTurns: the rehearsal's app never asks more SuperNodes at once than allowed, and misses no
// answer.
func TestAppTakesTurns(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	app := t.TempDir()
	must(t, WriteApp(app, true))
	cmd := exec.Command(require.Program(env, "python"), "-c", `
from numpyfl.server_app import InTurns

class Fake:
    sizes = []
    def get_node_ids(self):
        return [1, 2]
    def send_and_receive(self, messages, *, timeout=None):
        assert timeout == 7
        self.sizes.append(len(messages))
        return [m * 10 for m in messages]

grid = InTurns(Fake(), 4)
print(grid.send_and_receive(iter(range(10)), timeout=7), Fake.sizes, grid.get_node_ids(), grid.send_and_receive([], timeout=7))
`)
	cmd.Dir = app
	out, err := cmd.CombinedOutput()
	if want := "[0, 10, 20, 30, 40, 50, 60, 70, 80, 90] [4, 4, 2] [1, 2] []"; err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%v: %s", err, out)
	}
}
