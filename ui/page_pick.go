package ui

import (
	"strconv"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/wording"
	"flwrup/ui/keymap"
)

// entry is one text to copy or one link to open.
type entry struct{ label, text string }

// pickPage asks which text to copy, or which link to open.
type pickPage struct {
	text
	list []entry
	at   int
	open bool // open it, else copy it
}

func (p *pickPage) bindings() []key.Binding {
	verb := "copy it"
	if p.open {
		verb = "open it"
	}
	return []key.Binding{as(keys.enter, verb), keymap.Pick, keymap.Joined("↑↓", "move", keymap.Up, keymap.Down), keys.back}
}

func (p *pickPage) update(msg tea.KeyMsg) tea.Cmd {
	n, err := strconv.Atoi(msg.String())
	switch {
	case key.Matches(msg, keys.up):
		p.at = (p.at + len(p.list) - 1) % len(p.list)
	case key.Matches(msg, keys.down), msg.Type == tea.KeyTab:
		p.at = (p.at + 1) % len(p.list)
	case key.Matches(msg, keys.back, keys.quit):
		return p.m.pop()
	case key.Matches(msg, keys.enter):
		return tea.Batch(p.m.pop(), p.picked())
	case err == nil && n >= 1 && n <= len(p.list):
		p.at = n - 1
		return tea.Batch(p.m.pop(), p.picked())
	}
	return nil
}

func (p *pickPage) picked() tea.Cmd {
	e := p.list[p.at]
	if p.open {
		return p.m.outside.browse(e.text)
	}
	return p.m.outside.copy(e.text, "")
}

func (p *pickPage) draw(d *doc) {
	s := p.m.s
	title := "Copy which one?"
	if p.open {
		title = "Open which one?"
	}
	d.heading(title, "", s.Text)
	for i, e := range p.list {
		if len(p.list)*3 <= d.height {
			d.gap()
		}
		start := len(d.lines)
		cursor, st := "  ", s.Command
		if i == p.at {
			cursor, st = s.Accent.Render(s.Signs.Cursor)+" ", s.Selected
		}
		number := s.Dim.Render(s.Pad(itoa(i+1), 3))
		if e.label != "" && len(p.list) <= 9 {
			d.line(cursor + number + s.Dim.Render(e.label))
			number, cursor = "   ", "  "
		}
		text := strings.Split(strings.TrimRight(e.text, "\n"), "\n")
		for k, l := range text {
			if k == 3 {
				d.line("     " + s.Dim.Render(s.Signs.Ellipsis+" "+wording.Count(len(text)-k, "more line")))
				break
			}
			for _, part := range breakCommand(expandTabs(l), d.width-5) {
				d.line(cursor + number + st.Render(part))
				number, cursor = "   ", "  "
			}
		}
		if i == p.at {
			d.focusFrom(start)
		}
	}
}

// copyWhat copies the text that the page offers, or asks which.
func (m *Model) copyWhat() tea.Cmd {
	list := m.top().copies()
	switch len(list) {
	case 0:
		m.warn("nothing to copy here")
		return nil
	case 1:
		return m.outside.copy(list[0].text, list[0].label)
	}
	m.push(&pickPage{text: text{m}, list: list})
	return nil
}

// openWhat opens the link that the page offers, or asks which.
func (m *Model) openWhat() tea.Cmd {
	if l := m.desk.login(); l != nil && l.Warn != "" {
		m.warn("not opened: " + l.Warn + "; c copies it")
		return nil
	}
	list := m.top().links()
	switch len(list) {
	case 0:
		m.warn("no link here")
		return nil
	case 1:
		return m.outside.browse(list[0].text)
	}
	m.push(&pickPage{text: text{m}, list: list, open: true})
	return nil
}

// commands are the commands of a plan, to copy.
func commands(plan []front.Action) []entry {
	var list []entry
	for _, a := range plan {
		if a.Command != "" {
			list = append(list, entry{a.Says, a.Command})
		}
	}
	return list
}

// texts returns the texts of entries alone.
func texts(list []entry) []string {
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.text
	}
	return out
}

// withAll puts all of the commands in front of them, when there are several.
func withAll(list []entry) []entry {
	if len(list) < 2 {
		return list
	}
	return append([]entry{{"all " + wording.Count(len(list), "command"), strings.Join(texts(list), "\n") + "\n"}}, list...)
}

// ticked returns the parts of a text between backquotes: commands to type.
func ticked(text string) []string {
	var out []string
	parts := strings.Split(text, "`")
	for i := 1; i < len(parts)-1; i += 2 {
		out = append(out, parts[i])
	}
	return out
}
