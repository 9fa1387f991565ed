package ui

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
)

func TestFolded(t *testing.T) {
	for _, c := range []struct{ says, want []string }{
		{[]string{"register a"}, []string{"register a"}},
		{[]string{"register a", "register b", "register c"}, []string{"register a, b, c"}},
		{[]string{"start a from x, read-only", "start b from x, read-only", "start c from y, read-only"}, []string{"start a, b from x, read-only", "start c from y, read-only"}},
		{[]string{"n 1", "n 2", "n 3", "n 4", "n 5", "n 6"}, []string{"n 1 to 6 (6)"}},
		{[]string{"stop a, which runs", "stop b, which runs"}, []string{"stop a, b, which runs"}},
		{[]string{"make the folder", "make a key", "save the number"}, []string{"make the folder", "make a key", "save the number"}},
		{[]string{"log in", "log in"}, []string{"log in", "log in"}},
		{nil, nil},
	} {
		var list []front.Action
		for _, s := range c.says {
			list = append(list, front.Action{Says: s})
		}
		var got []string
		for _, a := range folded(list) {
			got = append(got, a.Says)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q", c.says, got)
		}
	}
	edits := []front.Action{{Says: "edit a", Diff: "+1"}, {Says: "edit b", Diff: "+2"}}
	if got := folded(edits); len(got) != 2 {
		t.Errorf("two edits are %v", got)
	}
}

// TestFlwrDefined runs the shortened commands after the definition: they do what the whole ones do.
func TestFlwrDefined(t *testing.T) {
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip("no /bin/sh here: the commands are for one")
	}
	dir := t.TempDir()
	program := dir + "/flwr"
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho \"$FLWR_HOME|$*\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		commands []string
		define   int
	}{
		{[]string{program + " login grid", program + " run 'my app' grid"}, 1},
		{[]string{"FLWR_HOME='a b' " + program + " login grid", "echo other", "FLWR_HOME='a b' " + program + " list"}, 2},
		{[]string{"'" + program + "' login grid"}, 1},
		{[]string{"docker start supernode_1"}, 0},
		{[]string{"flwr login grid"}, 0},
	} {
		define, short := flwrDefined(c.commands)
		if len(define) != c.define || len(short) != len(c.commands) {
			t.Errorf("%q: %q, %q", c.commands, define, short)
		}
		for _, s := range short {
			if strings.Contains(s, dir) {
				t.Errorf("%q has the whole path", s)
			}
		}
		if c.define > 0 {
			if got, want := sh(t, append(define, short...)), sh(t, c.commands); got != want || !strings.Contains(got, "login grid") {
				t.Errorf("%q say %q, not %q", short, got, want)
			}
		}
	}
}

func sh(t *testing.T, lines []string) string {
	t.Helper()
	out, err := exec.CommandContext(context.Background(), "/bin/sh", "-c", strings.Join(lines, "\n")).CombinedOutput()
	if err != nil {
		t.Fatalf("%q: %v\n%s", lines, err, out)
	}
	return string(out)
}
