package dash

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
	"flwrup/ui/tally"
)

// sign is the display of a state: sign and word, so that colour is never the only bearer.
type sign struct {
	sign, word string
	style      paint.Paint
}

func (s sign) text() string {
	if s.word == "" {
		return ""
	}
	return s.sign + " " + s.word
}

// grid returns the grid's view of n, for the details.
func (p *pen) grid(n front.NodeView) string {
	switch n.Grid {
	case front.GridUnregistered:
		return "unregistered for good"
	case front.GridUnknown:
		if n.NodeID == "" {
			return "not registered"
		}
		return "not known"
	}
	return clean(string(n.Grid))
}

// count returns what the log of a SuperNode that runs says.
func (t *table) count(node string) tally.Count { return t.counts[node] }

// severity is the one of the scale, with the errors in the log.
func (t *table) severity(n front.NodeView) front.Severity {
	v := t.have.SeverityOf(n)
	if _, busy := t.busy[n.Name]; busy {
		return front.Working
	}
	if t.fails(n) {
		v = front.Worst(v, front.Warning)
	}
	return v
}

// state is how n stands, on the grid and here, in one word.
func (t *table) state(n front.NodeView) sign {
	v := t.severity(n)
	return sign{v.Sign(t.st.ASCII), stateWord(t, n), t.ink.Severity(v)}
}

func stateWord(t *table, n front.NodeView) string {
	if d, ok := t.busy[n.Name]; ok && d.verb.State() != "" {
		return d.verb.State()
	}
	grid := n.Grid
	if t.have.GridErr != nil {
		grid = front.GridUnknown
	}
	here := n.Runtime.State
	switch {
	case n.Grid == front.GridUnregistered:
		return "unregistered"
	case n.Runtime.Reason == supernode.Suspended:
		return "paused"
	case here == supernode.Starting:
		return "starting"
	case here == supernode.Restarting:
		return "restarting"
	case here == supernode.Stopped && n.Runtime.ExitCode != 0:
		return fmt.Sprintf("exit %d", n.Runtime.ExitCode)
	case here == supernode.Stopped:
		return "stopped"
	case here == supernode.Absent && n.Engine != nil && grid != front.GridUnknown:
		return string(grid)
	case here == supernode.Absent && grid == front.GridOnline:
		return "not here"
	case here == supernode.Absent && n.NodeID == "":
		return "no node ID"
	case here == supernode.Absent:
		return "not started"
	case grid == front.GridOnline:
		return "online"
	case grid == front.GridOffline && n.Diagnosis != nil:
		return "offline"
	case here == supernode.Running && grid != front.GridUnknown:
		return "connecting"
	case here == supernode.Running:
		return "up"
	}
	return "unknown"
}

// machine returns the state of n on this machine, for the details.
func machine(n front.NodeView) string {
	switch n.Runtime.State {
	case supernode.Running:
		return "up"
	case "":
		return "not known"
	case supernode.Absent:
		if n.Engine != nil {
			return "not on this machine's Docker"
		}
		return "not started"
	case supernode.Stopped:
		if n.Runtime.ExitCode != 0 {
			return fmt.Sprintf("exit %d", n.Runtime.ExitCode)
		}
	}
	return string(n.Runtime.State)
}

// why says in a few words why n is not as it should be; "" when it is.
func (t *table) why(n front.NodeView) string {
	if n.Diagnosis != nil {
		return clean(n.Diagnosis.Error())
	}
	if c := t.count(n.Name); t.fails(n) {
		return wording.Count(c.Errors, "error") + " in its log, last " + ago(t.now().Sub(c.LastError))
	}
	return ""
}

// column is a column of the table; the first ones of the list are the last to go when it gets narrow.
type column struct {
	head  string
	width int // 0 when no node has anything to show
	right bool
	place int  // from the left
	wide  bool // where it does not fit, narrower ones may
	cell  func(front.NodeView) (string, paint.Paint)
}

const (
	gap      = 2
	whyFrom  = 100 // from this width on the reason has a column, else a line of its own
	whyLeast = 24
)

// columns returns the columns that fit into w, from left to right. The strips of the past are short ones where they, or
// the node IDs, would not fit otherwise.
func (t *table) columns(w int) []column {
	wide, narrow := fitting(t, t.allColumns(false), w), fitting(t, t.allColumns(true), w)
	for _, is := range []func(column) bool{func(c column) bool { return c.wide }, func(c column) bool { return c.head == "node ID" }} {
		if slices.ContainsFunc(narrow, is) && !slices.ContainsFunc(wide, is) {
			return narrow
		}
	}
	return wide
}

