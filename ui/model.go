package ui

import (
	"context"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/ui/dash"
	"flwrup/ui/logs"
	"flwrup/ui/style"
)

// page is what fills the place under the title. Pages lie on a stack; Esc takes the top one away.
type page int

const (
	pageStep page = iota
	pageDash
	pageLogs
	pageWork      // a verb of the dashboard, at work
	pageHelp      // all keys
	pageFlags     // what the flags of the commands mean
	pageRaw       // raw output
	pageReference // the guide's quick reference
	pagePlaces    // where to turn
	pageQR
	pagePick  // which text to copy, which link to open
	pageLeave // something would be lost
)

// complete is the last step that has to be done before the dashboard comes first.
const complete = 14

// Model is the whole wizard. Update does no input or output: all of that is in commands.
type Model struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   Work
	o      Options
	s      *style.Set
	now    func() time.Time
	out    *lockedOutput // for what is no part of a frame: the clipboard

	w, h  int
	title front.Title
	steps []stepView
	at    int  // index of the open step
	auto  bool // nobody has pressed a key yet: go where the work is

	stack  []page
	offset int  // first visible line of a page
	pinned bool // the person has scrolled

	job   *job                  // at work now, or the last one
	last  map[front.StepID]*job // the last one of each step
	jobs  int
	looks *lookout

	pick    pick
	message string
	bad     bool // message is about a failure
	mouse   bool
	ticking bool
	frame   int // of the spinner

	dash      *dash.Model
	logs      *logs.Model
	tasks     *tasks
	err       error // ends the program
	leaving   bool
	result    Result
	signalled atomic.Pointer[os.Signal]
	afterDash bool // the dashboard has been shown by itself once
}

// stepView is one step as the screen knows it.
type stepView struct {
	number           front.StepID
	name, title, why string

	status  front.Status
	err     error // Inspect failed
	plan    []front.Action
	planErr error
	hand    []entry
	known   bool // status was read at least once
	planned bool // plan belongs to status
	looked  time.Time
	since   time.Time // it has been waiting since
	pause   time.Duration
	stale   bool
	looking bool
}

func newModel(ctx context.Context, o Options, out *lockedOutput) *Model {
	ctx, cancel := context.WithCancelCause(ctx)
	m := &Model{
		ctx: ctx, cancel: cancel, work: o.Work, o: o, now: o.now, out: out,
		s:    style.New(style.Options{NoColor: o.NoColor, ASCII: o.ASCII, Dark: !o.Light, Basic: o.Basic}),
		auto: true, stack: []page{pageStep}, last: map[front.StepID]*job{}, tasks: newTasks(),
	}
	if m.now == nil {
		m.now = time.Now
	}
	m.looks = newLookout(ctx)
	m.title = o.Work.Title()
	for _, st := range o.Work.Steps() {
		m.steps = append(m.steps, stepView{number: st.ID(), name: st.Name(), title: st.Title(), why: st.Why(),
			stale: true, pause: firstPause})
	}
	return m
}

// Init starts to look at the steps.
func (m *Model) Init() tea.Cmd {
	var cmd tea.Cmd
	switch kind, n := m.o.start(); kind {
	case "dashboard":
		m.auto = false
		cmd = m.showDash()
	case "step":
		m.auto = false
		m.at = min(max(n-1, 0), len(m.steps)-1)
	case "logs":
		m.auto = false
		cmd = tea.Batch(m.showDash(), m.showLogs(m.o.startNodes()))
	}
	return m.finish(cmd)
}

// Update takes a message; what it starts runs in commands.
func (m *Model) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	defer func() {
		if v := recover(); v != nil {
			model, cmd = m, m.fail(safego.Recovered("the screen", v))
		}
	}()
	if m.leaving {
		return m, nil
	}
	return m, m.finish(m.update(msg))
}

// finish adds what every message may start: the next look at a step, the next tick.
func (m *Model) finish(cmd tea.Cmd) tea.Cmd {
	if m.leaving {
		return cmd
	}
	return m.guard(tea.Batch(cmd, m.lookMore(), m.tick()))
}

