package ui

import (
	"github.com/charmbracelet/bubbles/key"

	"flwrup/ui/style"
)

// placesPage says where to get help.
type placesPage struct {
	text
}

func (p *placesPage) bindings() []key.Binding {
	return []key.Binding{keys.back, as(keys.open, "open"), as(keys.copy, "copy"), keys.help}
}

func (p *placesPage) copies() []entry { return p.links() }

func (p *placesPage) links() []entry {
	var list []entry
	for _, l := range p.m.work.Places() {
		list = append(list, entry{l.Label, l.URL})
	}
	return list
}

func (p *placesPage) draw(d *doc) {
	s := p.m.s
	d.heading("Where to turn", "", s.Text)
	for _, l := range p.m.work.Places() {
		d.gap()
		d.line("  " + s.Text.Render(l.Label))
		for _, part := range style.HardWrap(l.URL, d.width-2) {
			d.line("  " + s.Command.Render(part))
		}
	}
}
