package ui

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/ui/style"
)

// document makes the page on top, as many lines as it takes.
func (m *Model) document() *doc {
	d := &doc{s: m.s, width: m.bodyWidth()}
	switch m.top() {
	case pageStep:
		m.stepPage(d)
	case pageWork:
		m.workPage(d)
	case pageHelp:
		m.helpPage(d)
	case pageFlags:
		m.flagsPage(d)
	case pageRaw:
		m.rawPage(d)
	case pageReference:
		m.referencePage(d)
	case pagePlaces:
		m.placesPage(d)
	case pageQR:
		m.qrPage(d)
	case pagePick:
		m.pickPage(d)
	case pageLeave:
		m.leavePage(d)
	}
	return d
}

// heading is the first line of a page: number and title, the state with its sign and word at the right.
func (m *Model) heading(d *doc, text, state string, st lipgloss.Style) {
	s := m.s
	room := d.width - style.Width(state) - 2
	if state == "" {
		room = d.width
	}
	text = s.Cut(text, room)
	d.line(s.Heading.Render(text) + strings.Repeat(" ", max(d.width-style.Width(text)-style.Width(state), 1)) + st.Render(state))
}

// stepPage draws a step: what and why, what was found, what would be done, then how it goes. Where that is
// too much while work goes on, what the person has read before gives way.
func (m *Model) stepPage(d *doc) {
	for brief := range 3 {
		d.lines, d.from, d.to, d.foot, d.edge = nil, 0, 0, "", nil
		m.stepLines(d, brief)
		if len(d.lines) <= m.bodyHeight() {
			return
		}
		if brief == 1 && !m.hereAtWork() && m.failure() == nil && m.steps[m.at].status.State != front.Waiting {
			return
		}
	}
}

func (m *Model) hereAtWork() bool { return m.working() && m.job.step == m.steps[m.at].number }

// stepLines writes all (brief 0), the reason in one sentence and no plan of what is being done (1), or
// only what is going on (2).
func (m *Model) stepLines(d *doc, brief int) {
	s, v := m.s, &m.steps[m.at]
	sign, st, word := m.sign(m.at)
	m.heading(d, fmt.Sprintf("%d  %s", v.number, v.title), sign+" "+word, st)
	d.gap()
	if m.auto && m.title.Rehearsal && m.job == nil { // what is seen first says what this is
		d.para(s.Warn, site.RehearsalIs+" Enter goes on.", 0)
		d.gap()
	}
	j, here := m.last[v.number], m.hereAtWork()
	switch {
	case brief == 0 || brief == 1 && here:
		d.para(s.Text, v.why, 0)
		d.gap()
	case brief == 1:
		d.para(s.Text, firstSentence(v.why), 0)
		d.gap()
	}
	m.found(d, v, here || brief == 2)
	if here {
		if brief == 0 {
			m.plan(d, v, 4)
		}
		m.live(d, j)
		return
	}
	if p := m.failure(); p != nil {
		d.gap()
		start := len(d.lines)
		m.failed(d, v, p)
		d.focusFrom(start)
		return
	}
	if j != nil && j.over && v.settled() {
		m.report(d, j)
	}
	if v.known && (v.status.State == front.Ready || v.status.State == front.Waiting) {
		start := len(d.lines)
		m.plan(d, v, 0)
		m.shorten(d, v, start)
	}
	m.invite(d, v)
}

// shorten cuts a plan that began at line start so far that what Enter does can be seen below it; a page of
// its own shows all of it.
func (m *Model) shorten(d *doc, v *stepView, start int) {
	const least, below = 5, 4 // lines of the plan that stay; what follows: how much is hidden, a warning, a gap, Enter
	keep := max(m.bodyHeight()-start-below, least)
	hidden := len(d.lines) - start - keep
	if hidden <= 1 || !hasCommands(v.plan) {
		return
	}
	d.lines = d.lines[:start+keep]
	d.line(m.s.Dim.Render(fmt.Sprintf("  %s %s: e", m.s.Signs.Ellipsis, wording.Count(hidden, "more line"))))
	for _, a := range v.plan {
		if a.Irreversible {
			d.line("  " + m.s.Warn.Render(m.s.Signs.Irreversible+" cannot be taken back"))
			break
		}
	}
}

