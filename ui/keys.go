package ui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/style"
)

func bind(help, means string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, means))
}

// keys are all bindings of the frame; the dashboard and the log panes add their own.
var keys = struct {
	up, down, pageUp, pageDown, home, end             key.Binding
	enter, copy, open, logs, dash, back, quit, break_ key.Binding
	cancel, flags, raw, undo, change, qr              key.Binding
	places, reference, help, mouse, look, save        key.Binding
	yes, no                                           key.Binding
}{
	up:        bind("↑/k", "step before", "up", "k"),
	down:      bind("↓/j", "next step", "down", "j"),
	pageUp:    bind("pgup", "scroll up", "pgup", "ctrl+b", "shift+up"),
	pageDown:  bind("pgdn", "scroll down", "pgdown", "ctrl+f", " ", "shift+down"),
	home:      bind("home", "first step", "home"),
	end:       bind("end", "last step", "end"),
	enter:     bind("enter", "go on", "enter"),
	copy:      bind("c", "copy command", "c"),
	open:      bind("o", "open link", "o"),
	logs:      bind("l", "logs", "l"),
	dash:      bind("d", "dashboard", "d"),
	back:      bind("esc", "back", "esc"),
	quit:      bind("q", "leave", "q"),
	break_:    bind("ctrl+c", "leave at once", "ctrl+c"),
	cancel:    bind("x", "stop this", "x"),
	flags:     bind("e", "explain all", "e"),
	raw:       bind("r", "raw output", "r"),
	undo:      bind("u", "undo edit", "u"),
	change:    bind("m", "choose anew", "m"),
	qr:        bind("g", "QR code", "g"),
	save:      bind("v", "save CSV", "v"),
	places:    bind("h", "where to turn", "h"),
	reference: bind("Q", "quick reference", "Q"),
	help:      bind("?", "all keys", "?"),
	mouse:     bind("M", "mouse on or off", "M"),
	look:      bind("R", "look again", "R", "ctrl+r"),
	yes:       bind("y", "leave", "y"),
	no:        bind("esc", "stay", "n", "esc", "enter"),
}

// as returns a binding with other words for this moment.
func as(b key.Binding, means string) key.Binding {
	return bind(b.Help().Key, means, b.Keys()...)
}

// keyLine draws bindings in one line of width cells. It leaves out those that do not fit, but never the last.
func keyLine(s *style.Set, bindings []key.Binding, width int) string {
	draw := func(b key.Binding) string {
		h := b.Help()
		return s.Key.Render(h.Key) + " " + s.Dim.Render(h.Desc)
	}
	if len(bindings) == 0 {
		return ""
	}
	sep := " " + s.Faint.Render(s.Signs.Separator) + " "
	last := draw(bindings[len(bindings)-1])
	room := width - 1 - style.Width(last)
	var parts []string
	for _, b := range bindings[:len(bindings)-1] {
		p := draw(b)
		if w := style.Width(p) + 3; w <= room {
			parts = append(parts, p)
			room -= w
		}
	}
	return s.Cut(" "+strings.Join(append(parts, last), sep), width)
}

// deeds returns the bindings of a component except those that only move, which everybody finds.
func deeds(list []key.Binding) []key.Binding {
	var out []key.Binding
	for _, b := range list {
		if !claims([]key.Binding{keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end}, keyOf(b)) || b.Help().Key == "space" {
			out = append(out, b)
		}
	}
	return out
}

// keyOf is a press of a binding's first key.
func keyOf(b key.Binding) tea.KeyMsg {
	names := map[string]tea.KeyType{"up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd}
	for _, k := range b.Keys() {
		if t, ok := names[k]; ok {
			return tea.KeyMsg{Type: t}
		}
	}
	return tea.KeyMsg{}
}

func claims(list []key.Binding, msg tea.KeyMsg) bool {
	for _, b := range list {
		if key.Matches(msg, b) {
			return true
		}
	}
	return false
}
