package dash

import (
	"fmt"
	"slices"
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
	note, nodes, sites, runs, logs int // nodes without the head of the table, runs with theirs
}

const (
	leastLogs = 5
	mostRuns  = 3
)

// screen lays the dashboard out.
type screen struct{ *Model }

// parts divides the rows: the nodes first, then their log, then the runs.
func (m screen) parts() parts {
	var p parts
	left := m.h - 2 // summary, head of the table
	if n := m.noted(); n.text != "" {
		p.note = 1
		if n.fix != "" {
			p.note = 2
		}
		left -= p.note
	}
	if m.fitLine(m.h) != "" {
		left--
	}
	if m.finding || m.filter != "" {
		left--
	}
	if left < 1 {
		return p
	}
	need := 0
	for i := range m.rows {
		need += m.nodeHeight(i)
	}
	need = max(1, need)
	p.nodes = min(need, left)
	if left >= 2*(leastLogs+1) && left-need < leastLogs+1 {
		p.nodes = min(need, left-max(leastLogs+1, left*4/10))
	}
	left -= p.nodes
	if sites := min((siteList{&m.table}).rows(), left/2); sites >= 3 {
		p.sites = sites
		left -= sites
	}
	if left < 2 || m.sel == "" && (m.site == "" || len(m.rows) == 0) {
		return p
	}
	all := (runList{&m.table}).runRows()
	if all > 0 && left >= all+2+leastLogs+1 {
		p.runs = all + 2
		left -= p.runs
	}
	if beside := m.besideRows(p); beside > 0 { // the details are longer than the table and the runs
		left = max(0, left-beside)
	}
	if left > leastLogs { // a blank line in front
		p.logs = left - 1
	} else if runs := min(all, left-2); runs > 0 && p.runs == 0 {
		p.runs = runs + 2
	}
	return p
}

const (
	besideFrom  = 140 // from this width on the details are next to the table
	besideWidth = 56
)

// beside reports whether the details of the SuperNode under the cursor are next to the table.
func (t *table) beside() bool { return t.w >= besideFrom && !t.alone && !t.detail && t.sel != "" }

// width is that of the table: details next to it take some.
func (t *table) width() int {
	if t.beside() {
		return t.w - besideWidth - 3
	}
	return t.w
}

// besideRows returns how many rows the details take below the table and the runs.
func (m screen) besideRows(p parts) int {
	if !m.beside() {
		return 0
	}
	side := m.side()
	return max(0, min(len(side.details(1000)), (m.h-2)/2)-1-p.nodes-p.sites-p.runs)
}

// side returns the table as wide as the details next to it.
func (m screen) side() *table {
	t := m.table
	t.w = besideWidth
	return &t
}

// list draws the table, the other sites and the runs.
func (m screen) list(p parts) []string {
	return slices.Concat(m.table.draw(p.nodes), (siteList{&m.table}).draw(p.sites), (runList{&m.table}).draw(p.runs))
}

