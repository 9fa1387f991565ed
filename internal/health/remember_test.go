package health

import (
	"os"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// The folder's history gets the SuperNodes of an overview, and an action.
func TestOverviewIsRemembered(t *testing.T) {
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
	Overview(t.Context(), s, 0)
	Did(s, front.RestartNodes, []string{"supernode_2"}, nil)
	StopLooking(s)
	l, err := history.Read(s.StateDir())
	if err != nil {
		t.Fatal(err)
	}
	var said []string
	for _, e := range l.Entries {
		said = append(said, string(e.Kind)+" "+e.Name+" "+e.State.Here+e.Text)
	}
	text := strings.Join(said, "\n")
	for _, want := range []string{"node supernode_1 " + string(supernode.Running), "node supernode_2 " + string(supernode.Running), "act supernode_2 restart"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if l.Damaged > 0 {
		t.Errorf("%d lines are damaged", l.Damaged)
	}
}

// A look into a folder that has no records makes none, and one whose history cannot be written says nothing about it.
func TestLooksThatCannotWrite(t *testing.T) {
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	file := history.File(s.StateDir())
	if err := os.RemoveAll(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(file, 0o700); err != nil {
		t.Fatal(err)
	}
	if o := Overview(t.Context(), s, 0); o.GridErr != nil || o.RuntimeErr != nil || len(o.Nodes) != 1 {
		t.Errorf("%+v", o)
	}
}

// The end of a run that flwrup follows gets into the history, whoever else looks.
func TestRunIsRemembered(t *testing.T) {
	s, _ := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	RememberRun(s, front.RunView{ID: "7", App: "a/b 1.0", Status: front.RunFailed})
	l, err := history.Read(s.StateDir())
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.Entries); n == 0 || l.Entries[n-1].Kind != history.Run || l.Entries[n-1].Name != "7" || l.Entries[n-1].Status != string(front.RunFailed) {
		t.Errorf("%+v", l.Entries)
	}
}
