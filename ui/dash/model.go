// Package dash is the dashboard: the SuperNodes with their state on the grid and on this machine, the runs,
// and the log of the node under the cursor. It is a part of a screen, not a program; it asks and draws, and
// leaves every action to the frame.
//
// It refreshes without a key press. The runtime reports changes of state. The grid is asked every 3 s while
// something is changing and ever less often, down to every 30 s, when nothing does. CPU and memory of a node
// are read every 3 s for the visible rows.
package dash

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/history"
	"flwrup/internal/notify"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/ui/logs"
	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
	"flwrup/ui/tally"
)

// Source is the dashboard's interface to the work; ui.Work implements it. Each method may block.
type Source interface {
	// Overview returns all known facts; it asks the grid again only when its answer is older than maxAge.
	Overview(ctx context.Context, maxAge time.Duration) front.Overview
	// Past returns how the SuperNodes stood from one time to another.
	Past(from, to time.Time) (history.Timeline, error)
	Usage(ctx context.Context, node string) (supernode.Usage, error)
	Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error
	// RunProgress reads from a run's log how far it has come.
	RunProgress(ctx context.Context, run string) (front.RunProgress, error)
	// Watch calls changed after the state of any node may have changed, until ctx ends.
	Watch(ctx context.Context, changed func()) error
	// Notify returns what the person wants to hear of, and how; it does not block.
	Notify() notify.Settings
	// HoldWatch lets this flwrup alone restart lost SuperNodes; an error where another one does.
	HoldWatch() (release func(), err error)
}

// previewLines is how much of a log is kept for the lower part of the dashboard.
const previewLines = 5000

// Model is the dashboard. Make it with New; call Close when it is not needed any more.
type Model struct {
	watcher
	schedule
	table
	notice
	news
	teller

	loaded  bool
	looking bool // the runtime
	again   bool // it changed once more meanwhile
	ticking bool
	visible bool

	keeper  *health.Keeper // nil: SuperNodes are left as they are
	trying  bool           // a restart of its own is under way
	release func()         // gives the watch back to other flwrups
	others  front.Others   // what other flwrups do

	tally   *tally.Tally
	find    textinput.Model
	finding bool // the filter is being typed

	log     *logs.Model
	logNode string
	logGen  int
	inLog   bool // keys are for the log

	h     int
	frame string
	stale bool
}

// watcher reads the source until the dashboard is closed.
type watcher struct {
	src    Source
	ctx    context.Context
	cancel context.CancelFunc

	changed chan struct{} // the runtime's side may be old
	broken  chan error    // a panic
}

// schedule holds the open questions to the grid and the time of the next one.
type schedule struct {
	asking   bool      // the grid
	pulsing  bool      // whether the grid lives
	asked    time.Time // when the last of the two was asked
	interval time.Duration
	due      time.Time // when the grid is asked next
}

// news is what happened to the SuperNodes since the dashboard was made; its Story is for log panes that open now.
type news struct {
	logs.Chronicle
	listening bool // another page shows it
}

// table holds the SuperNodes and runs, with the cursor and the marks on them.
type table struct {
	pen
	now    func() time.Time
	have   front.Overview
	rows   []front.NodeView // those that pass the filter, in order
	usage  map[string]*usage
	counts map[string]tally.Count // of the logs of those that run
	busy   map[string]doing
	marked map[string]bool
	sel    string // name of the node under the cursor
	site   string // name of the other site under the cursor; then sel is ""
	top    int    // first visible row
	detail bool   // the details of a node are open
	alone  bool   // w is the width of the table alone
	filter string
	sort   int // of sorts

	progress map[string]*progress // of runs
	past     past
	runs     []shownRun // of the last frame, those in progress first
}

// pen draws single lines, none wider than w.
type pen struct {
	st  *style.Set
	ink *paint.Set
	w   int
}

// notice is the text below the summary: of the last action, else of the watch. Each goes away after a while.
type notice struct {
	note   note
	shown  note      // what note was at the last tick
	since  time.Time // when it came
	kept   string    // what the watch said last
	keptAt time.Time
}

// usage holds the present and past resources of a node.
type usage struct {
	supernode.Usage
	history []float64 // CPU, percent of a core, newest last
	asked   time.Time
	asking  bool
}

// doing is an action in progress.
type doing struct {
	verb  front.Verb
	since time.Time
}

// note reports an action or its failure, until the next key.
type note struct {
	text, fix string
	bad       bool
}

// New makes the dashboard. Nothing is asked before Init.
func New(src Source, st *style.Set) *Model {
	ctx, cancel := context.WithCancel(context.Background())
	m := &Model{
		watcher:  watcher{src: src, ctx: ctx, cancel: cancel, changed: make(chan struct{}, 1), broken: make(chan error, 1)},
		schedule: schedule{interval: fast},
		table: table{
			pen: pen{st: st, ink: paint.New(st), w: 80}, now: time.Now,
			usage: map[string]*usage{}, busy: map[string]doing{}, marked: map[string]bool{}, counts: map[string]tally.Count{},
			progress: map[string]*progress{},
		},
		visible: true, h: 24, stale: true,
	}
	m.log = logs.New(src, nil, st)
	m.tally = tally.New(src, m.fail)
	m.find = textinput.New()
	m.find.Prompt = ""
	m.find.Cursor.SetMode(cursor.CursorStatic)
	m.log.Limit(previewLines)
	return m
}

