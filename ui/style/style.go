// Package style holds the common parts of all screens: colours, signs and the few helpers that cut and pad
// text by terminal cells. A Set never reads the environment or asks the terminal; its Options decide.
//
// The rules: one accent colour; red only for failures; every state has a sign and a word, so that colour is
// never the only bearer; nothing relies on the terminal's background being dark or light.
package style

import (
	"io"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"

	"flwrup/internal/front"
)

// FramesPerSecond is how often at most the terminal is written to. Bubble Tea wakes for each frame, even when
// nothing has changed: its own 60 cost 1.2 to 1.5 % of a core on a wizard that nobody looks at, 30 half of
// it.
const FramesPerSecond = 30

// Options describe the abilities of the terminal.
type Options struct {
	NoColor bool // NO_COLOR: no styling at all
	ASCII   bool // the locale is not UTF-8
	Dark    bool // the background is dark
	Basic   bool // no more than the 16 colours of the user's theme
}

// Set is the styles and signs of one program. It is read-only after New and safe to share.
type Set struct {
	Options
	Signs Signs

	Text     lipgloss.Style // ordinary text
	Bold     lipgloss.Style
	Heading  lipgloss.Style // of a screen or a part of it
	Accent   lipgloss.Style // the one accent: the current item, the keys to press
	Selected lipgloss.Style // the line that the cursor is on
	Dim      lipgloss.Style // explanations, ages, rules
	Faint    lipgloss.Style // lines between panes
	OK       lipgloss.Style
	Warn     lipgloss.Style
	Bad      lipgloss.Style
	Command  lipgloss.Style // text that one could type
	Key      lipgloss.Style // a key in the key line
	Added    lipgloss.Style // of a diff
	Removed  lipgloss.Style
	Match    lipgloss.Style // a hit of a search
	Button   lipgloss.Style // the choice that Enter takes
	QR       lipgloss.Style // black on white whatever the theme is

	nodes []lipgloss.Style
}

// Signs are the characters that carry meaning, each one cell wide.
type Signs struct {
	Done, ToDo, Waiting, Unknown, Warning, Failed       string // of front's severities, from OK on
	Current, NotNeeded, Blocked                         string
	Online, Offline                                     string
	Cursor, Marked, Prompt, Bullet, Separator, Ellipsis string
	Irreversible                                        string
	Horizontal, Vertical, TeeDown, TeeUp                string
	BarFull, BarEmpty                                   string
	Up, Down                                            string
	Spinner                                             []string
	Spark                                               []string // lowest to highest
	Stands                                              []string // how a SuperNode stood, of history.Stand: not looked at, online, stopped, not known, down
	Landmark                                            string   // of a log: a node came online, a run started
	Hidden                                              string   // stands for one character of a secret
}

var utf8 = Signs{
	Current: "▸", NotNeeded: "∅", Blocked: "·",
	Online: "●", Offline: "○",
	Cursor: "▸", Marked: "◉", Prompt: "›", Bullet: "·", Separator: "·", Ellipsis: "…",
	Irreversible: "!",
	Horizontal:   "─", Vertical: "│", TeeDown: "┬", TeeUp: "┴",
	BarFull: "█", BarEmpty: "░", Up: "↑", Down: "↓",
	Spinner:  []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
	Spark:    []string{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"},
	Stands:   []string{" ", "▇", "▁", "?", "✗"},
	Landmark: "◆", Hidden: "•",
}

var ascii = Signs{
	Current: ">", NotNeeded: "-", Blocked: ".",
	Online: "*", Offline: "o",
	Cursor: ">", Marked: "x", Prompt: ">", Bullet: "-", Separator: "|", Ellipsis: "~",
	Irreversible: "!",
	Horizontal:   "-", Vertical: "|", TeeDown: "+", TeeUp: "+",
	BarFull: "#", BarEmpty: ".", Up: "^", Down: "v",
	Spinner:  []string{"|", "/", "-", "\\"},
	Spark:    []string{"_", ".", ":", "-", "=", "+", "*", "#"},
	Stands:   []string{" ", "=", "_", "?", "x"},
	Landmark: "*", Hidden: "*",
}

// New makes the styles. The colours have a contrast of at least 4.5:1 on their kind of background, and
// of 3:1 on the other, since the guess may be wrong.
func New(o Options) *Set {
	r := lipgloss.NewRenderer(io.Discard)
	switch {
	case o.NoColor:
		r.SetColorProfile(termenv.Ascii)
	case o.Basic:
		r.SetColorProfile(termenv.ANSI)
	default:
		r.SetColorProfile(termenv.ANSI256)
	}
	r.SetHasDarkBackground(o.Dark)
	colour := func(dark, light, basic string) lipgloss.Style {
		s := r.NewStyle()
		switch {
		case o.Basic:
			return s.Foreground(lipgloss.Color(basic))
		case o.Dark:
			return s.Foreground(lipgloss.Color(dark))
		}
		return s.Foreground(lipgloss.Color(light))
	}
	s := &Set{Options: o, Signs: utf8}
	if o.ASCII {
		s.Signs = ascii
	}
	for v, sign := range map[front.Severity]*string{front.OK: &s.Signs.Done, front.Idle: &s.Signs.ToDo, front.Working: &s.Signs.Waiting,
		front.NotKnown: &s.Signs.Unknown, front.Warning: &s.Signs.Warning, front.Failing: &s.Signs.Failed} {
		*sign = v.Sign(o.ASCII)
	}
	plain := r.NewStyle()
	s.Text, s.Bold, s.Heading = plain, plain.Bold(true), plain.Bold(true)
	s.Accent = colour("38", "30", "6")
	s.Selected = s.Accent.Bold(true)
	s.Dim = colour("246", "242", "8")
	s.Faint = colour("240", "250", "8")
	if o.Basic { // bright black is invisible on some themes
		s.Dim, s.Faint = plain.Faint(true), plain.Faint(true)
	}
	s.OK = colour("72", "29", "2")
	s.Warn = colour("178", "130", "3")
	s.Bad = colour("203", "160", "1").Bold(true)
	s.Command = colour("110", "25", "4")
	s.Key = s.Accent
	s.Added, s.Removed = colour("72", "29", "2"), colour("203", "160", "1")
	s.Match = plain.Reverse(true)
	s.Button = s.Accent.Reverse(true).Bold(true)
	s.QR = plain.Foreground(lipgloss.Color("16")).Background(lipgloss.Color("231"))
	if o.Basic {
		s.QR = plain.Foreground(lipgloss.Color("0")).Background(lipgloss.Color("15"))
	}
	for _, c := range [][3]string{{"38", "30", "6"}, {"178", "130", "3"}, {"140", "97", "5"}, {"72", "29", "2"},
		{"173", "166", "1"}, {"110", "25", "4"}, {"175", "162", "13"}, {"149", "64", "10"}} {
		s.nodes = append(s.nodes, colour(c[0], c[1], c[2]))
	}
	return s
}

// Severity returns the colour of a severity. Its sign is one of Signs, and its word belongs to the state.
func (s *Set) Severity(v front.Severity) lipgloss.Style {
	switch v {
	case front.OK:
		return s.OK
	case front.Working:
		return s.Accent
	case front.Warning:
		return s.Warn
	case front.Failing:
		return s.Bad
	}
	return s.Dim
}

// Node returns the colour of the i-th SuperNode; the colours repeat after eight.
func (s *Set) Node(i int) lipgloss.Style {
	if i < 0 {
		i = -i
	}
	return s.nodes[i%len(s.nodes)]
}
