package ui

import (
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// keys are the bindings of the frame and the steps, from the table of all keys.
var keys = struct {
	up, down, pageUp, pageDown, home, end             key.Binding
	enter, copy, open, logs, dash, back, quit, break_ key.Binding
	cancel, flags, raw, undo, change, qr              key.Binding
	places, reference, help, mouse, look, save        key.Binding
	yes, no                                           key.Binding
	goOn, admit                                       key.Binding
}{
	up:        as(keymap.Up, "previous step"),
	down:      as(keymap.Down, "next step"),
	pageUp:    as(keymap.PageUp, "scroll up"),
	pageDown:  as(keymap.PageDown, "scroll down"),
	home:      as(keymap.First, "first step"),
	end:       as(keymap.Last, "last step"),
	enter:     keymap.Enter,
	copy:      as(keymap.Copy, "copy command"),
	open:      keymap.Open,
	logs:      keymap.Logs,
	dash:      keymap.Dashboard,
	back:      keymap.Back,
	quit:      keymap.Quit,
	break_:    keymap.Break,
	cancel:    as(keymap.Stop, "stop this"),
	flags:     as(keymap.Explain, "explain all"),
	raw:       keymap.Verbatim,
	undo:      keymap.Undo,
	change:    keymap.Change,
	qr:        as(keymap.Full, "QR code"),
	save:      as(keymap.Save, "save CSV"),
	places:    keymap.Places,
	reference: keymap.Reference,
	help:      keymap.Help,
	mouse:     keymap.Mouse,
	look:      keymap.Look,
	yes:       as(keymap.Yes, "leave"),
	no:        keymap.Joined("esc", "stay", keymap.No, keymap.Back, keymap.Enter),
	admit:     as(keymap.Add, "admit a site"),
	goOn:      as(keymap.ToTheEnd, "go on until needed"),
}

// as returns a binding with other words for this moment.
func as(b key.Binding, means string) key.Binding { return keymap.As(b, means) }

// paletteFrom is the width from which on the line of keys always offers the palette.
const paletteFrom = 100

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
	if width >= paletteFrom && bindings[len(bindings)-1].Help() == keymap.Help.Help() {
		last = draw(keymap.Palette) + sep + last
	}
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
		if !claims(moving, keymap.Press(b)) {
			out = append(out, b)
		}
	}
	return out
}

func claims(list []key.Binding, msg tea.KeyMsg) bool {
	for _, b := range list {
		if key.Matches(msg, b) {
			return true
		}
	}
	return false
}
