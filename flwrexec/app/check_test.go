package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flwrup/flwrexec/config"
	"flwrup/internal/problem"
	"flwrup/internal/require"
)

const trapSource = `"""np.savez("in a docstring")"""
import io
import numpy as np; app = ServerApp()
# np.savez("in a comment")
@app.main()
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
	a, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return a, python
}

// TestTraps: statements that write files are found, and lookalikes are not. A trap is commented out, nothing
// else changes, the rest compiles, and the edit can be undone. The same holds with the line ends of Windows.
func TestTraps(t *testing.T) {
	for name, source := range map[string]string{"LF": trapSource, "CRLF": strings.ReplaceAll(trapSource, "\n", "\r\n")} {
		t.Run(name, func(t *testing.T) {
			a, python := trapApp(t, source)
			found, err := Check(context.Background(), python, a)
			if err != nil {
				t.Fatal(err)
			}
			var lines []int
			for _, x := range found.Traps {
				lines = append(lines, x.Line)
			}
			if len(lines) != 3 || lines[0] != 13 || lines[1] != 17 || lines[2] != 21 || found.Traps[1].WhyNot == "" {
				t.Fatalf("lines 13, 17 (not to be commented out) and 21 wanted: %+v", found.Traps)
			}
			if w := a.Wants(found, nil); w.Want != 7 || w.Key != "min-nodes" {
				t.Errorf("wants %+v", w)
			}
			if w := a.Wants(found, map[string]int{"min-nodes": 2}); w.Want != 3 || w.What != "min_available_nodes" {
				t.Errorf("wants %+v", w)
			}
			edits, err := Mend(context.Background(), python, a, found.Mendable())
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
			if found, err = Check(context.Background(), python, a); err != nil || len(found.Mendable()) != 0 {
				t.Errorf("%v %+v", err, found)
			}
			if err := config.Undo(undo); err != nil {
				t.Fatal(err)
			}
			if back, _ := os.ReadFile(edits[0].File); string(back) != source {
				t.Error("undone, it differs")
			}
		})
	}
}

// TestWaysToWrite reads an app that writes files in some hundred ways. Each is reported with its file, with
// "may" when the source does not show it. Code that stays in memory, writes to the temporary folder or is
// never reached is left alone.
func TestWaysToWrite(t *testing.T) {
	python := require.Tool(t, "flwr", "python3")
	a, err := Read(filepath.Join("testdata", "ways"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := Check(context.Background(), python, a)
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]Trap{}
	for _, x := range found.Traps {
		have[fmt.Sprint(x.File, ":", x.Line)] = x
	}
	mark, total := regexp.MustCompile(`# (writes|may)\b ?(.*)$`), 0
	for _, name := range []string{"pk/server_app.py", "pk/common.py", "pk/client_app.py"} {
		content, err := os.ReadFile(filepath.Join(a.Dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(content), "\n") {
			at := fmt.Sprint(name, ":", i+1)
			m := mark.FindStringSubmatch(line)
			got, ok := have[at]
			delete(have, at)
			switch {
			case m == nil && ok:
				t.Errorf("%s: %s: nothing wanted, got %q", at, line, got.Does())
			case m == nil:
			case !ok:
				t.Errorf("%s: %s: not found", at, line)
			case m[1] == "may" && (got.Sure || !strings.HasPrefix(got.Does(), "may write ")):
				t.Errorf("%s: %s: got %q", at, line, got.Does())
			case m[1] == "writes":
				file, why, _ := strings.Cut(m[2], ": ")
				if !got.Sure || got.Target != file || !strings.Contains(got.WhyNot, why) {
					t.Errorf("%s: %s: got %q, %q", at, line, got.Does(), got.WhyNot)
				}
			}
			if m != nil {
				total++
			}
		}
	}
	if len(have) > 0 || total < 100 {
		t.Errorf("%d ways; elsewhere: %+v", total, have)
	}
	for _, x := range found.Mendable() {
		if !x.Sure || x.WhyNot != "" {
			t.Errorf("not to be commented out: %+v", x)
		}
	}
}