// fitting returns those of all columns that fit into w, from left to right.
func fitting(t *table, all []column, w int) []column {
	used := pointerWidth + all[0].width
	chosen := map[int]column{all[0].place: all[0]}
	spare := 0
	if t.whyColumn(w) {
		spare = gap + whyLeast
	}
	for _, c := range all[1:] {
		if c.width == 0 {
			continue
		}
		if used+gap+c.width+spare > w {
			if c.wide {
				continue
			}
			break
		}
		used += gap + c.width
		chosen[c.place] = c
	}
	if t.whyColumn(w) {
		widest := 0
		for _, n := range t.rows {
			widest = max(widest, style.Width(t.why(n)))
		}
		chosen[whyPlace] = column{head: "why", width: min(w-used-gap, max(whyLeast, widest)), cell: func(n front.NodeView) (string, paint.Paint) {
			return t.why(n), t.ink.Severity(t.severity(n))
		}}
	}
	var list []column
	for place := range len(all) + 1 {
		if c, ok := chosen[place]; ok {
			list = append(list, c)
		}
	}
	// Nothing can be wider than the screen: the name makes room.
	if over := used - w; over > 0 {
		list[0].width = max(4, list[0].width-over)
	}
	return list
}

const whyPlace = 2

// whyColumn reports whether the reasons are a column of a table of w cells. Details next to the table say them as well.
func (t *table) whyColumn(w int) bool {
	return w >= whyFrom && slices.ContainsFunc(t.rows, func(n front.NodeView) bool { return t.why(n) != "" })
}

// allColumns returns every column but the reason, the most useful first; with narrow strips on request.
func (t *table) allColumns(narrow bool) []column {
	plain := t.ink.Text
	list := []column{
		{head: "name", place: 0, cell: func(n front.NodeView) (string, paint.Paint) {
			if n.Name == t.sel {
				return clean(n.Name), t.ink.Selected
			}
			return clean(n.Name), plain
		}},
		{head: "state", place: 1, cell: func(n front.NodeView) (string, paint.Paint) {
			s := t.state(n)
			return s.text(), s.style
		}},
		{head: "errors", place: 9, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			c := t.count(n.Name)
			switch {
			case c.Errors == 0 && n.Runtime.State == supernode.Running:
				return "0", t.ink.Dim
			case c.Errors == 0:
				return "", plain
			case c.More:
				return itoa(c.Errors) + "+", errorInk(t, n)
			}
			return itoa(c.Errors), errorInk(t, n)
		}},
		{head: "up", place: 4, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if n.Runtime.State != supernode.Running || n.Runtime.Since.IsZero() {
				return "", plain
			}
			return style.Uptime(t.now().Sub(n.Runtime.Since)), plain
		}},
		{head: "CPU", place: 5, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return fmt.Sprintf("%.0f%%", u.CPU), plain
			}
			return "", plain
		}},
		{head: "memory", place: 8, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return style.Bytes(u.Memory), plain
			}
			return "", plain
		}},
		t.pastColumn(6, narrow),
		{head: "where", place: 3, cell: func(n front.NodeView) (string, paint.Paint) { return where(n), t.ink.Dim }},
		{head: "", place: 7, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return t.spark(u.history), t.ink.Accent
			}
			return "", plain
		}},
		{head: "node ID", place: 10, cell: func(n front.NodeView) (string, paint.Paint) { return clean(n.NodeID), t.ink.Dim }},
	}
	// Columns whose cells come and go keep their width, so that nothing jumps.
	least := map[string]int{"name": 8, "state": 13, "up": 6, "CPU": 4, "memory": 6, "errors": 6, "": cpuReadings}
	for i := range list {
		c := &list[i]
		widest := 0
		for _, n := range t.have.Nodes {
			text, _ := c.cell(n)
			widest = max(widest, style.Width(text))
		}
		if widest == 0 && least[c.head] == 0 {
			continue
		}
		c.width = max(widest, len(c.head), least[c.head])
		if c.head != "" && c.head == sorts[t.sort].head {
			c.head += t.st.Signs.Down
			c.width = max(c.width, style.Width(c.head))
		}
	}
	list[0].width = min(list[0].width, 28)
	return list
}

