// Package keymap is the one table of flwrup's keys: a key means one thing on every page. A page takes a
// binding from here, with words of its own for the moment (As), and never makes one of its own; a test of
// package ui reads the sources for that. Letters typed into a question or a prompt are text, not keys.
//
// Rules: a small letter can be taken back or asks first, a capital one does more than its small sister, and
// what ends something for good is a capital that asks.
package keymap

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
)

func bind(help, means string, keys ...string) key.Binding {
	return key.NewBinding(key.WithKeys(keys...), key.WithHelp(help, means))
}

// Moving about.
var (
	Up       = bind("↑/k", "up", "up", "k")
	Down     = bind("↓/j", "down", "down", "j")
	Left     = bind("←", "left", "left")
	Right    = bind("→", "right", "right")
	PageUp   = bind("pgup", "page up", "pgup", "ctrl+b", "shift+up")
	PageDown = bind("pgdn", "page down", "pgdown", "ctrl+f", "shift+down")
	First    = bind("g", "first", "home", "g")
	Last     = bind("end", "last", "end")
	ToTheEnd = bind("G", "to the end", "G") // of a list; in the steps: through all of them
	Next     = bind("n", "next hit", "n")   // of what was looked for last: a text or errors
	Previous = bind("N", "previous hit", "N")
	Pane     = bind("tab", "next pane", "tab")
	PaneBack = bind("shift+tab", "previous pane", "shift+tab")
)

// Everywhere.
var (
	Enter     = bind("enter", "continue", "enter")
	Back      = bind("esc", "back", "esc")
	Quit      = bind("q", "quit", "q")
	Break     = bind("ctrl+c", "quit at once", "ctrl+c")
	Help      = bind("?", "all keys", "?")
	Palette   = bind(":", "find a command", ":", "ctrl+k")
	Dashboard = bind("d", "dashboard", "d")
	Logs      = bind("l", "logs", "l")
	Reference = bind("Q", "quick reference", "Q")
	Places    = bind("h", "get help", "h")
	Mouse     = bind("M", "mouse on or off", "M")
	Copy      = bind("c", "copy", "c")
	Open      = bind("o", "open link", "o")
	Stop      = bind("x", "stop", "x") // the work, or SuperNodes
	Change    = bind("m", "change", "m")
	Explain   = bind("e", "explain", "e")
	Verbatim  = bind("v", "raw output", "v")
	Undo      = bind("u", "undo edit", "u")
	Look      = bind("ctrl+r", "look again", "ctrl+r")
	Save      = bind("ctrl+s", "save to file", "ctrl+s")
	Full      = bind("z", "full screen", "z")
	Find      = bind("/", "find", "/")
	Filter    = bind("f", "filter", "f")
	Mark      = bind("space", "mark", " ")
)

// SuperNodes and runs.
var (
	Start       = bind("s", "start", "s")
	Restart     = bind("r", "restart", "r")
	Run         = bind("R", "run the app", "R")
	Add         = bind("a", "add a SuperNode", "a")
	Remove      = bind("D", "remove", "D", "delete")
	Fix         = bind("F", "fix", "F")
	MarkAll     = bind("A", "mark all", "A")
	AutoRestart = bind("W", "auto-restart", "W")
	Sort        = bind(">", "sort by next column", ">")
	SortBack    = bind("<", "sort by previous column", "<")
	Period      = bind("H", "day, week or month", "H") // of the strips of the past
	Errors      = bind("E", "next error", "E")
)

// Logs.
var (
	Pause = bind("p", "pause", "p")
	Since = bind("t", "go to a time", "t")
	Times = bind("T", "times", "T")
	Wrap  = bind("w", "wrap", "w")
	Level = bind("L", "level", "L")
	Panes = bind("P", "merge or split", "P")
	Bare  = bind("b", "text to select", "b")
	Jump  = bind("'", "next mark", "'")
)

// Answers to a question, which are no keys of a page.
var (
	Pick = bind("1-9", "choose", "1", "2", "3", "4", "5", "6", "7", "8", "9")
	Yes  = bind("y", "yes", "y")
	No   = bind("n", "no", "n")
)

// Table returns every binding of a page by its name.
func Table() map[string]key.Binding {
	return map[string]key.Binding{
		"Up": Up, "Down": Down, "Left": Left, "Right": Right, "PageUp": PageUp, "PageDown": PageDown, "First": First, "Last": Last,
		"ToTheEnd": ToTheEnd, "Next": Next, "Previous": Previous, "Pane": Pane, "PaneBack": PaneBack,
		"Enter": Enter, "Back": Back, "Quit": Quit, "Break": Break, "Help": Help, "Palette": Palette, "Dashboard": Dashboard, "Logs": Logs,
		"Reference": Reference, "Places": Places, "Mouse": Mouse, "Copy": Copy, "Open": Open, "Stop": Stop, "Change": Change,
		"Explain": Explain, "Verbatim": Verbatim, "Undo": Undo, "Look": Look, "Save": Save, "Full": Full, "Find": Find, "Filter": Filter, "Mark": Mark,
		"Start": Start, "Restart": Restart, "Run": Run, "Add": Add, "Remove": Remove, "Fix": Fix, "MarkAll": MarkAll,
		"AutoRestart": AutoRestart, "Sort": Sort, "SortBack": SortBack, "Period": Period, "Errors": Errors,
		"Pause": Pause, "Since": Since, "Times": Times, "Wrap": Wrap, "Level": Level, "Panes": Panes, "Bare": Bare, "Jump": Jump,
	}
}

// As returns a binding with other words for this moment.
func As(b key.Binding, means string) key.Binding {
	b.SetHelp(b.Help().Key, means)
	return b
}

// Joined returns several bindings as one, for the line of keys: "↑↓ choose".
func Joined(help, means string, list ...key.Binding) key.Binding {
	var keys []string
	for _, b := range list {
		keys = append(keys, b.Keys()...)
	}
	return bind(help, means, keys...)
}

// Press returns a press of a binding's first key.
func Press(b key.Binding) tea.KeyMsg { return Type(b.Keys()[0]) }

// Type returns a press of the key that Bubble Tea calls name.
func Type(name string) tea.KeyMsg {
	if t, ok := types[name]; ok {
		return tea.KeyMsg{Type: t}
	}
	if name == " " {
		return tea.KeyMsg{Type: tea.KeySpace, Runes: []rune(" ")}
	}
	return tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(name)}
}

// types are the keys that are not letters.
var types = map[string]tea.KeyType{
	"up": tea.KeyUp, "down": tea.KeyDown, "left": tea.KeyLeft, "right": tea.KeyRight, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
	"home": tea.KeyHome, "end": tea.KeyEnd, "tab": tea.KeyTab, "shift+tab": tea.KeyShiftTab, "enter": tea.KeyEnter, "esc": tea.KeyEsc,
	"ctrl+c": tea.KeyCtrlC, "ctrl+k": tea.KeyCtrlK, "ctrl+r": tea.KeyCtrlR, "ctrl+s": tea.KeyCtrlS, "delete": tea.KeyDelete, "backspace": tea.KeyBackspace,
}
