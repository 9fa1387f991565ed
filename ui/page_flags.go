package ui

import "github.com/charmbracelet/bubbles/key"

// flagsPage shows every command of the open step in full, and explains each flag once.
type flagsPage struct {
	text
}

func (p *flagsPage) bindings() []key.Binding { return toCopy() }
func (p *flagsPage) copies() []entry         { return withAll(commands(p.m.list.here().plan)) }

func (p *flagsPage) draw(d *doc) {
	s, v := p.m.s, p.m.list.here()
	d.heading("The commands, and what their flags mean", "", s.Text)
	define, short := flwrDefined(texts(commands(v.plan)))
	show := func(command string) {
		for _, l := range shellLines(command, d.width-2) {
			d.line("  " + s.Command.Render(l))
		}
	}
	if len(define) > 0 {
		d.gap()
		d.para(s.Text, "first, once in a terminal: which flwr this is", 0)
		for _, c := range define {
			show(c)
		}
	}
	seen := map[string]bool{}
	for _, a := range v.plan {
		if a.Command == "" {
			continue
		}
		d.gap()
		if a.Says != "" {
			d.para(s.Text, a.Says, 0)
		}
		show(short[0])
		short = short[1:]
		for _, f := range a.Flags {
			if seen[f.Flag+f.Means] {
				continue
			}
			seen[f.Flag+f.Means] = true
			d.gap()
			d.line("  " + s.Accent.Render(f.Flag))
			d.para(s.Dim, f.Means, 4)
		}
	}
}
