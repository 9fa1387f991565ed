package dash

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// details lists all facts about the node under the cursor, in rows lines at most.
func (t *table) details(rows int) []string {
	n, ok := t.node(t.sel)
	if !ok {
		return nil
	}
	lines := []string{t.rule(clean(n.Name))}
	if p := n.Diagnosis; p != nil { // first: on a low terminal the facts are cut
		v := t.have.SeverityOf(n)
		sign := v.Sign(t.st.ASCII)
		for _, row := range style.Wrap(clean(p.What), max(8, t.w-4)) {
			lines = append(lines, "  "+t.ink.Severity(v).Render(t.st.Cut(sign+" "+row, t.w-2)))
			sign = " "
		}
		lines = append(lines, t.fact("why", clean(p.Why))...)
		lines = append(lines, t.fact("to do", clean(p.Fix))...)
		for i, raw := range strings.Split(strings.TrimSpace(p.Raw), "\n") {
			label := ""
			if i == 0 {
				label = "said"
			}
			lines = append(lines, t.fact(label, clean(raw))...)
		}
		lines = append(lines, "")
	}
	for i, f := range t.facts(n) {
		if i == 3 { // after how it stands now
			lines = append(lines, t.pastLines(n.Name)...)
		}
		lines = append(lines, t.fact(f[0], f[1])...)
	}
	if over := len(lines) - rows; over > 0 && rows > 1 {
		lines = append(lines[:rows-1], "  "+t.ink.Dim.Render(fmt.Sprintf("%s %s, on a higher terminal", t.st.Signs.Ellipsis, wording.Count(over+1, "more line"))))
	} else if over > 0 {
		lines = lines[:max(0, rows)]
	}
	return lines
}

// facts are label and text; a fact without a text is not shown.
func (t *table) facts(n front.NodeView) [][2]string {
	grid := t.grid(n)
	if !n.GridSince.IsZero() {
		grid += " since " + clock(n.GridSince, t.now())
	}
	r := n.Runtime
	here := machine(n)
	if !r.Since.IsZero() {
		here += " since " + clock(r.Since, t.now())
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
		{"node ID", clean(n.NodeID)}, {"grid", grid}, {cmp.Or(where(n), "here"), here},
		{"Docker host", clean(r.Host)}, {"key", clean(n.KeyFile)}, {"fingerprint", clean(n.Fingerprint)}, {"image", clean(r.Image)}, {"image digest", clean(n.Digest)},
		{idLabel(where(n)), shortID(clean(r.ID))},
	}
	if at := n.Engine; at != nil {
		facts = append(facts, [2]string{"run by", clean(at.Kind + " (" + at.Dir + ")")}, [2]string{"start there", clean(at.Start)}, [2]string{"stop there", clean(at.Stop)},
			[2]string{"log there", clean(at.Logs)})
	}
	if r.Restarts > 0 {
		facts = append(facts, [2]string{"restarts", fmt.Sprint(r.Restarts)})
	}
	if u := t.takes(n); u != nil {
		facts = append(facts, [2]string{"cpu", fmt.Sprintf("%.0f%% of a core  %s", u.CPU, t.spark(u.history))},
			[2]string{"memory", style.Bytes(u.Memory)})
	}
	if c := t.count(n.Name); c.Errors > 0 {
		text := wording.Count(c.Errors, "error")
		if c.More {
			text += " or more"
		}
		facts = append(facts, [2]string{"in its log", text + ", last " + clock(c.LastError, t.now())})
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
func (p *pen) fact(label, text string) []string {
	if text == "" {
		return nil
	}
	var lines []string
	for i, row := range style.Wrap(text, max(8, p.w-2-labelWidth)) {
		if i > 0 {
			label = ""
		}
		lines = append(lines, p.st.Cut("  "+p.ink.Dim.Render(p.st.Pad(label, labelWidth))+row, p.w))
	}
	return lines
}

// clock returns the time of the day, with the date when it was another day.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	age := " (" + style.Age(now.Sub(t)) + ")"
	if y, d := t.Year(), t.YearDay(); y == now.Year() && d == now.YearDay() {
		return t.Format("15:04:05") + age
	}
	return t.Format("2 Jan 15:04") + age
}
