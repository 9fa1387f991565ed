package dash

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// parts holds how many rows each part of the dashboard gets.
type parts struct {
	note, nodes, runs, logs int // nodes without the head of the table, runs with theirs
}

const (
	leastLogs = 5
	mostRuns  = 3
)

// parts divides the rows: the nodes first, then their log, then the runs.
func (m *Model) parts() parts {
	var p parts
	left := m.h - 2 // summary, head of the table
	if n := m.noted(); n.text != "" {
		p.note = 1
		if n.fix != "" {
			p.note = 2
		}
		left -= p.note
	}
	if left < 1 {
		return p
	}
	need := max(1, len(m.have.Nodes))
	for _, n := range m.have.Nodes {
		if n.Diagnosis != nil {
			need++
		}
	}
	p.nodes = min(need, left)
	if left >= 2*(leastLogs+1) && left-need < leastLogs+1 {
		p.nodes = min(need, left-max(leastLogs+1, left*4/10))
	}
	left -= p.nodes
	if left < 2 || m.sel == "" {
		return p
	}
	if runs := min(mostRuns, len(m.have.Runs)); runs > 0 && left >= runs+2+leastLogs+1 {
		p.runs = runs + 2
		left -= p.runs
	}
	if left > leastLogs { // a blank line in front
		p.logs = left - 1
	} else if runs := min(len(m.have.Runs), left-2); runs > 0 && p.runs == 0 {
		p.runs = runs + 2
	}
	return p
}

// View draws the dashboard: SetSize's rows, none wider than its columns.
func (m *Model) View() string {
	if m.stale || m.log.Stale() {
		m.frame, m.stale = m.draw(), false
	}
	return m.frame
}

func (m *Model) draw() string {
	if m.w < 1 || m.h < 1 {
		return ""
	}
	if m.Full() {
		m.log.SetSize(m.w, m.h)
		return m.log.View()
	}
	lines := []string{m.summary()}
	p := m.parts()
	if m.noted().text != "" {
		lines = append(lines, m.noteLines(m.noted())...)
	}
	switch {
	case !m.loaded:
		lines = append(lines, "", "  "+m.ink.Dim.Render(m.st.Cut("looking at the SuperNodes"+m.st.Signs.Ellipsis, m.w-2)))
	case len(m.have.Nodes) == 0:
		lines = append(lines, "", "  "+m.ink.Dim.Render(m.st.Cut("no SuperNode here yet", m.w-2)), "  "+m.hint("a", "add one", m.w-2))
	case m.detail:
		lines = append(lines, m.details(m.h-len(lines))...)
	default:
		lines = append(lines, m.table.draw(p.nodes)...)
		lines = append(lines, m.runs(p.runs)...)
		if p.logs > 0 && m.logNode != "" {
			m.log.SetSize(m.w, p.logs)
			m.log.SetFocus(m.inLog)
			lines = append(lines, "")
			lines = append(lines, strings.Split(m.log.View(), "\n")...)
		}
	}
	for len(lines) < m.h {
		lines = append(lines, "")
	}
	lines = lines[:m.h]
	for i, line := range lines {
		lines[i] = m.st.Cut(line, m.w) // the final check of the width; it cuts nothing that fits
	}
	return strings.Join(lines, "\n")
}

// Summary returns one line for a title: "4 of 5 online · grid 5 s ago". No styles.
func (m *Model) Summary() string {
	text, _ := m.summaryParts()
	return text
}