func (m *Model) update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.resize(msg.Width, msg.Height)
	case tea.KeyMsg:
		return m.keys(msg)
	case tea.MouseMsg:
		return m.wheel(msg)
	case tickMsg:
		m.ticking = false
		m.frame++
		m.dueLooks()
	case lookMsg:
		return m.look(msg)
	case eventsMsg:
		return m.events(msg)
	case saidMsg:
		m.message, m.bad = msg.text, msg.bad
	case endMsg:
		return m.end(msg.interrupted, msg.err)
	case safego.Panic:
		m.message, m.bad = msg.Error(), true
	case dash.OpenLogs:
		return m.showLogs(msg.Nodes)
	case dash.OpenStep:
		m.base(pageStep)
		return tea.Batch(m.shown(), m.openStep(msg.Step))
	case dash.NewRun:
		return m.newRun()
	case dash.OpenSteps:
		m.base(pageStep)
		return m.shown()
	case dash.Run:
		return m.act(msg)
	case dash.Copy:
		return m.copyText(msg.Text, msg.What)
	case dash.Failed:
		m.message, m.bad = msg.Err.Error(), true
	case logs.Failed:
		m.message, m.bad = msg.Err.Error(), true
	default:
		return m.pass(msg)
	}
	return nil
}

// pass hands a message that the frame does not know to the dashboard and the log panes.
func (m *Model) pass(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	if m.dash != nil {
		cmds = append(cmds, m.dash.Update(msg))
	}
	if m.logs != nil {
		cmds = append(cmds, m.logs.Update(msg))
	}
	if e, ok := msg.(logs.Exported); ok {
		m.exported(e)
	}
	return tea.Batch(cmds...)
}

// top is the page that is seen.
func (m *Model) top() page { return m.stack[len(m.stack)-1] }

// push puts a page on top; once only.
func (m *Model) push(p page) {
	if m.top() != p {
		m.stack = append(m.stack, p)
	}
	m.offset, m.pinned = 0, false
}

// base makes p the only page.
func (m *Model) base(p page) {
	m.stack = []page{p}
	m.offset, m.pinned = 0, false
}

// pop takes the top page away.
func (m *Model) pop() tea.Cmd {
	if len(m.stack) > 1 {
		m.stack = m.stack[:len(m.stack)-1]
		m.offset, m.pinned = 0, false
	}
	return m.shown()
}

// shown tells the dashboard whether it is seen, and lays out what is.
func (m *Model) shown() tea.Cmd {
	m.layout()
	if m.dash != nil {
		return m.dash.Show(m.top() == pageDash)
	}
	return nil
}

// follow makes the live part visible again, after the person had scrolled.
func (m *Model) follow() { m.pinned = false }

// fail ends the program with an error that is a bug of ours.
func (m *Model) fail(err error) tea.Cmd {
	return m.end(false, err)
}

// end leaves: work is told to stop, the screen goes away.
func (m *Model) end(interrupted bool, err error) tea.Cmd {
	m.leaving = true
	m.err = err
	m.result.Interrupted = interrupted
	m.result.Step = m.steps[m.at].number
	m.result.Dashboard = m.stack[0] == pageDash
	m.cancel(errLeft)
	return tea.Quit
}

var errLeft = errors.New("flwrup was left")

// messages of the frame itself
type (
	tickMsg struct{}
	saidMsg struct {
		text string
		bad  bool
	}
	endMsg struct {
		interrupted bool
		err         error
	}
)

// tasks counts the commands that are running, so that Run can wait for them.
type tasks struct {
	mu sync.Mutex
	n  int
	c  chan struct{} // closed and made anew whenever n falls to 0
}

func newTasks() *tasks { return &tasks{c: make(chan struct{})} }

func (t *tasks) add() {
	t.mu.Lock()
	t.n++
	t.mu.Unlock()
}

func (t *tasks) done() {
	t.mu.Lock()
	if t.n--; t.n == 0 {
		close(t.c)
		t.c = make(chan struct{})
	}
	t.mu.Unlock()
}

// wait waits until nothing runs, at most for d; it tells whether that was so.
func (t *tasks) wait(d time.Duration) bool {
	t.mu.Lock()
	n, c := t.n, t.c
	t.mu.Unlock()
	if n == 0 {
		return true
	}
	select {
	case <-c:
		return true
	case <-time.After(d):
		return false
	}
}

// guard makes a command count as running, and a panic in it a sentence on the screen.
func (m *Model) guard(cmd tea.Cmd) tea.Cmd {
	if cmd == nil {
		return nil
	}
	return func() (msg tea.Msg) {
		m.tasks.add()
		defer m.tasks.done()
		defer func() {
			if v := recover(); v != nil {
				msg = *safego.Recovered("something beside the screen", v)
			}
		}()
		msg = cmd()
		if batch, ok := msg.(tea.BatchMsg); ok {
			for i := range batch {
				batch[i] = m.guard(batch[i])
			}
		}
		return msg
	}
}