// errorInk is bright while the errors are recent.
func errorInk(t *table, n front.NodeView) paint.Paint {
	if t.fails(n) {
		return t.ink.Warn
	}
	return t.ink.Dim
}

// upSince returns since when a SuperNode runs; the far future when it does not.
func upSince(n front.NodeView) time.Time {
	if n.Runtime.State != supernode.Running {
		return time.Unix(1<<40, 0)
	}
	return n.Runtime.Since
}

func itoa(n int) string { return strconv.Itoa(n) }

// takes returns the usage of a running node; nil when it is unknown.
func (t *table) takes(n front.NodeView) *usage {
	u := t.usage[n.Name]
	if u == nil || len(u.history) == 0 || n.Runtime.State != supernode.Running {
		return nil
	}
	return u
}

// spark draws CPU readings; a fifth of a core or less does not fill it.
func (p *pen) spark(readings []float64) string {
	top := 20.0
	for _, r := range readings {
		top = max(top, r)
	}
	levels := p.st.Signs.Spark
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", cpuReadings-len(readings)))
	for _, r := range readings {
		i := int(r / top * float64(len(levels)))
		b.WriteString(levels[min(max(0, i), len(levels)-1)])
	}
	return b.String()
}

// tableRow draws a node in the columns; head draws their names when n is nil.
func (t *table) tableRow(cols []column, n *front.NodeView, w int) string {
	var b strings.Builder
	switch {
	case n == nil:
		b.WriteString(strings.Repeat(" ", pointerWidth))
	default:
		b.WriteString(t.pointer(*n))
	}
	for i, c := range cols {
		if i > 0 {
			b.WriteString(strings.Repeat(" ", gap))
		}
		text, st := c.head, t.ink.Dim
		if n != nil {
			text, st = c.cell(*n)
		}
		text = t.st.Cut(text, c.width)
		fill := strings.Repeat(" ", max(0, c.width-style.Width(text)))
		if text != "" {
			text = st.Render(text)
		}
		if c.right {
			b.WriteString(fill + text)
		} else {
			b.WriteString(text + fill)
		}
	}
	return t.st.Cut(strings.TrimRight(b.String(), " "), w)
}

const pointerWidth = 3

// pointer returns the text in front of a node: cursor, mark and a blank.
func (t *table) pointer(n front.NodeView) string {
	first, second := " ", " "
	if n.Name == t.sel {
		first = t.ink.Selected.Render(t.st.Signs.Cursor)
	}
	if t.marked[n.Name] {
		second = t.ink.Accent.Render(t.st.Signs.Marked)
	}
	return first + second + " "
}

// reason returns the line below a node with a trouble, with the key that mends it.
func (t *table) reason(n front.NodeView, w int) string {
	v := t.severity(n)
	paint := t.ink.Severity(v)
	indent := strings.Repeat(" ", pointerWidth+1) + paint.Render(v.Sign(t.st.ASCII)+" ")
	if n.Diagnosis == nil {
		text, hint := t.why(n), "E shows them"
		room := w - pointerWidth - 1 - 2
		if style.Width(text)+3+len(hint) > room {
			return indent + paint.Render(t.st.Cut(text, room))
		}
		return indent + paint.Render(text) + "   " + t.ink.Key.Render("E") + t.ink.Dim.Render(hint[1:])
	}
	text, hint, room := "", "", 0
	words := out(n.Diagnosis, n.Remedy).Says
	for _, try := range [][2]string{{n.Diagnosis.Error(), words}, {n.Diagnosis.Error(), "fix it"}, {n.Diagnosis.What, words}, {n.Diagnosis.What, "fix it"}} {
		text, hint = clean(try[0]), "F "+try[1]
		if room = w - pointerWidth - 1 - 2 - 3 - style.Width(hint); style.Width(text) <= room {
			break
		}
	}
	return t.st.Cut(indent+paint.Render(t.st.Cut(text, room))+"   "+t.ink.Key.Render("F")+t.ink.Dim.Render(hint[1:]), w)
}

// clean makes foreign text safe to draw.
func clean(s string) string { return termsafe.Line(s) }

// ago says how old something is, in steps, so that the screen stands still.
func ago(d time.Duration) string {
	switch {
	case d < 5*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds())/5*5)
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	}
	return style.Age(d) + " ago"
}
