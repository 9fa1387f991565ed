package logs

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/hinshun/vt10x"

	"flwrup/ui/style"
)

// screen is a frame as a terminal shows it. vt10x gives every character one cell; so characters of another
// width are first replaced by that many letters, and controls stay as they are.
func screen(frame string, w, h int) vt10x.Terminal {
	var b strings.Builder
	var state byte
	for rest := frame; rest != ""; {
		seq, cells, n, next := ansi.DecodeSequence(rest, state, nil)
		state, rest = next, rest[n:]
		switch r, _ := utf8.DecodeRuneInString(seq); {
		case cells > 0 && r >= utf8.RuneSelf:
			b.WriteString(strings.Repeat("X", cells))
		case cells == 0 && r > 0x9f:
		case seq == "\n":
			b.WriteString("\r\n")
		default:
			b.WriteString(seq)
		}
	}
	vt := vt10x.New(vt10x.WithSize(w, h))
	vt.Write([]byte(b.String()))
	return vt
}

var hostile = []string{
	"\x1b[2J\x1b[H", "\x1b]52;c;aGVsbG8=\x07", "\x1b]0;title\x07", "\x1b[?1049h", "\x1bc", "\x9b2J", "a\rb\rc",
	"\x1b[31m", "\x1b[10;10Hover", strings.Repeat("\x1b[", 100), "\xff\xfe\x80", "\u202eabc",
	strings.Repeat("e\u0301\u0301\u0301\u0301", 50), "\u0301", "number \u0604", "letter \u0d4e", "letter \u0d46/", strings.Repeat("👩‍👩‍👧‍👦", 30), "\u3164\ufe0f\u200b", "a\u2028b\u2029c\u0085d",
	"\x0e\x0f\x08\x08\x08\x7f", "\t\t\t\t\t\t\t\t\t\t\t\tx", "\x1bP+q\x1b\\x", "\x1b_x", "ERROR :     \x1b[8m", "[RUN \x1b[1m1]",
}

// FuzzHostileLines: whatever a node logs, nothing outside its pane changes.
func FuzzHostileLines(f *testing.F) {
	for i, text := range hostile {
		f.Add(text, byte(i))
	}
	f.Fuzz(stays)
}

// Lines of a mebibyte are too slow to fuzz with.
func TestHostileLongLines(t *testing.T) {
	for _, text := range []string{"w", "\x1b[", "\u0301", "模", "\xff", "a\r", " "} {
		stays(t, strings.Repeat(text, 1<<20/len(text)), 0)
	}
}

func stays(t *testing.T, text string, how byte) {
	st := style.New(style.Options{Dark: true})
	w, h := 60+int(how%80), 12+int(how%31)
	frame := func(text string) (string, *Model) {
		m := New(silent{}, names(3), st)
		m.SetSize(w, h)
		m.layout = split
		m.wrap = how&1 == 0
		for i := range m.nodes {
			scene2(m, i)
		}
		times := 30
		if len(text) > 1<<16 {
			times = 3
		}
		for range times {
			tell(m, 0, text)
		}
		return m.View(), m
	}
	good, m := frame("INFO :      harmless")
	bad, mb := frame(text)
	defer m.Close()
	defer mb.Close()
	checkFrame(t, mb, bad)
	columns, rows, _ := m.grid()
	cw, rh := columnWidth(w, columns, 0), rowHeight(m.body(), rows, 0)
	a, b := screen(good, w, h), screen(bad, w, h)
	for y := range h {
		for x := range w {
			if x < cw && y < rh {
				continue
			}
			if ga, gb := a.Cell(x, y), b.Cell(x, y); ga != gb {
				t.Fatalf("%q changed the cell at %d,%d outside its pane (%d×%d) from %v to %v\n%s", text, x, y, cw, rh, ga, gb, b.String())
			}
		}
	}
	if a.Title() != b.Title() || a.Cursor().Y != b.Cursor().Y {
		t.Fatalf("%q changed the title or the cursor's row", text)
	}
}

func scene2(m *Model, node int) {
	tell(m, node, "INFO :      Starting Flower SuperNode", fmt.Sprintf("INFO :      SuperNode ID: %d", 1000+node))
}
