package dash

import (
	"strings"
	"testing"
	"time"

	"flwrup/internal/front"
	"flwrup/ui/style"
	"flwrup/ui/tally"
)

var bare = style.Options{NoColor: true}

// well is four SuperNodes that are all online, with a run.
func well() front.Overview {
	o := five()
	o.Nodes = o.Nodes[:4]
	return o
}

// TestErrorsAreTold: SuperNodes that are online and log errors are not green, in their rows and in the summary.
func TestErrorsAreTold(t *testing.T) {
	m := testModel(t, well(), 120, 40, bare)
	if s := (screen{m}).summary(); !strings.HasPrefix(s, "✓ 4 of 4 SuperNodes online") {
		t.Fatal(s)
	}
	for _, name := range []string{"supernode_1", "supernode_2", "supernode_3"} {
		m.counts[name] = tally.Count{Errors: 100, LastError: noon.Add(-time.Minute)}
	}
	m.counts["supernode_4"] = tally.Count{Errors: 7, LastError: noon.Add(-time.Hour)} // long ago
	m.arrange()
	m.stale = true
	if s := (screen{m}).summary(); !strings.HasPrefix(s, "! 4 of 4 SuperNodes online") || !strings.Contains(s, "300 errors in 3 logs") {
		t.Error(s)
	}
	v := m.View()
	if strings.Count(v, "! online") != 3 || strings.Count(v, "✓ online") != 1 || !strings.Contains(v, "100 errors in its log, last 1 min ago") {
		t.Error(v)
	}
	got := sent(m.Update(press("E")))
	if open, ok := got[0].(OpenLogs); !ok || len(open.Nodes) != 3 || !open.Errors {
		t.Errorf("E: %v", got)
	}
}

// TestRunThatHangs: a run without progress for longer than its rounds explain is said so, with what to look at.
func TestRunThatHangs(t *testing.T) {
	for _, tt := range []struct {
		name             string
		running, asked   time.Duration // ago
		longest          time.Duration
		failing, stalled bool
		says             string
	}{
		{"a round of usual length", 10 * time.Minute, time.Minute, time.Minute, false, false, ""},
		{"thrice as long as any", 20 * time.Minute, 6 * time.Minute, 2 * time.Minute, false, true, "no progress for 6m"},
		{"long rounds", time.Hour, 20 * time.Minute, 10 * time.Minute, false, false, ""},
		{"short rounds, not two minutes yet", time.Hour, 110 * time.Second, time.Second, false, false, ""},
		{"its first round", 4 * time.Minute, 4 * time.Minute, 0, false, false, ""},
		{"its first round, too long", 6 * time.Minute, 6 * time.Minute, 0, false, true, "no progress for 6m"},
		{"its first round, with errors", 3 * time.Minute, 3 * time.Minute, 0, true, true, "supernode_1 logs errors: E shows them"},
	} {
		o := well()
		o.Runs = o.Runs[1:]
		o.Runs[0].Running = noon.Add(-tt.running)
		m := testModel(t, o, 120, 40, bare)
		c := tally.Count{Run: o.Runs[0].ID, Asked: noon.Add(-tt.asked), Longest: tt.longest}
		if tt.failing {
			c.Errors, c.LastError = 1, noon
		}
		m.counts["supernode_1"] = c
		m.arrange()
		m.stale = true
		v := m.View()
		if got := strings.Contains(v, "no progress"); got != tt.stalled || !strings.Contains(v, tt.says) {
			t.Errorf("%s: told %v\n%s", tt.name, got, v)
		}
		if s := (screen{m}).summary(); strings.Contains(s, "a run is stalled") != tt.stalled || tt.stalled && !strings.HasPrefix(s, "!") {
			t.Errorf("%s: %s", tt.name, s)
		}
	}
}

// TestToastGoes: a text below the summary goes on its own; a failure stays longer.
func TestToastGoes(t *testing.T) {
	m := testModel(t, well(), 120, 40, bare)
	at := noon
	m.now = func() time.Time { return at }
	for _, tt := range []struct {
		n    note
		stay time.Duration
	}{{note{text: "supernode_1 has no node ID yet"}, Toast}, {note{text: "Docker is not running", bad: true}, Warned}} {
		m.note = tt.n
		m.poll()
		at = at.Add(tt.stay - time.Second)
		if m.poll(); !strings.Contains(m.View(), tt.n.text) {
			t.Errorf("%q is gone too soon", tt.n.text)
		}
		at = at.Add(time.Second)
		if m.poll(); strings.Contains(m.View(), tt.n.text) {
			t.Errorf("%q stays", tt.n.text)
		}
	}
}

// TestFilter: only what matches is shown, marked and acted on.
func TestFilter(t *testing.T) {
	m := testModel(t, many(50), 120, 40, bare)
	m.Update(press("A")) // all 50
	for _, k := range []string{"/", "4", "1"} {
		m.Update(press(k))
	}
	if !m.Typing() || len(m.rows) != 1 || m.sel != "supernode_41" || !strings.Contains(m.View(), "1 of 50 SuperNodes") {
		t.Fatalf("%d rows, at %s\n%s", len(m.rows), m.sel, m.View())
	}
	m.Update(press("enter"))
	if got := sent(m.Update(press("x"))); len(got) != 1 || len(got[0].(Run).Nodes) != 1 {
		t.Errorf("stops %v, which nobody sees", got)
	}
	m.Update(press("esc"))
	if len(m.rows) != 50 || m.filter != "" {
		t.Errorf("%d rows after esc", len(m.rows))
	}
	m = testModel(t, five(), 120, 40, bare)
	for _, k := range strings.Split("/restarting", "") {
		m.Update(press(k))
	}
	if len(m.rows) != 1 || m.rows[0].Name != "supernode_5" {
		t.Errorf("by state: %d rows", len(m.rows))
	}
}

// TestOrder: the table is sorted by column; without one, many SuperNodes are in groups, the worst first.
func TestOrder(t *testing.T) {
	m := testModel(t, five(), 120, 40, bare)
	for i := range m.have.Nodes {
		m.counts[m.have.Nodes[i].Name] = tally.Count{Errors: i, LastError: noon.Add(-time.Hour)}
	}
	m.Update(press("<")) // the last column
	if m.rows[0].Name != "supernode_5" || m.rows[4].Name != "supernode_1" || !strings.Contains(m.View(), "errors↓") {
		t.Error(m.View())
	}
	o := many(50)
	o.Nodes[44].Grid, o.Nodes[44].Runtime = front.GridOffline, ended(1)
	m = testModel(t, o, 80, 24, bare)
	if v := m.View(); m.rows[0].Name != "supernode_45" || !strings.Contains(v, "need attention 1") || !strings.Contains(v, "well 49") {
		t.Error(v)
	}
	for range 49 {
		m.Update(press("down"))
		if v := m.View(); !strings.Contains(v, "▸  "+m.sel) {
			t.Fatalf("the cursor on %s is not visible:\n%s", m.sel, v)
		}
	}
	if m.sel != "supernode_50" {
		t.Errorf("at %s after all rows", m.sel)
	}
}
