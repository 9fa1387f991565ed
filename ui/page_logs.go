package ui

import (
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/ui/dash"
	"flwrup/ui/logs"
)

// logsPage are the log panes; ui/logs has them.
type logsPage struct {
	*logs.Model
	m *Model
}

func (p *logsPage) name() string       { return "Logs" }
func (p *logsPage) aside() bool        { return false }
func (p *logsPage) step() front.StepID { return noStep }
func (p *logsPage) copies() []entry    { return nil }
func (p *logsPage) links() []entry     { return nil }
func (p *logsPage) draw(d *doc)        { d.lines = strings.Split(p.View(), "\n") }

// wheel scrolls three lines.
func (p *logsPage) wheel(_ tea.MouseMsg, by int) tea.Cmd {
	k := tea.KeyMsg{Type: tea.KeyUp}
	if by > 0 {
		k.Type = tea.KeyDown
	}
	var cmds []tea.Cmd
	for range 3 {
		cmds = append(cmds, p.Update(k))
	}
	return tea.Batch(cmds...)
}

// update passes a key to the log panes, except those of the frame that they leave free.
func (p *logsPage) update(msg tea.KeyMsg) tea.Cmd {
	if p.Typing() {
		return p.Update(msg)
	}
	if !p.Holds() && key.Matches(msg, keys.back) || key.Matches(msg, keys.logs) {
		return p.m.pop()
	}
	if !claims(p.Keys(), msg) && key.Matches(msg, ofFrame...) {
		cmd, _ := p.m.everywhere(msg)
		return cmd
	}
	cmd := p.Update(msg)
	p.m.layout()
	return cmd
}

func (p *logsPage) bindings() []key.Binding {
	if p.Typing() {
		return p.Keys()
	}
	list := deeds(p.Keys())
	if !p.Holds() {
		list = append([]key.Binding{keys.back}, list...)
	}
	return append(list, keys.quit, keys.help)
}

// showLogs opens the log panes of the named nodes; of all when there is no name.
func (m *Model) showLogs(names []string) tea.Cmd {
	if len(names) == 0 {
		work, ctx := m.work, m.ctx
		return func() tea.Msg {
			o := work.Overview(ctx, maxPause)
			for _, n := range o.Nodes {
				names = append(names, n.Name)
			}
			if len(names) == 0 {
				return saidMsg{text: "no SuperNode here yet: there are no logs", bad: true}
			}
			return dash.OpenLogs{Nodes: names}
		}
	}
	cmds := []tea.Cmd{m.makeDash()} // it tells the logs what happens
	switch {
	case m.logs == nil:
		m.logs = &logsPage{logs.New(m.work, names, m.s), m}
		cmds = append(cmds, m.logs.Init(), m.logs.Update(m.dash.Story()))
	case !slices.Equal(m.logs.Nodes(), names):
		cmds = append(cmds, m.logs.SetNodes(names))
	}
	m.push(m.logs)
	return tea.Batch(append(cmds, m.shown())...)
}

// exported says where the lines of a log went.
func exported(e logs.Exported) (text string, bad bool) {
	if e.Err != nil {
		return problem.Of(e.Err).Error(), true
	}
	return strconv.Itoa(e.Lines) + " lines written to " + e.Path, false
}
