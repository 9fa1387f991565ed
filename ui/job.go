package ui

import (
	"context"
	"slices"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/supernode"
	"flwrup/ui/chart"
	"flwrup/ui/dash"
)

const (
	keepOutput = 2000 // lines of output of one job
	keepTail   = 3    // last log lines of each node
)

// job is one piece of work: applying, changing or undoing a step, or a verb of the dashboard. Only Update
// touches it; its goroutines speak through sink.
type job struct {
	id     int
	step   front.StepID // 0: a verb of the dashboard
	verb   dash.Run
	what   string // "Register each SuperNode", for the sentence that asks before leaving
	sink   *sink
	cancel context.CancelCauseFunc
	began  time.Time
	ended  time.Time
	asked  time.Time     // since when it waits for the person; zero while it works
	waited time.Duration // for the person, before that
	over   bool
	err    error
	// stopping is set once the user has asked for the end.
	stopping bool
	remedied bool // the user was sent to the step that helps
	alone    bool // it began without a key, and has asked nothing yet
	declined bool // the user left its question
	planned  bool // it does the plan of its step

	says     string
	items    []front.Item
	bars     []front.Progress // one for each label, the newest last
	output   []string
	dropped  int
	ran      []front.Ran
	tails    []tail
	login    *front.LoginOpen
	qr       []string
	approved bool
	run      string
	state    front.RunView
	chosen   front.RunNodes
	rounds   []chart.Series
	letters  []front.Letter

	form    *form
	waiting []*pending
}

// tail is the last log lines of one node.
type tail struct {
	node  string
	lines []supernode.Line
}

// take adds one batch of events to the job.
func (j *job) take(m *Model, list []any, dropped int) {
	j.dropped += dropped
	for _, v := range list {
		switch v := v.(type) {
		case *pending:
			j.waiting = append(j.waiting, v)
		case withdrawn:
			j.withdraw(v.p)
		case front.Event:
			j.event(m, v)
		}
	}
	if len(j.output) > keepOutput {
		j.dropped += len(j.output) - keepOutput
		j.output = append([]string(nil), j.output[len(j.output)-keepOutput:]...)
	}
	j.nextForm(m)
	j.waits(m.now())
}

func (j *job) event(m *Model, e front.Event) {
	switch e := e.(type) {
	case front.Says:
		j.says = e.Text
	case front.Output:
		j.output = append(j.output, e.Text)
	case front.Ran:
		j.ran = append(j.ran, e)
	case front.Progress:
		j.progress(e)
	case front.ItemChanged:
		j.item(e.Item)
	case front.LoginOpen:
		e2 := e
		j.login, j.qr, j.approved = &e2, nil, false
		if e.Warn == "" {
			j.qr = qrLines(m.s, e.URL)
		}
	case front.LoginClosed:
		j.login, j.qr, j.approved = nil, nil, e.Approved
		if e.Approved {
			j.says = "approved"
		}
	case front.NodeLine:
		j.tail(e.Line)
	case front.RunBegan:
		if j.run != e.ID {
			j.run, j.rounds, j.state, j.chosen = e.ID, nil, front.RunView{}, front.RunNodes{}
		}
	case front.RunState:
		j.state = e.Run
	case front.RunNodes:
		j.chosen = e
	case front.Turned:
		j.verb.Verb, j.verb.Nodes, j.what = e.Verb, e.Nodes, sentence(e.Verb.Names(e.Nodes))
	case front.Letter:
		j.letters = append(slices.DeleteFunc(j.letters, func(have front.Letter) bool { return have.File == e.File }), e)
	case front.Metric:
		j.rounds = chart.Add(j.rounds, e)
	}
}

func (j *job) progress(p front.Progress) {
	for i, b := range j.bars {
		if b.Label == p.Label {
			j.bars[i] = p
			return
		}
	}
	if len(j.bars) == 4 {
		j.bars = j.bars[1:]
	}
	j.bars = append(j.bars, p)
}

func (j *job) item(it front.Item) {
	for i, have := range j.items {
		if have.Name == it.Name {
			j.items[i] = it
			return
		}
	}
	j.items = append(j.items, it)
}

func (j *job) tail(l supernode.Line) {
	for i := range j.tails {
		if j.tails[i].node == l.Node {
			t := &j.tails[i]
			if t.lines = append(t.lines, l); len(t.lines) > keepTail {
				t.lines = t.lines[len(t.lines)-keepTail:]
			}
			return
		}
	}
	j.tails = append(j.tails, tail{l.Node, []supernode.Line{l}})
}

func (j *job) withdraw(p *pending) {
	if j.form != nil && j.form.p == p {
		j.form = nil
	}
	for i, w := range j.waiting {
		if w == p {
			j.waiting = append(j.waiting[:i], j.waiting[i+1:]...)
			return
		}
	}
}

// nextForm puts the next question on the screen.
func (j *job) nextForm(m *Model) {
	if j.form == nil && len(j.waiting) > 0 && !j.over {
		j.form = newForm(m.s, j.waiting[0])
		j.waiting = j.waiting[1:]
		m.window.pinned = false
		if j.alone {
			j.alone, m.flow.moved = false, m.now()
		}
	}
}

// end notes that the work has returned.
func (j *job) end(now time.Time, err error) {
	j.over, j.err, j.ended = true, err, now
	j.form, j.waiting, j.login, j.qr = nil, nil, nil, nil
	j.waits(now)
}

// losing reports whether leaving now would lose work: a waiting question, and steps that only watch, lose
// nothing.
func (j *job) losing() bool {
	switch {
	case j == nil || j.over:
		return false
	case j.login != nil:
		return true
	case j.form != nil:
		return false
	}
	return !j.step.OnlyWaits()
}

// waits notes since when the job waits for the person, or that it does not any more.
func (j *job) waits(now time.Time) {
	switch waits := j.form != nil || j.login != nil; {
	case waits && j.asked.IsZero():
		j.asked = now
	case !waits && !j.asked.IsZero():
		j.waited += now.Sub(j.asked)
		j.asked = time.Time{}
	}
}

// clock returns how long the work has taken so far, or took; the person's time to read and answer is not work.
func (j *job) clock(now time.Time) time.Duration {
	if j.over {
		now = j.ended
	} else if !j.asked.IsZero() {
		now = j.asked
	}
	return now.Sub(j.began) - j.waited
}

// first reports whether the job asks before all of its step's plan. A question about an edit shows that edit.
func (j *job) first() bool {
	return j.planned && j.form != nil && j.form.p.q.Diff == "" && j.says == "" && j.waited == 0 && len(j.items)+len(j.bars)+len(j.output)+len(j.ran) == 0
}

// nodes returns the names of the nodes that the job is about, for their logs.
func (j *job) nodes() []string {
	var names []string
	for _, t := range j.tails {
		names = append(names, t.node)
	}
	if len(names) == 0 {
		for _, it := range j.items {
			names = append(names, it.Name)
		}
	}
	return names
}

// sent reports whether the user was sent to another step to correct the failure here.
func (j *job) sent() bool { return j == nil || j.remedied }

// summary says in one line how a finished job went.
func (j *job) summary() string {
	if j.says != "" {
		return j.what + ": " + j.says
	}
	return j.what + ": done"
}
