package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
)

// page fills the place under the title. Pages form a stack; Esc removes the top one. A page has a file of its
// own, page_NAME.go. A page of text embeds text and so has to add little: draw, and keys of its own. A page
// that lays out its whole place is a panel as well.
type page interface {
	// draw writes all of the page, as many lines as it takes. The frame shows a window of them.
	draw(d *doc)
	// update handles a key.
	update(msg tea.KeyMsg) tea.Cmd
	// wheel handles a turn of the mouse's wheel, by lines down.
	wheel(msg tea.MouseMsg, by int) tea.Cmd
	// bindings returns the keys that mean something now, the most useful first, "all keys" last.
	bindings() []key.Binding
	// aside reports whether the list of steps goes with the page.
	aside() bool
	// step returns the step whose work the page shows, 0 for a verb of the dashboard, else noStep.
	step() front.StepID
	// copies are the texts that the page offers to copy, links the links that it offers to open.
	copies() []entry
	links() []entry
}

// noStep is the step of a page that shows no work.
const noStep front.StepID = -1

// panel is a page that lays out its place itself, up to the whole terminal, and does not scroll as text does:
// the dashboard and the log panes.
type panel interface {
	page
	name() string
	SetSize(w, h int)
	View() string
	Keys() []key.Binding
	Full() bool // it wants the whole terminal
}

// text is the common part of pages of text: they scroll, and Enter leaves them.
type text struct{ m *Model }

func (t text) aside() bool        { return true }
func (t text) step() front.StepID { return noStep }
func (t text) links() []entry     { return nil }

// copies: the output of a verb at work can be copied from every page.
func (t text) copies() []entry { return t.m.desk.output(0) }

func (t text) bindings() []key.Binding { return []key.Binding{keys.back, keys.help} }

func (t text) wheel(_ tea.MouseMsg, by int) tea.Cmd {
	t.m.scroll(by)
	return nil
}

func (t text) update(msg tea.KeyMsg) tea.Cmd {
	if cmd, taken := t.m.everywhere(msg); taken {
		return cmd
	}
	switch {
	case key.Matches(msg, keys.back, keys.enter):
		return t.m.pop()
	case key.Matches(msg, keys.up):
		t.m.scroll(-1)
	case key.Matches(msg, keys.down):
		t.m.scroll(1)
	case key.Matches(msg, keys.home):
		t.m.scroll(-1 << 20)
	case key.Matches(msg, keys.end):
		t.m.scroll(1 << 20)
	}
	return nil
}

// toCopy are the bindings of a page of text with something to copy.
func toCopy() []key.Binding {
	return []key.Binding{keys.back, keymap.Joined("↑↓", "scroll", keymap.Up, keymap.Down), as(keys.copy, "copy"), keys.help}
}

// ofFrame are the keys of the frame that a panel leaves to it.
var ofFrame = []key.Binding{keys.quit, keys.help, keys.reference, keys.places, keys.mouse, keys.dash, keymap.Palette}
