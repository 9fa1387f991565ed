package dash

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"
	"go.uber.org/goleak"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/history"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

func TestMain(m *testing.M) {
	time.Local = time.UTC
	goleak.VerifyTestMain(m)
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is a Source whose answers the test sets.
type world struct {
	mu      sync.Mutex
	o       front.Overview
	ages    []time.Duration // of the questions
	past    history.Log
	changed func()
	notify  notify.Settings
	watches error // why it must not watch; nil: it may
	watched int   // watches at hand
}

func (w *world) Notify() notify.Settings { return w.notify }

func (w *world) HoldWatch() (func(), error) {
	if w.watches != nil {
		return nil, w.watches
	}
	w.watched++
	return func() { w.watched-- }, nil
}

func (w *world) Overview(_ context.Context, age time.Duration) front.Overview {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ages = append(w.ages, age)
	return w.o
}

func (w *world) Past(from, to time.Time) (history.Timeline, error) {
	return w.past.Between(from, to, ""), nil
}

func (w *world) Usage(context.Context, string) (supernode.Usage, error) {
	return supernode.Usage{CPU: 41, Memory: 240 << 20}, nil
}

func (w *world) RunProgress(context.Context, string) (front.RunProgress, error) {
	return front.RunProgress{}, nil
}

func (w *world) Watch(ctx context.Context, changed func()) error {
	w.mu.Lock()
	w.changed = changed
	w.mu.Unlock()
	<-ctx.Done()
	return ctx.Err()
}

func (w *world) Logs(ctx context.Context, node string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	<-ctx.Done()
	return ctx.Err()
}

// five is a project as in the sketch of the dashboard: four nodes online, one that is not.
func five() front.Overview {
	o := front.Overview{GridAt: noon.Add(-12 * time.Second), Online: 4}
	ids := []string{"8688387445877465697", "7304313080113384584", "1155773092841220517", "9674070929710601496", "4623914040792880723"}
	for i, id := range ids {
		n := front.NodeView{
			Name: fmt.Sprintf("supernode_%d", i+1), NodeID: id, KeyFile: fmt.Sprintf("keys/client_credentials_%d", i+1),
			Fingerprint: "SHA256:bqW3b9kdX4dYqXq8TzYwbqW3b9kdX4dYqXq8TzYwabc", Grid: front.GridOnline, GridSince: noon.Add(-2 * time.Hour),
			Runtime: supernode.Status{State: supernode.Running, Since: noon.Add(-2 * time.Hour), Image: "flwr/supernode:1.42.0-py3.13-ubuntu24.04",
				Ours: true, ID: strings.Repeat("0123456789abcdef", 4), LogKeptFor: "docker logs supernode_1"},
		}
		if i == 4 {
			n.Grid, n.Runtime.State, n.Runtime.Restarts = front.GridOffline, supernode.Restarting, 3
			n.Diagnosis = problem.New(problem.NodeNotOnline, "image flwr 1.24.0 cannot speak to this grid", "HTTP since 1.40",
				"start it again with the image of flwr 1.42.0")
		}
		o.Nodes = append(o.Nodes, n)
	}
	o.Runs = []front.RunView{
		{ID: "8894709339875389874", App: "flwrlabs/quickstart 1.0.0", Status: "finished:completed", Elapsed: 133 * time.Second},
		{ID: "1762309077582676982", App: "flwrlabs/quickstart 1.0.0", Status: "running", Elapsed: 41 * time.Second},
	}
	return o
}

func many(n int) front.Overview {
	o := front.Overview{GridAt: noon, Online: n}
	for i := range n {
		v := five().Nodes[0]
		v.Name = fmt.Sprintf("supernode_%d", i+1)
		o.Nodes = append(o.Nodes, v)
	}
	return o
}

// testModel returns a dashboard that has seen o, at noon.
func testModel(t testing.TB, o front.Overview, w, h int, look style.Options) *Model {
	t.Helper()
	m := New(&world{o: o}, style.New(look))
	t.Cleanup(m.Close)
	m.now = func() time.Time { return noon }
	m.SetSize(w, h)
	m.Update(overviewMsg{model: m, o: o, grid: true})
	m.openLog()
	return m
}

func press(k string) tea.KeyMsg {
	if k == "space" {
		k = " "
	}
	return keymap.Type(k)
}

// sent runs cmd and returns the messages that are meant for the frame.
func sent(cmd tea.Cmd) []tea.Msg {
	if cmd == nil {
		return nil
	}
	switch msg := cmd().(type) {
	case tea.BatchMsg:
		var all []tea.Msg
		for _, c := range msg {
			all = append(all, sent(c)...)
		}
		return all
	case OpenLogs, OpenStep, NewRun, Run, Copy, Tell:
		return []tea.Msg{msg}
	}
	return nil
}

func TestKeys(t *testing.T) {
	tests := []struct {
		keys string
		want tea.Msg
	}{
		{"s", Run{Verb: front.StartNodes, Nodes: []string{"supernode_1"}}},
		{"down x", Run{Verb: front.StopNodes, Nodes: []string{"supernode_2"}}},
		{"space down space r", Run{Verb: front.RestartNodes, Nodes: []string{"supernode_1", "supernode_3"}}},
		{"space space up up space D", Run{Verb: front.TakeOutNodes, Nodes: []string{"supernode_2"}}},
		{"A l", OpenLogs{Nodes: []string{"supernode_1", "supernode_2", "supernode_3", "supernode_4", "supernode_5"}}},
		{"A A l", OpenLogs{Nodes: []string{"supernode_1"}}},
		{"A esc l", OpenLogs{Nodes: []string{"supernode_1"}}},
		{"end l", OpenLogs{Nodes: []string{"supernode_5"}}},
		{"end home j k l", OpenLogs{Nodes: []string{"supernode_1"}}},
		{"c", Copy{"8688387445877465697", "node ID of supernode_1"}},
		{"space space c", Copy{"8688387445877465697\n7304313080113384584", "2 node IDs"}},
		{"a", Run{Verb: front.AddNode, Nodes: nil}},
		{"R", NewRun{}},
		{"enter", nil},
		{"F", nil}, // opens the details of the node that is not well
	}
	for _, tt := range tests {
		m := testModel(t, five(), 80, 24, style.Options{NoColor: true})
		var cmd tea.Cmd
		for _, k := range strings.Fields(tt.keys) {
			cmd = m.Update(press(k))
		}
		got := sent(cmd)
		if tt.want == nil {
			if len(got) != 0 {
				t.Errorf("%s: %v", tt.keys, got)
			}
		} else if len(got) != 1 || !reflect.DeepEqual(got[0], tt.want) {
			t.Errorf("%s: %v, want %v", tt.keys, got, tt.want)
		}
	}
}

// TestSitesAlone: without a SuperNode here D is for the sites.
func TestSitesAlone(t *testing.T) {
	o := five()
	o.Sites = []front.SiteView{{Name: "city", Title: "City Hospital", Nodes: []front.NodeView{{Name: "city.supernode_1", Grid: front.GridOnline}}}}
	for _, alone := range []bool{true, false} {
		want := Run{Verb: front.TakeOutNodes, Nodes: []string{"supernode_1"}}
		if alone {
			o.Nodes, want = nil, Run{Verb: front.RemoveSite}
		} else {
			o.Nodes = five().Nodes
		}
		m := testModel(t, o, 80, 24, style.Options{NoColor: true})
		if got := sent(m.Update(press("D"))); len(got) != 1 || !reflect.DeepEqual(got[0], want) {
			t.Errorf("alone %v: %v", alone, got)
		}
	}
}

// TestSitesUnderTheCursor: below the SuperNodes the cursor comes to the other sites, and D is for the site that it is on.
func TestSitesUnderTheCursor(t *testing.T) {
	o := five()
	lost := func(name string) front.NodeView {
		return front.NodeView{Name: name, Grid: front.GridOffline, Diagnosis: problem.New(health.SiteLost, name+" is offline", "it runs at City Hospital", "ask City Hospital to run: flwrup status")}
	}
	o.Sites = []front.SiteView{{Name: "st-marys", Title: "St. Mary's", Nodes: []front.NodeView{{Name: "st-marys.supernode_1", Grid: front.GridOnline}}},
		{Name: "city", Title: "City Hospital", Nodes: []front.NodeView{lost("city.supernode_1"), lost("city.supernode_2")}}}
	m := testModel(t, o, 80, 40, style.Options{NoColor: true, ASCII: true})
	if frame := m.View(); strings.Count(frame, "ask City Hospital") != 1 || !strings.Contains(frame, "city.supernode_2 is offline") {
		t.Errorf("the message once, and each reason:\n%s", frame)
	}
	for range 5 {
		m.Update(press("down"))
	}
	if m.site != "st-marys" || m.sel != "" || !strings.Contains(m.View(), "> + St. Mary's") || !strings.Contains(m.View(), "runs") {
		t.Fatalf("at %q, %q:\n%s", m.sel, m.site, m.View())
	}
	m.Update(press("down"))
	m.Update(press("down"))
	if got := sent(m.Update(press("D"))); len(got) != 1 || !reflect.DeepEqual(got[0], Run{Verb: front.RemoveSite, Nodes: []string{"city"}}) {
		t.Errorf("D at a site: %v", got)
	}
	if got := sent(m.Update(press("s"))); len(got) != 0 {
		t.Errorf("s at a site: %v", got)
	}
	o.Sites = o.Sites[:1] // the site is gone, the cursor goes back to the SuperNodes
	before := m.have
	m.have = o
	m.keepCursor(before)
	if m.site != "" || m.sel == "" {
		t.Errorf("at %q, %q", m.sel, m.site)
	}
	m = testModel(t, o, 80, 40, style.Options{NoColor: true, ASCII: true})
	m.Update(press("G"))
	m.Update(press("up"))
	if m.sel != "supernode_5" || m.site != "" {
		t.Errorf("back at %q, %q", m.sel, m.site)
	}
}

func TestFixLeadsToTheStep(t *testing.T) {
	o := five()
	o.Nodes[4].Diagnosis.Code = problem.NotLoggedIn
	m := testModel(t, o, 80, 24, style.Options{NoColor: true})
	if got := sent(m.Update(press("F"))); len(got) != 1 || got[0] != (OpenStep{9}) || m.sel != "supernode_5" {
		t.Errorf("%v, at %s", got, m.sel)
	}
	m = testModel(t, five(), 80, 24, style.Options{NoColor: true})
	m.Update(press("F"))
	if v := m.View(); !strings.Contains(v, "to do         start it again with the image of flwr 1.42.0") || !m.Holds() {
		t.Error(v)
	}
	m.Update(press("esc"))
	if m.Holds() {
		t.Error("esc does not close the details")
	}
}

// A trouble of all nodes is mended first: the rehearsal's grid started, the login, Docker.
func TestFixOfTheWhole(t *testing.T) {
	o := five()
	o.GridErr = problem.New(health.GridEnded, "the rehearsal's grid is not running", "", "")
	o.Remedy = &front.Remedy{Says: "restart the rehearsal's grid", Verb: front.StartGrid}
	m := testModel(t, o, 120, 24, style.Options{NoColor: true})
	if v := m.View(); !strings.Contains(v, "F restart the rehearsal's grid") || strings.Join(m.Remedy().Args(), " ") != "start --grid" {
		t.Error(v, m.Remedy())
	}
	if got := sent(m.Update(press("F"))); len(got) != 1 || !reflect.DeepEqual(got[0], Run{Verb: front.StartGrid}) {
		t.Error(got)
	}
	o.RuntimeErr = problem.New(problem.DockerDown, "Docker is not running", "", "") // the nodes first
	m = testModel(t, o, 120, 24, style.Options{NoColor: true})
	if got := sent(m.Update(press("F"))); len(got) != 1 || got[0] != (OpenStep{3}) {
		t.Error(got)
	}
	m = testModel(t, front.Overview{GridErr: problem.New(problem.NotLoggedIn, "not logged in", "", "")}, 80, 24, style.Options{NoColor: true})
	if got := sent(m.Update(press("F"))); len(got) != 1 || got[0] != (OpenStep{9}) { // no node under the cursor
		t.Error(got)
	}
}

// A requested action shows at once, and its result when it is over.
func TestBusy(t *testing.T) {
	m := testModel(t, five(), 80, 24, style.Options{NoColor: true})
	m.Update(press("x"))
	if v := m.View(); !strings.Contains(v, "stopping") {
		t.Error(v)
	}
	m.Update(Ran{Run: Run{Verb: front.StopNodes, Nodes: []string{"supernode_1"}}, Err: problem.New(problem.DockerDown, "docker does not answer", "", "start docker")})
	v := m.View()
	if strings.Contains(v, "stopping") || !strings.Contains(v, "✗ docker does not answer") || !strings.Contains(v, "start docker") {
		t.Error(v)
	}
}

// The grid is asked every 3 s while something changes, and ever less often when nothing does.
func TestPace(t *testing.T) {
	o := five()
	o.Nodes, o.Runs = o.Nodes[:4], nil
	m := testModel(t, o, 80, 24, style.Options{NoColor: true})
	var waits []time.Duration
	for range 9 {
		m.Update(overviewMsg{model: m, o: o, grid: true})
		waits = append(waits, m.due.Sub(noon).Round(time.Second))
	}
	if got := fmt.Sprint(waits); got != "[5s 7s 10s 15s 23s 30s 30s 30s 30s]" {
		t.Errorf("asks after %s", got)
	}
	moved := o
	moved.Nodes = append([]front.NodeView(nil), o.Nodes...)
	moved.Nodes[0].Grid = front.GridOffline
	m.Update(overviewMsg{model: m, o: moved, grid: true})
	if wait := m.due.Sub(noon); wait != fast {
		t.Errorf("after a change: %v", wait)
	}
	for range 9 {
		m.Update(overviewMsg{model: m, o: moved, grid: true})
	}
	stopped := moved
	stopped.Nodes = append([]front.NodeView(nil), moved.Nodes...)
	stopped.Nodes[1].Runtime.State = supernode.Stopped
	m.Update(overviewMsg{model: m, o: stopped})
	if m.due.After(noon) || m.interval != fast {
		t.Errorf("after a container stopped: %v, every %v", m.due.Sub(noon), m.interval)
	}
	busy := stopped
	busy.Runs = []front.RunView{{ID: "1", Status: "running"}}
	for range 9 {
		m.Update(overviewMsg{model: m, o: busy, grid: true})
	}
	if wait := m.due.Sub(noon); wait != running {
		t.Errorf("while a run is under way: %v", wait)
	}
}

// Between two questions to the grid the dashboard checks whether it lives at all, and says so when it does
// not.
func TestPulse(t *testing.T) {
	o := five()
	o.GridAt = noon
	m := testModel(t, o, 100, 24, style.Options{NoColor: true})
	at := noon
	m.now = func() time.Time { return at }
	m.due, m.interval, m.asked, m.asking, m.pulsing = noon.Add(slow), slow, noon, false, false
	at = noon.Add(beat - time.Second)
	m.poll()
	if m.pulsing || m.asking {
		t.Error("asks too soon")
	}
	at = noon.Add(beat)
	m.poll()
	if !m.pulsing || m.asking {
		t.Error("does not look whether the grid lives")
	}
	at = at.Add(unanswered + time.Second)
	if s := m.Summary(); !strings.Contains(s, "no answer for 4 s") {
		t.Errorf("an open question is not told: %s", s)
	}
	silent := o
	silent.GridErr = problem.New(problem.Unreachable, "the grid does not answer", "", "")
	m.Update(overviewMsg{model: m, o: silent, pulse: true})
	if m.pulsing || m.due.After(at) {
		t.Error("is not asked again soon")
	}
	if s := m.Summary(); strings.Contains(s, "online") || !strings.Contains(m.View(), "the grid does not answer") {
		t.Errorf("%s", s)
	}
}

// The dashboard reads the usage of visible rows only, one question each at a time.
func TestUsageOfWhatIsSeen(t *testing.T) {
	m := testModel(t, many(50), 80, 12, style.Options{NoColor: true})
	m.usage = map[string]*usage{}
	m.poll()
	if n := len(m.usage); n == 0 || n > 10 {
		t.Errorf("%d nodes were asked for", n)
	}
	m.now = func() time.Time { return noon.Add(time.Minute) }
	m.asking = true
	if cmd := m.poll(); cmd != nil {
		t.Error("a second question is asked before the first is answered")
	}
	if m.visible = false; m.tick() != nil {
		t.Error("what is hidden ticks")
	}
}

// A change of a container becomes visible without a key press; the grid's answer may be old for that.
func TestWatches(t *testing.T) { synctest.Test(t, watches) }

func watches(t *testing.T) {
	w := &world{o: five()}
	m := New(w, style.New(style.Options{NoColor: true}))
	defer m.Close()
	m.Init()
	synctest.Wait()
	w.mu.Lock()
	changed := w.changed
	w.mu.Unlock()
	if changed == nil {
		t.Fatal("nobody watches")
	}
	changed()
	msg := m.wait()
	if _, ok := msg.(changedMsg); !ok {
		t.Fatalf("told %v", msg)
	}
	m.looking = false
	m.look()()
	if age := w.ages[len(w.ages)-1]; age < 24*time.Hour {
		t.Errorf("the grid is asked when it is older than %v", age)
	}
}

func TestRunOverIsToldToTheLogs(t *testing.T) {
	o := five()
	m := testModel(t, o, 80, 24, style.Options{NoColor: true})
	over := five()
	over.Runs[1].Status = "finished:failed"
	found := false
	var walk func(tea.Cmd)
	walk = func(cmd tea.Cmd) {
		if cmd == nil {
			return
		}
		switch msg := cmd().(type) {
		case tea.BatchMsg:
			for _, c := range msg {
				walk(c)
			}
		default:
			found = found || strings.Contains(fmt.Sprintf("%T%v", msg, msg), "run 1762309077582676982 failed")
		}
	}
	walk(m.Update(overviewMsg{model: m, o: over, grid: true}))
	if !found {
		t.Error("not told")
	}
}

func checkFrame(t testing.TB, m *Model, v string) {
	t.Helper()
	rows := strings.Split(v, "\n")
	if len(rows) != m.h {
		t.Fatalf("%d rows of %d\n%s", len(rows), m.h, v)
	}
	for i, row := range rows {
		if w := ansi.StringWidth(row); w > m.w {
			t.Fatalf("row %d has %d columns of %d: %q", i, w, m.w, row)
		}
		for _, r := range ansi.Strip(row) {
			if r < ' ' || r >= 0x7f && m.st.ASCII {
				t.Fatalf("%q in row %d: %q", r, i, row)
			}
		}
	}
}

// Any size, any state: a frame has its rows and columns, and nothing panics.
func TestAnySize(t *testing.T) {
	hostile := five()
	hostile.Nodes[0].Name = "\x1b[2Jnode\x1b]0;x\x07 模型 a very long name that does not end so soon"
	hostile.Nodes[1].Diagnosis = problem.New(problem.NodeRefused, "a\x1b[31mb", strings.Repeat("why ", 99), "fix\nit")
	hostile.Runs[0].App = "\x1b[2J"
	hostile.GridErr = errors.New("\x1b[2J")
	for _, o := range []front.Overview{five(), many(50), {}, hostile} {
		for w := 1; w < 130; w += 8 {
			for h := 1; h < 45; h += 5 {
				m := testModel(t, o, w, h, style.Options{NoColor: true})
				for _, k := range []string{"", "end", "enter", "esc", "tab", "/", "esc", "esc"} {
					if k != "" {
						m.Update(press(k))
					}
					checkFrame(t, m, m.View())
				}
			}
		}
	}
}

// BenchmarkView draws the dashboard of 50 nodes. Budget: 2 ms.
func BenchmarkView(b *testing.B) {
	m := testModel(b, many(50), 120, 40, style.Options{Dark: true})
	m.look24(aMonth())
	for b.Loop() {
		m.stale = true
		_ = m.View()
	}
}

// BenchmarkUpdate handles the answers of the grid and the runtime for 50 nodes. Budget: 0.2 ms.
func BenchmarkUpdate(b *testing.B) {
	m := testModel(b, many(50), 120, 40, style.Options{Dark: true})
	o := many(50)
	for b.Loop() {
		m.Update(overviewMsg{model: m, o: o, grid: true})
	}
}

// TestSummaryIsAsBadAsTheWorst: a SuperNode that has ended makes the whole line a failure; only when all is well is
// it green.
func TestSummaryIsAsBadAsTheWorst(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*front.Overview)
		want   front.Severity
	}{
		{"one offline, with a diagnosis", func(*front.Overview) {}, front.Failing},
		{"one stopped on purpose", func(o *front.Overview) {
			o.Nodes[4].Diagnosis, o.Nodes[4].Wanted, o.Nodes[4].Runtime = nil, front.WantedDown, ended(0)
		}, front.Idle},
		{"grid silent", func(o *front.Overview) {
			o.Nodes, o.Online, o.GridErr = o.Nodes[:4], 0, problem.New(problem.Unreachable, "the grid cannot be reached", "", "")
		}, front.Warning},
		{"all online", func(o *front.Overview) { o.Nodes = o.Nodes[:4] }, front.OK},
	} {
		o := five()
		c.change(&o)
		m := testModel(t, o, 100, 30, style.Options{Dark: true})
		want := strings.TrimSuffix(m.ink.Severity(c.want).Render(c.want.Sign(false)+"|"), "\x1b[0m")
		want, _, _ = strings.Cut(want, "|")
		if got := (screen{m}).summary(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q does not begin with %q", c.name, got, want)
		}
	}
}

