package logs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
)

// scripted is a source whose every call of Logs is one function of the list; the last one repeats.
type scripted struct {
	calls chan int
	do    []func(ctx context.Context, o supernode.LogOptions, each func(supernode.Line) error) error
}

func (s *scripted) Logs(ctx context.Context, _ string, o supernode.LogOptions, each func(supernode.Line) error) error {
	n := <-s.calls
	s.calls <- n + 1
	return s.do[min(n, len(s.do)-1)](ctx, o, each)
}

func newScripted(do ...func(context.Context, supernode.LogOptions, func(supernode.Line) error) error) *scripted {
	s := &scripted{calls: make(chan int, 1), do: do}
	s.calls <- 0
	return s
}

func started(t *testing.T, src Source) *Model {
	m := New(src, names(1), style.New(style.Options{NoColor: true}))
	m.SetSize(80, 10)
	t.Cleanup(m.Close)
	m.Init()
	return m
}

// until passes the feed's messages to m until ok.
func until(t *testing.T, m *Model, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("waited too long\n%s", m.View())
		}
		if msg := m.feed.next(); msg != nil {
			m.Update(msg)
		}
	}
}

// A broken log is read again, and no line comes twice.
func TestReadsOn(t *testing.T) { synctest.Test(t, readsOn) }

func readsOn(t *testing.T) {
	say := func(from, to int) func(context.Context, supernode.LogOptions, func(supernode.Line) error) error {
		return func(_ context.Context, _ supernode.LogOptions, each func(supernode.Line) error) error {
			for i := from; i < to; i++ {
				if err := each(line(fmt.Sprint("line ", i), began.Add(time.Duration(i)*time.Second))); err != nil {
					return err
				}
			}
			return problem.New(problem.DockerDown, "docker does not answer", "", "")
		}
	}
	m := started(t, newScripted(say(0, 3), say(0, 5), func(ctx context.Context, _ supernode.LogOptions, each func(supernode.Line) error) error {
		each(line("line 5", began.Add(time.Minute)))
		<-ctx.Done()
		return ctx.Err()
	}))
	until(t, m, func() bool { return m.states[0] != "" })
	if !strings.Contains(m.View(), "trying again: docker does not answer") {
		t.Errorf("does not say why\n%s", m.View())
	}
	until(t, m, func() bool { return m.rings[0].len() >= 6 })
	rows := shownRows(m)
	if got := strings.Join(rows[:7], ","); got != "line 0,line 1,line 2,line 3,line 4,line 5," {
		t.Errorf("lines: %s", got)
	}
	if m.states[0] != "" {
		t.Errorf("still says %q", m.states[0])
	}
}

// History is read at the speed at which Update takes it, without losing a line.
func TestHistoryIsWhole(t *testing.T) { synctest.Test(t, historyIsWhole) }

func historyIsWhole(t *testing.T) {
	const n = 30_000
	m := started(t, newScripted(func(ctx context.Context, _ supernode.LogOptions, each func(supernode.Line) error) error {
		for i := range n {
			if err := each(line(fmt.Sprint("line ", i), began.Add(time.Duration(i)*time.Millisecond))); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}))
	until(t, m, func() bool { return m.rings[0].len() == n })
	if m.rings[0].dropped != 0 {
		t.Errorf("%d lines lost", m.rings[0].dropped)
	}
}

// When nobody takes the lines, they are dropped and counted, and memory stays bounded.
func TestDrops(t *testing.T) { synctest.Test(t, drops) }

func drops(t *testing.T) {
	done := make(chan struct{})
	const n = 50_000
	m := started(t, newScripted(func(ctx context.Context, _ supernode.LogOptions, each func(supernode.Line) error) error {
		for i := range n {
			if err := each(line(fmt.Sprint("line ", i), began)); err != nil {
				return err
			}
		}
		close(done)
		<-ctx.Done()
		return ctx.Err()
	}))
	<-done
	until(t, m, func() bool { return m.rings[0].len() > 0 })
	r := m.rings[0]
	if r.dropped == 0 || r.dropped+r.len()-1 != n { // one line is the remark
		t.Errorf("%d dropped, %d kept, of %d", r.dropped, r.len(), n)
	}
	if v := m.View(); !strings.Contains(v, "dropped "+count(r.dropped, "line")) || !strings.Contains(v, "dropped here") {
		t.Errorf("does not say so\n%s", v)
	}
}

func TestPanicIsTold(t *testing.T) { synctest.Test(t, panicIsTold) }

func panicIsTold(t *testing.T) {
	m := started(t, newScripted(func(context.Context, supernode.LogOptions, func(supernode.Line) error) error {
		panic("boom")
	}))
	msg := m.feed.next().(batchMsg)
	if msg.failed == nil || !strings.Contains(msg.failed.Error(), "boom") {
		t.Errorf("told %v", msg.failed)
	}
}

func TestCloseEndsAll(t *testing.T) { synctest.Test(t, closeEndsAll) }

func closeEndsAll(t *testing.T) {
	ended := make(chan error, 1)
	m := started(t, newScripted(func(ctx context.Context, _ supernode.LogOptions, each func(supernode.Line) error) error {
		var err error
		for err == nil {
			err = each(line("x", began))
		}
		ended <- err
		return err
	}))
	m.Close()
	synctest.Wait()
	select {
	case err := <-ended:
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	default:
		t.Fatal("the source goes on")
	}
	for m.feed.next() != nil { // batches from before may still be there
	}
}
