package dash

import (
	"fmt"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
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

// grid returns the grid's view of n.
func (p *pen) grid(n front.NodeView) sign {
	s := p.st.Signs
	switch n.Grid {
	case front.GridOnline:
		return sign{s.Online, "online", p.ink.OK}
	case front.GridOffline:
		return sign{s.Offline, "offline", p.ink.Warn}
	case front.GridRegistered:
		return sign{s.ToDo, "registered", p.ink.Dim}
	case front.GridUnregistered:
		return sign{s.NotNeeded, "gone", p.ink.Bad}
	case front.GridUnknown:
		if n.NodeID == "" {
			return sign{s.ToDo, "no ID", p.ink.Dim}
		}
		return sign{s.ToDo, "unknown", p.ink.Dim}
	}
	return sign{s.ToDo, clean(string(n.Grid)), p.ink.Dim}
}

// machine returns the state of n on this machine.
func (t *table) machine(n front.NodeView) sign {
	s := t.st.Signs
	if d, ok := t.busy[n.Name]; ok {
		if word := verbs[d.verb]; word != "" {
			return sign{s.Waiting, word, t.ink.Accent}
		}
	}
	switch n.Runtime.State {
	case supernode.Running:
		return sign{s.Done, "up", t.ink.OK}
	case supernode.Starting:
		return sign{s.Waiting, "starting", t.ink.Accent}
	case supernode.Restarting:
		return sign{s.Waiting, "restarting", t.ink.Warn}
	case "":
		return sign{s.ToDo, "unknown", t.ink.Dim}
	case supernode.Stopped:
		if n.Runtime.ExitCode != 0 {
			return sign{s.Failed, fmt.Sprintf("exit %d", n.Runtime.ExitCode), t.ink.Bad}
		}
		return sign{s.Offline, "stopped", t.ink.Dim}
	}
	return sign{s.ToDo, "not started", t.ink.Dim}
}

var verbs = map[front.Verb]string{
	front.StartNodes: "starting", front.StopNodes: "stopping", front.RestartNodes: "restarting",
	front.UnregisterNodes: "leaving", front.RemoveNodes: "leaving", front.ReplaceNodes: "restarting", front.OwnImage: "restarting",
}

// column is a column of the table; the first ones of the list are the last to go when it gets narrow.
type column struct {
	head  string
	width int // 0 when no node has anything to show
	right bool
	place int // from the left
	cell  func(front.NodeView) (string, paint.Paint)
}

const gap = 2

// columns returns the columns that fit into w, from left to right.
func (t *table) columns(w int) []column {
	all := t.allColumns()
	used := pointerWidth + all[0].width
	chosen := map[int]column{all[0].place: all[0]}
	for _, c := range all[1:] {
		if c.width == 0 {
			continue
		}
		if used+gap+c.width > w {
			break
		}
		used += gap + c.width
		chosen[c.place] = c
	}
	var list []column
	for place := range all {
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

// allColumns returns every column, the most useful first.
func (t *table) allColumns() []column {
	plain := t.ink.Text
	list := []column{
		{head: "name", place: 0, cell: func(n front.NodeView) (string, paint.Paint) {
			if n.Name == t.sel {
				return clean(n.Name), t.ink.Selected
			}
			return clean(n.Name), plain
		}},
		{head: "grid", place: 3, cell: func(n front.NodeView) (string, paint.Paint) {
			s := t.grid(n)
			return s.text(), s.style
		}},
		{head: "here", place: 4, cell: func(n front.NodeView) (string, paint.Paint) {
			s := t.machine(n)
			return s.text(), s.style
		}},
		{head: "node ID", place: 1, cell: func(n front.NodeView) (string, paint.Paint) { return clean(n.NodeID), plain }},
		{head: "up", place: 8, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if n.Runtime.State != supernode.Running || n.Runtime.Since.IsZero() {
				return "", plain
			}
			return style.Age(t.now().Sub(n.Runtime.Since)), plain
		}},
		{head: "cpu", place: 5, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return fmt.Sprintf("%.0f%%", u.CPU), plain
			}
			return "", plain
		}},
		{head: "mem", place: 7, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return style.Bytes(u.Memory), plain
			}
			return "", plain
		}},
		{head: "", place: 6, cell: func(n front.NodeView) (string, paint.Paint) {
			if u := t.takes(n); u != nil {
				return t.spark(u.history), t.ink.Accent
			}
			return "", plain
		}},
		{head: "restarts", place: 9, right: true, cell: func(n front.NodeView) (string, paint.Paint) {
			if n.Runtime.Restarts > 0 {
				return fmt.Sprint(n.Runtime.Restarts), t.ink.Warn
			}
			return "", plain
		}},
		{head: "key", place: 2, cell: func(n front.NodeView) (string, paint.Paint) {
			return short(clean(n.Fingerprint)), t.ink.Dim
		}},
	}
	// Columns whose cells come and go keep their width, so that nothing jumps.
	least := map[string]int{"name": 8, "grid": 9, "here": 12, "up": 3, "cpu": 4, "mem": 4, "": history}
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
	}
	list[0].width = min(list[0].width, 28)
	if t.here() == "process" {
		list[2].head = "process"
	} else {
		list[2].head = "container"
	}
	return list
}

// here says what kind of SuperNodes run on this machine.
func (t *table) here() string {
	for _, n := range t.have.Nodes {
		if n.Runtime.State != "" && n.Runtime.State != supernode.Absent && n.Runtime.Image == "" {
			return "process"
		}
	}
	return "container"
}

// takes returns the usage of a running node; nil when it is unknown.
func (t *table) takes(n front.NodeView) *usage {
	u := t.usage[n.Name]
	if u == nil || len(u.history) == 0 || n.Runtime.State != supernode.Running {
		return nil
	}
	return u
}

// short returns enough of a fingerprint to distinguish keys.
func short(fingerprint string) string {
	kind, sum, ok := strings.Cut(fingerprint, ":")
	if !ok || len(sum) <= 12 {
		return fingerprint
	}
	return kind + ":" + sum[:12]
}

// spark draws CPU readings; a fifth of a core or less does not fill it.
func (p *pen) spark(readings []float64) string {
	top := 20.0
	for _, r := range readings {
		top = max(top, r)
	}
	levels := p.st.Signs.Spark
	var b strings.Builder
	b.WriteString(strings.Repeat(" ", history-len(readings)))
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

// diagnosis returns the line below a node with a trouble, with the key that mends it.
func (t *table) diagnosis(n front.NodeView, w int) string {
	text, hint, room := "", "", 0
	words := out(n.Diagnosis, n.Remedy).words
	for _, try := range [][2]string{{n.Diagnosis.Error(), words}, {n.Diagnosis.Error(), "fix it"}, {n.Diagnosis.What, words}, {n.Diagnosis.What, "fix it"}} {
		text, hint = clean(try[0]), "F "+try[1]
		if room = w - pointerWidth - 1 - 2 - 3 - style.Width(hint); style.Width(text) <= room {
			break
		}
	}
	v := t.have.SeverityOf(n)
	line := strings.Repeat(" ", pointerWidth+1) + t.ink.Severity(v).Render(v.Sign(t.st.ASCII)+" "+t.st.Cut(text, room)) +
		"   " + t.ink.Key.Render("F") + t.ink.Dim.Render(hint[1:])
	return t.st.Cut(line, w)
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
