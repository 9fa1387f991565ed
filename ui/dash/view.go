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

// parts says how many rows each part of the dashboard gets.
type parts struct {
	note, nodes, runs, logs int // nodes without the head of the table, runs with theirs
}

const (
	leastLogs = 5
	mostRuns  = 3
)

// layOut shares out the rows: the nodes first, then their log, then the runs.
func layOut(m *Model) parts {
	var p parts
	left := m.h - 2 // summary, head of the table
	if n := noted(m); n.text != "" {
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
		m.frame, m.stale = draw(m), false
	}
	return m.frame
}

func draw(m *Model) string {
	if m.w < 1 || m.h < 1 {
		return ""
	}
	if m.Full() {
		m.log.SetSize(m.w, m.h)
		return m.log.View()
	}
	lines := []string{summary(m)}
	p := layOut(m)
	if noted(m).text != "" {
		lines = append(lines, noteLines(m)...)
	}
	switch {
	case !m.loaded:
		lines = append(lines, "", "  "+m.ink.Dim.Render(m.st.Cut("looking at the SuperNodes"+m.st.Signs.Ellipsis, m.w-2)))
	case len(m.have.Nodes) == 0:
		lines = append(lines, "", "  "+m.ink.Dim.Render(m.st.Cut("no SuperNode here yet", m.w-2)), "  "+hintFor(m, "a", "add one", m.w-2))
	case m.detail:
		lines = append(lines, details(m, m.h-len(lines))...)
	default:
		lines = append(lines, table(m, p.nodes)...)
		lines = append(lines, runs(m, p.runs)...)
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
		lines[i] = m.st.Cut(line, m.w) // the last word on the width; nothing is cut where it is enough
	}
	return strings.Join(lines, "\n")
}

// Summary is one line for a title: "4 of 5 online · grid 5 s ago". No styles.
func (m *Model) Summary() string {
	text, _ := summaryParts(m)
	return text
}