// TestFitLine: one line below the summary says which flwr fits, whole where there is room, short where there is not, and
// none in a window that is too low.
func TestFitLine(t *testing.T) {
	o := five()
	o.Fit = front.Fit{Says: "flwr 1.42.0 is out; supernode_1, supernode_2, supernode_3 and 2 more run 1.41.0\x1b[2J", Short: "flwr 1.42.0 is out; 5 SuperNodes run 1.41.0", Target: "1.42.0"}
	for _, c := range []struct {
		w, h int
		want string
	}{
		{120, 40, "  flwr 1.42.0 is out; supernode_1, supernode_2, supernode_3 and 2 more run 1.41.0   flwrup upgrade"},
		{80, 24, "  flwr 1.42.0 is out; 5 SuperNodes run 1.41.0   flwrup upgrade"}, {80, 10, ""}, {60, 24, "  flwr 1.42.0 is out; 5 SuperNodes run 1.41.0"},
	} {
		frame := testModel(t, o, c.w, c.h, style.Options{}).View()
		second := strings.TrimRight(strings.Split(ansi.Strip(frame), "\n")[1], " ")
		if c.want != "" && second != c.want || c.want == "" && strings.Contains(frame, "is out") || strings.Contains(frame, "[2J") {
			t.Errorf("%dx%d: %q, want %q", c.w, c.h, second, c.want)
		}
		if n := strings.Count(frame, "\n") + 1; n != c.h {
			t.Errorf("%d lines in a window of %d", n, c.h)
		}
	}
}

// TestBackupLine: a backup that was verified too long ago gets the line that says which flwr fits, where that is free.
func TestBackupLine(t *testing.T) {
	o := five()
	o.Backup = front.Backup{File: "b.age", Verified: time.Now().AddDate(0, -4, 0), Old: true}
	if frame := ansi.Strip(testModel(t, o, 120, 40, style.Options{}).View()); !strings.Contains(frame, "backup was last verified on") || !strings.Contains(frame, "flwrup backup --verify") {
		t.Error(frame)
	}
	if o.Backup.Old = false; strings.Contains(testModel(t, o, 120, 40, style.Options{}).View(), "verified") {
		t.Error("a good one is spoken of")
	}
	o.Backup.Old, o.Fit = true, front.Fit{Says: "flwr 1.42.0 is out"}
	if strings.Contains(testModel(t, o, 120, 40, style.Options{}).View(), "verified") {
		t.Error("the line is taken")
	}
}
