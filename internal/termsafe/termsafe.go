// Package termsafe is the only door for text from containers, processes and flwr. Its output is safe for a
// terminal as it is: no control sequence, no invisible character, no endless line. Removing known escape
// sequences alone (ansi.Strip) is not enough: it keeps C0 and C1 characters, bidi controls and everything
// after an unfinished sequence.
package termsafe

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLine is the longest line, in bytes, from Line; a count of the missing bytes is at its end.
const MaxLine = 8 << 10

// maxMarks is how many combining marks may follow each other: scripts need up to three, and a tall pile of
// them covers the lines above.
const maxMarks = 4

// Line makes one line of foreign text safe for a terminal. It removes escape sequences (7-bit and 8-bit
// forms, finished or not), control characters except tab, bidi controls and characters that hide text.
// Invalid UTF-8 becomes U+FFFD, and line separators become a space. A carriage return starts the line again,
// as a terminal shows it: the last part that is not blank is kept. At most MaxLine bytes come out.
// Line(Line(s)) is Line(s).
func Line(s string) string {
	if plain(s) {
		return s
	}
	return capped(clean(s), 0)
}

// Text makes text of several lines safe: Line for each of its lines, line feeds kept.
func Text(s string) string {
	if !strings.Contains(s, "\n") {
		return Line(s)
	}
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = Line(line)
	}
	return strings.Join(lines, "\n")
}

// plain reports whether s is an ordinary line: short, printable ASCII and tabs.
func plain(s string) bool {
	if len(s) > MaxLine {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 0x20 && c != '\t') || c > 0x7e {
			return false
		}
	}
	return true
}

// capped cuts line down to MaxLine bytes and says at its end how many bytes are missing, including those
// dropped before.
func capped(line string, dropped int) string {
	if dropped == 0 && len(line) <= MaxLine {
		return line
	}
	const room = 48 // for the remark, whatever the number
	end := len(line)
	if end > MaxLine-room {
		end = MaxLine - room
		for end > 0 && !utf8.RuneStart(line[end]) {
			end--
		}
	}
	return line[:end] + fmt.Sprintf("… [%d bytes cut]", len(line)-end+dropped)
}

// state is the cleaner's place in an escape sequence (ECMA-48; names as in DEC's parser).
type state int

const (
	ground    state = iota
	escape          // after ESC
	escapeMid       // after ESC and an intermediate: ESC ( B
	csi             // within ESC [ … final
	osc             // string ended by BEL or ST
	str             // DCS, SOS, PM, APC: string ended by ST
	oscEscape       // ESC in osc or str: the first half of ST, or a new sequence
)

// clean keeps the promises of Line except the length.
func clean(s string) string {
	s = strings.TrimRight(s, "\r\n")
	out := make([]byte, 0, min(len(s), 2*MaxLine))
	var kept []byte // the last part before a carriage return that was not blank
	marks := 0
	st := ground
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 && s[i] >= 0x80 && s[i] <= 0x9f {
			r = rune(s[i]) // a raw 8-bit control
		}
		i += size

		switch {
		case r == '\r' && i < len(s) && s[i] == '\n': // the line ends here, and does not start again
			continue
		case r == '\r':
			if !blank(out) {
				kept, out = out, kept[:0]
			} else {
				out = out[:0]
			}
			st, marks = ground, 0
			continue
		case r == 0x18 || r == 0x1a || r == '\n': // CAN and SUB end any sequence; here a new line does as well
			st = ground
			if r == '\n' {
				out, marks = append(out, ' '), 0
			}
			continue
		case r == 0x1b:
			if st == osc || st == str {
				st = oscEscape
			} else {
				st = escape
			}
			continue
		}

		switch st {
		case osc, str:
			if r == 0x9c || st == osc && r == 0x07 {
				st = ground
			}
			continue
		case oscEscape:
			if r == '\\' {
				st = ground
				continue
			}
			st = escape // not ST: a new sequence ends the string
		}
		if r >= 0x80 && r <= 0x9f {
			st = introduced(r - 0x40)
			continue
		}
		switch st {
		case escape, escapeMid:
			switch {
			case r < 0x20 || r == 0x7f: // controls in a sequence do not end it
			case r >= 0x20 && r <= 0x2f:
				st = escapeMid
			case r > 0x7f: // not a sequence after all
				st = ground
				out, marks = put(out, r, marks)
			case st == escape:
				st = introduced(r)
			default:
				st = ground
			}
			continue
		case csi:
			switch {
			case r >= 0x40 && r <= 0x7e:
				st = ground
			case r > 0x7f:
				st = ground
				out, marks = put(out, r, marks)
			}
			continue
		}
		out, marks = put(out, r, marks)
	}
	if blank(out) && kept != nil {
		out = kept
	}
	return string(out)
}

