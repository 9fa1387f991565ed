//go:build linux

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/termsafe"
)

// foreign is what a hostile grid, app or SuperNode may put wherever it may put text.
const foreign = "\x1b]0;pwned\x07\x1b[31mRED\x1b]52;c;aGFja2Vk\x07\u202eevil\u200b\u009b31m\x9d\r\nLINE2"

const actAsFlwr = "FLWRUP_TEST_HOSTILE_FLWR"

func TestMain(m *testing.M) {
	if where := os.Getenv(actAsFlwr); where != "" {
		hostileFlwr(where, os.Args[1:])
		return
	}
	testscript.Main(m, map[string]func(){"flwrup": func() {
		os.Exit(Main(os.Args[1:], program.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}})
}

// hostileFlwr answers as flwr does, with text that wants more than to be read.
func hostileFlwr(where string, args []string) {
	calls, err := os.OpenFile(filepath.Join(where, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		fmt.Fprintf(calls, "%q\n", args)
		calls.Close()
	}
	mode, _ := os.ReadFile(filepath.Join(where, "mode"))
	x := strings.ReplaceAll(foreign, "\x9d", "") // JSON is UTF-8
	say := func(v any) {
		b, _ := json.Marshal(v)
		fmt.Println(string(b))
	}
	is := func(words ...string) bool { return len(args) >= len(words) && slices.Equal(args[:len(words)], words) }
	switch {
	case string(mode) == "error":
		say(map[string]any{"success": false, "error-message": "boom " + foreign})
	case string(mode) == "chatter":
		fmt.Println(foreign)
		os.Exit(1)
	case is("supernode", "list"):
		say(map[string]any{"success": true, "nodes": []any{map[string]any{"node-id": uint64(1234567890123456789), "owner-name": "=cmd|'/C calc'!A0" + x,
			"status": "online" + x, "name": "n" + x, "created-at": x, "online-at": "N/A", "online-elapsed": "9e99"}}})
	case is("supernode", "register"):
		say(map[string]any{"success": true, "node-id": "1234567890123456789"})
	case is("federation", "list") && !slices.Contains(args, "--federation"):
		say(map[string]any{"success": true, "federations": []any{map[string]any{"id": "@a/b", "description": x}}})
	case is("federation"):
		say(map[string]any{"success": true, "federation": map[string]any{"members": []any{map[string]any{"member_id": x, "role": x}},
			"nodes": []any{map[string]any{"node_id": uint64(1234567890123456789), "owner": x, "status": "online" + x}},
			"runs":  []any{map[string]any{"run_id": 7, "app": x, "status": x, "elapsed": x}}}})
	case is("run"):
		say(map[string]any{"success": true, "run-id": "--help"})
	case is("list"):
		say(map[string]any{"success": true, "runs": []any{map[string]any{"run-id": "7", "federation-id": x, "fab-id": "x/y" + x, "fab-version": x,
			"status": "finished:completed" + x, "status-details": x, "elapsed": 1, "pending-at": x}}})
	case is("log"):
		fmt.Print("INFO: [ROUND 1/1]\nINFO: aggregate_train: " + foreign + "\nINFO: Aggregated MetricRecord: {'=cmd|/C calc!A0" + foreign + "': 1.5, '@SUM(1+1)': 2.0, '\x1b[31mx': 3}\n")
	default:
		fmt.Println(foreign)
	}
}

// endless are commands that this test cannot wait for, or that need more than flwr. What they print goes
// through the same writer.
var endless = map[string]string{
	"flwrup":          "the wizard: it asks a person",
	"flwrup watch":    "goes on until Ctrl-C",
	"flwrup rehearse": "makes a grid of its own",
	"flwrup image":    "builds with Docker",
	"flwrup restart":  "needs a SuperNode that comes online",
	"flwrup start":    "needs a SuperNode that comes online",
	"flwrup add":      "needs a second registration",
}

// TestNoCommandPassesOnWhatATerminalActsOn runs every command that there is on a grid, an app and a
// SuperNode that send control sequences, bidi marks, formulas and flags for IDs. A new command is
// tried as soon as it exists. Each runs once with the last door, termsafe.Writer, and once without:
// then only the doors hold that text comes in by.
func TestNoCommandPassesOnWhatATerminalActsOn(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some seconds")
	}
	root := t.TempDir()
	dir, tools := filepath.Join(root, "p"), filepath.Join(root, "tools")
	t.Setenv("HOME", filepath.Join(root, "home"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"tools/bin/flwr": "#!/bin/sh\n" + actAsFlwr + "='" + root + "' exec '" + self + "' \"$@\"\n",
		"tools/bin/flower-supernode": "#!/bin/sh\n[ \"$1\" = --help ] && exit 0\nprintf '%b' 'INFO : Starting Flower SuperNode\\nINFO : SuperNode ID: 1234567890123456789\\n" +
			`\033]0;pwned\007\033[31mRED\302\23331m\342\200\256evil\r\nLINE2\n` + "'\nexec sleep 600\n",
		"tools/lib/python3.11/site-packages/flwr-1.42.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: flwr\nVersion: 1.42.0\n",
		"pass":          "long enough a passphrase for this test 29\n",
		"home/.profile": "", "cache/x": "",
		"app/pyproject.toml": "[project]\nname = \"x\\u001b[31m\"\nversion = \"1\"\n[tool.flwr.app]\npublisher = \"p\\u202e\"\n[tool.flwr.app.components]\nserverapp = \"s:app\"\nclientapp = \"c:app\"\n",
		"app/s.py":           "app = 1\n", "app/c.py": "app = 1\n",
	} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o600)
		if strings.HasPrefix(text, "#!") {
			mode = 0o700
		}
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	try := func(args ...string) string {
		t.Helper()
		args = append(args, "--dir", dir)
		var text string
		for _, door := range []string{"with the writer", "without"} {
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			var out bytes.Buffer
			if door == "without" {
				bare(ctx, args, &out)
			} else {
				Main(args, program.Streams{Out: &out, Err: &out})
				text = out.String()
			}
			cancel()
			if r, bad := termsafe.Unsafe(out.String()); bad {
				i := strings.IndexRune(out.String(), r)
				t.Errorf("%v, %s: %U in %q", args, door, r, out.String()[max(0, i-80):min(out.Len(), i+40)])
			}
		}
		return text
	}
	defer Main([]string{"down", "--dir", dir}, program.Streams{Out: &bytes.Buffer{}, Err: &bytes.Buffer{}})
	said := try("up", "--yes", "--until", "13", "--nodes", "1", "--federation", "@a/b", "--runtime", "process", "--app", filepath.Join(root, "app"),
		"--flwr-path", tools, "--flwr-home", filepath.Join(root, "fh"), "--passphrase-file", filepath.Join(root, "pass"))
	if _, err := os.Stat(filepath.Join(dir, "keys", "client_credentials_1")); err != nil {
		t.Fatalf("the hostile flwr was not taken: %s", said)
	}
	var ledger struct {
		Nodes []struct {
			ID string `json:"node-id"`
		} `json:"nodes"`
	}
	b, _ := os.ReadFile(filepath.Join(dir, ".flwrup", "ledger.json"))
	if json.Unmarshal(b, &ledger) != nil || len(ledger.Nodes) != 1 || ledger.Nodes[0].ID != "1234567890123456789" {
		t.Fatalf("nothing was registered: %s\n%s", b, said)
	}

	tried := 0
	var all func(cmd *cobra.Command, do func([]string, *cobra.Command))
	all = func(cmd *cobra.Command, do func([]string, *cobra.Command)) {
		for _, sub := range cmd.Commands() {
			all(sub, do)
		}
		if cmd.Runnable() && endless[cmd.CommandPath()] == "" {
			do(strings.Fields(cmd.CommandPath())[1:], cmd)
		}
	}
	for _, mode := range []string{"answer", "error", "chatter"} {
		if err := os.WriteFile(filepath.Join(root, "mode"), []byte(mode), 0o600); err != nil {
			t.Fatal(err)
		}
		all(Commands(), func(path []string, cmd *cobra.Command) {
			tried++
			args := slices.Clone(path)
			switch cmd.Name() {
			case "stop", "remove", "settings", "restore-key":
				args = append(args, "supernode_9")
			case "log", "metrics", "nodes":
				args = append(args, "7")
			case "up":
				args = append(args, "--until", "12") // later steps wait for the grid
			case "down":
				return // at the end
			}
			if cmd.Flags().Lookup("yes") != nil {
				args = append(args, "--yes")
			}
			text := try(args...)
			if path[0] == "runs" && slices.Contains(path, "metrics") && mode == "answer" {
				for _, cell := range strings.Split(strings.Split(text, "\r\n")[0], ",") {
					if cell == "" || strings.ContainsAny(cell[:1], "=+@-") {
						t.Errorf("%q begins a formula in %q", cell, text)
					}
				}
			}
			if cmd.Flags().Lookup("json") != nil {
				var out, errs bytes.Buffer
				Main(append(slices.Clone(args), "--json", "--dir", dir), program.Streams{Out: &out, Err: &errs})
				if !json.Valid(out.Bytes()) {
					t.Errorf("%v --json: %q", args, out.String())
				}
				if r, bad := termsafe.Unsafe(out.String() + errs.String()); bad {
					t.Errorf("%v --json: %U", args, r)
				}
			}
			if f := cmd.Flags().Lookup("format"); f != nil {
				for _, format := range []string{"text", "markdown", "csv", "json"} {
					try(append(slices.Clone(args), "--format", format)...)
				}
			}
		})
	}
	if tried < 30 {
		t.Errorf("only %d commands were tried", tried)
	}
	calls, _ := os.ReadFile(filepath.Join(root, "calls"))
	for _, line := range strings.Split(string(calls), "\n") {
		if strings.Contains(line, `"log" "--help"`) || strings.Contains(line, `"--help"`) {
			t.Errorf("a run ID became a flag: %s", line)
		}
	}
	if !strings.Contains(string(calls), `"run" `) {
		t.Error("no run was started")
	}
}

// bare runs a command as Main does, without the last door.
func bare(ctx context.Context, args []string, out *bytes.Buffer) {
	p := &program.Program{Streams: program.Streams{Out: out, Err: out}}
	root := root(p)
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(out)
	if err := root.ExecuteContext(ctx); err != nil {
		program.WriteProblem(out, err)
	}
}
