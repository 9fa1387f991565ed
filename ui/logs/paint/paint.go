// Package paint draws parts that appear many times a frame: rendering each cell of a table and each piece of
// a log line through lipgloss takes most of a frame's time (4 µs a piece; this: 0.05 µs).
package paint

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"flwrup/internal/front"
	"flwrup/ui/style"
)

// Paint is a style of plain text (colour, bold, reverse; no width, no border), computed once.
type Paint struct{ on, off string }

// Of computes the sequences that s writes around a text.
func Of(s lipgloss.Style) Paint {
	on, off, _ := strings.Cut(s.Render("x"), "x")
	return Paint{on, off}
}

// Render returns text, one line, in the style; an empty text stays empty.
func (p Paint) Render(text string) string {
	if text == "" || p.on == "" {
		return text
	}
	return p.on + text + p.off
}

// Set is the paints of a style.Set.
type Set struct {
	Text, Bold, Accent, Selected, Dim, Faint, OK, Warn, Bad, Key, Match, Button Paint
	nodes, severities                                                           []Paint
}

// colours is how many colours a style.Set has for nodes.
const colours = 8

// New computes the paints of st.
func New(st *style.Set) *Set {
	s := &Set{
		Text: Of(st.Text), Bold: Of(st.Bold), Accent: Of(st.Accent), Selected: Of(st.Selected), Dim: Of(st.Dim), Faint: Of(st.Faint),
		OK: Of(st.OK), Warn: Of(st.Warn), Bad: Of(st.Bad), Key: Of(st.Key), Match: Of(st.Match), Button: Of(st.Button),
	}
	for v := front.NotKnown; v <= front.Failing; v++ {
		s.severities = append(s.severities, Of(st.Severity(v)))
	}
	for i := range colours {
		s.nodes = append(s.nodes, Of(st.Node(i)))
	}
	return s
}

// Severity returns the paint of a severity.
func (s *Set) Severity(v front.Severity) Paint { return s.severities[v] }

// Node returns the paint of the i-th SuperNode's name.
func (s *Set) Node(i int) Paint { return s.nodes[i%colours] }
