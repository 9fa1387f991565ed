package ui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// helpPage lists every key with its effect, those of the page below first.
type helpPage struct {
	text
	below page
}

func (p *helpPage) update(msg tea.KeyMsg) tea.Cmd {
	if key.Matches(msg, keys.help) {
		return p.m.pop()
	}
	return p.text.update(msg)
}

func (p *helpPage) bindings() []key.Binding {
	return []key.Binding{keymap.Joined("↑↓", "scroll", keymap.Up, keymap.Down), keys.back}
}

func (p *helpPage) draw(d *doc) {
	s := p.m.s
	d.heading("All keys", "", s.Text)
	group := func(title string, list []key.Binding) {
		d.gap()
		d.line(s.Heading.Render(title))
		var cells []string
		wide := 0
		for _, b := range list {
			h := b.Help()
			c := "  " + s.Key.Render(s.Pad(h.Key, 10)) + s.Text.Render(h.Desc)
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
	if below, ok := p.below.(panel); ok {
		group(below.name(), below.Keys())
	}
	group("Steps", []key.Binding{as(keys.enter, "do the step"), keys.up, keys.down, keys.home, keys.end,
		keys.copy, keys.open, keys.flags, keys.raw, keys.undo, keys.change, keys.cancel, keys.look, keys.qr, keys.save})
	group("Everywhere", []key.Binding{keys.dash, keys.logs, keys.back, keys.pageUp, keys.pageDown, keys.places, keys.reference,
		keys.mouse, keys.help, keys.quit, keys.break_})
	group("In a question", []key.Binding{as(keys.enter, "take it"), keymap.Joined("↑↓", "choose", keymap.Up, keymap.Down),
		keymap.Joined("y n", "yes, no", keymap.Yes, keymap.No), as(keys.back, "stop the step")})
	d.gap()
	d.line(s.Heading.Render("Signs"))
	signs := [][2]string{{s.Signs.Done, "done"}, {s.Signs.Current, "where you are"}, {s.Signs.ToDo, "to do"},
		{s.Signs.NotNeeded, "not needed"}, {s.Signs.Waiting, "waiting"}, {s.Signs.Unknown, "unknown"}, {s.Signs.Warning, "needs attention"}, {s.Signs.Failed, "failed"}}
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
