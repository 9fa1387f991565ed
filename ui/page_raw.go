package ui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/problem"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// rawPage shows the words of programs.
type rawPage struct {
	text
}

func (p *rawPage) update(msg tea.KeyMsg) tea.Cmd {
	if key.Matches(msg, keys.raw) {
		return p.m.pop()
	}
	return p.text.update(msg)
}

func (p *rawPage) bindings() []key.Binding { return toCopy() }
func (p *rawPage) copies() []entry         { return []entry{{"what was said", rawText(p.m)}} }

func (p *rawPage) draw(d *doc) {
	s := p.m.s
	d.heading("Word for word", "", s.Text)
	d.gap()
	for _, l := range strings.Split(strings.TrimRight(rawText(p.m), "\n"), "\n") {
		st := s.Text
		if strings.HasPrefix(l, "$ ") {
			st = s.Command
		}
		for _, part := range style.Wrap(expandTabs(l), d.width) {
			d.line(st.Render(part))
		}
	}
}

// rawText returns all words of programs on the open step.
func rawText(m *Model) string {
	var b strings.Builder
	n := m.list.here().number
	if m.stack[0] == m.dash {
		n = 0
	}
	j := m.desk.last[n]
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
		p = m.wizard.failure()
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
