package flwrexec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

func TestDiagnoseRecordedNodes(t *testing.T) {
	// supernode-4: key not registered; 5: RSA, public half, missing, locked; 6: second with the same key;
	// 7: certificate not trusted; 8: unregistered.
	for _, v := range transcribed {
		all := transcript(t, v)
		for key, want := range map[string]problem.Code{
			"supernode-4": problem.NodeRefused, "supernode-5": problem.BadKey, "supernode-5#2": problem.BadKey,
			"supernode-5#3": problem.BadKey, "supernode-5#4": problem.BadKey, "supernode-6": problem.NodeRefused,
			"supernode-7": problem.Untrusted, "supernode-8": problem.NodeRefused,
		} {
			r, ok := all[key]
			if !ok {
				if v != "1.33.0" { // a shorter session was recorded of it
					t.Errorf("%s has no %s", v, key)
				}
				continue
			}
			if p := DiagnoseNodeLog(safeLines(r.stderr), NodeHints{}); p == nil || p.Code != want || p.Fix == "" || p.Raw == "" {
				t.Errorf("%s %s: want %s, got %+v", v, key, want, p)
			}
		}
		// These ran well to the end, one through a restart of the grid.
		for _, key := range []string{"supernode-1", "supernode-2", "supernode-3"} {
			if p := DiagnoseNodeLog(safeLines(all[key].stderr), NodeHints{}); p != nil {
				t.Errorf("%s %s: %+v", v, key, p)
			}
		}
		if p := DiagnoseNodeLog(safeLines(all["names-09-node-no-port"].stderr), NodeHints{}); v != "1.33.0" && (p == nil || !strings.Contains(p.Fix, "host:port")) {
			t.Errorf("%s: no port: %+v", v, p)
		}
	}
}

