package logs

import (
	"strings"

	"github.com/charmbracelet/lipgloss"

	"flwrup/ui/style"
)

// paint is a style worked out once: rendering each piece of each row through lipgloss would take most
// of a frame's time.
type paint struct{ on, off string }

func paintOf(s lipgloss.Style) paint {
	on, off, _ := strings.Cut(s.Render("x"), "x")
	return paint{on, off}
}

func (p paint) String(s string) string {
	if s == "" || p.on == "" {
		return s
	}
	return p.on + s + p.off
}

// look is what the panes need of the styles.
type look struct {
	style.Signs
	plainASCII                                                         bool
	text, bold, accent, dim, faint, good, warn, bad, match, here, code paint
	nodes                                                              []paint
}

func newLook(st *style.Set) *look {
	l := &look{
		Signs: st.Signs, plainASCII: st.ASCII,
		text: paintOf(st.Text), bold: paintOf(st.Bold), accent: paintOf(st.Accent), dim: paintOf(st.Dim),
		faint: paintOf(st.Faint), good: paintOf(st.OK), warn: paintOf(st.Warn), bad: paintOf(st.Bad),
		match: paintOf(st.Match), here: paintOf(st.Button), code: paintOf(st.Selected),
	}
	if st.NoColor { // a hit has to be seen without colour as well
		l.match, l.here = paint{}, paint{}
	}
	for i := range 8 {
		l.nodes = append(l.nodes, paintOf(st.Node(i)))
	}
	return l
}

func (l *look) node(i int) paint { return l.nodes[i%len(l.nodes)] }

// of gives a line's sign, the word for it, and their paint; text is the paint of the line itself.
func (l *look) of(k kind, skip uint8) (sign, word string, mark, text paint) {
	switch m := k.mark(); m {
	case markOnline, markRun, markRunOver:
		return l.Landmark, words[m], l.accent, l.text
	case markRefused:
		return l.Failed, words[m], l.bad, l.text
	case markRetry:
		return l.Waiting, "", l.warn, l.text
	case markBack:
		return l.Landmark, "", l.accent, l.text
	case markBegan, markEnded:
		return l.Bullet, "", l.dim, l.text
	case markNote:
		return l.Bullet, "", l.warn, l.warn
	}
	switch k.level() {
	case Error:
		if skip > 0 {
			return l.Failed, "error", l.bad, l.text
		}
		return " ", "", l.bad, l.dim
	case Warning:
		if skip > 0 {
			return l.Failed, "warning", l.warn, l.text
		}
	case Debug:
		return " ", "", l.dim, l.dim
	}
	return " ", "", l.text, l.text
}

// toASCII writes s for a terminal whose locale is not UTF-8: there, any other byte could mean anything.
func toASCII(s string) string {
	if ascii(s) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r < 0x80:
			b.WriteByte(byte(r))
		case r == '│':
			b.WriteByte('|')
		case r == '─':
			b.WriteByte('-')
		case r == '├' || r == '└':
			b.WriteByte('+')
		case r == '…':
			b.WriteByte('~')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
