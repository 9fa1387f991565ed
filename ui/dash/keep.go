package dash

import (
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/health"
	"flwrup/internal/problem"
)

// The dashboard's own watch: as `flwrup watch`. One flwrup at a time watches over a folder.

// heldMsg answers the wish to watch.
type heldMsg struct {
	model   *Model
	release func()
	err     error
}

// restarter is that watch.
type restarter struct{ *Model }

// toggleWatch turns it on or off.
func (m restarter) toggleWatch() tea.Cmd {
	if m.keeper != nil {
		m.unwatch()
		m.note = note{text: "SuperNodes that are lost are left as they are"}
		return nil
	}
	return func() tea.Msg {
		release, err := m.src.HoldWatch()
		return heldMsg{m.Model, release, err}
	}
}

// held begins the watch, unless another flwrup has it.
func (m restarter) held(msg heldMsg) tea.Cmd {
	m.stale = true
	switch {
	case msg.err != nil:
		p := problem.Of(msg.err)
		m.note = note{text: clean(p.What), fix: clean(p.Fix), bad: true}
		return nil
	case m.keeper != nil || m.ctx.Err() != nil: // pressed twice, or closed meanwhile
		msg.release()
		return nil
	}
	m.keeper, m.release = new(health.Keeper), msg.release
	m.note = note{text: "SuperNodes that end or that the grid loses are restarted from now on",
		fix: "growing pauses, five times an hour at most, never one that you stopped; W turns it off"}
	m.hurry(m.now())
	return m.poll()
}

// unwatch ends it.
func (m restarter) unwatch() {
	if m.release != nil {
		m.release()
	}
	m.keeper, m.release, m.kept = nil, nil, ""
}

// keep checks the last overview, and asks the frame for the restart that is due. One at a time.
func (m restarter) keep() tea.Cmd {
	if m.keeper == nil {
		return nil
	}
	events, todo := m.keeper.Look(m.now(), m.have)
	for _, e := range events {
		m.says(e)
	}
	if len(todo) == 0 || m.trying {
		return nil
	}
	m.trying = true
	for _, name := range todo[0].Nodes {
		m.busy[name] = doing{todo[0].Verb, m.now()}
	}
	return send(Run{Verb: todo[0].Verb, Nodes: todo[0].Nodes, ByItself: true})
}

// began counts a restart that the frame had time for.
func (m restarter) began(msg Began) {
	if m.keeper == nil {
		return
	}
	m.stale = true
	for _, name := range msg.Nodes {
		m.says(m.keeper.Tried(m.now(), name))
	}
}

// tried handles the end of a restart. A restart that the frame had no time for comes again.
func (m restarter) tried(msg Ran) {
	m.trying = false
	if m.keeper != nil && msg.Err != nil && !problem.Is(msg.Err, problem.Busy) {
		m.says(health.WatchEvent{At: m.now(), Kind: health.WatchFailed, Text: problem.Of(msg.Err).Error()})
	}
}

// How long a text stays that says what was done, or what failed.
const (
	Toast    = 8 * time.Second
	Warned   = 30 * time.Second // a failure
	keptLong = 2 * time.Minute  // what the watch did
)

// fade takes away what has been on the screen long enough.
func (n *notice) fade(now time.Time) {
	switch {
	case n.note.text == "":
		n.since = time.Time{}
	case n.since.IsZero() || n.shown != n.note:
		n.since, n.shown = now, n.note
	case now.Sub(n.since) >= Toast && !n.note.bad, now.Sub(n.since) >= Warned:
		n.note = note{}
	}
	if now.Sub(n.keptAt) >= keptLong {
		n.kept = ""
	}
}

// noted returns the text below the summary: of the last action, or else of the watch.
func (n *notice) noted() note {
	if n.note.text == "" && n.kept != "" {
		return note{text: n.kept}
	}
	return n.note
}

// says shows an event until the next one.
func (n *notice) says(e health.WatchEvent) {
	text := e.At.Local().Format(time.TimeOnly) + " "
	if e.Node != "" {
		text += e.Node + " "
	}
	n.kept, n.keptAt = clean(text+e.Text), e.At
	if !n.note.bad {
		n.note = note{}
	}
}