func TestDiagnoseNodeLog(t *testing.T) {
	v := func(s string) flwr.Version { x, _ := flwr.ParseVersion(s); return x }
	start := "INFO :      Starting Flower SuperNode"
	retry := "WARNING :   Connection attempt failed, retrying in 5.91 seconds"
	for _, c := range []struct {
		name  string
		lines []string
		hints NodeHints
		code  problem.Code // "" is no trouble
		says  string
	}{
		{"starting", []string{start}, NodeHints{}, "", ""},
		{"online", []string{start, "INFO :      SuperNode ID: 12", "INFO :      Starting Flower SuperExec", retry, retry}, NodeHints{}, "", ""},
		{"for ever", []string{start, retry, retry, retry}, NodeHints{Fleet: "fleet.example:443"}, problem.NodeNotOnline, "fleet.example:443"},
		{"old image", []string{start, retry, retry, retry}, NodeHints{Node: v("1.24.0"), Grid: v("1.42.0")}, NodeVersion, "older flwr (1.24.0)"},
		{"new image", []string{start, retry, retry, retry}, NodeHints{Node: v("1.42.0"), Grid: v("1.38.0")}, NodeVersion, "newer flwr"},
		{"back", []string{start, "SuperNode ID: 12", retry, retry, retry, retry, "INFO :      Connection successful after 27.86 seconds and 9 tries."}, NodeHints{}, "", ""},
		{"key of another user", []string{start, "PermissionError: [Errno 13] Permission denied: 'keys/client_credentials_1'"}, NodeHints{}, problem.BadKey, "0600"},
		{"no superexec", []string{start, "    raise child_exception_type(errno_num, err_msg, err_filename)", "FileNotFoundError: [Errno 2] No such file or directory: 'flower-superexec'"}, NodeHints{}, ProgramMissing, "PATH"},
		{"home", []string{start, "OSError: [Errno 30] Read-only file system: '/flwr'"}, NodeHints{}, problem.BadInput, "FLWR_HOME"},
		{"port", []string{start, "Port in server address 0.0.0.0:9094 is already in use."}, NodeHints{}, problem.PortTaken, ""},
		{"port, HTTP", []string{start, "ERROR:    [Errno 98] error while attempting to bind on address ('127.0.0.1', 9094): address already in use"}, NodeHints{}, problem.PortTaken, ""},
		{"shared home", []string{start, "SuperNode ID: 12", "Unable to locate site-packages in runtime environment /x"}, NodeHints{}, problem.BadInput, "own"},
		{"old arguments", []string{"flower-supernode: error: unrecognized arguments: --grpc-rere"}, NodeHints{}, problem.Usage, "release"},
		{"arguments of another release", []string{"flower-supernode: error: unrecognized arguments: --host 127.0.0.1 --port 21004"}, NodeHints{Node: v("1.24.0"), Grid: v("1.42.0")}, NodeVersion, "runs flwr 1.24.0"},
		{"configuration, 1.24", []string{start, `  File "/python/venv/lib/python3.11/site-packages/flwr/common/config.py", line 247, in parse_config_args`, "    raise typer.Exit(code=1) from err", "click.exceptions.Exit"}, NodeHints{}, NodeConfig, "node-config"},
		{"configuration, 1.42", []string{"click.exceptions.ClickException: The provided configuration string is in an invalid format. The correct format"}, NodeHints{}, NodeConfig, "node-config"},
		{"configuration's type", []string{"ValueError: The value for key a needs to be of type `int`, `float`"}, NodeHints{}, NodeConfig, "node-config"},
		{"configuration's file", []string{`  File "/x/flwr/common/config.py", line 212, in parse_config_args`, "FileNotFoundError: [Errno 2] No such file or directory: 'a.toml'"}, NodeHints{}, NodeConfig, "node-config"},
		{"an argument's value", []string{"flower-supernode: error: argument --max-retries: invalid int value: 'many'"}, NodeHints{}, NodeConfig, "argument --max-retries: invalid int value: 'many'"},
		{"an app's own ValueError", []string{start, "SuperNode ID: 12", "ERROR :     ClientApp raised an exception", "ValueError: The value for key a needs to be of type x"}, NodeHints{}, app.Broken, "ValueError"},
		{"package", []string{start, "SuperNode ID: 12", "ModuleNotFoundError: No module named 'torch'"}, NodeHints{}, app.Broken, "the package torch"},
		{"package index", []string{start, "SuperNode ID: 12", "ERROR :     ClientApp raised an exception", "flwr.supercore.superexec.dependency_installer.RuntimeDependencyInstallationError: uv sync failed: exit code 2"}, NodeHints{}, app.Broken, "could not be installed"},
		{"app", []string{start, "SuperNode ID: 12", "ERROR :     ClientApp raised an exception", "ValueError: bad data"}, NodeHints{}, app.Broken, "ValueError: bad data"},
		{"app's own file", []string{start, "SuperNode ID: 12", "ERROR :     ClientApp raised an exception", "FileNotFoundError: [Errno 2] No such file or directory: 'data.csv'"}, NodeHints{}, app.Broken, "data.csv"},
		{"restarted well", []string{start, "[code: 2004] Failed to activate SuperNode.", start, "SuperNode ID: 12"}, NodeHints{}, "", ""},
		{"unregistered", []string{start, "[code: 2004] Failed to activate SuperNode."}, NodeHints{Status: StatusUnregistered}, NodeUnregistered, "for good"},
		{"second copy", []string{start, "[code: 2004] Failed to activate SuperNode."}, NodeHints{Status: StatusOnline}, NodeHeld, "less than a minute"},
		{"grid's trouble", []string{start, "SuperNode ID: 12", "status = StatusCode.INTERNAL"}, NodeHints{}, problem.ServerError, ""},
	} {
		p := DiagnoseNodeLog(c.lines, c.hints)
		switch {
		case c.code == "" && p != nil:
			t.Errorf("%s: %+v", c.name, p)
		case c.code != "" && (p == nil || p.Code != c.code):
			t.Errorf("%s: want %s, got %+v", c.name, c.code, p)
		case p != nil && !strings.Contains(p.Error()+p.Fix, c.says):
			t.Errorf("%s: %q does not say %q", c.name, p.Error(), c.says)
		}
	}
}

