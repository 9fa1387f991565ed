package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

// leavePage asks before leaving would lose something.
type leavePage struct {
	text
}

func (p *leavePage) bindings() []key.Binding {
	return []key.Binding{as(keys.yes, "leave and stop it"), keys.no}
}

func (p *leavePage) update(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, keys.yes):
		return p.m.end(false, nil)
	case key.Matches(msg, keys.no, keys.quit):
		return p.m.pop()
	}
	return nil
}

func (p *leavePage) draw(d *doc) {
	s := p.m.s
	d.heading("Leave?", "", s.Text)
	d.gap()
	what := ""
	if p.m.desk.job != nil {
		what = p.m.desk.job.what
	}
	d.para(s.Text, "\""+what+"\" is still at work. Leaving stops it; what is done stays done, and flwrup goes on from there next time.", 0)
	d.gap()
	d.line(s.Accent.Render(s.Signs.Current+" Enter") + "  stay")
	d.line("  " + s.Accent.Render("y") + "      leave and stop it")
}