// introduced returns the state after ESC final, or after its 8-bit form.
func introduced(final rune) state {
	switch final {
	case '[':
		return csi
	case ']':
		return osc
	case 'P', 'X', '^', '_':
		return str
	}
	return ground
}

// put appends r in its safe form; marks counts combining marks in a row.
func put(out []byte, r rune, marks int) ([]byte, int) {
	switch {
	case r >= 0x20 && r < 0x7f || r == '\t':
		return append(out, byte(r)), 0
	case r < 0x20 || r >= 0x7f && r <= 0x9f || Hidden(r):
		return out, marks
	case r == 0x2028 || r == 0x2029:
		return append(out, ' '), 0
	case r > 0x2ff && unicode.In(r, unicode.Mn, unicode.Me):
		if marks++; marks > maxMarks {
			return out, marks
		}
		return utf8.AppendRune(out, r), marks
	}
	if joins(r) && (len(out) == 0 || out[len(out)-1] < utf8.RuneSelf) {
		return out, marks
	}
	return utf8.AppendRune(out, r), 0
}

// joins reports whether r belongs to a letter of its own script before it, and takes room there. Behind anything else
// terminals disagree about whether it has a cell. A character that this Go does not know may be such a one.
func joins(r rune) bool {
	switch {
	case r == 0xe33, r == 0xeb3, r == 0xff9e, r == 0xff9f, r >= 0x1f3fb && r <= 0x1f3ff:
		return true
	}
	return unicode.Is(unicode.Mc, r) || !unicode.In(r, unicode.GraphicRanges...) && !unicode.Is(unicode.Co, r)
}

// Hidden reports whether r is invisible, or changes the direction of text around it: bidi and zero-width
// characters, tags, variation selectors, fillers, letters that join the next one. Such characters make a line look different from its
// content, or make terminals disagree about its width.
func Hidden(r rune) bool {
	switch {
	case r < 0xad:
		return false
	case r == 0xad || r == 0x2065:
		return true
	case r >= 0xfff0 && r <= 0xfffb, r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, prepending)
}

// prepending are the letters that join the character after them into one cell (Grapheme_Cluster_Break=Prepend of UAX #29;
// the signs among them are Cf). At the end of a line they would swallow the blank that fills it up.
var prepending = &unicode.RangeTable{
	R16: []unicode.Range16{{Lo: 0x0d4e, Hi: 0x0d4e, Stride: 1}},
	R32: []unicode.Range32{{Lo: 0x111c2, Hi: 0x111c3, Stride: 1}, {Lo: 0x113d1, Hi: 0x113d1, Stride: 1}, {Lo: 0x1193f, Hi: 0x1193f, Stride: 1},
		{Lo: 0x11941, Hi: 0x11941, Stride: 1}, {Lo: 0x11a3a, Hi: 0x11a3a, Stride: 1}, {Lo: 0x11a84, Hi: 0x11a89, Stride: 1},
		{Lo: 0x11d46, Hi: 0x11d46, Stride: 1}, {Lo: 0x11f02, Hi: 0x11f02, Stride: 1}},
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' {
			return false
		}
	}
	return true
}
