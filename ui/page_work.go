package ui

import (
	"context"
	"strings"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/ui/dash"
)

// workPage is a verb of the dashboard, at work or over.
type workPage struct {
	text
	desk *desk
}

func (p *workPage) step() front.StepID { return 0 }
func (p *workPage) aside() bool        { return false } // fingerprints and node IDs are long

func (p *workPage) copies() []entry {
	if l := p.desk.login(); l != nil {
		return []entry{{"the link", l.URL}}
	}
	if j := p.desk.last[0]; j != nil && len(j.letters) > 0 {
		return letterEntries(j.letters)
	}
	return p.desk.output(0)
}

// letterEntries are letters to copy.
func letterEntries(list []front.Letter) (entries []entry) {
	for _, l := range list {
		entries = append(entries, entry{"the letter to " + l.To, l.Text})
	}
	return entries
}

func (p *workPage) links() []entry {
	if l := p.desk.login(); l != nil {
		return []entry{{"the login", l.URL}}
	}
	return nil
}

func (p *workPage) update(msg tea.KeyMsg) tea.Cmd {
	if cmd, taken := p.desk.answer(msg); taken {
		return cmd
	}
	if cmd, taken := p.m.everywhere(msg); taken {
		return cmd
	}
	switch {
	case key.Matches(msg, keys.cancel):
		return p.desk.stop()
	case key.Matches(msg, keys.enter, keys.back):
		if p.desk.working() {
			p.m.say("it goes on: " + p.desk.job.what)
			p.m.base(p.m.dash)
			return p.m.shown()
		}
		return p.m.pop()
	}
	return nil
}

func (p *workPage) bindings() []key.Binding {
	var list []key.Binding
	if f := p.desk.form(); f != nil {
		list = append(list, f.bindings()...)
		list = append(list, as(keys.back, "stop this"))
	} else if p.desk.working() {
		list = append(list, as(keys.back, "to the nodes, it goes on"), keys.cancel)
	} else {
		list = append(list, as(keys.enter, "back"))
	}
	if j := p.desk.last[0]; j != nil && len(j.letters) > 0 && p.desk.form() == nil {
		list = append(list, as(keys.copy, "copy the letter"))
	}
	if rawText(p.m) != "" {
		list = append(list, keys.raw)
	}
	return append(list, keys.quit, keys.help)
}

func (p *workPage) draw(d *doc) {
	s, j := p.m.s, p.desk.last[0]
	if j == nil {
		return
	}
	state, st := d.spin+" at work", s.Accent
	switch {
	case j.form != nil:
		state = "? your turn"
	case j.over && j.err == nil:
		state, st = s.Signs.Done+" done", s.OK
	case j.over && cancelled(j.err):
		state, st = s.Signs.ToDo+" stopped", s.Text
	case j.over:
		state, st = s.Signs.Failed+" failed", s.Bad
	}
	d.heading(j.what, state, st)
	d.gap()
	if !j.over {
		d.live(j)
		if j.form != nil {
			p.around(d, j)
		}
		return
	}
	d.items(j.items, max(d.height/2, 4))
	d.gap()
	if j.err == nil {
		d.report(j)
		d.letters(j.letters)
		d.output(j)
	} else if p := problem.Of(j.err); cancelled(j.err) {
		d.para(s.Text, "Stopped. What was done stays done.", 0)
	} else {
		d.para(s.Bad, s.Signs.Failed+" "+sentence(p.What), 0)
		d.gap()
		if p.Why != "" {
			d.label("Why", s.Text, p.Why)
		}
		if p.Fix != "" {
			d.label("Do", s.Text, p.Fix)
		}
	}
	d.gap()
	d.line(s.Accent.Render(s.Signs.Current+" Enter") + "  back")
}

// around says below a question, where there is room, how the SuperNodes that it is about stand, and the command to the same
// effect.
func (p *workPage) around(d *doc, j *job) {
	below := &doc{s: d.s, width: d.width, now: d.now, spin: d.spin}
	if items := p.m.dash.Standing(j.verb.Nodes); len(j.items) == 0 && len(items) > 0 {
		below.items(items, 8)
		below.gap()
	}
	below.label("Shell", d.s.Command, lineOf(j.verb.Verb.Args(j.verb.Nodes)))
	if len(d.lines)+2+len(below.lines) > d.height {
		return
	}
	d.gap()
	d.line(d.s.Faint.Render(strings.Repeat(d.s.Signs.Horizontal, d.width)))
	d.lines = append(d.lines, below.lines...)
}

// admit asks for the request of another site, from any page.
func (p *workPage) admit() tea.Cmd {
	return tea.Batch(p.m.makeDash(), p.act(dash.Run{Verb: front.AdmitSite}))
}

// act runs a verb of the dashboard.
func (p *workPage) act(run dash.Run) tea.Cmd {
	if p.desk.working() {
		if run.ByItself {
			return p.m.dash.Update(dash.Ran{Run: run, Err: problem.New(problem.Busy, "flwrup is at work", p.desk.job.what, "")})
		}
		if p.desk.job.step == 0 {
			p.m.push(p) // there it is visible, and can be stopped
		}
		p.m.warn("still at work: " + p.desk.job.what)
		return p.m.dash.Update(dash.Ran{Run: run, Err: problem.New(problem.Busy, "flwrup is at work", p.desk.job.what, "wait until it is done")})
	}
	work := p.m.work
	cmd := p.desk.start(0, sentence(run.Verb.Names(run.Nodes)), func(ctx context.Context, to front.Sink) error {
		if run.ByItself {
			return work.BringUp(ctx, run.Nodes, front.Unattended(to))
		}
		return work.Act(ctx, run.Verb, run.Nodes, to)
	})
	p.desk.job.verb = run
	if run.ByItself {
		return tea.Batch(cmd, p.m.dash.Update(dash.Began{Run: run}))
	}
	p.m.push(p)
	return tea.Batch(cmd, p.m.shown())
}
