package ui

import (
	"github.com/charmbracelet/bubbles/key"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// getHelpPage answers the questions of a new user and lists the places that help.
type getHelpPage struct {
	text
}

func (p *getHelpPage) bindings() []key.Binding {
	return []key.Binding{keys.back, keymap.Joined("↑↓", "scroll", keymap.Up, keymap.Down), as(keys.open, "open"), as(keys.copy, "copy"), keys.help}
}

func (p *getHelpPage) copies() []entry {
	var list []entry
	for _, a := range p.m.work.Answers() {
		if a.Command != "" {
			list = append(list, entry{a.Ask, a.Command})
		}
	}
	return append(list, p.links()...)
}

func (p *getHelpPage) links() []entry {
	var list []entry
	for _, l := range p.m.work.Places() {
		list = append(list, entry{l.Label, l.URL})
	}
	return list
}

func (p *getHelpPage) draw(d *doc) {
	s := p.m.s
	d.heading("Get help", "", s.Text)
	for _, a := range p.m.work.Answers() {
		d.gap()
		d.line(s.Bold.Render(a.Ask))
		d.para(s.Text, a.Answer, 0)
		if a.Command != "" {
			d.action(front.Action{Command: a.Command}, false)
		}
	}
	d.gap()
	d.line(s.Heading.Render("Ask people"))
	for _, l := range p.m.work.Places() {
		d.line(s.Text.Render(l.Label))
		for _, part := range style.HardWrap(l.URL, d.width-2) {
			d.line("  " + s.Command.Render(part))
		}
	}
}
