package runs

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestPageIsKept: a run's page outlives the logs that it was made from, and has nothing of other runs.
func TestPageIsKept(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.WithKeys(t, g, 3)
	var long []string
	for i := range 100 {
		long = append(long, fmt.Sprintf("INFO : step %d", i))
	}
	failing := strings.Join(append(append([]string{"INFO :      [RUN 6]", "ValueError: of an older run", "INFO :      [RUN 7]"}, long...),
		"ERROR :     ClientApp raised an exception", "Traceback (most recent call last):", "KeyError: 'weights\x1b[2J'", "INFO :      [RUN 8]", "OSError: of a newer run"), "\n")
	rt := sitetest.RuntimeOf(t, s)
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: rt, Lines: map[string]string{"supernode_1": "INFO : [RUN 7]\nINFO : Sent successfully", "supernode_2": failing, "supernode_3": "INFO : [RUN 6]"}}})
	run := flwrexec.Run{ID: 7, Status: "finished", SubStatus: "failed", Details: "no \x1b[31mresults"}
	keepPage(t.Context(), s, run, append(long, "ERROR : the end"))
	site.With(s, site.Backends{Runtime: sitetest.Saying{Runtime: rt, Lines: map[string]string{}}})

	p, err := ReadPage(t.Context(), s, "7")
	if err != nil {
		t.Fatal(err)
	}
	if p.Status != "finished:failed" || p.Details != "no results" || p.Kept.IsZero() || len(p.Log) != tailLines || p.Log[tailLines-1] != "ERROR : the end" {
		t.Errorf("%+v", p)
	}
	if len(p.Nodes) != 2 || p.Nodes[0].Name != "supernode_1" || p.Nodes[0].Failed != "" || p.Nodes[1].Name != "supernode_2" {
		t.Fatalf("took part: %+v", p.Nodes)
	}
	log := strings.Join(p.Nodes[1].Log, "\n")
	if p.Nodes[1].Failed != "KeyError: 'weights'" || !strings.Contains(log, "step 99") || strings.Contains(log, "step 10\n") || strings.Contains(log, "older") || strings.Contains(log, "newer") {
		t.Errorf("%q\n%s", p.Nodes[1].Failed, log)
	}
	if info, err := os.Stat(pageFile(s, "7")); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("others may read it: %v, %v", info, err)
	}
}

// TestHostilePage: whoever wrote a page, no control sequence and no endless text come out of it.
func TestHostilePage(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	bad := "\x1b]0;owned\x07" + strings.Repeat("x", 5000)
	p := Page{ID: "7", Status: bad, App: bad, Details: bad, Log: []string{bad}, Nodes: []PageNode{{Name: bad, Failed: bad, Log: []string{bad}}}}
	for range 500 {
		p.Log = append(p.Log, "a\nb")
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(s.StateDir("runs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(pageFile(s, "7"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPage(t.Context(), s, "7")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range append([]string{got.Status, got.App, got.Details, got.Nodes[0].Name, got.Nodes[0].Failed}, append(got.Log, got.Nodes[0].Log...)...) {
		if strings.ContainsAny(text, "\x1b\x07\n") || len([]rune(text)) > pageLine {
			t.Errorf("%.80q", text)
		}
	}
	if len(got.Log) > tailLines {
		t.Errorf("%d lines", len(got.Log))
	}
}

func TestOldPagesGo(t *testing.T) {
	dir := t.TempDir()
	for i := range pages + 5 {
		f := filepath.Join(dir, fmt.Sprintf("%d.json", i))
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(time.Duration(i) * time.Minute)
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
	forgetPages(dir)
	left, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	if len(left) != pages {
		t.Errorf("%d pages are left", len(left))
	}
	if _, err := os.Stat(filepath.Join(dir, "4.json")); err == nil {
		t.Error("an old one is left")
	}
}