// summaryParts gives how many are online and how old that is, and what keeps us from knowing better.
func summaryParts(m *Model) (text, wrong string) {
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
	if waits := unansweredText(m); waits > 0 {
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

// unansweredText is how long the grid has left a question open, once that is longer than usual; else 0.
func unansweredText(m *Model) time.Duration {
	if !m.asking && !m.pulsing || m.asked.IsZero() || m.now().Sub(m.asked) < unanswered {
		return 0
	}
	return m.now().Sub(m.asked)
}

func summary(m *Model) string {
	text, wrong := summaryParts(m)
	st := m.ink.Dim
	if n := len(m.have.Nodes); n > 0 && m.have.Online == n && wrong == "" && unansweredText(m) == 0 {
		st = m.ink.OK
		text = m.st.Signs.Done + " " + text
	}
	s := st.Render(m.st.Cut(text, m.w))
	if wrong != "" {
		room := m.w - style.Width(text) - 3
		if room >= 12 {
			hint := ""
			if node, w := offer(m); node == "" && w.words != "" && style.Width(wrong)+len(w.words)+7 <= room {
				hint = "   " + hintFor(m, "f", w.words, room)
			}
			s += "   " + m.ink.Warn.Render(m.st.Signs.Failed+" "+m.st.Cut(wrong, room-2)) + hint
		} else {
			s = m.ink.Warn.Render(m.st.Cut(m.st.Signs.Failed+" "+wrong, m.w))
		}
	}
	return s
}

func noteLines(m *Model) []string {
	n := noted(m)
	st, text := m.ink.OK, n.text
	if n.bad {
		st, text = m.ink.Bad, m.st.Signs.Failed+" "+text
	}
	lines := []string{st.Render(m.st.Cut(text, m.w))}
	if n.fix != "" {
		lines = append(lines, m.ink.Dim.Render(m.st.Cut("  "+n.fix, m.w)))
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

func hintFor(m *Model, key, means string, w int) string {
	if len(key)+1+len(means) > w {
		return ""
	}
	return m.ink.Key.Render(key) + m.ink.Dim.Render(" "+means)
}

// table draws the head and rows of the nodes, as many as fit, around the cursor.
func table(m *Model, rows int) []string {
	cols := columns(m, m.w)
	lines := []string{tableRow(m, cols, nil, m.w)}
	rows = forNodes(m, rows)
	scroll(m, rows)
	for i := m.top; i < len(m.have.Nodes) && len(lines) <= rows; i++ {
		n := m.have.Nodes[i]
		lines = append(lines, tableRow(m, cols, &n, m.w))
		if n.Diagnosis != nil && len(lines) <= rows {
			lines = append(lines, diagnosis(m, n, m.w))
		}
	}
	if more := hidden(m, rows); more != "" {
		lines = append(lines, m.st.Cut(m.ink.Dim.Render("  "+more), m.w))
	}
	return lines
}

// forNodes gives how many of the table's rows are for nodes: where they do not all fit, one says so.
func forNodes(m *Model, rows int) int {
	need := 0
	for i := range m.have.Nodes {
		need += nodeHeight(m, i)
	}
	if need > rows && rows > 1 {
		rows--
	}
	return rows
}

// hidden says how many nodes lie above and below those in sight; "" when all are.
func hidden(m *Model, rows int) string {
	var parts []string
	if m.top > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more above", m.st.Signs.Up, m.top))
	}
	if below := len(m.have.Nodes) - 1 - lastRow(m, rows); below > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more below", m.st.Signs.Down, below))
	}
	return strings.Join(parts, "  ")
}

func nodeHeight(m *Model, i int) int {
	if m.have.Nodes[i].Diagnosis != nil {
		return 2
	}
	return 1
}

// lastRow is the last node that fits into rows when the table begins at m.top.
func lastRow(m *Model, rows int) int {
	i := m.top
	for ; i < len(m.have.Nodes); i++ {
		rows -= nodeHeight(m, i)
		if rows < 0 {
			break
		}
	}
	return max(m.top, i-1)
}

// scroll moves the table so that the cursor is on it.
func scroll(m *Model, rows int) {
	m.top = min(m.top, max(0, len(m.have.Nodes)-1))
	at := m.row()
	if at < m.top {
		m.top = at
	}
	for m.top < at && lastRow(m, rows) < at {
		m.top++
	}
	// No blank rows below while there are nodes above.
	for m.top > 0 {
		m.top--
		if lastRow(m, rows) < len(m.have.Nodes)-1 || lastRow(m, rows) < at {
			m.top++
			break
		}
	}
}

// inSight are the nodes whose rows can be seen.
func inSight(m *Model) []front.NodeView {
	if len(m.have.Nodes) == 0 {
		return nil
	}
	if m.detail {
		n, _ := m.node(m.sel)
		return []front.NodeView{n}
	}
	top := min(m.top, len(m.have.Nodes)-1)
	return m.have.Nodes[top : lastRow(m, forNodes(m, layOut(m).nodes))+1]
}

// runs draws the last runs below a rule.
func runs(m *Model, rows int) []string {
	if rows < 3 {
		return nil
	}
	lines := []string{"", rule(m, "runs")}
	list := newest(m)
	for _, r := range list[:min(rows-2, len(list))] {
		lines = append(lines, run(m, r))
	}
	return lines
}

// newest gives the runs that are under way, then the others as the grid lists them.
func newest(m *Model) []front.RunView {
	var list, over []front.RunView
	for _, r := range m.have.Runs {
		if active(r.Status) {
			list = append(list, r)
		} else {
			over = append(over, r)
		}
	}
	return append(list, over...)
}

func run(m *Model, r front.RunView) string {
	s := sign{m.st.Signs.ToDo, clean(r.Status), m.ink.Dim}
	switch r.Status {
	case "pending", "starting":
		s = sign{m.st.Signs.Waiting, r.Status, m.ink.Accent}
	case "running":
		s = sign{m.st.Signs.Current, r.Status, m.ink.Accent}
	case "finished:completed":
		s = sign{m.st.Signs.Done, "completed", m.ink.OK}
	case "finished:failed":
		s = sign{m.st.Signs.Failed, "failed", m.ink.Bad}
	case "finished:stopped":
		s = sign{m.st.Signs.Offline, "stopped", m.ink.Dim}
	}
	line := "  " + s.style.Render(m.st.Pad(s.text(), 12)) + "  " + m.ink.Text.Render(m.st.Pad(clean(r.ID), 20))
	if m.w >= 60 {
		line += "  " + m.ink.Dim.Render(m.st.Pad(style.Clock(r.Elapsed), 8)) + "  " + m.ink.Dim.Render(clean(r.App))
	}
	return m.st.Cut(strings.TrimRight(line, " "), m.w)
}

// rule is a line with a word in it.
func rule(m *Model, word string) string {
	h := m.st.Signs.Horizontal
	left := strings.Repeat(h, min(2, m.w))
	rest := m.w - 2 - style.Width(word) - 2
	if rest < 0 {
		return m.ink.Faint.Render(left)
	}
	return m.ink.Faint.Render(left) + " " + m.ink.Bold.Render(word) + " " + m.ink.Faint.Render(strings.Repeat(h, rest))
}
