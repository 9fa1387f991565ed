package ui

import "github.com/charmbracelet/bubbles/key"

// referencePage is the guide's quick reference.
type referencePage struct {
	text
}

func (p *referencePage) bindings() []key.Binding { return toCopy() }
func (p *referencePage) copies() []entry         { return commands(p.m.work.Reference()) }

func (p *referencePage) draw(d *doc) {
	s := p.m.s
	d.heading("Quick reference", p.m.title.Flwr, s.Dim)
	for _, a := range cleanActions(p.m.work.Reference()) {
		d.gap()
		d.action(a, true)
	}
}
