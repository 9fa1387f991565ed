package ui

import (
	"context"
	"errors"
	"os"
	"reflect"
	"sync/atomic"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/ui/dash"
	"flwrup/ui/logs"
	"flwrup/ui/style"
)

// Model is the whole wizard. Update does no input or output: all of that is in commands.
type Model struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	work   Work
	o      Options
	s      *style.Set
	now    func() time.Time

	w, h   int
	title  front.Title
	others front.Others // in the same folder
	list   *stepList
	desk   *desk
	flow   *flow

	stack  []page
	window window
	wizard *wizard
	verb   *workPage
	dash   *dashPage // nil until it is shown
	logs   *logsPage // nil until they are shown

	message string
	bad     bool // message is about a failure
	said    time.Time
	mouse   bool
	clock   clock
	outside outside

	tasks     *tasks
	err       error // ends the program
	leaving   bool
	result    Result
	signalled atomic.Pointer[os.Signal]
	afterDash bool // the dashboard has been shown once without a key
}

func newModel(ctx context.Context, o Options, out *lockedOutput) *Model {
	ctx, cancel := context.WithCancelCause(ctx)
	m := &Model{
		ctx: ctx, cancel: cancel, work: o.Work, o: o, now: o.now,
		s:     style.New(style.Options{NoColor: o.NoColor, ASCII: o.ASCII, Dark: !o.Light, Basic: o.Basic}),
		tasks: newTasks(), outside: outside{out, o.env, o.open},
	}
	if m.now == nil {
		m.now = time.Now
	}
	m.list = &stepList{m: m, auto: true, looks: newLookout(ctx)}
	m.desk = &desk{m: m, list: m.list, last: map[front.StepID]*job{}}
	m.list.desk = m.desk
	m.flow = &flow{m: m}
	m.wizard = &wizard{text{m}, m.list, m.desk}
	m.verb = &workPage{text{m}, m.desk}
	m.stack = []page{m.wizard}
	m.title = o.Work.Title()
	for _, st := range o.Work.Steps() {
		m.list.steps = append(m.list.steps, stepView{number: st.ID(), stale: true, pause: firstPause})
	}
	m.list.word(o.Work.Steps())
	return m
}

// Init starts to look at the steps.
func (m *Model) Init() tea.Cmd {
	var cmd tea.Cmd
	switch kind, n := m.o.start(); kind {
	case "dashboard":
		m.list.auto = false
		cmd = m.showDash()
	case "step":
		m.list.auto = false
		m.list.at = min(max(n-1, 0), len(m.list.steps)-1)
	case "logs":
		m.list.auto = false
		cmd = tea.Batch(m.showDash(), m.showLogs(m.o.startNodes()))
	}
	return m.finish(cmd)
}

// Update handles a message; everything it starts runs in commands.
func (m *Model) Update(msg tea.Msg) (model tea.Model, cmd tea.Cmd) {
	defer func() {
		if v := recover(); v != nil {
			model, cmd = m, m.end(false, safego.Recovered("the screen", v))
		}
	}()
	if m.leaving {
		return m, nil
	}
	return m, m.finish(m.update(msg))
}

// finish adds commands that every message may need: the next inspection, the next tick.
func (m *Model) finish(cmd tea.Cmd) tea.Cmd {
	if m.leaving {
		return cmd
	}
	if d := m.now().Sub(m.said); m.message != "" && (d >= dash.Warned || d >= dash.Toast && !m.bad) {
		m.message = ""
	}
	return m.tasks.guard(tea.Batch(cmd, m.flow.next(), m.list.lookMore(), m.clock.tick(m.ctx, m.list.pace())))
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
		m.clock.ticking = false
		m.clock.frame++
		m.list.dueLooks()
	case lookMsg:
		return m.list.look(msg)
	case othersMsg:
		return seeOthers(m, msg.Others)
	case eventsMsg:
		return m.desk.events(msg)
	case saidMsg:
		m.message, m.bad, m.said = msg.text, msg.bad, m.now()
	case endMsg:
		return m.end(msg.interrupted, msg.err)
	case safego.Panic:
		m.warn(msg.Error())
	case dash.OpenLogs:
		cmd := m.showLogs(msg.Nodes)
		if msg.Errors && m.logs != nil {
			m.logs.Update(logs.ToErrors{})
		}
		return cmd
	case dash.OpenStep:
		m.base(m.wizard)
		return tea.Batch(m.shown(), m.list.goTo(msg.Step))
	case dash.NewRun:
		return m.wizard.newRun()
	case dash.OpenSteps:
		m.base(m.wizard)
		return m.shown()
	case dash.Run:
		return m.verb.act(msg)
	case dash.Copy:
		return m.outside.copy(msg.Text, msg.What)
	case dash.Tell:
		return m.outside.notify(m.title.Project, msg.Entries, m.work.Notify().Terminal)
	case dash.Failed:
		m.warn(msg.Err.Error())
	case logs.Failed:
		m.warn(msg.Err.Error())
	default:
		return m.pass(msg)
	}
	return nil
}

// pass passes a message that the frame does not know to the dashboard and the log panes.
func (m *Model) pass(msg tea.Msg) tea.Cmd {
	var cmds []tea.Cmd
	if m.dash != nil {
		cmds = append(cmds, m.dash.Update(msg))
	}
	if m.logs != nil {
		cmds = append(cmds, m.logs.Update(msg))
	}
	if e, ok := msg.(logs.Exported); ok {
		m.message, m.bad = exported(e)
		m.said = m.now()
	}
	return tea.Batch(cmds...)
}

// top returns the visible page.
func (m *Model) top() page { return m.stack[len(m.stack)-1] }

// push puts a page on top, in the place of one of its kind.
func (m *Model) push(p page) {
	if top := len(m.stack) - 1; reflect.TypeOf(m.stack[top]) == reflect.TypeOf(p) {
		m.stack[top] = p
	} else {
		m.stack = append(m.stack, p)
	}
	m.window = window{}
}

// base makes p the only page.
func (m *Model) base(p page) {
	m.stack = []page{p}
	m.window = window{}
}

// pop removes the top page.
func (m *Model) pop() tea.Cmd {
	if len(m.stack) > 1 {
		m.stack = m.stack[:len(m.stack)-1]
		m.window = window{}
	}
	return m.shown()
}

// shown tells the dashboard whether it is on the screen, or the logs are, and lays out the visible page.
func (m *Model) shown() tea.Cmd {
	m.layout()
	if m.dash != nil {
		return tea.Batch(m.dash.Show(m.top() == m.dash), m.dash.Listen(m.logs != nil && m.top() == m.logs))
	}
	return nil
}

// say puts a sentence on the last line, until the next key.
func (m *Model) say(text string) { m.message, m.bad, m.said = text, false, m.now() }

// warn says that something failed.
func (m *Model) warn(text string) { m.message, m.bad, m.said = text, true, m.now() }

// end leaves: work gets a stop, and the screen goes away.
func (m *Model) end(interrupted bool, err error) tea.Cmd {
	m.leaving = true
	m.err = err
	m.result.Interrupted = interrupted
	m.result.Step = m.list.here().number
	m.result.Dashboard = m.stack[0] == m.dash
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
