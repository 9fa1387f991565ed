package ui

import (
	"fmt"
	"slices"
	"strings"

	"flwrup/ui/style"
)

// window is the visible part of a page of text.
type window struct {
	offset int  // its first line
	pinned bool // the user has scrolled
}

// of returns the part of d that is visible in height lines, and a note of how much is not.
func (w *window) of(d *doc, height int) (body []string, note string) {
	foot, rest := d.footed(height)
	if !w.pinned {
		w.offset = d.scrollTo(0, rest)
	}
	var below int
	body, w.offset, below = d.window(w.offset, rest)
	body = append(slices.Clone(body), foot...)
	s := d.s
	switch {
	case below > 0:
		note = fmt.Sprintf("%s %d more below %s pgdn", s.Signs.Down, below, s.Signs.Separator)
	case w.offset > 0:
		note = fmt.Sprintf("%s %d above %s pgup", s.Signs.Up, w.offset, s.Signs.Separator)
	}
	return body, note
}

const (
	minWidth, minHeight = 40, 12
	wideFrom            = 72 // from this width on the list of steps is at the left
)

// View draws the frame: a title, the list of steps, the page, the keys. It is never larger than the
// terminal.
func (m *Model) View() string {
	if m.w <= 0 || m.h <= 0 {
		return ""
	}
	var lines []string
	switch {
	case m.w < minWidth || m.h < minHeight:
		lines = tooSmall(m.w, m.h)
	default:
		if p, ok := m.top().(panel); ok && p.Full() {
			lines = strings.Split(p.View(), "\n")
			break
		}
		lines = m.framed()
	}
	frame := strings.Join(m.s.Fit(lines, m.w, m.h), "\n")
	if m.s.ASCII {
		frame = toASCII(frame)
	}
	return frame
}

func (m *Model) resize(w, h int) {
	if w <= 0 && h <= 0 { // a terminal that does not know its size
		w, h = 80, 24
	}
	m.w, m.h = max(w, 0), max(h, 0)
	m.window.pinned = false
	m.layout()
}

// layout passes the sizes down.
func (m *Model) layout() {
	size := func(p panel) {
		if p.Full() {
			p.SetSize(m.w, m.h)
		} else {
			p.SetSize(m.w-2*margin(m, p), m.bodyHeight())
		}
	}
	if m.dash != nil {
		size(m.dash)
	}
	if m.logs != nil {
		size(m.logs)
	}
}

// margin is the blank at both sides of a panel, so that it begins in the column of all other pages. Log panes have none.
func margin(m *Model, p panel) int {
	if p == m.dash && m.w >= wideFrom {
		return 1
	}
	return 0
}

// withList reports whether the list of steps is at the left.
func (m *Model) withList() bool {
	return m.w >= wideFrom && m.besideList()
}

// stepLine reports whether one line replaces the list of steps.
func (m *Model) stepLine() bool {
	return m.top() == m.wizard && m.desk.login() != nil || m.w < wideFrom && m.besideList()
}

// besideList reports whether the page on top goes with the list of steps.
func (m *Model) besideList() bool { return m.stack[0] == m.wizard && m.top().aside() }

// listWidth is the width of the list of steps on a terminal of w columns.
func listWidth(w int) int {
	if w >= 110 {
		return 32
	}
	return 25
}

// low reports whether the terminal is so low that rules would cost too much.
func (m *Model) low() bool { return m.h < 18 }

func (m *Model) bodyHeight() int {
	h := m.h - 4
	if m.stepLine() {
		h--
	}
	if m.low() {
		h++
	}
	return max(h, 0)
}

func (m *Model) bodyWidth() int {
	if m.withList() {
		return max(m.w-listWidth(m.w)-3, 0)
	}
	return max(m.w-2, 0)
}

func tooSmall(w, h int) []string {
	return style.Wrap(fmt.Sprintf("flwrup needs a little more room: at least %d columns and %d rows. This is %d by %d. "+
		"Nothing is lost; make the window larger, or press q.", minWidth, minHeight, w, h), w)
}

