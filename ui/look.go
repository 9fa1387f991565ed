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
	firstPause = 5 * time.Second  // before a waiting step is looked at again
	maxPause   = 30 * time.Second // the pause grows to this while nothing changes
	fresh      = 5 * time.Second  // a step that is opened is looked at again when it was longer ago
)

// lookout is the context of all inspections. Work that changes things ends them first and waits until
// they have returned, so that a step never reads what another one is writing.
type lookout struct {
	parent context.Context
	ctx    context.Context
	cancel context.CancelFunc
	wg     *sync.WaitGroup
	gen    int
	front  bool // the open step is being looked at
	back   bool // another step is
}

func newLookout(parent context.Context) *lookout {
	l := &lookout{parent: parent}
	l.renew()
	return l
}

func (l *lookout) renew() {
	l.ctx, l.cancel = context.WithCancel(l.parent)
	l.wg = &sync.WaitGroup{}
	l.front, l.back = false, false
	l.gen++
}

// lookMsg is what one inspection found.
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

// handover is a Work that can write the node IDs for those who have to know them.
type handover interface{ Handover() fleet.Handover }

// lookMore starts the next inspections: one for the open step, one for all others in turn. None while
// something is being changed.
func (m *Model) lookMore() tea.Cmd {
	if m.working() {
		return nil
	}
	var cmds []tea.Cmd
	if st := &m.steps[m.at]; st.stale && !st.looking && !m.looks.front {
		cmds = append(cmds, m.lookAt(m.at, true))
	}
	if !m.looks.back {
		for k := range m.steps {
			i := k
			if !m.auto { // what comes next is wanted first
				i = (m.at + k) % len(m.steps)
			}
			if st := &m.steps[i]; st.stale && !st.looking {
				cmds = append(cmds, m.lookAt(i, false))
				break
			}
		}
	}
	return tea.Batch(cmds...)
}

func (m *Model) lookAt(i int, open bool) tea.Cmd {
	l, st, work := m.looks, &m.steps[i], m.work
	st.looking, st.stale = true, false
	if open {
		l.front = true
	} else {
		l.back = true
	}
	l.wg.Add(1)
	ctx, gen, n, wg := l.ctx, l.gen, st.number, l.wg
	return func() tea.Msg {
		defer wg.Done()
		msg := lookMsg{gen: gen, i: i, front: open}
		if ctx.Err() != nil {
			return msg
		}
		msg.err = safego.Call(fmt.Sprintf("looking at step %d", n), func() (err error) {
			msg.status, err = work.Inspect(ctx, n)
			return err
		})
		msg.status = cleanStatus(msg.status)
		if msg.err == nil && (msg.status.State == front.Ready || msg.status.State == front.Waiting) {
			msg.planErr = safego.Call(fmt.Sprintf("planning step %d", n), func() (err error) {
				msg.plan, err = work.Plan(ctx, n)
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

// look takes what an inspection found.
func (m *Model) look(msg lookMsg) tea.Cmd {
	if msg.gen != m.looks.gen {
		return nil
	}
	if msg.front {
		m.looks.front = false
	} else {
		m.looks.back = false
	}
	now := m.now()
	st := &m.steps[msg.i]
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
		m.staleAll(msg.i) // what waited for it may go on now
	}
	st.status, st.err, st.plan, st.planErr = msg.status, msg.err, msg.plan, msg.planErr
	st.known, st.planned, st.looked = true, true, now
	st.hand = msg.hand
	m.title = cleanTitle(msg.title)
	if j := m.last[st.number]; j != nil && j.over && j.err != nil && settled && msg.err == nil {
		delete(m.last, st.number) // it went wrong, and has been done since
	}
	return m.settle()
}

// staleAll makes all steps but one be looked at again, in the background.
func (m *Model) staleAll(but int) {
	for i := range m.steps {
		if i != but {
			m.steps[i].stale = true
		}
	}
}

// settle goes to where the work is, as long as nobody has pressed a key.
func (m *Model) settle() tea.Cmd {
	if !m.auto {
		return nil
	}
	for i := range m.steps {
		st := &m.steps[i]
		if !st.known || !st.settled() && !(st.status.Before && st.err == nil) {
			if i != m.at {
				m.moveTo(i)
			}
			if i < complete {
				return nil
			}
			break
		}
	}
	// 1 to 14 are done, or were once: the dashboard comes first.
	m.auto = false
	if m.afterDash {
		return nil
	}
	m.afterDash = true
	return m.showDash()
}

// settled tells that nothing is to be done for a step.
func (st *stepView) settled() bool {
	return st.known && st.err == nil && (st.status.State == front.Done || st.status.State == front.NotNeeded)
}

// fresh tells that the status on the screen can be acted on: it was read, and nothing was changed since
// that may have unblocked the step.
func (st *stepView) fresh() bool {
	return st.known && (st.planned || st.status.State != front.Blocked)
}

// next is the index of the step to go on with after index i, or -1 when all are done.
func (m *Model) next(i int) int {
	for k := i + 1; k < len(m.steps); k++ {
		if !m.steps[k].settled() {
			return k
		}
	}
	for k := 0; k < i; k++ {
		if !m.steps[k].settled() {
			return k
		}
	}
	return -1
}

// dueLooks makes a waiting step that is open be looked at again, gently.
func (m *Model) dueLooks() {
	st := &m.steps[m.at]
	if m.top() == pageStep && st.known && !st.looking && !m.working() &&
		(st.status.State == front.Waiting || st.err != nil) && m.now().Sub(st.looked) >= st.pause {
		st.stale = true
	}
}

// tick starts the next tick where something on the screen moves with time.
func (m *Model) tick() tea.Cmd {
	d := m.pace()
	if m.ticking || d == 0 {
		return nil
	}
	m.ticking = true
	ctx := m.ctx
	return func() tea.Msg {
		t := time.NewTimer(d)
		defer t.Stop()
		select {
		case <-t.C:
			return tickMsg{}
		case <-ctx.Done():
			return nil
		}
	}
}

func (m *Model) pace() time.Duration {
	const quick, slow = 100 * time.Millisecond, time.Second
	st := &m.steps[m.at]
	switch {
	case m.working() && m.job.form == nil && m.job.login == nil:
		return quick
	case m.working():
		return slow
	case m.top() == pageStep && !st.fresh():
		return quick
	case m.top() == pageStep && (st.status.State == front.Waiting || st.err != nil):
		return slow
	}
	return 0
}

func cleanTitle(t front.Title) front.Title {
	t.Project, t.Federation, t.Connection = termsafe.Line(t.Project), termsafe.Line(t.Federation), termsafe.Line(t.Connection)
	t.Account, t.Flwr = termsafe.Line(t.Account), termsafe.Line(t.Flwr)
	return t
}
