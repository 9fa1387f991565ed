package health

import (
	"bufio"
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// unregistered reads the log of a real SuperNode of 1.42.0 that was unregistered while it ran, and that Docker went on
// to restart.
func unregistered(t *testing.T) (lines []supernode.Line) {
	t.Helper()
	file, err := os.Open("testdata/unregistered-1.42.0.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for in := bufio.NewScanner(file); in.Scan(); {
		when, text, _ := strings.Cut(in.Text(), " ")
		at, err := time.Parse(time.RFC3339Nano, when)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, supernode.Line{Node: "supernode_1", Time: at, Text: text})
	}
	return lines
}

// TestRefusedForGood: for as long as the grid may hold a SuperNode that was killed, a refusal is not for good.
func TestRefusedForGood(t *testing.T) {
	lines := unregistered(t)
	if !refusedForGood(lines) {
		t.Error("refused for more than a minute, and not for good")
	}
	refusals := 0
	for i, l := range lines {
		if kind, _ := flwrexec.Landmark(l.Text); kind == flwrexec.MarkRefused {
			refusals++
			early := l.Time.Sub(lines[0].Time) < 2*time.Minute
			if early && refusedForGood(lines[:i+1]) {
				t.Errorf("for good at the refusal %d, %s", refusals, l.Time)
			}
		}
	}
	if refusals < 5 {
		t.Fatalf("%d refusals in the log", refusals)
	}
	last := lines[len(lines)-1]
	if refusedForGood(append(slices.Clone(lines), supernode.Line{Time: last.Time, Text: "INFO : SuperNode ID: 12"})) {
		t.Error("online again, and refused for good")
	}
}

// loggedRuntime is a runtime with one SuperNode that Docker restarts over and over.
type loggedRuntime struct {
	*sitetest.Runtime
	lines []supernode.Line
}

func (r loggedRuntime) Logs(_ context.Context, _ string, o supernode.LogOptions, each func(supernode.Line) error) error {
	for _, l := range r.lines[max(0, len(r.lines)-o.Tail):] {
		if err := each(l); err != nil {
			return err
		}
	}
	return nil
}

func (r loggedRuntime) List(context.Context) ([]supernode.Status, error) {
	return []supernode.Status{{Name: "supernode_1", State: supernode.Restarting}}, nil
}

// TestUnregisteredByTheCoordinator: a site without an account says whom to ask when the grid refuses its SuperNode.
func TestUnregisteredByTheCoordinator(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s, rt := sitetest.Up(t, g, 1)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Site = project.SiteChoice{Name: "St. Mary"} })
	err := s.Ledger.Change(func(d *ledger.Data) error {
		d.PutCoordinator(ledger.Coordinator{Connection: s.Choices().Grid.Connection, Name: "@ada", Contact: "+49 30 1234"})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		lines []supernode.Line
		grid  front.GridState
		says  string
	}{
		"for two minutes": {unregistered(t), front.GridUnregistered, "ask @ada (+49 30 1234)"},
		"just refused":    {unregistered(t)[:55], front.GridOffline, "a minute"},
	} {
		t.Run(name, func(t *testing.T) {
			site.With(s, site.Backends{Runtime: loggedRuntime{rt, c.lines}})
			s.Forget()
			o := Diagnosed(t.Context(), s, 0)
			if len(o.Nodes) != 1 || o.Nodes[0].Grid != c.grid || o.Nodes[0].Diagnosis == nil || !strings.Contains(o.Nodes[0].Diagnosis.Fix+o.Nodes[0].Diagnosis.Why, c.says) {
				t.Fatalf("%+v, %+v", o.Nodes, o.Nodes[0].Diagnosis)
			}
		})
	}
}
