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

// keys returns what works on the page below at this moment: its own keys, those that move, and those of every page.
func (p *helpPage) keys() (here, moves, everywhere []key.Binding) {
	m := p.m
	offered := p.below.bindings()
	if below, ok := p.below.(panel); ok {
		offered = append(offered, below.Keys()...)
	} else {
		moves = []key.Binding{keys.pageUp, keys.pageDown}
	}
	if p.below == m.wizard {
		moves = append([]key.Binding{keys.up, keys.down, keys.home, keys.end}, moves...)
		if !m.desk.working() {
			offered = append(offered, keys.look)
		}
		if rawText(m) != "" {
			offered = append(offered, keys.raw)
		}
	}
	common := []key.Binding{keymap.Palette, keys.dash, keys.logs, keys.back, keys.places, keys.reference, keys.mouse, keys.help, keys.quit, keys.break_}
	seen := map[string]bool{}
	for _, b := range offered {
		switch k := b.Help().Key; {
		case seen[k]:
		case claims(moving, keymap.Press(b)):
			moves, seen[k] = append(moves, b), true
		case !claims([]key.Binding{keymap.Palette, keymap.Quit, keymap.Help}, keymap.Press(b)):
			here, seen[k] = append(here, b), true
		}
	}
	for _, b := range common {
		if !seen[b.Help().Key] {
			everywhere = append(everywhere, b)
		}
	}
	return here, moves, everywhere
}

// moving are the keys that only move.
var moving = []key.Binding{keymap.Up, keymap.Down, keymap.PageUp, keymap.PageDown, keymap.First, keymap.Last, keymap.ToTheEnd, keymap.Left, keymap.Right}

func (p *helpPage) draw(d *doc) {
	s := p.m.s
	d.heading("Keys that work here", "", s.Text)
	group := func(title string, list []key.Binding) {
		if len(list) == 0 {
			return
		}
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
	here, moves, everywhere := p.keys()
	group("Here and now", here)
	group("Moving", moves)
	group("Everywhere", everywhere)
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