// Init starts looking.
func (m *Model) Init() tea.Cmd {
	safego.Go("watching SuperNodes", m.fail, m.watch)
	return tea.Batch(m.look(), m.askGrid(), m.wait, m.tick())
}

// Close ends the goroutines that watch and read. It does not wait for them.
func (m *Model) Close() {
	m.cancel()
	m.tally.Close()
	(restarter{m}).unwatch()
	m.log.Close()
}

// Show tells the dashboard whether it is on the screen. A hidden dashboard does not ask for the grid and the
// usage; it refreshes when it is shown again.
func (m *Model) Show(on bool) tea.Cmd {
	was := m.visible
	if m.visible = on; !on || was {
		return nil
	}
	m.hurry(m.now())
	m.stale = true
	return tea.Batch(m.look(), m.poll(), m.tick())
}

// Listen tells a dashboard that is not on the screen whether another page shows what happens to the SuperNodes: then
// it goes on asking.
func (m *Model) Listen(on bool) tea.Cmd {
	was := m.listening
	if m.listening = on; !on || was || m.visible {
		return nil
	}
	m.hurry(m.now())
	return tea.Batch(m.look(), m.poll(), m.tick())
}

// SetSize sets the columns and rows that View may fill.
func (m *Model) SetSize(w, h int) {
	w, h = max(0, w), max(0, h)
	if w != m.w || h != m.h {
		m.w, m.h, m.stale = w, h, true
	}
}

// Typing reports that letters belong to a prompt and not to key bindings.
func (m *Model) Typing() bool { return m.finding || m.inLog && m.log.Typing() }

// Holds reports that Esc means something here; if it is false, Esc belongs to the frame.
func (m *Model) Holds() bool {
	return m.inLog || m.detail || len(m.marked) > 0 || m.finding || m.filter != ""
}

// Overview returns what was seen last.
func (m *Model) Overview() front.Overview { return m.have }

// Targets returns the SuperNodes that an action would be for; none when there is none under the cursor.
func (m *Model) Targets() []string {
	if m.sel == "" {
		return nil
	}
	return m.targets()
}

// Full reports that the dashboard wants the whole terminal.
func (m *Model) Full() bool { return m.inLog && m.log.Full() }

// Update handles a message. It returns at once; blocking work is in the command that it returns.
func (m *Model) Update(msg tea.Msg) tea.Cmd {
	switch msg := msg.(type) {
	case overviewMsg:
		if msg.model != m {
			return nil
		}
		return m.seen(msg)
	case changedMsg:
		if msg.model != m {
			return nil
		}
		return tea.Batch(m.look(), m.wait)
	case usageMsg:
		if msg.model == m {
			m.took(msg)
		}
		return nil
	case pastMsg:
		if msg.model == m {
			return m.remembers(msg)
		}
		return nil
	case progressMsg:
		if msg.model == m {
			msg.take(m)
		}
		return nil
	case tickMsg:
		if msg.model != m {
			return nil
		}
		m.ticking = false
		return tea.Batch(m.poll(), m.tick())
	case logDueMsg:
		if msg.model != m || msg.gen != m.logGen {
			return nil
		}
		return m.openLog()
	case Others:
		m.stale, m.others = true, msg.Others
		if !msg.Acted {
			return nil
		}
		m.hurry(m.now())
		return m.look()
	case heldMsg:
		if msg.model == m {
			return (restarter{m}).held(msg)
		}
		if msg.release != nil {
			msg.release()
		}
		return nil
	case Began:
		(restarter{m}).began(msg)
		return nil
	case Ran:
		return m.ran(msg)
	case tea.KeyMsg:
		m.stale = true
		m.note = note{}
		cmd := m.pressed(msg)
		m.arrange()
		return cmd
	case logs.Exported:
		return nil // the log pane says it
	}
	cmd := m.log.Update(msg)
	_, told := msg.(logs.Told)
	m.stale = m.stale || told || cmd != nil
	return cmd
}

// ran notes that an action is over, and reads at once what it changed.
func (m *Model) ran(msg Ran) tea.Cmd {
	m.stale = true
	for name, d := range m.busy {
		if d.verb == msg.Verb && (len(msg.Nodes) == 0 || contains(msg.Nodes, name)) {
			delete(m.busy, name)
		}
	}
	switch {
	case msg.ByItself:
		(restarter{m}).tried(msg)
	case msg.Err != nil:
		m.note = noteOf(msg.Err)
	}
	m.hurry(m.now())
	return tea.Batch(m.look(), m.poll())
}

// node returns the node with that name.
func (t *table) node(name string) (front.NodeView, bool) {
	for _, n := range t.have.Nodes {
		if n.Name == name {
			return n, true
		}
	}
	return front.NodeView{}, false
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