// TestAgentApp takes an app with an AgentApp alone, and says which part is missing from an app without one.
func TestAgentApp(t *testing.T) {
	python := require.Tool(t, "flwr", "python3")
	for parts, want := range map[string]string{
		`agentapp = "agent:app"`:  "",
		`agentapp = "other:app"`:  "has no module other",
		`serverapp = "other:app"`: "has no module other",
		`clientapp = "agent:app"`: "names no ServerApp",
	} {
		dir := t.TempDir()
		for name, content := range map[string]string{"pyproject.toml": "[project]\nname = \"a\"\n[tool.flwr.app.components]\n" + parts + "\n",
			"agent.py": "open('x', 'w')\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		a, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		found, err := Check(context.Background(), python, a)
		if (err != nil) != (want != "") || want != "" && !strings.Contains(problem.Of(err).What, want) || err == nil && len(found.Traps) != 1 {
			t.Errorf("%s: %v, %+v", parts, err, found)
		}
	}
}

// TestWaitsForNodes reads how many nodes an app waits for: strategies, their subclasses, own loops.
func TestWaitsForNodes(t *testing.T) {
	const loop = "import time\ndef main(grid, context):\n    cfg = context.run_config\n"
	for name, c := range map[string]struct {
		source string
		want   int
		key    string
	}{
		"loop":             {loop + "    while len(list(grid.get_node_ids())) < 3:\n        time.sleep(1)\n", 3, ""},
		"loop, turned":     {loop + "    while not 4 <= len(grid.get_node_ids()):\n        time.sleep(1)\n", 4, ""},
		"loop, greater":    {loop + "    while True:\n        ids = list(grid.get_node_ids())\n        if len(ids) > 3:\n            break\n", 4, ""},
		"loop, else":       {loop + "    while True:\n        n = len(list(grid.get_node_ids()))\n        if n >= 5:\n            break\n        time.sleep(1)\n", 5, ""},
		"loop, list first": {loop + "    ids = []\n    while len(ids) < 6:\n        ids = list(grid.get_node_ids())\n", 6, ""},
		"loop, walrus":     {loop + "    while (n := len(list(grid.get_node_ids()))) < 3:\n        print(n)\n", 3, ""},
		"loop, config":     {loop + "    n = int(cfg[\"min-nodes\"])\n    while len(list(grid.get_node_ids())) < n:\n        pass\n", 7, "min-nodes"},
		"loop, default":    {loop + "    while len(list(grid.get_node_ids())) < cfg.get(\"other\", 5):\n        pass\n", 5, "other"},
		"loop, tries":      {loop + "    for _ in range(60):\n        if len(list(grid.get_node_ids())) < 3:\n            time.sleep(1)\n            continue\n        break\n", 3, ""},
		"loop, none yet":   {loop + "    while len(list(grid.get_node_ids())) == 0:\n        pass\n", 1, ""},
		"helper": {"def wait(grid, n=9):\n    while True:\n        all_nodes = grid.get_node_ids()\n        if len(list(all_nodes)) >= n:\n            return all_nodes\n" +
			"def main(grid, context):\n    wait(grid, 3)\n", 3, ""},
		"manager":              {loop + "    server.client_manager().wait_for(4)\n    self._client_manager.wait_for(num_clients=4)\n", 4, ""},
		"other loop":           {loop + "    replies = []\n    while len(replies) < 8:\n        replies += [1]\n    grid.get_node_ids()\n", 0, ""},
		"FedAvg":               {"s = FedAvg()\n", 2, ""},
		"imported as":          {"from flwr.serverapp.strategy import FedAvg as Base\ns = Base(min_available_nodes=4)\n", 4, ""},
		"by default":           {"from flwr.serverapp.strategy import FedAvg as Base\ns = Base()\n", 2, ""},
		"subclass":             {"class My(FedAvg):\n    def __init__(self):\n        super().__init__(min_available_nodes=5)\ns = My()\n", 5, ""},
		"subclass, by default": {"from flwr.serverapp.strategy import FedAvg\nclass My(FedAvg):\n    pass\ns = My()\n", 2, ""},
		"subclass, given":      {"class My(FedAvg):\n    pass\ns = My(min_available_nodes=6)\n", 6, ""},
		"subclass, handed on": {"class My(FedAvg):\n    def __init__(self, n=3, **kw):\n        super().__init__(min_available_nodes=n, **kw)\n" +
			"s = My(n=8)\n", 8, ""},
		"subclass, keyword's default": {"class My(FedAvg):\n    def __init__(self, *, n=3):\n        super().__init__(min_available_nodes=n)\ns = My()\n", 3, ""},
		"subclass, set":               {"class My(FedAvg):\n    def __init__(self):\n        super().__init__()\n        self.min_available_nodes = 4\ns = My()\n", 4, ""},
		"subclass, config": {"class My(FedAvg):\n    def __init__(self, context):\n        super().__init__(min_available_nodes=context.run_config[\"min-nodes\"])\n" +
			"def main(grid, context):\n    My(context)\n", 7, "min-nodes"},
		"a dictionary": {"kw = {\"min_available_nodes\": 5}\ns = FedAvg(**kw)\n", 5, ""},
		"one more":     {loop + "    n = int(cfg[\"min-nodes\"])\n    s = FedAvg(min_available_nodes=n + 1)\n", 8, ""},
	} {
		t.Run(name, func(t *testing.T) {
			source := c.source
			if strings.Contains(source, "def main") {
				source += "app = ServerApp()\napp.main()(main)\n"
			}
			a, python := trapApp(t, source)
			found, err := Check(context.Background(), python, a)
			if err != nil {
				t.Fatal(err)
			}
			if w := a.Wants(found, nil); w.Want != c.want || w.Key != c.key {
				t.Errorf("%d by %q wanted, got %+v of %+v", c.want, c.key, w, found.Minimums)
			}
		})
	}
}

// TestReaches: calls of the ServerApp that reach out are found by the meaning of their names.
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
	found, err := Check(context.Background(), python, a)
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

// Source that is nested more deeply than Python reads is the app's fault, not ours.
func TestDeepSource(t *testing.T) {
	a, python := trapApp(t, "x = "+strings.Repeat("1+", 20000)+"1\n")
	if _, err := Check(t.Context(), python, a); !problem.Is(err, Broken) {
		t.Errorf("%v", err)
	}
}

func TestAppRequirements(t *testing.T) {
	lines, err := App{Name: "a", Dependencies: []string{"flwr[simulation] >= 1.42", "torch==2.9.0"}}.Requirements()
	if err != nil || len(lines) != 2 || lines[0] != "flwr[simulation]>=1.42" {
		t.Errorf("%q %v", lines, err)
	}
	for _, bad := range []string{"-r ../requirements.txt", "--index-url https://evil.example", "-e .", "numpy --extra-index-url https://evil.example"} {
		if _, err := (App{Name: "a", Dependencies: []string{"numpy", bad}}).Requirements(); !problem.Is(err, Broken) || !strings.Contains(err.Error(), "option of pip") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
