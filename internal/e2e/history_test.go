//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"flwrup/internal/report/reporttest"
)

// remembered checks, after a watch, that the history has the loss of supernode_1 and the stop of supernode_2,
// and that a report has neither a private key nor a path of this machine.
func (h *home) remembered(dir string) {
	t := h.t
	t.Helper()
	var got struct {
		Data struct {
			Nodes []struct {
				Name    string
				Online  int `json:"online_seconds"`
				Down    int `json:"down_seconds"`
				Stopped int `json:"stopped_seconds"`
			}
			Events  []struct{ Node, State string }
			Damaged int
		}
	}
	out := h.must("history", "--since", "1h", "--json", "--dir", dir).out
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	states := map[string][]string{}
	for _, e := range got.Data.Events {
		if e.State != "" {
			states[e.Node] = append(states[e.Node], e.State)
		}
	}
	for _, n := range got.Data.Nodes {
		t.Logf("%s: online %d s, down %d s, stopped %d s, %v", n.Name, n.Online, n.Down, n.Stopped, states[n.Name])
		switch n.Name {
		case "supernode_1":
			if n.Online == 0 || n.Stopped > 0 || !strings.Contains(strings.Join(states[n.Name], " "), "down online") && !strings.Contains(strings.Join(states[n.Name], " "), "down down online") {
				t.Errorf("%s was lost and came back; the history has %+v, %v", n.Name, n, states[n.Name])
			}
		case "supernode_2":
			if n.Stopped == 0 {
				t.Errorf("%s was stopped; the history has %+v, %v", n.Name, n, states[n.Name])
			}
		}
	}
	if len(got.Data.Nodes) < 2 || got.Data.Damaged > 0 {
		t.Errorf("%d SuperNodes, %d lines damaged", len(got.Data.Nodes), got.Data.Damaged)
	}

	to := t.TempDir()
	h.must("report", "--yes", "--out", to, "--dir", dir)
	archives, _ := filepath.Glob(filepath.Join(to, "flwrup-report-*.tar.gz"))
	if len(archives) != 1 {
		t.Fatalf("%d reports", len(archives))
	}
	text := fmt.Sprint(reporttest.Unpack(t, archives[0]))
	secrets := []string{dir, "PRIVATE KEY"}
	private, _ := filepath.Glob(filepath.Join(dir, "keys", "*"))
	for _, f := range private {
		if content, err := os.ReadFile(f); err == nil && strings.Contains(string(content), "PRIVATE KEY") {
			secrets = append(secrets, strings.Split(string(content), "\n")[1])
		}
	}
	if len(secrets) < 4 {
		t.Fatalf("only %d private keys were found", len(secrets)-2)
	}
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("the report has %q", s)
		}
	}
	if !strings.Contains(text, "SuperNode ID: ") || !strings.Contains(text, "14 Online: ") {
		t.Error("the report has no logs, or no findings")
	}
}
