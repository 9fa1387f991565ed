package logs

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/keymap"
)

var keys = struct {
	up, down, pageUp, pageDown, home, end, newest, left, right   key.Binding
	pause, search, next, prev, filter, level, wrap, times, fault key.Binding
	zoom, bare, save, pane, back, layout, escape                 key.Binding
	since, unfold, raw, mark, marked                             key.Binding
}{
	up:       keymap.Up,
	down:     keymap.Down,
	pageUp:   keymap.PageUp,
	pageDown: keymap.PageDown,
	home:     keymap.As(keymap.First, "oldest"),
	end:      keymap.Last,
	newest:   keymap.As(keymap.ToTheEnd, "newest, follow"),
	left:     keymap.Left,
	right:    keymap.Right,
	pause:    keymap.Pause,
	search:   keymap.As(keymap.Find, "search"),
	next:     keymap.Next,
	prev:     keymap.Previous,
	filter:   keymap.Filter,
	level:    keymap.Level,
	wrap:     keymap.Wrap,
	times:    keymap.Times,
	fault:    keymap.Errors,
	zoom:     keymap.Full,
	bare:     keymap.Bare,
	save:     keymap.Save,
	pane:     keymap.Pane,
	back:     keymap.PaneBack,
	layout:   keymap.Panes,
	escape:   keymap.As(keymap.Back, "clear"),
	since:    keymap.Since,
	unfold:   keymap.As(keymap.Explain, "unfold"),
	raw:      keymap.As(keymap.Verbatim, "raw lines"),
	mark:     keymap.Mark,
	marked:   keymap.Jump,
}

// Keys returns the key bindings that mean something now, the most useful first.
func (m *Model) Keys() []key.Binding {
	if m.asking != nothing {
		list := []key.Binding{
			keymap.As(keymap.Enter, "keep"), keymap.As(keymap.Back, "cancel"),
		}
		if m.asking == forFilter {
			list = append(list, keymap.As(keymap.Pane, "level"))
		}
		return list
	}
	pause := keys.pause
	if !m.focused().follow {
		pause = keymap.As(pause, "follow")
	}
	list := []key.Binding{pause, keys.search}
	if m.sought != aHit || m.search != "" {
		list = append(list, keymap.As(keys.next, "next "+m.sought.String()), keymap.As(keys.prev, "previous "+m.sought.String()))
	}
	list = append(list, keys.filter, keys.fault, keys.unfold, keys.since)
	if len(m.nodes) > 1 {
		list = append(list, keys.layout)
		if m.layout == split {
			list = append(list, keys.pane)
		}
	}
	raw := keys.raw
	if m.raw {
		raw = keymap.As(raw, "fold")
	}
	list = append(list, raw, keys.mark, keys.marked, keys.zoom, keys.wrap, keys.times, keys.level, keys.save, keys.bare)
	if m.Holds() {
		list = append(list, keys.escape)
	}
	return append(list, keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end, keys.newest)
}

