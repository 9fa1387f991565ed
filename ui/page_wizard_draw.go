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
		d.lines, d.from, d.to, d.foot, d.edge = nil, 0, 0, 0, nil
		w.lines(d, brief)
		if len(d.lines) <= d.height {
			w.around(d)
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
		if brief == 0 && j.form == nil { // a question shows its own diff
			w.plan(d, v, 4)
		}
		d.live(j)
		if brief == 0 && j.first() {
			w.plan(d, v, 4)
		}
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
		d.label("", s.Text, "You stopped this after "+style.Took(j.clock(d.now))+". What was done stays done.")
	case v.settled():
		d.report(j)
	}
	if v.known && (v.status.State == front.Ready || v.status.State == front.Waiting) {
		w.plan(d, v, max(d.height-len(d.lines)-7, 3))
	}
	w.invite(d, v)
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
		word := map[front.State]string{front.Blocked: "Blocked", front.Waiting: "Waiting"}[v.status.State]
		if word == "" {
			word = "Why"
		}
		text := v.status.Why
		if v.status.State == front.Blocked {
			if by := v.status.By; by > 0 { // a sentence with the word at its left
				text = "until step " + by.String() + ", " + w.list.steps[by-1].title + ", is done: " + text
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

// plan writes what will be done, a line of words for each action, at most most lines; commands are counted. A key
// shows and explains them.
func (w *wizard) plan(d *doc, v *stepView, most int) {
	s := w.m.s
	if len(v.plan) == 0 {
		return
	}
	d.gap()
	var says []front.Action
	for _, a := range v.plan {
		if a.Says != "" || a.Diff != "" {
			says = append(says, a)
		}
	}
	says = folded(says)
	for i, a := range says {
		word := ""
		if i == 0 {
			word = "Will"
		}
		if i == most-1 && i < len(says)-1 {
			d.label(word, s.Dim, fmt.Sprintf("%s and %d more", s.Signs.Ellipsis, len(says)-i))
			break
		}
		d.label(word, s.Text, a.Says)
		if a.Diff != "" && !w.hereAtWork() {
			for _, l := range diffLines(s, a.Diff, d.width-labelWidth-2) {
				d.line(strings.Repeat(" ", labelWidth+2) + l)
			}
		}
	}
	if n := len(commands(v.plan)); n > 0 && !w.hereAtWork() && v.status.Letter == nil { // else c is for the letter
		d.label("", s.Dim, wording.Count(n, "command")+": "+keys.copy.Help().Key+" copies, "+keys.flags.Help().Key+" shows and explains")
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
		d.line(w.m.s.Accent.Render(d.spin+" continuing to "+where+w.m.s.Signs.Ellipsis) + w.m.s.Dim.Render("  any key holds it"))
		d.foot = 1
		return
	}
	from := len(d.lines)
	if irreversible(v.plan) > 0 && w.failure() == nil {
		d.para(w.m.s.Warn, w.m.s.Signs.Irreversible+" This cannot be undone: a key can be registered once in its life.", 0)
	}
	d.line(w.m.s.Accent.Render(w.m.s.Signs.Current+" Enter") + "  " + words)
	d.foot = len(d.lines) - from
}

// aroundFrom is the width of the terminal from which on the page says what is around the step.
const aroundFrom = 100

// around says at the lower end of the page, where there is room, what the guide says about the step, what comes after it,
// and what of it can be undone.
func (w *wizard) around(d *doc) {
	s, v := w.m.s, w.list.here()
	if d.w < aroundFrom || w.desk.login() != nil {
		return
	}
	end := &doc{s: s, width: d.width}
	end.line(s.Faint.Render(strings.Repeat(s.Signs.Horizontal, d.width)))
	end.label("Guide", s.Dim, `"`+v.number.Guide()+`"`)
	end.label("Undo", s.Dim, v.undo)
	then := "the dashboard"
	if n := w.list.next(w.list.at); n >= 0 {
		then = fmt.Sprintf("step %d, %s", w.list.steps[n].number, w.list.steps[n].title)
	}
	end.label("Then", s.Dim, then)
	room := d.height - len(d.lines) - len(end.lines)
	if room < 2 {
		return
	}
	d.lines = append(append(d.lines, make([]string, room)...), end.lines...)
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
