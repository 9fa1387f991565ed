package ui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/ui/dash"
)

// dashPage is the dashboard; ui/dash has it.
type dashPage struct {
	*dash.Model
	m *Model
}

func (p *dashPage) name() string                          { return "Dashboard" }
func (p *dashPage) aside() bool                           { return false }
func (p *dashPage) step() front.StepID                    { return noStep }
func (p *dashPage) copies() []entry                       { return nil }
func (p *dashPage) links() []entry                        { return nil }
func (p *dashPage) draw(d *doc)                           { d.lines = strings.Split(p.View(), "\n") }
func (p *dashPage) wheel(msg tea.MouseMsg, _ int) tea.Cmd { return p.Update(msg) }

// update passes a key to the dashboard, except those of the frame that it leaves free.
func (p *dashPage) update(msg tea.KeyMsg) tea.Cmd {
	if p.Typing() {
		return p.Update(msg)
	}
	free := !claims(p.Keys(), msg)
	if !p.Holds() && key.Matches(msg, keys.back) || free && key.Matches(msg, keys.dash) {
		p.m.base(p.m.wizard)
		return p.m.shown()
	}
	if free && key.Matches(msg, ofFrame...) {
		cmd, _ := p.m.everywhere(msg)
		return cmd
	}
	return p.Update(msg)
}

func (p *dashPage) bindings() []key.Binding {
	if p.Typing() {
		return p.Keys()
	}
	return append(deeds(p.Keys()), as(keys.back, "steps"), keys.quit, keys.help)
}

// showDash opens the dashboard.
func (m *Model) showDash() tea.Cmd {
	cmd := m.makeDash()
	m.base(m.dash)
	return tea.Batch(cmd, m.shown())
}

// makeDash makes the dashboard unless it is there.
func (m *Model) makeDash() tea.Cmd {
	if m.dash != nil {
		return nil
	}
	m.dash = &dashPage{dash.New(m.work, m.s), m}
	return tea.Batch(m.dash.Init(), m.dash.Update(dash.Others{Others: m.others})) // they came while there was no dashboard
}
