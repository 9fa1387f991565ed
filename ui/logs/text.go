package logs

import (
	"strconv"
	"strings"

	"flwrup/internal/wording"

	"github.com/charmbracelet/x/ansi"
)

// tabStop is how far apart tab stops are: tabs in flwr's output draw trees, eight columns are too many.
const tabStop = 4

// expand replaces tabs by spaces.
func expand(s string) string {
	if strings.IndexByte(s, '\t') < 0 {
		return s
	}
	var b strings.Builder
	col := 0
	for {
		i := strings.IndexByte(s, '\t')
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:i])
		col += width(s[:i])
		n := tabStop - col%tabStop
		b.WriteString("    "[:n])
		col += n
		s = s[i+1:]
	}
}

// width returns how many columns s takes. s holds no control sequence.
func width(s string) int {
	if ascii(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

// fit cuts s down to w columns.
func fit(s string, w int, tail string) string {
	if w <= 0 {
		return ""
	}
	if len(s) <= w || width(s) <= w {
		return s
	}
	if ascii(s) && ascii(tail) && len(tail) < w {
		return s[:w-len(tail)] + tail
	}
	return ansi.Truncate(s, w, tail)
}

// pad cuts s down to w columns, or fills it up with spaces.
func pad(s string, w int, tail string) string {
	s = fit(s, w, tail)
	return s + spaces(w-width(s))
}

const blanks = "                                                                                "

func spaces(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(blanks) {
		return blanks[:n]
	}
	return strings.Repeat(" ", n)
}

// wrapped cuts s into rows of at most w columns, behind a blank if there is one in most of the row. There is
// always a row; a character is never cut.
func wrapped(s string, w int) []string {
	w = max(w, 2)    // the widest character
	if len(s) <= w { // no text takes more columns than bytes
		return []string{s}
	}
	var rows []string
	wrap(s, w, func(row string) { rows = append(rows, row) })
	return rows
}

// wrap passes each of the rows of wrapped to row.
func wrap(s string, w int, row func(string)) {
	near := w / 3
	if len(s) <= w {
		row(s)
		return
	}
	if ascii(s) {
		for len(s) > w {
			n := w
			if i := strings.LastIndexByte(s[:w], ' '); i >= near && s[w] != ' ' {
				n = i + 1
			}
			row(s[:n])
			s = s[n:]
		}
		row(s)
		return
	}
	start, col := 0, 0
	blank, blankCol := 0, 0 // behind the last blank of the row
	for at := 0; at < len(s); {
		char, cw := cluster(s[at:])
		if char == "" {
			break
		}
		if col+cw > w {
			to, left := at, 0
			if blank > start && blankCol >= near && char != " " {
				to, left = blank, col-blankCol
			}
			row(s[start:to])
			start, col = to, left
		}
		col += cw
		at += len(char)
		if char == " " {
			blank, blankCol = at, col
		}
	}
	row(s[start:])
}

// cluster returns the first character of s as a reader sees it, and how many columns it takes. Between two letters of
// ASCII, which most of a log is, nothing combines.
func cluster(s string) (string, int) {
	if s[0] >= ' ' && s[0] < 0x7f && (len(s) == 1 || s[1] < 0x80) {
		return s[:1], 1
	}
	return ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
}

// skipColumns leaves out the first n columns of s.
func skipColumns(s string, n int) string {
	if n <= 0 {
		return s
	}
	if ascii(s) {
		return s[min(n, len(s)):]
	}
	return ansi.TruncateLeft(s, n, "")
}

// count returns a number with its word: "1 line", "12,034 lines".
func count(n int, what string) string {
	return thousands(n) + " " + wording.Plural(n, what)
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// labels returns each name as short as possible: a common beginning becomes one letter.
func labels(names []string) []string {
	if len(names) < 2 {
		return names
	}
	common := names[0]
	for _, n := range names[1:] {
		for !strings.HasPrefix(n, common) {
			common = common[:len(common)-1]
		}
	}
	common = strings.TrimRight(common, "0123456789")
	short := make([]string, len(names))
	for i, n := range names {
		short[i] = n
		if len(common) > 1 && len(n) > len(common) && ascii(common) {
			short[i] = common[:1] + n[len(common):]
		}
	}
	return short
}
