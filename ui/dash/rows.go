package dash

import (
	"cmp"
	"slices"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
)

// manyNodes is from how many SuperNodes on the table is in groups, those that want attention first.
const manyNodes = 20

// arrange puts the SuperNodes that pass the filter in order: those are the rows of the table.
func (t *table) arrange() {
	t.rows = t.rows[:0]
	for _, n := range t.have.Nodes {
		if t.passes(n) {
			t.rows = append(t.rows, n)
		}
	}
	switch by := sorts[t.sort]; {
	case by.less != nil:
		slices.SortStableFunc(t.rows, func(a, b front.NodeView) int { return by.less(t, a, b) })
	case grouped(t):
		slices.SortStableFunc(t.rows, func(a, b front.NodeView) int { return cmp.Compare(group(t, a), group(t, b)) })
	}
}

// grouped reports whether the rows are in groups.
func grouped(t *table) bool { return t.sort == 0 && len(t.have.Nodes) >= manyNodes }

// groups are the names of groups, in order.
var groups = [...]string{"need attention", "on their way", "well", "stopped or not started", "unknown"}

// group returns the group of a SuperNode.
func group(t *table, n front.NodeView) int {
	switch t.severity(n) {
	case front.Failing, front.Warning:
		return 0
	case front.Working:
		return 1
	case front.OK:
		return 2
	case front.Idle:
		return 3
	}
	return 4
}

// heads reports whether a group begins at row i.
func heads(t *table, i int) bool {
	return grouped(t) && (i == 0 || group(t, t.rows[i-1]) != group(t, t.rows[i]))
}

// groupLine names the group that begins at row i, with its size.
func groupLine(t *table, i int) string {
	g, size := group(t, t.rows[i]), 0
	for _, n := range t.rows {
		if group(t, n) == g {
			size++
		}
	}
	return " " + t.ink.Bold.Render(groups[g]) + t.ink.Dim.Render(" "+itoa(size))
}

// Standing says how SuperNodes stand, and why not well; those that are not known are left out.
func (t *table) Standing(names []string) (list []front.Item) {
	for _, name := range names {
		n, ok := t.node(name)
		if !ok {
			continue
		}
		it := front.Item{Name: clean(n.Name), State: front.ItemWaiting, Text: stateWord(t, n)}
		switch t.severity(n) {
		case front.OK:
			it.State = front.ItemDone
		case front.Failing:
			it.State = front.ItemFailed
		}
		if why := t.why(n); why != "" {
			it.Text += ": " + why
		} else if n.NodeID != "" {
			it.Text += ", node ID " + clean(n.NodeID)
		}
		list = append(list, it)
	}
	return list
}

// passes reports whether a SuperNode passes the filter: all of its words are in its row.
func (t *table) passes(n front.NodeView) bool {
	if t.filter == "" {
		return true
	}
	row := strings.ToLower(strings.Join([]string{n.Name, n.NodeID, t.state(n).word, t.why(n), where(n)}, " "))
	for _, word := range strings.Fields(strings.ToLower(t.filter)) {
		if !strings.Contains(row, word) {
			return false
		}
	}
	return true
}

// sorts are the orders of the table, each the way in which people look for something.
var sorts = [...]struct {
	head string
	less func(t *table, a, b front.NodeView) int
}{
	{"", nil}, // by name, in groups when there are many
	{"state", func(t *table, a, b front.NodeView) int { return cmp.Compare(group(t, a), group(t, b)) }},
	{"up", func(_ *table, a, b front.NodeView) int { return upSince(a).Compare(upSince(b)) }},
	{"CPU", func(t *table, a, b front.NodeView) int { return cmp.Compare(cpu(t, b), cpu(t, a)) }},
	{"memory", func(t *table, a, b front.NodeView) int { return cmp.Compare(memory(t, b), memory(t, a)) }},
	{"errors", func(t *table, a, b front.NodeView) int {
		return cmp.Compare(t.count(b.Name).Errors, t.count(a.Name).Errors)
	}},
}

func cpu(t *table, n front.NodeView) float64 {
	if u := t.takes(n); u != nil {
		return u.CPU
	}
	return -1
}

func memory(t *table, n front.NodeView) uint64 {
	if u := t.takes(n); u != nil {
		return u.Memory
	}
	return 0
}

// where says what a SuperNode is on this machine.
func where(n front.NodeView) string {
	switch r := n.Runtime; {
	case n.Engine != nil:
		return clean(n.Engine.Kind)
	case r.ByHand != "":
		return clean(r.ByHand)
	case r.State == "" || r.State == supernode.Absent:
		return ""
	case r.Host != "":
		return clean(supernode.HostName(r.Host))
	case r.Image != "":
		return "container"
	default:
		return "process"
	}
}
