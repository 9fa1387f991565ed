package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"

	"flwrup/internal/problem"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// workPage is a verb of the dashboard, at work or over.
func (m *Model) workPage(d *doc) {
	s, j := m.s, m.last[0]
	if j == nil {
		return
	}
	state, st := m.spin()+" at work", s.Accent
	switch {
	case j.form != nil:
		state = "? your turn"
	case j.over && j.err == nil:
		state, st = s.Signs.Done+" done", s.OK
	case j.over && cancelled(j.err):
		state, st = s.Signs.ToDo+" stopped", s.Text
	case j.over:
		state, st = s.Signs.Failed+" failed", s.Bad
	}
	m.heading(d, j.what, state, st)
	d.gap()
	if !j.over {
		m.live(d, j)
		return
	}
	m.items(d, j.items, max(m.bodyHeight()/2, 4))
	d.gap()
	if j.err == nil {
		m.report(d, j)
		m.output(d, j)
	} else if p := problem.Of(j.err); cancelled(j.err) {
		d.para(s.Text, "Stopped. What was done stays done.", 0)
	} else {
		d.para(s.Bad, s.Signs.Failed+" "+sentence(p.What), 0)
		d.gap()
		if p.Why != "" {
			d.label("Why", s.Text, p.Why)
		}
		if p.Fix != "" {
			d.label("Do", s.Text, p.Fix)
		}
	}
	d.gap()
	d.line(s.Accent.Render(s.Signs.Current+" Enter") + "  back")
}

// helpPage lists every key with what it does, those of the page below first.
func (m *Model) helpPage(d *doc) {
	s := m.s
	m.heading(d, "All keys", "", s.Text)
	below := m.stack[max(len(m.stack)-2, 0)]
	group := func(title string, list []key.Binding) {
		d.gap()
		d.line(s.Heading.Render(title))
		var cells []string
		wide := 0
		for _, b := range list {
			h := b.Help()
			c := "  " + s.Key.Render(s.Pad(h.Key, 7)) + s.Text.Render(h.Desc)
			cells = append(cells, c)
			wide = max(wide, style.Width(c))
		}
		columns := max(1, d.width/(wide+2))
		rows := (len(cells) + columns - 1) / columns
		for y := range rows {
			line := ""
			for x := range columns {
				if i := x*rows + y; i < len(cells) {
					line += s.Pad(cells[i], wide+2)
				}
			}
			d.line(strings.TrimRight(line, " "))
		}
	}
	switch below {
	case pageDash:
		group("Dashboard", m.dash.Keys())
	case pageLogs:
		group("Logs", m.logs.Keys())
	}
	group("Steps", []key.Binding{as(keys.enter, "do the step"), keys.up, keys.down, keys.home, keys.end,
		keys.copy, keys.open, keys.flags, keys.raw, keys.undo, keys.change, keys.cancel, keys.look, keys.qr, keys.save})
	group("Everywhere", []key.Binding{keys.dash, keys.logs, keys.back, keys.pageUp, keys.pageDown, keys.places, keys.reference,
		keys.mouse, keys.help, keys.quit, keys.break_})
	group("In a question", []key.Binding{as(keys.enter, "take it"), bind("↑↓", "choose", "up"),
		bind("y n", "yes, no", "y"), as(keys.back, "stop the step")})
	d.gap()
	d.line(s.Heading.Render("Signs"))
	signs := [][2]string{{s.Signs.Done, "done"}, {s.Signs.Current, "where you are"}, {s.Signs.ToDo, "to do"},
		{s.Signs.NotNeeded, "not needed"}, {s.Signs.Waiting, "waiting"}, {s.Signs.Failed, "failed"}}
	line := ""
	for _, x := range signs {
		part := "  " + x[0] + " " + x[1]
		if style.Width(line)+style.Width(part) > d.width {
			d.line(line)
			line = ""
		}
		line += part
	}
	d.line(line)
}

// flagsPage shows every command of the open step in full, and explains each flag once.
func (m *Model) flagsPage(d *doc) {
	s, v := m.s, &m.steps[m.at]
	m.heading(d, "The commands, and what their flags mean", "", s.Text)
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

// rawText is everything that programs said on the open step, word for word.
func (m *Model) rawText() string {
	var b strings.Builder
	n := m.steps[m.at].number
	if m.stack[0] == pageDash {
		n = 0
	}
	j := m.last[n]
	if j != nil {
		for _, r := range j.ran {
			fmt.Fprintf(&b, "$ %s\n", r.Command)
		}
		if j.dropped > 0 {
			fmt.Fprintf(&b, "(%s dropped)\n", wording.Count(j.dropped, "line"))
		}
		for _, l := range j.output {
			b.WriteString(l + "\n")
		}
	}
	var p *problem.Problem
	if n > 0 {
		p = m.failure()
	} else if j != nil {
		p = problem.Of(j.err)
	}
	if p != nil && p.Raw != "" {
		b.WriteString(strings.TrimRight(p.Raw, "\n") + "\n")
	} else if p != nil && p.Err != nil && p.Err.Error() != p.What && !cancelled(p) {
		b.WriteString(p.Err.Error() + "\n")
	}
	return b.String()
}

func (m *Model) rawPage(d *doc) {
	s := m.s
	m.heading(d, "Word for word", "", s.Text)
	d.gap()
	for _, l := range strings.Split(strings.TrimRight(m.rawText(), "\n"), "\n") {
		st := s.Text
		if strings.HasPrefix(l, "$ ") {
			st = s.Command
		}
		for _, part := range style.Wrap(expandTabs(l), d.width) {
			d.line(st.Render(part))
		}
	}
}

func (m *Model) referencePage(d *doc) {
	s := m.s
	m.heading(d, "Quick reference", m.title.Flwr, s.Dim)
	for _, a := range cleanActions(m.work.Reference()) {
		d.gap()
		m.action(d, a, true)
	}
}

func (m *Model) placesPage(d *doc) {
	s := m.s
	m.heading(d, "Where to turn", "", s.Text)
	for _, l := range m.work.Places() {
		d.gap()
		d.line("  " + s.Text.Render(l.Label))
		for _, part := range style.HardWrap(l.URL, d.width-2) {
			d.line("  " + s.Command.Render(part))
		}
	}
}

func (m *Model) leavePage(d *doc) {
	s := m.s
	m.heading(d, "Leave?", "", s.Text)
	d.gap()
	what := ""
	if m.job != nil {
		what = m.job.what
	}
	d.para(s.Text, "\""+what+"\" is still at work. Leaving stops it; what is done stays done, and flwrup goes on from there next time.", 0)
	d.gap()
	d.line(s.Accent.Render(s.Signs.Current+" Enter") + "  stay")
	d.line("  " + s.Accent.Render("y") + "      leave and stop it")
}