func TestLandmark(t *testing.T) {
	for line, want := range map[string][2]string{
		"INFO :      SuperNode ID: 8688387445877465697":                      {string(MarkOnline), "8688387445877465697"},
		"INFO :      [RUN 8822730199]":                                       {string(MarkRun), "8822730199"},
		"INFO :      Receiving: train message (ID: ecd3)":                    {string(MarkReceived), "train"},
		"INFO :      Sent successfully":                                      {string(MarkSent), ""},
		"WARNING :   Connection attempt failed, retrying in 0.96 seconds":    {string(MarkRetrying), "0.96"},
		"INFO :      Connection successful after 27.86 seconds and 9 tries.": {string(MarkConnected), ""},
		"[code: 2004] Failed to activate SuperNode.":                         {string(MarkRefused), ""},
		`	details = "No SuperNode found with the given public key."`:         {string(MarkRefused), ""},
		"ERROR :     Exit Code: 302":                                         {string(MarkFailed), "Exit Code: 302"},
		"INFO :      Installing application dependencies...":                 {string(MarkInstalling), ""},
		"ValueError: this run was told to fail early":                        {string(MarkFailed), "ValueError: this run was told to fail early"},
		"INFO :      SuperNode terminated gracefully.":                       {string(MarkStopped), ""},
		"INFO :      Received successfully":                                  {"", ""},
		"INFO:     Uvicorn running on http://127.0.0.1:23101 (Press CTRL+C)": {"", ""},
	} {
		if kind, detail := Landmark(line); string(kind) != want[0] || detail != want[1] {
			t.Errorf("%s: %q %q", line, kind, detail)
		}
	}
}

func TestDiagnoseRunLog(t *testing.T) {
	for _, v := range transcribed {
		all := transcript(t, v)
		p := DiagnoseRunLog(safeLines(all["run-readonly-stream"].stdout), "")
		if p == nil || p.Code != problem.RunReadOnly || !strings.Contains(p.What, "final_model.npz") || !strings.Contains(p.Fix, "server_app.py line ") {
			t.Errorf("%s: %+v", v, p)
		}
		p = DiagnoseRunLog(safeLines(all["log-of-failed"].stdout), "")
		if p == nil || !strings.Contains(p.What, "told to fail early") {
			t.Errorf("%s: %+v", v, p)
		}
		if p := DiagnoseRunLog(safeLines(all["run-stream"].stdout), ""); p != nil {
			t.Errorf("%s: %+v", v, p)
		}
	}
	for file, says := range map[string]string{"no-name-1.42.0": "Name or service not known", "no-connection-1.42.0": "Connection refused"} {
		p := DiagnoseRunLog(realLog(t, "runs", file), "")
		if p == nil || p.Code != RunNoNetwork || !strings.Contains(p.What, says) || !strings.Contains(p.Fix, "server_app.py line 2") {
			t.Errorf("%s: %+v", file, p)
		}
	}
	// The grid itself was away: that is not the app's fault.
	lost := []string{`  File "/app/apps/me.a.1.0.0.ab/a/server_app.py", line 40, in main`,
		`  File "/venv/lib/python3.13/site-packages/flwr/server/grid/inmemory_grid.py", line 9, in push_messages`, "ConnectionError: [Errno 111] Connection refused"}
	if p := DiagnoseRunLog(lost, ""); p == nil || p.Code != problem.RunFailed {
		t.Errorf("%+v", p)
	}
	if p := DiagnoseRunLog(nil, "ServerApp failed"); p == nil || !strings.Contains(p.What, "ServerApp failed") {
		t.Errorf("%+v", p)
	}
}

// realLog returns the lines of a real log below testdata.
func realLog(t *testing.T, kind, name string) []string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", kind, name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return safeLines(string(b))
}

// A SuperNode installs an app's packages before each answer; later lines do not count as an installation.
func TestInstalling(t *testing.T) {
	lines := realLog(t, "nodes", "install-1.42.0")
	began, times := 0, 0
	for i := range lines {
		now := Installing(lines[:i+1])
		switch {
		case now && began == 0:
			began, times = i+1, times+1
			if !strings.Contains(lines[i], "Installing application dependencies") {
				t.Errorf("since %q", lines[i])
			}
		case !now && began > 0:
			began = 0
			if !strings.Contains(lines[i], "installed successfully") {
				t.Errorf("until %q", lines[i])
			}
		}
	}
	if times != 2 || began != 0 {
		t.Errorf("%d installations seen, the last one over: %v", times, began == 0)
	}
	if p := DiagnoseNodeLog(lines, NodeHints{}); p != nil {
		t.Errorf("%+v", p)
	}
}