// upper draws the table and the runs, with the details next to them where there is room.
func (m screen) upper(p parts) []string {
	if !m.beside() {
		return m.list(p)
	}
	whole, narrow := m.w, m.width()
	m.w, m.alone = narrow, true
	left := m.list(p)
	m.w, m.alone = whole, false
	rows := len(left) + m.besideRows(p)
	right := m.side().details(rows)
	lines := make([]string, rows)
	for i := range lines {
		var l, r string
		if i < len(left) {
			l = left[i]
		}
		if i < len(right) {
			r = right[i]
		}
		lines[i] = m.st.Pad(m.st.Cut(l, narrow), narrow) + " " + m.ink.Faint.Render(m.st.Signs.Vertical) + " " + r
	}
	return lines
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
	(runList{&m.table}).weigh()
	lines := []string{(screen{m}).summary()}
	p := (screen{m}).parts()
	if m.noted().text != "" {
		lines = append(lines, m.noteLines(m.noted())...)
	}
	if fit := m.fitLine(m.h); fit != "" {
		lines = append(lines, fit)
	}
	switch {
	case !m.loaded:
		lines = append(lines, "", "  "+m.ink.Dim.Render(m.st.Cut("looking at the SuperNodes"+m.st.Signs.Ellipsis, m.w-2)))
	case len(m.have.Nodes) == 0:
		lines = append(lines, (screen{m}).noneHere(m.h-len(lines))...)
	case m.detail:
		lines = append(lines, m.details(m.h-len(lines))...)
	default:
		if m.finding || m.filter != "" {
			lines = append(lines, (finder{m}).line())
		}
		lines = append(lines, (screen{m}).upper(p)...)
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

// noneHere draws a dashboard without a SuperNode: what is known of other sites and of the runs, in at most room rows.
func (m screen) noneHere(room int) []string {
	text := "no SuperNode here yet"
	sites := siteList{&m.table}
	if len(sites.sites()) > 0 {
		text = "no SuperNode here: all are at other sites"
	}
	lines := []string{"", "  " + m.ink.Dim.Render(m.st.Cut(text, m.w-2)), "  " + m.hint("a", "add one", m.w-2)}
	runs := 0
	if all := (runList{&m.table}).runRows(); all > 0 {
		runs = min(all+2, (room-len(lines))/2)
	}
	lines = append(lines, sites.draw(min(sites.rows(), room-len(lines)-runs))...)
	return append(lines, (runList{&m.table}).draw(runs)...)
}

// Summary returns one line for a title: "4 of 5 online · grid 5 s ago". No styles.
func (m *Model) Summary() string {
	(runList{&m.table}).weigh()
	text, _ := (screen{m}).summaryParts()
	return text
}

// summaryParts returns how many are online and how old that is, and the reason for not knowing better.
func (m screen) summaryParts() (text, wrong string) {
	if !m.loaded {
		return "", ""
	}
	sep := " " + m.st.Signs.Separator + " "
	switch {
	case len(m.have.Nodes) == 0:
		if text = "no SuperNodes"; m.have.GridErr == nil && len(m.have.Sites) > 0 {
			text = strings.TrimPrefix(m.atSites(sep), sep) + sep + m.source() + " " + ago(m.now().Sub(m.have.GridAt))
		}
	case m.have.GridAt.IsZero() && m.have.GridErr == nil:
		text = "the grid was not asked yet"
	case m.have.GridAt.IsZero():
		text = wording.Count(len(m.have.Nodes), "SuperNode")
	case m.have.GridErr != nil:
		text = wording.Count(len(m.have.Nodes), "SuperNode") + sep + "grid " + ago(m.now().Sub(m.have.GridAt))
	default:
		text = wording.Count(m.have.Online, "")
		text = strings.TrimSpace(strings.TrimSuffix(text, "s")) + " of " + wording.Count(len(m.have.Nodes), "SuperNode") + " online" + m.atSites(sep) +
			sep + m.source() + " " + ago(m.now().Sub(m.have.GridAt))
	}
	if waits := m.unanswered(m.now()); waits > 0 {
		text += sep + "no answer for " + strconv.Itoa(int(waits.Seconds())) + " s"
	}
	if bad := m.failing(); len(bad) > 0 {
		errors := 0
		for _, name := range bad {
			errors += m.count(name).Errors
		}
		text += sep + wording.Count(errors, "error") + " in " + wording.Count(len(bad), "log")
	}
	if (runList{&m.table}).stuck() {
		text += sep + "a run is stalled"
	}
	if m.keeper != nil {
		text += sep + "auto-restart"
	} else if words := watchedBy(m.others); words != "" {
		text += sep + words
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

// watchedBy says who else restarts lost SuperNodes; "" for nobody.
func watchedBy(o front.Others) string {
	switch {
	case o.WatchedBy > 0 && o.Service:
		return "watched by the service"
	case o.WatchedBy > 0:
		return "watched by pid " + strconv.Itoa(o.WatchedBy)
	case o.Installed:
		return "the watch service does not run"
	}
	return ""
}

// source says where the states on the grid come from.
func (m screen) source() string {
	if m.have.FromLogs {
		return "by their own logs"
	}
	return "grid"
}

// atSites returns how many SuperNodes of other sites are online; "" where there are none.
func (m screen) atSites(sep string) string {
	online, all := 0, 0
	for _, s := range m.have.Sites {
		online, all = online+s.Online(), all+len(s.Nodes)
	}
	if all == 0 {
		return ""
	}
	return sep + fmt.Sprintf("%d of %d at other sites", online, all)
}

// unanswered returns how long the grid has left a question open, once that is longer than usual; else 0.
func (s *schedule) unanswered(now time.Time) time.Duration {
	if !s.asking && !s.pulsing || s.asked.IsZero() || now.Sub(s.asked) < unanswered {
		return 0
	}
	return now.Sub(s.asked)
}

// worst is the worst severity of all that is on the screen: SuperNodes, their logs, runs, the grid.
func (m screen) worst() front.Severity {
	v := m.have.Severity()
	if len(m.failing()) > 0 {
		v = front.Worst(v, front.Warning)
	}
	if (runList{&m.table}).stuck() {
		v = front.Worst(v, front.Warning)
	}
	if m.unanswered(m.now()) > 0 {
		v = front.Worst(v, front.NotKnown)
	}
	return v
}

// summary is the first line; its sign and colour are those of the worst that it sums up.
func (m screen) summary() string {
	text, wrong := m.summaryParts()
	v := m.worst()
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
			if node, w := m.offer(); node == "" && w.Says != "" && style.Width(wrong)+len(w.Says)+5 <= room {
				hint = "   " + m.hint("F", w.Says, room)
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
	if len(t.rows) == 0 {
		return append(lines, t.ink.Dim.Render("   "+t.st.Cut("no SuperNode matches", t.w-3)))
	}
	rows = t.forNodes(rows)
	t.scroll(rows)
	for i := t.top; i < len(t.rows) && len(lines) <= rows; i++ {
		n := t.rows[i]
		if heads(t, i) {
			if lines = append(lines, groupLine(t, i)); len(lines) > rows {
				break
			}
		}
		lines = append(lines, t.tableRow(cols, &n, t.w))
		if t.explains(n) && len(lines) <= rows {
			lines = append(lines, t.reason(n, t.w))
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
	for i := range t.rows {
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
	if below := len(t.rows) - 1 - t.lastRow(rows); below > 0 {
		parts = append(parts, fmt.Sprintf("%s %d more below", t.st.Signs.Down, below))
	}
	return strings.Join(parts, "  ")
}

// nodeHeight returns how many lines row i takes.
func (t *table) nodeHeight(i int) int {
	h := 1
	if t.explains(t.rows[i]) {
		h++
	}
	if heads(t, i) {
		h++
	}
	return h
}

// explains reports whether a line below n says why it is not as it should be.
func (t *table) explains(n front.NodeView) bool { return !t.whyColumn(t.width()) && t.why(n) != "" }

// lastRow returns the last node that fits into rows when the table begins at m.top.
func (t *table) lastRow(rows int) int {
	i := t.top
	for ; i < len(t.rows); i++ {
		rows -= t.nodeHeight(i)
		if rows < 0 {
			break
		}
	}
	return max(t.top, i-1)
}

// scroll moves the table so that the cursor is on it.
func (t *table) scroll(rows int) {
	t.top = min(t.top, max(0, len(t.rows)-1))
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
		if t.lastRow(rows) < len(t.rows)-1 || t.lastRow(rows) < at {
			t.top++
			break
		}
	}
}

// inSight returns the nodes in visible rows.
func (m *Model) inSight() []front.NodeView {
	if len(m.rows) == 0 {
		return nil
	}
	if m.detail {
		n, _ := m.node(m.sel)
		return []front.NodeView{n}
	}
	top := min(m.top, len(m.rows)-1)
	return m.rows[top : m.lastRow(m.forNodes((screen{m}).parts().nodes))+1]
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

// fitLine says below the summary which flwr fits the grid where there is something to say, else that the backup of the
// keys should be verified again; "" in a window that is too low for more than the SuperNodes.
func (t *table) fitLine(h int) string {
	f := t.have.Fit
	if says := t.have.KeysSay(); f.Says == "" && says != "" {
		f.Says, f.Short = says, says
	}
	if f.Says == "" || h < 12 {
		return ""
	}
	text, ink := clean(f.Says), t.ink.Dim
	if style.Width(text) > t.w-2 {
		text = clean(f.Short)
	}
	if f.Needed {
		ink = t.ink.Severity(front.Warning)
	}
	const command = "flwrup upgrade"
	if room := t.w - style.Width(text) - 5; f.Target != "" && room >= len(command) && !strings.Contains(text, command) {
		return ink.Render("  "+text) + "   " + t.ink.Key.Render(command)
	}
	return ink.Render(t.st.Cut("  "+text, t.w))
}
