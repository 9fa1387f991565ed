package dash

import (
	"fmt"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// details says all that is known of the node under the cursor, in rows lines at most.
func details(m *Model, rows int) []string {
	n, ok := m.node(m.sel)
	if !ok {
		return nil
	}
	lines := []string{rule(m, clean(n.Name))}
	if p := n.Diagnosis; p != nil { // first: on a low terminal the facts are what is cut
		sign := m.st.Signs.Failed
		for _, row := range style.Wrap(clean(p.What), max(8, m.w-4)) {
			lines = append(lines, "  "+m.ink.Warn.Render(m.st.Cut(sign+" "+row, m.w-2)))
			sign = " "
		}
		lines = append(lines, fact(m, "why", clean(p.Why))...)
		lines = append(lines, fact(m, "to do", clean(p.Fix))...)
		for i, raw := range strings.Split(strings.TrimSpace(p.Raw), "\n") {
			label := ""
			if i == 0 {
				label = "said"
			}
			lines = append(lines, fact(m, label, clean(raw))...)
		}
		lines = append(lines, "")
	}
	for _, f := range facts(m, n) {
		lines = append(lines, fact(m, f[0], f[1])...)
	}
	if over := len(lines) - rows; over > 0 && rows > 1 {
		lines = append(lines[:rows-1], "  "+m.ink.Dim.Render(fmt.Sprintf("%s %s, on a higher terminal", m.st.Signs.Ellipsis, wording.Count(over+1, "more line"))))
	} else if over > 0 {
		lines = lines[:max(0, rows)]
	}
	return lines
}

// facts are label and text; a fact without a text is not shown.
func facts(m *Model, n front.NodeView) [][2]string {
	grid := grid(m, n).text()
	if !n.GridSince.IsZero() {
		grid += " since " + clock(n.GridSince, m.now())
	}
	r := n.Runtime
	here := machine(m, n).text()
	if !r.Since.IsZero() {
		here += " since " + clock(r.Since, m.now())
	}
	if r.Reason != "" {
		here += ": " + clean(r.Reason)
	}
	if r.ByHand != "" {
		here += " (started by hand as " + clean(r.ByHand) + ")"
	} else if !r.Ours && r.State != supernode.Absent && r.State != "" {
		here += " (started by hand)"
	}
	facts := [][2]string{
		{"node ID", clean(n.NodeID)}, {"grid", grid}, {whereabouts(m), here},
		{"key", clean(n.KeyFile)}, {"fingerprint", clean(n.Fingerprint)}, {"image", clean(r.Image)}, {"image digest", clean(n.Digest)},
		{idLabel(whereabouts(m)), shortID(clean(r.ID))},
	}
	if r.Restarts > 0 {
		facts = append(facts, [2]string{"restarts", fmt.Sprint(r.Restarts)})
	}
	if u := takes(m, n); u != nil {
		facts = append(facts, [2]string{"cpu", fmt.Sprintf("%.0f%% of a core  %s", u.CPU, spark(m, u.history))},
			[2]string{"memory", style.Bytes(u.Memory)})
	}
	return append(facts, [2]string{"log", clean(r.LogKeptFor)})
}

func idLabel(here string) string {
	if here == "process" {
		return "process ID"
	}
	return "container ID"
}

func shortID(id string) string {
	if len(id) == 64 {
		return id[:12]
	}
	return id
}

const labelWidth = 14

// fact draws a label and a text that may take several lines.
func fact(m *Model, label, text string) []string {
	if text == "" {
		return nil
	}
	var lines []string
	for i, row := range style.Wrap(text, max(8, m.w-2-labelWidth)) {
		if i > 0 {
			label = ""
		}
		lines = append(lines, m.st.Cut("  "+m.ink.Dim.Render(m.st.Pad(label, labelWidth))+row, m.w))
	}
	return lines
}

// clock says when something was: the time of the day, with the date when it was another day.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	age := " (" + style.Age(now.Sub(t)) + ")"
	if y, d := t.Year(), t.YearDay(); y == now.Year() && d == now.YearDay() {
		return t.Format("15:04:05") + age
	}
	return t.Format("2 Jan 15:04") + age
}
