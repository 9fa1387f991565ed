package ui

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/lipgloss"

	"flwrup/internal/front"
	"flwrup/ui/style"
)

const (
	minWidth, minHeight = 40, 12
	wideFrom            = 72 // from this width on the list of steps stands at the left
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
		lines = m.tooSmall()
	case m.full():
		lines = strings.Split(m.component(), "\n")
	default:
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
	m.pinned = false
	m.layout()
}

// layout hands the sizes down.
func (m *Model) layout() {
	w, h := m.w, m.bodyHeight()
	if m.dash != nil {
		if m.dash.Full() {
			m.dash.SetSize(m.w, m.h)
		} else {
			m.dash.SetSize(w, h)
		}
	}
	if m.logs != nil {
		if m.logs.Full() {
			m.logs.SetSize(m.w, m.h)
		} else {
			m.logs.SetSize(w, h)
		}
	}
}

func (m *Model) full() bool {
	return m.top() == pageLogs && m.logs.Full() || m.top() == pageDash && m.dash.Full()
}

func (m *Model) component() string {
	if m.top() == pageLogs {
		return m.logs.View()
	}
	return m.dash.View()
}

// withList tells that the list of steps is at the left; stepLine that one line stands for it.
func (m *Model) withList() bool {
	return m.w >= wideFrom && m.besideList()
}

func (m *Model) stepLine() bool {
	return m.top() == pageStep && m.login() != nil || m.w < wideFrom && m.besideList()
}

// besideList tells that the page on top goes with the list of steps. A login does not: its link needs
// whole lines.
func (m *Model) besideList() bool {
	switch m.top() {
	case pageDash, pageLogs, pageQR:
		return false
	}
	return m.stack[0] == pageStep && !(m.top() == pageStep && m.login() != nil)
}

func (m *Model) listWidth() int {
	if m.w >= 110 {
		return 32
	}
	return 25
}

// low tells that the terminal is so low that rules would cost too much.
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
		return max(m.w-m.listWidth()-3, 0)
	}
	return max(m.w-2, 0)
}

func (m *Model) tooSmall() []string {
	lines := style.Wrap(fmt.Sprintf("flwrup needs a little more room: at least %d columns and %d rows. This is %d by %d. "+
		"Nothing is lost; make the window larger, or press q.", minWidth, minHeight, m.w, m.h), m.w)
	return lines
}

func (m *Model) framed() []string {
	s, list := m.s, m.withList()
	lw := m.listWidth()
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
		lines = append(lines, m.progressLine())
	}
	lines = append(lines, rule(s.Signs.TeeDown, ""))

	height := m.bodyHeight()
	var body []string
	note := ""
	switch m.top() {
	case pageDash, pageLogs:
		lines = append(lines, s.Fit(strings.Split(m.component(), "\n"), m.w, height)...)
	default:
		d := m.document()
		if m.low() && len(d.lines) > height { // the note below takes a line
			height--
		}
		rest := d.footed(height)
		if !m.pinned {
			m.offset = d.scrollTo(0, rest)
		}
		var below int
		body, m.offset, below = d.window(m.offset, rest)
		if d.foot != "" {
			body = append(slices.Clone(body), d.foot)
		}
		switch {
		case below > 0:
			note = fmt.Sprintf("%s %d more below %s pgdn", s.Signs.Down, below, s.Signs.Separator)
		case m.offset > 0:
			note = fmt.Sprintf("%s %d above %s pgup", s.Signs.Up, m.offset, s.Signs.Separator)
		}
		if list {
			left := m.stepList(lw, height)
			for i, l := range s.Fit(body, m.bodyWidth(), height) {
				lines = append(lines, left[i]+s.Faint.Render(s.Signs.Vertical)+" "+l)
			}
			break
		}
		for i := range height {
			switch {
			case i >= len(body):
				lines = append(lines, "")
			case d.edge[m.offset+i]:
				lines = append(lines, body[i])
			default:
				lines = append(lines, " "+body[i])
			}
		}
	}
	if !m.low() || note != "" {
		lines = append(lines, rule(s.Signs.TeeUp, note))
	}
	return append(lines, m.bottomLine())
}

