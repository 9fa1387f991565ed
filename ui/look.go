package ui

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/internal/termsafe"
)

const (
	firstPause = 5 * time.Second  // before a waiting step is inspected again
	maxPause   = 30 * time.Second // the pause grows to this while nothing changes
	fresh      = 5 * time.Second  // an opened step is inspected again when the last time was longer ago
)

// lookout is the context of all inspections. Work that changes things ends them first and waits until they
// have returned, so that a step never reads a value that another is writing.
type lookout struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelFunc
	wg     *sync.WaitGroup
	gen    int
	front  bool // the open step is being looked at
	back   bool // another step is
	round  round
}

// round is one look at the steps in the background, for each step once.
type round struct {
	look front.Look
	had  map[front.StepID]bool
	from time.Time
}

// lookFor returns the look for a step: its own for the open one, which waits for no other, else that of the round.
func (l *lookout) lookFor(work Work, id front.StepID, open bool) front.Look {
	if open {
		return work.Look()
	}
	if r := &l.round; r.look == nil || r.had[id] || time.Since(r.from) > fresh {
		*r = round{look: work.Look(), had: map[front.StepID]bool{}, from: time.Now()}
	}
	l.round.had[id] = true
	return l.round.look
}

// lookMsg is the result of one inspection.
type lookMsg struct {
	gen     int
	i       int
	front   bool
	status  front.Status
	err     error
	plan    []front.Action
	planErr error
	title   front.Title
	hand    []entry // step 11: the node IDs in the shapes that people send
}

// handover is a Work that can write the node IDs for the grid's staff.
type handover interface{ Handover() fleet.Handover }

func newLookout(parent context.Context) *lookout {
	l := &lookout{parent: parent}
	l.renew()
	return l
}

func (l *lookout) renew() {
	l.ctx, l.cancel = context.WithCancel(l.parent)
	l.wg = &sync.WaitGroup{}
	l.front, l.back, l.round = false, false, round{}
	l.gen++
}

// lookMore starts the next inspections: one for the open step, one for all others in turn. It starts none
// while something is being changed.
func (sl *stepList) lookMore() tea.Cmd {
	if sl.desk.working() {
		return nil
	}
	var cmds []tea.Cmd
	if st := sl.here(); st.stale && !st.looking && !sl.looks.front {
		cmds = append(cmds, sl.lookAt(sl.at, true))
	}
	if !sl.looks.back {
		for k := range sl.steps {
			i := k
			if !sl.auto { // the next step is wanted first
				i = (sl.at + k) % len(sl.steps)
			}
			if st := &sl.steps[i]; st.stale && !st.looking {
				cmds = append(cmds, sl.lookAt(i, false))
				break
			}
		}
	}
	return tea.Batch(cmds...)
}

func (sl *stepList) lookAt(i int, open bool) tea.Cmd {
	l, st, work := sl.looks, &sl.steps[i], sl.m.work
	st.looking, st.stale = true, false
	if open {
		l.front = true
	} else {
		l.back = true
	}
	l.wg.Add(1)
	ctx, gen, n, wg := l.ctx, l.gen, st.number, l.wg
	look := l.lookFor(work, n, open)
	return func() tea.Msg {
		defer wg.Done()
		msg := lookMsg{gen: gen, i: i, front: open}
		if ctx.Err() != nil {
			return msg
		}
		msg.err = safego.Call(fmt.Sprintf("looking at step %d", n), func() (err error) {
			msg.status, err = look.Inspect(ctx, n)
			return err
		})
		msg.status = cleanStatus(msg.status)
		if msg.err == nil && (msg.status.State == front.Ready || msg.status.State == front.Waiting) {
			msg.planErr = safego.Call(fmt.Sprintf("planning step %d", n), func() (err error) {
				msg.plan, err = look.Plan(ctx, n)
				return err
			})
			msg.plan = cleanActions(msg.plan)
		}
		if h, ok := work.(handover); ok && n == front.StepHandover && msg.status.State != front.Blocked {
			if v := h.Handover(); len(v.Nodes) > 0 {
				msg.hand = []entry{{"message with all node IDs", v.Text()}, {"the same as Markdown", v.Markdown()},
					{"as CSV", v.CSV()}, {"as JSON", v.JSON()}}
			}
		}
		msg.title = work.Title()
		return msg
	}
}

