package logs

import (
	"strings"

	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
)

// look holds the panes' styles.
type look struct {
	style.Signs
	*paint.Set
	plainASCII bool
	caret      func(on string) string // where one types
}

func newLook(st *style.Set) *look {
	return &look{Signs: st.Signs, Set: paint.New(st), plainASCII: st.ASCII, caret: st.Caret}
}

// of returns a line's sign, the word for it, and their paint; text is the paint of the line itself.
func (l *look) of(k kind, skip uint8) (sign, word string, mark, text paint.Paint) {
	switch m := k.mark(); m {
	case markOnline, markRun, markRunOver:
		return l.Landmark, words[m], l.Accent, l.Text
	case markTask:
		return l.Landmark, "", l.Accent, l.Text
	case markAnswer, markDull:
		return " ", "", l.Dim, l.Dim
	case markTrace:
		return " ", "", l.Bad, l.Dim
	case markRaise:
		return l.Failed, words[m], l.Bad, l.Bold
	case markRefused:
		return l.Failed, words[m], l.Bad, l.Text
	case markRetry:
		return l.Waiting, "", l.Warn, l.Text
	case markBack:
		return l.Landmark, "", l.Accent, l.Text
	case markBegan, markEnded:
		return l.Bullet, "", l.Dim, l.Text
	case markNote:
		return l.Bullet, "", l.Warn, l.Warn
	}
	switch k.level() {
	case Error:
		if skip > 0 {
			return l.Failed, "error", l.Bad, l.Text
		}
		return " ", "", l.Bad, l.Dim
	case Warning:
		if skip > 0 {
			return l.Failed, "warning", l.Warn, l.Text
		}
	case Debug:
		return " ", "", l.Dim, l.Dim
	}
	return " ", "", l.Text, l.Text
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