// cutBytes is the length in bytes of the first n cells of a text without styling.
func cutBytes(text string, n int) int {
	for i := range text {
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

func (m *Model) titleLine() string {
	s, t := m.s, m.title
	sep := s.Dim.Render(" " + s.Signs.Separator + " ")
	parts := []string{s.Accent.Bold(true).Render("flwrup")}
	if t.LookingOnly {
		parts = append(parts, s.Warn.Render("looking only"))
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
	if m.top() != pageDash && m.stack[0] == pageDash { // the dashboard says it itself
		parts = append(parts, grid, m.dashSummary())
	} else {
		account := t.Account
		switch {
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

func (m *Model) dashSummary() string {
	if m.dash == nil {
		return ""
	}
	return m.dash.Summary()
}

// sign is the sign of a step's state, with its style and its word.
func (m *Model) sign(i int) (sign string, st lipgloss.Style, word string) {
	s, v := m.s, &m.steps[i]
	if m.working() && m.job.step == v.number && (m.job.form != nil || m.job.login != nil) {
		return "?", s.Accent, "your turn"
	}
	if m.working() && m.job.step == v.number {
		return s.Signs.Spinner[m.frame%len(s.Signs.Spinner)], s.Accent, "at work"
	}
	if j := m.last[v.number]; j != nil && j.over && j.err != nil || v.err != nil {
		if j == nil || j.err == nil || !cancelled(j.err) {
			return s.Signs.Failed, s.Bad, "failed"
		}
		return s.Signs.ToDo, s.Text, "stopped"
	}
	if !v.known || i == m.at && !v.fresh() {
		if v.looking {
			return s.Signs.Spinner[m.frame%len(s.Signs.Spinner)], s.Dim, "looking"
		}
		return " ", s.Dim, "not looked at yet"
	}
	switch v.status.State {
	case front.Done:
		return s.Signs.Done, s.OK, "done"
	case front.NotNeeded:
		return s.Signs.NotNeeded, s.Dim, "not needed"
	case front.Waiting:
		return s.Signs.Waiting, s.Warn, "waiting " + style.Age(m.now().Sub(v.since))
	case front.Blocked:
		return s.Signs.Blocked, s.Dim, "after step " + v.status.By.String()
	case front.Ready:
		return s.Signs.ToDo, s.Text, "to do"
	}
	return " ", s.Dim, "unknown"
}

// short is what the list shows beside the name.
func (m *Model) short(i int) string {
	v := &m.steps[i]
	if j := m.job; m.working() && j.step == v.number && len(j.items) > 0 {
		done := 0
		for _, it := range j.items {
			if it.State == front.ItemDone {
				done++
			}
		}
		return fmt.Sprintf("%d/%d", done, max(len(j.items), v.status.Of))
	}
	return v.status.Short
}

func (m *Model) stepList(width, height int) []string {
	s := m.s
	var out []string
	for i := range m.steps {
		v := &m.steps[i]
		sign, st, _ := m.sign(i)
		cursor, name := " ", s.Text
		switch {
		case i == m.at:
			cursor, name = s.Accent.Render(s.Signs.Cursor), s.Selected
		case !v.known || v.status.State == front.Blocked || v.status.State == front.NotNeeded:
			name = s.Dim
		}
		left := fmt.Sprintf("%2d %s", v.number, v.name)
		room := width - 5 - 1
		line := cursor + " " + st.Render(sign) + " "
		short := m.short(i)
		if free := room - style.Width(left) - 2; short != "" && (free >= 6 || style.Width(short) <= free) { // a few letters of a name say nothing
			short = s.Cut(short, free)
			gap := room - style.Width(left) - style.Width(short)
			out = append(out, " "+line+name.Render(left)+strings.Repeat(" ", gap)+s.Dim.Render(short)+" ")
			continue
		}
		out = append(out, " "+line+name.Render(s.Cut(left, room))+" ")
	}
	from := 0
	if len(out) > height {
		from = min(max(m.at-height/2, 0), len(out)-height)
		out = out[from : from+height]
	} else if height >= len(out)+2 {
		out = append([]string{""}, out...)
	}
	return s.Fit(out, width, height)
}

// progressLine stands for the list of steps on a narrow terminal.
func (m *Model) progressLine() string {
	s, v := m.s, &m.steps[m.at]
	text := fmt.Sprintf(" step %d of %d %s %s", v.number, len(m.steps), s.Signs.Separator, v.name)
	if short := m.short(m.at); short != "" {
		text += " " + short
	}
	text = s.Selected.Render(s.Cut(text, m.w))
	if free := m.w - style.Width(text) - 1; free >= len(m.steps)+2 {
		var signs strings.Builder
		for i := range m.steps {
			sign, st, _ := m.sign(i)
			if i == m.at {
				sign, st = s.Signs.Current, s.Accent
			}
			signs.WriteString(st.Render(sign))
		}
		text += strings.Repeat(" ", free-len(m.steps)) + signs.String()
	}
	return text
}

func (m *Model) bottomLine() string {
	s := m.s
	if m.message != "" {
		st := s.Accent
		sign := s.Signs.Done
		if m.bad {
			st, sign = s.Warn, s.Signs.Failed
		}
		return s.Cut(" "+st.Render(sign)+" "+m.message, m.w)
	}
	return keyLine(s, m.bindings(), m.w)
}
