package ui

import (
	"fmt"
	"slices"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// draw writes a step: name and reason, findings, plan, then progress. When that is too much during work, the
// parts that the user has read before make room.
func (w *wizard) draw(d *doc) {
	for brief := range 3 {
		d.lines, d.from, d.to, d.foot, d.edge = nil, 0, 0, "", nil
		w.lines(d, brief)
		if len(d.lines) <= d.height {
			return
		}
		if brief == 1 && !w.hereAtWork() && w.failure() == nil && w.list.here().status.State != front.Waiting {
			return
		}
	}
}

func (w *wizard) hereAtWork() bool {
	return w.desk.working() && w.desk.job.step == w.list.here().number
}

// lines writes all (brief 0), the reason in one sentence and no plan of the present work (1), or only the
// progress (2).
func (w *wizard) lines(d *doc, brief int) {
	s, v := w.m.s, w.list.here()
	sign, st, word := w.list.sign(w.list.at)
	d.heading(fmt.Sprintf("%d  %s", v.number, v.title), sign+" "+word, st)
	d.gap()
	j, here := w.desk.last[v.number], w.hereAtWork()
	switch {
	case brief == 0 || brief == 1 && here:
		d.para(s.Text, v.why, 0)
		d.gap()
	case brief == 1:
		d.para(s.Text, firstSentence(v.why), 0)
		d.gap()
	}
	w.found(d, v, here || brief == 2)
	if here {
		if brief == 0 {
			w.plan(d, v, 4)
		}
		d.live(j)
		return
	}
	if p := w.failure(); p != nil {
		d.gap()
		start := len(d.lines)
		w.failed(d, v, p)
		d.focusFrom(start)
		return
	}
	switch {
	case j == nil || !j.over:
	case j.err != nil && v.fresh():
		d.label("", s.Text, "You stopped this after "+style.Clock(j.clock(d.now))+". What was done stays done.")
	case v.settled():
		d.report(j)
	}
	if v.known && (v.status.State == front.Ready || v.status.State == front.Waiting) {
		start := len(d.lines)
		w.plan(d, v, 0)
		w.shorten(d, v, start)
	}
	w.invite(d, v)
}

// shorten cuts a plan that began at line start, so that the line about Enter is visible below it; a page of
// its own shows all of it.
func (w *wizard) shorten(d *doc, v *stepView, start int) {
	const least, below = 5, 4 // lines of the plan that stay; what follows: how much is hidden, a warning, a gap, Enter
	keep := max(d.height-start-below, least)
	hidden := len(d.lines) - start - keep
	if hidden <= 1 || !hasCommands(v.plan) {
		return
	}
	d.lines = d.lines[:start+keep]
	d.line(w.m.s.Dim.Render(fmt.Sprintf("  %s %s: e", w.m.s.Signs.Ellipsis, wording.Count(hidden, "more line"))))
	for _, a := range v.plan {
		if a.Irreversible {
			d.line("  " + w.m.s.Warn.Render(w.m.s.Signs.Irreversible+" cannot be taken back"))
			break
		}
	}
}

// found writes the evidence, the reason of a state, the links and the hints.
func (w *wizard) found(d *doc, v *stepView, brief bool) {
	here := w.hereAtWork()
	s := w.m.s
	if !v.fresh() {
		d.line(s.Dim.Render(d.spin + " looking"))
		return
	}
	if v.err == nil {
		d.label("Found", s.Text, v.status.Evidence...)
	}
	if v.status.Why != "" {
		word := map[front.State]string{front.Blocked: "First", front.Waiting: "Waiting"}[v.status.State]
		if word == "" {
			word = "Why"
		}
		text := v.status.Why
		if v.status.State == front.Blocked {
			if by := v.status.By; by > 0 {
				text += " (step " + by.String() + ", " + w.list.steps[by-1].title + ")"
			}
		}
		d.label(word, s.Text, text)
	}
	if v.status.State == front.Waiting && !brief && v.err == nil {
		who := "for the grid"
		if v.status.Person {
			who = "for a person"
		}
		d.label("", s.Dim, fmt.Sprintf("%s; looked %s ago", who,
			style.Age(d.now.Sub(v.looked))))
	}
	if items := untold(v.status); len(items) > 0 && !w.tellsItems(v, here) {
		d.gap()
		d.items(items, max(d.height/2, 6))
		if v.status.Of > 1 && v.status.Done < v.status.Of {
			d.bar(front.Progress{Done: int64(v.status.Done), Total: int64(v.status.Of)})
		}
	}
	if here {
		d.gap()
		return
	}
	if len(v.status.Links) > 0 && len(v.status.Items) > 0 {
		d.gap()
	}
	for _, l := range v.status.Links {
		for i, part := range style.HardWrap(l.URL, d.width-labelWidth) {
			word := "Link"
			if i > 0 {
				word = ""
			}
			part = s.Heading.Render(s.Pad(word, labelWidth)) + s.Command.Render(part)
			if style.Width(part)+2+style.Width(l.Label) <= d.width {
				part += "  " + s.Dim.Render(l.Label)
			}
			d.line(part)
		}
	}
	if len(v.status.Hints) > 0 {
		d.labelled(s.Heading, "Note", s.Dim, v.status.Hints...)
	}
	d.gap()
}

// tellsItems reports whether the work's own items are shown, so that those from before would repeat them.
func (w *wizard) tellsItems(v *stepView, here bool) bool {
	if here {
		return len(w.desk.job.items) > 0
	}
	p, j := w.failure(), w.desk.last[v.number]
	return p != nil && j != nil && len(j.items) > 0
}

// plan writes the actions; at most most of them unless that is 0.
func (w *wizard) plan(d *doc, v *stepView, most int) {
	s := w.m.s
	if len(v.plan) == 0 {
		return
	}
	head := "Will do"
	for _, a := range v.plan {
		if a.Command != "" {
			head = "Will run"
		}
	}
	d.gap()
	d.line(s.Heading.Render(head))
	says := len(v.plan) <= 4
	burns := false
	for i, a := range v.plan {
		if most > 0 && i == most {
			d.line(s.Dim.Render(fmt.Sprintf("  %s and %d more", s.Signs.Ellipsis, len(v.plan)-i)))
			break
		}
		if i > 0 && says && a.Command != "" && most == 0 && d.height > 24 {
			d.gap()
		}
		d.action(a, says || a.Command == "")
		burns = burns || a.Irreversible
	}
	if burns {
		d.line("  " + s.Warn.Render(s.Signs.Irreversible+" cannot be taken back"))
	}
	d.gap()
}

// invite says at the end of a page what Enter does, for users who know no other key. It is visible however
// long the page is.
func (w *wizard) invite(d *doc, v *stepView) {
	words := w.enterWords()
	if words == "" {
		return
	}
	d.gap()
	if f := w.m.flow; !f.due.IsZero() {
		where := "the dashboard"
		if n := w.list.next(w.list.at); n >= 0 {
			where = w.list.steps[n].name
		}
		d.line(w.m.s.Accent.Render(d.spin+" going on to "+where+w.m.s.Signs.Ellipsis) + w.m.s.Dim.Render("  any key holds it"))
		d.foot = d.lines[len(d.lines)-1]
		return
	}
	d.line(w.m.s.Accent.Render(w.m.s.Signs.Current+" Enter") + "  " + words)
	d.foot = d.lines[len(d.lines)-1]
}

// failed says what happened, why, and what to do.
func (w *wizard) failed(d *doc, v *stepView, p *problem.Problem) {
	s := w.m.s
	d.gap()
	if j := w.desk.last[v.number]; j != nil && len(j.items) > 0 {
		d.items(j.items, 6)
		d.gap()
	}
	head := s.Bad.Render(s.Signs.Failed) + " "
	for i, l := range style.Wrap(sentence(p.What), d.width-2) {
		if i > 0 {
			head = "  "
		}
		d.line(head + s.Bad.Render(l))
	}
	d.gap()
	if p.Why != "" {
		d.label("Why", s.Text, p.Why)
	}
	if p.Fix != "" {
		d.label("Do", s.Text, p.Fix)
	}
	switch {
	case d.low:
	case rawText(w.m) != "":
		d.label("", s.Dim, "v shows the raw output; h gets help")
	default:
		d.label("", s.Dim, "h gets help")
	}
	w.invite(d, v)
}

// untold returns the items without passed checks that the evidence repeats. Counted things, keys or
// SuperNodes, are all shown.
func untold(st front.Status) []front.Item {
	if st.Of > 0 {
		return st.Items
	}
	evidence := strings.Join(st.Evidence, "\n")
	return slices.DeleteFunc(slices.Clone(st.Items), func(it front.Item) bool {
		return it.State == front.ItemDone && strings.Contains(evidence, it.Text)
	})
}

// firstSentence returns text up to its first full stop.
func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}

// sentence makes the first letter large, unless the first word is the name of a file or a SuperNode.
func sentence(text string) string {
	first, _, _ := strings.Cut(text, " ")
	if text == "" || strings.ContainsAny(strings.TrimRight(first, "."), "._/") {
		return text
	}
	r := []rune(text)
	return strings.ToUpper(string(r[0])) + string(r[1:])
}
