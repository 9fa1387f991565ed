package ui

import (
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/style"
)

// doc gathers the lines of one screen, top to bottom. The frame shows a window of it.
type doc struct {
	s             *style.Set
	width, height int  // the place for it
	w, h          int  // the terminal
	low           bool // the terminal is so low that rules would cost too much
	now           time.Time
	spin          string // the spinner as it stands
	lines         []string
	// focus are the lines [from, to) that should be visible without scrolling, if there are any.
	from, to int
	// foot is how many of the last lines should be visible at every scroll position.
	foot int
	// edge are the lines that begin at the very left of the terminal.
	edge map[int]bool
}

func (d *doc) line(text string) {
	d.lines = append(d.lines, d.s.Cut(expandTabs(text), d.width))
}

// flush adds a line as it is, from the terminal's left edge on, for text that the mouse selects across lines.
func (d *doc) flush(text string) {
	if d.edge == nil {
		d.edge = map[int]bool{}
	}
	d.edge[len(d.lines)] = true
	d.lines = append(d.lines, text)
}

// gap is one empty line; never two, and none at the top.
func (d *doc) gap() {
	if n := len(d.lines); n > 0 && strings.TrimSpace(ansi.Strip(d.lines[n-1])) != "" {
		d.lines = append(d.lines, "")
	}
}

// para wraps text below an indent.
func (d *doc) para(st lipgloss.Style, text string, indent int) {
	pad := strings.Repeat(" ", indent)
	for _, l := range style.Wrap(expandTabs(text), d.width-indent) {
		d.line(pad + st.Render(l))
	}
}

// labelWidth is the room for "Found", "Why", "Do" at the left of their text.
const labelWidth = 8

// label writes text next to a word at the left; the word only once.
func (d *doc) label(word string, st lipgloss.Style, texts ...string) {
	d.labelled(d.s.Heading, word, st, texts...)
}

func (d *doc) labelled(head lipgloss.Style, word string, st lipgloss.Style, texts ...string) {
	for _, text := range texts {
		for _, l := range style.Wrap(expandTabs(text), d.width-labelWidth) {
			d.line(head.Render(d.s.Pad(word, labelWidth)) + st.Render(l))
			word = ""
		}
	}
}

// focusFrom marks the lines from n to the end as the part to keep visible.
func (d *doc) focusFrom(n int) { d.from, d.to = n, len(d.lines) }

// beside puts right to the right of the lines from from on, which are as wide as the doc is now.
func (d *doc) beside(from int, right []string, gap int) {
	for i, r := range right {
		if from+i == len(d.lines) {
			d.lines = append(d.lines, "")
		}
		l := d.lines[from+i]
		d.lines[from+i] = l + strings.Repeat(" ", max(d.width+gap-style.Width(l), 0)) + r
	}
	d.lines = append(d.lines, "") // not gap: the last line of a QR code may be blank
}

// scrollTo moves offset as little as needed to show the focus in height lines.
func (d *doc) scrollTo(offset, height int) int {
	if d.to > d.from {
		if d.to > offset+height {
			offset = d.to - height
		}
		if d.from < offset {
			offset = d.from
		}
	}
	return offset
}

// footed removes the foot from a document that is too high for height, for the end of each window of it. It returns the
// foot, and the height for the other lines.
func (d *doc) footed(height int) (foot []string, rest int) {
	n := min(d.foot, len(d.lines))
	if n == 0 || len(d.lines) <= height || height < 2*n {
		return nil, height
	}
	foot = d.lines[len(d.lines)-n:]
	d.lines = d.lines[:len(d.lines)-n]
	for n := len(d.lines); n > 0 && d.lines[n-1] == ""; n-- {
		d.lines = d.lines[:n-1]
	}
	d.to = min(d.to, len(d.lines))
	return foot, height - len(foot)
}

// window returns the visible lines from offset on, clamped, and how many are above and below.
func (d *doc) window(offset, height int) (lines []string, above, below int) {
	offset = min(offset, len(d.lines)-height)
	offset = max(offset, 0)
	end := min(offset+max(height, 0), len(d.lines))
	return d.lines[offset:end], offset, len(d.lines) - end
}

func expandTabs(text string) string {
	if !strings.Contains(text, "\t") {
		return text
	}
	return strings.ReplaceAll(text, "\t", "    ")
}

// shellLines breaks a command for the shell into lines of at most width cells, with a backslash at the end of
// each except the last, so that it can still be pasted whole. Flags stay with their values.
func shellLines(command string, width int) []string {
	var out []string
	for _, l := range strings.Split(expandTabs(command), "\n") {
		out = append(out, breakCommand(l, width)...)
	}
	return out
}

func breakCommand(command string, width int) []string {
	if style.Width(command) <= width || width < 12 {
		return hardCut(command, width)
	}
	var out []string
	line := ""
	for _, w := range groupFlags(words(command)) {
		switch {
		case line == "":
			line = w
		case style.Width(line)+1+style.Width(w) <= width-2:
			line += " " + w
		default:
			out = append(out, line+` \`)
			line = "  " + w
		}
	}
	out = append(out, line)
	var cut []string
	for _, l := range out {
		if style.Width(l) > width { // without its indent it may just fit
			l = strings.TrimLeft(l, " ")
		}
		cut = append(cut, hardCut(l, width)...)
	}
	return cut
}

func hardCut(line string, width int) []string {
	if style.Width(line) <= width {
		return []string{line}
	}
	return style.HardWrap(line, width)
}

// words splits at blanks outside quotes.
func words(command string) []string {
	var out []string
	var b strings.Builder
	quote := rune(0)
	escaped := false
	for _, r := range command {
		if r == ' ' && quote == 0 && !escaped {
			if b.Len() > 0 {
				out = append(out, b.String())
				b.Reset()
			}
			continue
		}
		switch {
		case escaped:
			escaped = false
		case r == '\\' && quote != '\'':
			escaped = true
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote = r
		}
		b.WriteRune(r)
	}
	if b.Len() > 0 {
		out = append(out, b.String())
	}
	return out
}

// groupFlags joins a flag and its value, so that no line ends between them.
func groupFlags(list []string) []string {
	var out []string
	for _, w := range list {
		if n := len(out); n > 0 && strings.HasPrefix(out[n-1], "-") && !strings.Contains(out[n-1], " ") &&
			!strings.Contains(out[n-1], "=") && !strings.HasPrefix(w, "-") {
			out[n-1] += " " + w
			continue
		}
		out = append(out, w)
	}
	return out
}

// diffLines colours a unified diff; the signs at the left carry the meaning without colour.
func diffLines(s *style.Set, diff string, width int) []string {
	var out []string
	for _, l := range strings.Split(strings.TrimRight(diff, "\n"), "\n") {
		st := s.Dim
		switch {
		case strings.HasPrefix(l, "+++"), strings.HasPrefix(l, "---"):
		case strings.HasPrefix(l, "+"):
			st = s.Added
		case strings.HasPrefix(l, "-"):
			st = s.Removed
		case strings.HasPrefix(l, "@@"):
			st = s.Faint
		}
		for i, part := range hardCut(expandTabs(l), width) {
			if i > 0 && width > 4 {
				part = "  " + s.Cut(part, width-2)
			}
			out = append(out, st.Render(part))
		}
	}
	return out
}