// summaryParts returns how many are online and how old that is, and the reason for not knowing better.
func (m *Model) summaryParts() (text, wrong string) {
	if !m.loaded {
		return "", ""
	}
	sep := " " + m.st.Signs.Separator + " "
	switch {
	case len(m.have.Nodes) == 0:
		text = "no SuperNodes"
	case m.have.GridAt.IsZero() && m.have.GridErr == nil:
		text = "the grid was not asked yet"
	case m.have.GridAt.IsZero():
		text = wording.Count(len(m.have.Nodes), "SuperNode")
	case m.have.GridErr != nil:
		text = wording.Count(len(m.have.Nodes), "SuperNode") + sep + "grid " + ago(m.now().Sub(m.have.GridAt))
	default:
		text = wording.Count(m.have.Online, "")
		text = strings.TrimSpace(strings.TrimSuffix(text, "s")) + " of " + wording.Count(len(m.have.Nodes), "SuperNode") + " online" +
			sep + "grid " + ago(m.now().Sub(m.have.GridAt))
	}
	if waits := m.unanswered(m.now()); waits > 0 {
		text += sep + "no answer for " + strconv.Itoa(int(waits.Seconds())) + " s"
	}
	if m.keeper != nil {
		text += sep + "restarts lost ones"
	}
	if n := len(m.marked); n > 0 {
		text += sep + wording.Count(n, "node") + " marked"
	}
	if err := m.have.RuntimeErr; err != nil {
		wrong = clean(problem.Of(err).What)
	} else if err := m.have.FileErr; err != nil {
		wrong = clean(problem.Of(err).What)
	} else if err := m.have.GridErr; err != nil {
		wrong = clean(problem.Of(err).What)
	}
	return text, wrong
}

// unanswered returns how long the grid has left a question open, once that is longer than usual; else 0.
func (s *schedule) unanswered(now time.Time) time.Duration {
	if !s.asking && !s.pulsing || s.asked.IsZero() || now.Sub(s.asked) < unanswered {
		return 0
	}
	return now.Sub(s.asked)
}

// summary is the first line; its sign and colour are those of the worst that it sums up.
func (m *Model) summary() string {
	text, wrong := m.summaryParts()
	v := m.have.Severity()
	if m.unanswered(m.now()) > 0 && v == front.OK {
		v = front.NotKnown
	}
	if !m.loaded {
		v = front.Idle
	} else {
		text = v.Sign(m.st.ASCII) + " " + text
	}
	s := m.ink.Severity(v).Render(m.st.Cut(text, m.w))
	if wrong != "" {
		room := m.w - style.Width(text) - 3
		if room >= 12 {
			hint := ""
			if node, w := m.offer(); node == "" && w.words != "" && style.Width(wrong)+len(w.words)+5 <= room {
				hint = "   " + m.hint("F", w.words, room)
			}
			s += "   " + m.ink.Severity(v).Render(m.st.Cut(wrong, room)) + hint
		} else {
			s = m.ink.Severity(v).Render(m.st.Cut(v.Sign(m.st.ASCII)+" "+wrong, m.w))
		}
	}
	return s
}

func (p *pen) noteLines(n note) []string {
	st, text := p.ink.OK, n.text
	if n.bad {
		st, text = p.ink.Bad, p.st.Signs.Failed+" "+text
	}
	lines := []string{st.Render(p.st.Cut(text, p.w))}
	if n.fix != "" {
		lines = append(lines, p.ink.Dim.Render(p.st.Cut("  "+n.fix, p.w)))
	}
	return lines
}

func noteOf(err error) note {
	p := problem.Of(err)
	if p.Code == problem.Cancelled {
		return note{text: "not done: " + clean(p.Error())}
	}
	return note{text: clean(p.Error()), fix: clean(p.Fix), bad: true}
}

func (p *pen) hint(key, means string, w int) string {
	if len(key)+1+len(means) > w {
		return ""
	}
	return p.ink.Key.Render(key) + p.ink.Dim.Render(" "+means)
}

// draw draws the head and rows of the nodes, as many as fit, around the cursor.
func (t *table) draw(rows int) []string {
	cols := t.columns(t.w)
	lines := []string{t.tableRow(cols, nil, t.w)}
	rows = t.forNodes(rows)
	t.scroll(rows)
	for i := t.top; i < len(t.have.Nodes) && len(lines) <= rows; i++ {
		n := t.have.Nodes[i]
		lines = append(lines, t.tableRow(cols, &n, t.w))
		if n.Diagnosis != nil && len(lines) <= rows {
			lines = append(lines, t.diagnosis(n, t.w))
		}
	}
	if more := t.hidden(rows); more != "" {
		lines = append(lines, t.st.Cut(t.ink.Dim.Render("  "+more), t.w))
	}
	return lines
}