// found writes the evidence, the reason of a state, the links and the hints.
func (m *Model) found(d *doc, v *stepView, brief bool) {
	here := m.hereAtWork()
	s := m.s
	if !v.fresh() {
		d.line(s.Dim.Render(m.spin() + " looking"))
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
				text += " (step " + by.String() + ", " + m.steps[by-1].title + ")"
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
			style.Age(m.now().Sub(v.looked))))
	}
	if items := untold(v.status); len(items) > 0 && !m.tellsItems(v, here) {
		d.gap()
		m.items(d, items, max(m.bodyHeight()/2, 6))
		if v.status.Of > 1 && v.status.Done < v.status.Of {
			m.bar(d, front.Progress{Done: int64(v.status.Done), Total: int64(v.status.Of)})
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

// tellsItems tells that the work's own items are shown, so that those of before would say it twice.
func (m *Model) tellsItems(v *stepView, here bool) bool {
	if here {
		return len(m.job.items) > 0
	}
	p, j := m.failure(), m.last[v.number]
	return p != nil && p.Code != problem.Cancelled && j != nil && len(j.items) > 0
}

// untold gives the items without the checks that passed and that the evidence tells already. Things
// that are counted, keys or SuperNodes, are all shown.
func untold(st front.Status) []front.Item {
	if st.Of > 0 {
		return st.Items
	}
	evidence := strings.Join(st.Evidence, "\n")
	return slices.DeleteFunc(slices.Clone(st.Items), func(it front.Item) bool {
		return it.State == front.ItemDone && strings.Contains(evidence, it.Text)
	})
}

// plan writes what would be done; at most most actions where that is not 0.
func (m *Model) plan(d *doc, v *stepView, most int) {
	s := m.s
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
		if i > 0 && says && a.Command != "" && most == 0 && m.bodyHeight() > 24 {
			d.gap()
		}
		m.action(d, a, says || a.Command == "")
		burns = burns || a.Irreversible
	}
	if burns {
		d.line("  " + s.Warn.Render(s.Signs.Irreversible+" cannot be taken back"))
	}
	d.gap()
}

func (m *Model) action(d *doc, a front.Action, says bool) {
	s := m.s
	if says && a.Says != "" {
		st := s.Dim
		if a.Command == "" {
			st = s.Text
		}
		d.para(st, a.Says, 2)
	}
	if a.Command != "" {
		for _, l := range shellLines(a.Command, d.width-4) {
			d.line("    " + s.Command.Render(l))
		}
	}
	if a.Diff != "" {
		for _, l := range diffLines(s, a.Diff, d.width-4) {
			d.line("    " + l)
		}
	}
}

// invite says at the end of a page what Enter does: for those who know no other key. It is seen however long
// the page is.
func (m *Model) invite(d *doc, v *stepView) {
	words := m.enterWords()
	if words == "" {
		return
	}
	d.gap()
	d.line(m.s.Accent.Render(m.s.Signs.Current+" Enter") + "  " + words)
	d.foot = d.lines[len(d.lines)-1]
}

// failed says what happened, why, and what to do.
func (m *Model) failed(d *doc, v *stepView, p *problem.Problem) {
	s := m.s
	d.gap()
	if p.Code == problem.Cancelled {
		d.para(s.Text, sentence(p.What)+". What was done stays done.", 0)
		m.invite(d, v)
		return
	}
	if j := m.last[v.number]; j != nil && len(j.items) > 0 {
		m.items(d, j.items, 6)
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
	case m.low():
	case m.rawText() != "":
		d.label("", s.Dim, "r shows what was said, word for word; h where to turn")
	default:
		d.label("", s.Dim, "h shows where to turn")
	}
	m.invite(d, v)
}

// doing tells that says names what is going on, such as "sending the app": over is over.
func doing(says string) bool {
	first, _, _ := strings.Cut(says, " ")
	return strings.HasSuffix(first, "ing")
}

// report says how a finished piece of work went.
func (m *Model) report(d *doc, j *job) {
	s := m.s
	text := "in " + style.Clock(j.clock(m.now()))
	switch {
	case j.says != "" && !doing(j.says):
		d.label("Did", s.Text, j.says+", "+text)
	case j.clock(m.now()) >= time.Second:
		d.label("Did", s.Text, "all of it "+text)
	}
	m.metrics(d, j)
	if len(j.output) > 0 {
		d.label("", s.Dim, wording.Count(len(j.output), "line")+" of output: r")
	}
}

func (m *Model) spin() string { return m.s.Signs.Spinner[m.frame%len(m.s.Signs.Spinner)] }

func cancelled(err error) bool {
	return problem.Is(err, problem.Cancelled) || errors.Is(err, errStopped)
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

// firstSentence is text up to its first full stop.
func firstSentence(text string) string {
	if i := strings.Index(text, ". "); i >= 0 {
		return text[:i+1]
	}
	return text
}
