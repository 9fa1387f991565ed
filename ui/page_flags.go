package ui

import "github.com/charmbracelet/bubbles/key"

// flagsPage shows every command of the open step in full, and explains each flag once.
type flagsPage struct {
	text
}

func (p *flagsPage) bindings() []key.Binding { return toCopy() }
func (p *flagsPage) copies() []entry         { return commands(p.m.list.here().plan) }

func (p *flagsPage) draw(d *doc) {
	s, v := p.m.s, p.m.list.here()
	d.heading("The commands, and what their flags mean", "", s.Text)
	seen := map[string]bool{}
	for _, a := range v.plan {
		if a.Command == "" {
			continue
		}
		d.gap()
		if a.Says != "" {
			d.para(s.Dim, a.Says, 2)
		}
		for _, l := range shellLines(a.Command, d.width-2) {
			d.line("  " + s.Command.Render(l))
		}
		for _, f := range a.Flags {
			if seen[f.Flag+f.Means] {
				continue
			}
			seen[f.Flag+f.Means] = true
			d.gap()
			d.line("  " + s.Accent.Render(f.Flag))
			d.para(s.Text, f.Means, 4)
		}
	}
}