// forNodes returns how many of the table's rows are for nodes: when they do not all fit, one row says so.
func (t *table) forNodes(rows int) int {
	need := 0
	for i := range t.have.Nodes {
		need += t.nodeHeight(i)
	}
	if need > rows && rows > 1 {
		rows--
	}
	return rows
}

// hidden says how many nodes are above and below the visible ones; "" when all are visible.
func (t *table) hidden(rows int) string {
	var parts []string
	if t.top > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more above", t.st.Signs.Up, t.top))
	}
	if below := len(t.have.Nodes) - 1 - t.lastRow(rows); below > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more below", t.st.Signs.Down, below))
	}
	return strings.Join(parts, "  ")
}

func (t *table) nodeHeight(i int) int {
	if t.have.Nodes[i].Diagnosis != nil {
		return 2
	}
	return 1
}

// lastRow returns the last node that fits into rows when the table begins at m.top.
func (t *table) lastRow(rows int) int {
	i := t.top
	for ; i < len(t.have.Nodes); i++ {
		rows -= t.nodeHeight(i)
		if rows < 0 {
			break
		}
	}
	return max(t.top, i-1)
}

// scroll moves the table so that the cursor is on it.
func (t *table) scroll(rows int) {
	t.top = min(t.top, max(0, len(t.have.Nodes)-1))
	at := t.row()
	if at < t.top {
		t.top = at
	}
	for t.top < at && t.lastRow(rows) < at {
		t.top++
	}
	// No blank rows below while there are nodes above.
	for t.top > 0 {
		t.top--
		if t.lastRow(rows) < len(t.have.Nodes)-1 || t.lastRow(rows) < at {
			t.top++
			break
		}
	}
}

// inSight returns the nodes in visible rows.
func (m *Model) inSight() []front.NodeView {
	if len(m.have.Nodes) == 0 {
		return nil
	}
	if m.detail {
		n, _ := m.node(m.sel)
		return []front.NodeView{n}
	}
	top := min(m.top, len(m.have.Nodes)-1)
	return m.have.Nodes[top : m.lastRow(m.forNodes(m.parts().nodes))+1]
}

// runs draws the last runs below a rule.
func (t *table) runs(rows int) []string {
	if rows < 3 {
		return nil
	}
	lines := []string{"", t.rule("runs")}
	list := t.newest()
	for _, r := range list[:min(rows-2, len(list))] {
		lines = append(lines, t.run(r))
	}
	return lines
}

// newest returns the runs in progress, then the others as the grid lists them.
func (t *table) newest() []front.RunView {
	var list, over []front.RunView
	for _, r := range t.have.Runs {
		if r.Status.Going() {
			list = append(list, r)
		} else {
			over = append(over, r)
		}
	}
	return append(list, over...)
}

func (p *pen) run(r front.RunView) string {
	v := r.Status.Severity()
	s := sign{v.Sign(p.st.ASCII), clean(r.Status.Outcome()), p.ink.Severity(v)}
	line := "  " + s.style.Render(p.st.Pad(s.text(), 12)) + "  " + p.ink.Text.Render(p.st.Pad(clean(r.ID), 20))
	if p.w >= 60 {
		line += "  " + p.ink.Dim.Render(p.st.Pad(style.Clock(r.Elapsed), 8)) + "  " + p.ink.Dim.Render(clean(r.App))
	}
	return p.st.Cut(strings.TrimRight(line, " "), p.w)
}

// rule returns a line with a word in it.
func (p *pen) rule(word string) string {
	h := p.st.Signs.Horizontal
	left := strings.Repeat(h, min(2, p.w))
	rest := p.w - 2 - style.Width(word) - 2
	if rest < 0 {
		return p.ink.Faint.Render(left)
	}
	return p.ink.Faint.Render(left) + " " + p.ink.Bold.Render(word) + " " + p.ink.Faint.Render(strings.Repeat(h, rest))
}