func (m *Model) framed() []string {
	s, list := m.s, m.withList()
	lw := listWidth(m.w)
	rule := func(tee, note string) string {
		text := strings.Repeat(s.Signs.Horizontal, m.w)
		if list {
			text = strings.Repeat(s.Signs.Horizontal, lw) + tee + strings.Repeat(s.Signs.Horizontal, max(m.w-lw-1, 0))
		}
		if n := style.Width(note) + 3; note != "" && n < m.w {
			return s.Faint.Render(text[:cutBytes(text, m.w-n)]) + " " + s.Dim.Render(note) + " " + s.Faint.Render(s.Signs.Horizontal)
		}
		return s.Faint.Render(text)
	}
	lines := []string{m.titleLine()}
	if m.stepLine() {
		lines = append(lines, m.list.line())
	}
	lines = append(lines, rule(s.Signs.TeeDown, ""))

	height := m.bodyHeight()
	note := ""
	if p, ok := m.top().(panel); ok {
		blank := strings.Repeat(" ", margin(m, p))
		var body []string
		for _, l := range strings.Split(p.View(), "\n") {
			body = append(body, blank+l)
		}
		lines = append(lines, s.Fit(body, m.w, height)...)
	} else {
		d := m.document()
		if m.low() && len(d.lines) > height { // the note below takes a line
			height--
		}
		var body []string
		body, note = m.window.of(d, height)
		if list {
			left := m.list.draw(lw, height)
			for i, l := range s.Fit(body, m.bodyWidth(), height) {
				lines = append(lines, left[i]+s.Faint.Render(s.Signs.Vertical)+" "+l)
			}
		} else {
			for i := range height {
				switch {
				case i >= len(body):
					lines = append(lines, "")
				case d.edge[m.window.offset+i]:
					lines = append(lines, body[i])
				default:
					lines = append(lines, " "+body[i])
				}
			}
		}
	}
	if !m.low() || note != "" {
		lines = append(lines, rule(s.Signs.TeeUp, note))
	}
	return append(lines, m.bottomLine())
}

func (m *Model) titleLine() string {
	s, t := m.s, m.title
	sep := s.Dim.Render(" " + s.Signs.Separator + " ")
	parts := []string{s.Accent.Bold(true).Render("flwrup")}
	if note := othersNote(m.others); note != "" {
		parts = append(parts, s.Warn.Render(note))
	}
	if t.Rehearsal {
		parts = append(parts, s.Warn.Render("rehearsal"))
	}
	if t.Project != "" {
		parts = append(parts, s.Bold.Render(t.Project))
	}
	grid := t.Connection
	if t.Federation != "" {
		grid = t.Federation
		if t.Connection != "" {
			grid += " on " + t.Connection
		}
	}
	if m.stack[0] == m.dash && m.top() != m.dash { // the dashboard says it itself
		parts = append(parts, grid, m.dash.Summary())
	} else {
		account := t.Account
		switch {
		case t.Site != "":
			account = t.Site
		case account == "" && t.LoggedIn:
			account = "logged in"
		case account == "":
			account = "not logged in"
		}
		flwr := ""
		if t.Flwr != "" {
			flwr = "flwr " + t.Flwr
		}
		parts = append(parts, grid, account, flwr)
	}
	var shown []string
	for i, p := range parts {
		if p == "" {
			continue
		}
		if i > 0 && !strings.Contains(p, "\x1b") {
			p = s.Dim.Render(p)
		}
		shown = append(shown, p)
	}
	return s.Cut(" "+strings.Join(shown, sep), m.w)
}

func (m *Model) bottomLine() string {
	s := m.s
	if m.message != "" {
		st := s.Accent
		sign := s.Signs.Done
		if m.bad {
			st, sign = s.Warn, s.Signs.Warning
		}
		return s.Cut(" "+st.Render(sign)+" "+m.message, m.w)
	}
	return keyLine(s, m.top().bindings(), m.w)
}

// cutBytes returns the length in bytes of the first n cells of a text without styling.
func cutBytes(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// document returns the page on top with all its lines.
func (m *Model) document() *doc {
	d := &doc{s: m.s, width: m.bodyWidth(), height: m.bodyHeight(), w: m.w, h: m.h, low: m.low(), now: m.now(), spin: m.clock.spin(m.s)}
	m.top().draw(d)
	return d
}

// scroll moves the page by lines; it stays there until something new happens.
func (m *Model) scroll(by int) {
	d := m.document()
	_, rest := d.footed(m.bodyHeight())
	_, at, _ := d.window(max(m.window.offset+by, 0), rest)
	m.window = window{at, true}
}
