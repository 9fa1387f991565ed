package logs

import (
	"errors"
	"regexp/syntax"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/keymap"
)

var keys = struct {
	up, down, pageUp, pageDown, home, end, newest, left, right   key.Binding
	pause, search, next, prev, filter, level, wrap, times, fault key.Binding
	zoom, bare, save, pane, back, layout, escape                 key.Binding
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
	switch {
	case m.byFault:
		list = append(list, keymap.As(keys.next, "next error"), keymap.As(keys.prev, "previous error"))
	case m.search != "":
		list = append(list, keys.next, keys.prev)
	}
	list = append(list, keys.filter, keys.fault)
	if len(m.nodes) > 1 {
		list = append(list, keys.layout)
		if m.layout == split {
			list = append(list, keys.pane)
		}
	}
	list = append(list, keys.zoom, keys.wrap, keys.times, keys.level, keys.save, keys.bare)
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
		m.byFault = false
		m.prompt(forSearch, m.search)
	case key.Matches(msg, keys.filter):
		m.prompt(forFilter, m.filter)
	case key.Matches(msg, keys.fault):
		m.byFault = true
		p.jump(g, m.errors, true, "error")
	case key.Matches(msg, keys.next) && m.byFault:
		p.jump(g, m.errors, true, "error")
	case key.Matches(msg, keys.prev) && m.byFault:
		p.jump(g, m.errors, false, "error")
	case key.Matches(msg, keys.next):
		p.jump(g, m.hits, true, "hit")
	case key.Matches(msg, keys.prev):
		p.jump(g, m.hits, false, "hit")
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

// jump goes to the next line of the lists, or starts at the first visible line.
func (p *pane) jump(g geometry, lists func(int) []uint64, forward bool, what string) {
	if what == "hit" && p.m.search == "" {
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
		return
	}
	p.show(g, r)
}

// prompt opens the line for typing a search or a filter.
func (m *Model) prompt(what asking, text string) {
	m.asking, m.typoErr, m.was = what, "", *m.focused()
	m.input.SetValue(text)
	m.input.CursorEnd()
	m.input.Focus()
}

// typed handles a key while the prompt is open.
func (m *Model) typed(msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "enter":
		m.asking = nothing
		m.input.Blur()
		return nil
	case "esc":
		asked := m.asking
		m.asking, m.typoErr = nothing, ""
		m.input.Blur()
		if asked == forSearch {
			m.search = ""
			*m.focused() = m.was
			m.focused().has = false
		} else {
			m.filter, m.level = "", None
		}
		return m.requery()
	case "tab":
		if m.asking == forFilter {
			m.level = nextLevel(m.level)
			return m.requery()
		}
		return nil
	}
	m.input, _ = m.input.Update(msg) // the cursor stands still: no command of its own is needed
	if m.asking == forSearch {
		if m.input.Value() == m.search {
			return nil
		}
		m.search, m.focused().has = m.input.Value(), false
		m.wantsSeek = true
	} else {
		if m.input.Value() == m.filter {
			return nil
		}
		m.filter = m.input.Value()
	}
	return m.requery()
}

// requery searches for the text typed so far. While an expression is not finished, the last good one stays.
func (m *Model) requery() tea.Cmd {
	filter, err := newMatcher(m.filter)
	if err != nil {
		filter = m.query.filter
	}
	search, err2 := newMatcher(m.search)
	if err2 != nil {
		search = m.query.search
	}
	m.typoErr = wrong(errors.Join(err, err2))
	return m.ask(filter, search, m.level)
}

// wrong says in a few words what is wrong with an expression.
func wrong(err error) string {
	if err == nil {
		return ""
	}
	var se *syntax.Error
	if errors.As(err, &se) {
		return se.Code.String()
	}
	return err.Error()
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