// pressed handles a key outside a prompt.
func (m *Model) pressed(msg tea.KeyMsg) tea.Cmd {
	p := m.focused()
	g := p.geometry()
	switch {
	case key.Matches(msg, keys.up):
		p.up(g, 1)
	case key.Matches(msg, keys.down):
		p.down(g, 1)
	case key.Matches(msg, keys.pageUp):
		p.up(g, max(1, g.rows-1))
	case key.Matches(msg, keys.pageDown):
		p.down(g, max(1, g.rows-1))
	case key.Matches(msg, keys.home):
		p.follow, p.top = false, place{}
	case key.Matches(msg, keys.end, keys.newest):
		p.follow, p.has = true, false
	case key.Matches(msg, keys.left):
		p.x = max(0, p.x-8)
	case key.Matches(msg, keys.right):
		if !m.wrap {
			p.x = min(p.x+8, maxText)
		}
	case key.Matches(msg, keys.pause):
		if p.follow {
			p.top = p.last(g)
		}
		p.follow = !p.follow
	case key.Matches(msg, keys.search):
		m.sought = aHit
		m.prompt(forSearch, m.search)
	case key.Matches(msg, keys.filter):
		m.prompt(forFilter, m.filter)
	case key.Matches(msg, keys.fault):
		m.sought = anError
		p.jump(g, true)
	case key.Matches(msg, keys.marked):
		m.sought = aMark
		p.jump(g, true)
	case key.Matches(msg, keys.next):
		p.jump(g, true)
	case key.Matches(msg, keys.prev):
		p.jump(g, false)
	case key.Matches(msg, keys.since):
		m.prompt(forTime, "")
	case key.Matches(msg, keys.mark):
		p.mark(g)
	case key.Matches(msg, keys.unfold):
		p.unfold(g)
	case key.Matches(msg, keys.raw):
		m.verbatim = !m.verbatim
		return m.fold()
	case key.Matches(msg, keys.level):
		m.level = nextLevel(m.level)
		return m.requery()
	case key.Matches(msg, keys.wrap):
		m.wrap = !m.wrap
		p.x, p.top.row = 0, 0
	case key.Matches(msg, keys.times):
		m.times = !m.times
	case key.Matches(msg, keys.zoom):
		m.zoom = !m.zoom
	case key.Matches(msg, keys.bare):
		p.setBare(g, !m.bare)
		return m.fold()
	case key.Matches(msg, keys.layout):
		if len(m.nodes) > 1 {
			m.layout = split - m.layout
		}
	case key.Matches(msg, keys.pane):
		m.turn(1)
	case key.Matches(msg, keys.back):
		m.turn(-1)
	case key.Matches(msg, keys.save):
		return m.export(p)
	case key.Matches(msg, keys.escape):
		return m.leave(p, g)
	}
	return nil
}

// leave closes the innermost view that Esc closes.
func (m *Model) leave(p *pane, g geometry) tea.Cmd {
	switch {
	case m.bare:
		p.setBare(g, false)
		return m.fold()
	case m.zoom:
		m.zoom = false
	case m.search != "":
		m.search, p.has = "", false
		return m.requery()
	case m.filtered():
		m.filter, m.level = "", None
		return m.requery()
	}
	return nil
}

// setBare turns the borderless view on or off. It stands still, so that a selection stays in place.
func (p *pane) setBare(g geometry, on bool) {
	if p.m.bare = on; on {
		p.m.thawed = p.follow
		p.top, p.follow = p.first(g), false
		return
	}
	p.follow = p.m.thawed
}

func (m *Model) turn(by int) {
	if m.layout == split && len(m.single) > 0 {
		m.focus = (m.focus + by + len(m.single)) % len(m.single)
	}
}

// sought is what n and N go to.
type sought int

const (
	aHit sought = iota
	anError
	aMark
)

func (s sought) String() string { return [...]string{"hit", "error", "mark"}[s] }

// jump goes to the next line of those that are looked for, or starts at the first visible line.
func (p *pane) jump(g geometry, forward bool) {
	lists, what := [...]func(int) []uint64{p.m.hits, p.m.errors, p.m.marked}[p.m.sought], p.m.sought.String()
	if p.m.sought == aHit && p.m.search == "" {
		return
	}
	from := p.cur
	if !p.has {
		from = p.first(g).ref
		if p.follow { // the newest one first: people look for it
			from, forward = ref{time: 1<<63 - 1}, false
		}
	}
	r, ok := p.m.step(p, lists, from, forward)
	if !ok {
		edge := ref{time: -1 << 63}
		if !forward {
			edge.time = 1<<63 - 1
		}
		if r, ok = p.m.step(p, lists, edge, forward); ok {
			p.m.message = "no more " + what + "s: from the other end again"
		}
	}
	if !ok {
		p.m.message = "no " + what
		if p.m.sought == aMark {
			p.m.message = "no mark: space sets one"
		}
		return
	}
	p.show(g, r)
}

func nextLevel(l Level) Level {
	switch l {
	case None:
		return Info
	case Info:
		return Warning
	case Warning:
		return Error
	}
	return None
}