// look handles the result of an inspection.
func (sl *stepList) look(msg lookMsg) tea.Cmd {
	if msg.gen != sl.looks.gen {
		return nil
	}
	if msg.front {
		sl.looks.front = false
	} else {
		sl.looks.back = false
	}
	now := sl.m.now()
	st := &sl.steps[msg.i]
	st.looking = false
	same := st.known && reflect.DeepEqual(st.status, msg.status) && st.err == nil && msg.err == nil
	switch {
	case !same:
		st.pause = firstPause
	default:
		st.pause = min(st.pause*3/2, maxPause)
	}
	if msg.status.State == front.Waiting && (st.status.State != front.Waiting || st.since.IsZero()) {
		st.since = now
	}
	settled := msg.status.State == front.Done || msg.status.State == front.NotNeeded
	if settled && st.known && st.status.State == front.Waiting {
		sl.staleAll(msg.i) // work that waited for it may continue now
	}
	st.status, st.err, st.plan, st.planErr = msg.status, msg.err, msg.plan, msg.planErr
	st.known, st.planned, st.looked = true, true, now
	st.hand = msg.hand
	sl.m.title = cleanTitle(msg.title)
	if j := sl.desk.last[st.number]; j != nil && j.over && j.err != nil && settled && msg.err == nil {
		delete(sl.desk.last, st.number) // it failed, and has been done since
	}
	return sl.settle()
}

// staleAll has all steps except one inspected again, in the background, by a look that has not seen them before.
func (sl *stepList) staleAll(but int) {
	sl.looks.round = round{}
	for i := range sl.steps {
		if i != but {
			sl.steps[i].stale = true
		}
	}
}

// settle goes to the first step with work left, as long as nobody has pressed a key.
func (sl *stepList) settle() tea.Cmd {
	if !sl.auto {
		return nil
	}
	for i := range sl.steps {
		st := &sl.steps[i]
		if !st.known || !st.settled() && !(st.status.Before && st.err == nil) {
			if i != sl.at {
				sl.moveTo(i)
			}
			if i < complete {
				if st.known && !sl.m.flow.met {
					sl.m.flow.meet(st.number)
				}
				return nil
			}
			break
		}
	}
	// 1 to 14 are done, or were once: the dashboard comes first.
	sl.auto = false
	if sl.m.afterDash {
		return nil
	}
	sl.m.afterDash = true
	return sl.m.showDash()
}

// allKnown reports whether every step was looked at.
func (sl *stepList) allKnown() bool {
	for i := range sl.steps {
		if !sl.steps[i].known || sl.steps[i].looking {
			return false
		}
	}
	return true
}

// dueLooks has an open step that waits inspected again, less and less often.
func (sl *stepList) dueLooks() {
	st := sl.here()
	if sl.m.top() == sl.m.wizard && st.known && !st.looking && !sl.desk.working() &&
		(st.status.State == front.Waiting || st.err != nil) && sl.m.now().Sub(st.looked) >= st.pause {
		st.stale = true
	}
}

// pace returns how often something on the screen moves now; 0: never.
func (sl *stepList) pace() time.Duration {
	const quick, slow = 100 * time.Millisecond, time.Second
	st := sl.here()
	switch {
	case sl.m.message != "" && !sl.desk.working() && (sl.m.top() != sl.m.wizard || st.fresh()):
		return slow // until the message goes
	case sl.desk.working() && sl.desk.job.form == nil && sl.desk.job.login == nil:
		return quick
	case sl.desk.working():
		return slow
	case !sl.m.flow.due.IsZero(), sl.m.flow.early(), sl.m.top() == sl.m.wizard && !st.fresh():
		return quick
	case sl.m.top() == sl.m.wizard && (st.status.State == front.Waiting || st.err != nil):
		return slow
	}
	return 0
}

func cleanTitle(t front.Title) front.Title {
	t.Project, t.Federation, t.Connection = termsafe.Line(t.Project), termsafe.Line(t.Federation), termsafe.Line(t.Connection)
	t.Account, t.Flwr = termsafe.Line(t.Account), termsafe.Line(t.Flwr)
	return t
}
