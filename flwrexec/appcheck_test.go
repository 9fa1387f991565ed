package flwrexec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/require"
)

const trapSource = `"""np.savez("in a docstring")"""
import io
import numpy as np
# np.savez("in a comment")
def main(grid, context):
    n = int(context.run_config["min-nodes"])
    s = FedAvg(min_train_nodes=n, min_available_nodes=3)
    x = "np.savez('in a string')"
    buf = io.BytesIO()
    np.savez(buf, x)
    if x:
        np.savez(
            "final_model.npz",
            *x,
        )  # the guide's
    with open("log.txt", "w") as f:
        total = f.write("x")
    print(total)
    df.to_csv(index=False)
    np.save("last.npy", x)
`

// trapApp makes an app whose ServerApp has the source, and finds a Python.
func trapApp(t *testing.T, source string) (App, string) {
	t.Helper()
	python := require.Tool(t, "flwr", "python3")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"pyproject.toml": "[project]\nname = \"a\"\nversion = \"1\"\n[tool.flwr.app]\npublisher = \"me\"\n[tool.flwr.app.components]\n" +
			"serverapp = \"pk.server_app:app\"\nclientapp = \"pk.client_app:app\"\n[tool.flwr.app.config]\nmin-nodes = 7\n",
		"pk/__init__.py": "", "pk/client_app.py": "", "pk/server_app.py": source,
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a, err := ReadApp(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a, python
}

// TestTraps: what writes files is found, what only looks like it is not; it is commented out, nothing else
// changes, the rest compiles, and the edit can be undone. Also with the line ends of Windows.
func TestTraps(t *testing.T) {
	for name, source := range map[string]string{"LF": trapSource, "CRLF": strings.ReplaceAll(trapSource, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			a, python := trapApp(t, source)
			found, err := CheckApp(context.Background(), python, a)
			if err != nil {
				t.Fatal(err)
			}
			var lines []int
			for _, x := range found.Traps {
				lines = append(lines, x.Line)
			}
			if len(lines) != 3 || lines[0] != 12 || lines[1] != 16 || lines[2] != 20 || found.Traps[1].WhyNot == "" {
				t.Fatalf("lines 12, 16 (not to be commented out) and 20 wanted: %+v", found.Traps)
			}
			if w := a.Wants(found, nil); w.Want != 7 || w.Key != "min-nodes" {
				t.Errorf("wants %+v", w)
			}
			if w := a.Wants(found, map[string]int{"min-nodes": 2}); w.Want != 3 || w.What != "min_available_nodes" {
				t.Errorf("wants %+v", w)
			}
			edits, err := MendTraps(context.Background(), python, a, found.Mendable())
			if err != nil || len(edits) != 1 {
				t.Fatal(err, len(edits))
			}
			undo, err := edits[0].Write()
			if err != nil {
				t.Fatal(err)
			}
			after, _ := os.ReadFile(edits[0].File)
			want := strings.NewReplacer("        np.savez(\n", "        # np.savez(\n", "            \"final", "        #     \"final", "            *x", "        #     *x",
				"        )  # the guide's\n", "        # )  # the guide's\n        pass\n", "    np.save(\"last", "    # np.save(\"last").Replace(trapSource)
			if strings.ReplaceAll(string(after), "\r\n", "\n") != want || strings.Count(string(after), "\r\n") != strings.Count(source, "\r\n")+strings.Count(source, "\r\n")/max(strings.Count(source, "\n"), 1) {
				t.Errorf("%q", after)
			}
			if found, err = CheckApp(context.Background(), python, a); err != nil || len(found.Mendable()) != 0 {
				t.Errorf("%v %+v", err, found)
			}
			if err := Undo(undo); err != nil {
				t.Fatal(err)
			}
			if back, _ := os.ReadFile(edits[0].File); string(back) != source {
				t.Error("undone, it differs")
			}
		})
	}
}

// TestReaches: calls of the ServerApp that reach out are found by what the names stand for.
func TestReaches(t *testing.T) {
	a, python := trapApp(t, `import urllib.request, requests as r
import numpy.random
from datasets import load_dataset as load
from wandb import init
import socket
"""requests.get("in a docstring")"""
r.get("https://example.org")
urllib.request.urlopen("https://example.org")
data = load("mnist")
init(project="x")
socket.create_connection(("example.org", 443))
numpy.random.get("x")
context.requests.get("x")
init.get
urllib.parse.quote("x")
`)
	found, err := CheckApp(context.Background(), python, a)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range found.Reaches {
		got = append(got, fmt.Sprint(x.Line, " ", x.What))
	}
	slices.Sort(got)
	if want := []string{"10 init", "11 socket.create_connection", "7 r.get", "8 urllib.request.urlopen", "9 load"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
