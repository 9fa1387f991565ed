package ui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"
	"go.uber.org/goleak"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/ui/dash"
)

// running is a program without a terminal.
type running struct {
	*tea.Program
	ended chan error
}

// runInBubble runs m until it leaves. A goroutine that is left at the end of the bubble fails the test.
func runInBubble(m *Model) running {
	p := running{tea.NewProgram(m, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithoutSignalHandler()), make(chan error, 1)}
	go func() { _, err := p.Run(); p.ended <- err }()
	p.Send(tea.WindowSizeMsg{Width: 80, Height: 24})
	synctest.Wait()
	return p
}

// press sends a key and lets everything settle that follows from it.
func (p running) press(key string) {
	p.Send(press(key))
	time.Sleep(20 * time.Millisecond)
	synctest.Wait()
}

// leave quits, and fails the test when that takes longer than limit.
func (p running) leave(t *testing.T, limit time.Duration) {
	t.Helper()
	began := time.Now()
	p.Send(press("q"))
	if err := <-p.ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > limit {
		t.Errorf("it took %v to leave", took)
	}
}

// TestFlow goes from an empty folder to the dashboard with Enter alone, and leaves nothing behind. Where a person is
// asked at each step, it takes more keys; where they are asked only when needed, at most 12.
func TestFlow(t *testing.T) {
	for answer, most := range map[string]int{"enter": 12, "2": 17} {
		t.Run(answer, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { wholeWay(t, answer, most) }) })
	}
}

func wholeWay(t *testing.T, answer string, most int) {
	f := newFake()
	f.status[4] = front.Status{State: front.NotNeeded}
	f.status[12] = front.Status{State: front.Done}
	for n, q := range map[int]string{1: "acknowledge", 2: "text", 5: "number", 7: "confirm", 8: "diff", 9: "confirm", 11: "acknowledge"} {
		f.apply[n] = func(ctx context.Context, to front.Sink) error {
			_, err := to.Ask(ctx, questions[q])
			return err
		}
	}
	m := newModel(context.Background(), Options{Work: f, NoColor: true}.filled(), &lockedOutput{to: &bytes.Buffer{}})
	p := runInBubble(m)
	pressed := 1
	if answer != "enter" {
		p.press(answer)
		pressed++
	}
	p.press("enter")
	for range 400 { // an Enter wherever the key line offers one
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		if m.top() == m.dash {
			break
		}
		if offered := m.top().bindings(); len(offered) > 0 && key.Matches(press("enter"), offered...) {
			p.press("enter")
			pressed++
		} else {
			p.Send(struct{}{}) // orders what was read here before what the program writes next
		}
	}
	t.Logf("%d keys", pressed)
	if pressed > most {
		t.Errorf("%d keys, at most %d wanted", pressed, most)
	}
	if pressed < 9 { // seven questions, the registration and the run
		t.Errorf("only %d keys: something was done without a person's word", pressed)
	}
	p.leave(t, 5*time.Second)
	if !m.result.Dashboard {
		t.Errorf("ended at %+v\n%s", m.result, m.View())
	}
	for n := 1; n <= 16; n++ {
		if want := map[int]int{4: 0, 12: 0}; f.applied[n] != 1 && f.applied[n] != want[n] {
			t.Errorf("step %d was applied %d times", n, f.applied[n])
		}
	}
	m.close()
	if !m.tasks.wait(5 * time.Second) {
		t.Error("commands are left")
	}
}

// TestResume: the wizard opens at the first step with work left, or on the dashboard when 1 to 14 are done,
// or were once: the dashboard handles a SuperNode that has ended since.
func TestResume(t *testing.T) {
	for _, c := range []struct {
		done   int
		before int // steps behind those that were done once
		dash   bool
		at     front.StepID
	}{{0, 0, false, 1}, {6, 0, false, 7}, {11, 0, false, 12}, {14, 0, true, 0}, {16, 0, true, 0}, {12, 2, true, 0}, {13, 1, true, 0}, {12, 1, false, 14}} {
		f := newFake()
		for n := 1; n <= c.done; n++ {
			f.status[n] = front.Status{State: front.Done}
		}
		for n := c.done + 1; n <= c.done+c.before; n++ {
			f.status[n] = front.Status{State: front.Ready, Before: true}
		}
		m := newModel(context.Background(), Options{Work: f}.filled(), &lockedOutput{to: &bytes.Buffer{}})
		m.resize(80, 24)
		m.list.learn(f)
		if dashed := m.top() == m.dash; dashed != c.dash || !c.dash && m.list.steps[m.list.at].number != c.at {
			t.Errorf("%d done: at %d, dashboard %v", c.done, m.list.steps[m.list.at].number, dashed)
		}
		m.close()
	}
}

// TestQuitWaits: leaving in the middle of work stops it and waits until it has returned.
func TestQuitWaits(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	f := world(10)
	ended := make(chan struct{})
	f.apply[10] = func(ctx context.Context, to front.Sink) error {
		to.Event(front.Says{Text: "at it"})
		<-ctx.Done()
		time.Sleep(100 * time.Millisecond)
		close(ended)
		return ctx.Err()
	}
	in, feed := newPipe(t)
	res := make(chan Result, 1)
	go func() {
		r, err := Run(context.Background(), Options{Work: f, In: in, Out: &bytes.Buffer{}, size: [2]int{80, 24}, Start: "step:10"})
		if err != nil {
			t.Error(err)
		}
		res <- r
	}()
	for range 100 {
		feed("\r")
		time.Sleep(20 * time.Millisecond)
		f.mu.Lock()
		n := f.applied[10]
		f.mu.Unlock()
		if n > 0 {
			break
		}
	}
	feed("q")
	time.Sleep(50 * time.Millisecond)
	feed("y")
	select {
	case r := <-res:
		if r.Interrupted || r.Step != 10 {
			t.Errorf("%+v", r)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it does not end")
	}
	select {
	case <-ended:
	default:
		t.Error("Run has returned before the work")
	}
}

// TestPanics: when a job or an inspection panics it has failed, and the screen stays and says how to report
// it.
func TestPanics(t *testing.T) {
	for name, broken := range map[string]func(*fake){
		"inspect": func(f *fake) { f.inspect = func(context.Context, front.StepID) { panic("broken") } },
		"apply":   func(f *fake) { f.apply[10] = func(context.Context, front.Sink) error { panic("broken") } },
		"nil error": func(f *fake) {
			f.apply[10] = func(context.Context, front.Sink) error { return errors.New("broken: " + problem.Of(nil).What) }
		},
		"goroutine of a step": func(f *fake) {
			f.apply[10] = func(ctx context.Context, to front.Sink) error {
				failed := make(chan error, 1)
				safego.Go("helper", func(err error) { failed <- err }, func() { panic("broken") })
				return fmt.Errorf("register: %w", <-failed)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			f := world(10)
			broken(f)
			in, feed := newPipe(t)
			got := make(chan error, 1)
			screen := &screenBytes{}
			go func() {
				_, err := Run(context.Background(), Options{Work: f, In: in, Out: screen, size: [2]int{80, 24}, Start: "step:10"})
				got <- err
			}()
			deadline := time.After(5 * time.Second)
			for asked := false; ; {
				select {
				case err := <-got:
					if err != nil || !asked {
						t.Errorf("left with %v; a bug was shown: %v", err, asked)
					}
					return
				case <-time.After(30 * time.Millisecond):
					if asked = asked || strings.Contains(screen.String(), "bug in flwrup"); asked {
						feed("q")
					} else {
						feed("\r")
					}
				case <-deadline:
					t.Fatal("no bug is shown, or it does not end")
				}
			}
		})
	}
}

// screenBytes is the output of a program to its terminal, readable meanwhile.
type screenBytes struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *screenBytes) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *screenBytes) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// TestScreenPanics: a bug in the screen itself ends the program in good order, with its stack.
func TestScreenPanics(t *testing.T) {
	m := still(world(10), 10, 80, 24, Options{})
	defer m.close()
	if _, cmd := m.Update(lookMsg{gen: m.list.looks.gen, i: 99}); cmd == nil || !m.leaving || !strings.Contains(m.broken().Error(), "look.go") {
		t.Errorf("leaving %v, error %v", m.leaving, m.err)
	}
}

// TestAct runs a verb of the dashboard with its question.
func TestAct(t *testing.T) {
	f := world(16)
	m := still(f, 16, 80, 24, Options{})
	defer m.close()
	asked := make(chan string, 1)
	f.act = func(ctx context.Context, to front.Sink) error {
		a, err := to.Ask(ctx, front.Question{Kind: front.AskConfirm, Default: "no", Ask: "Unregister supernode_1?"})
		asked <- a
		return err
	}
	m.showDash()
	_, cmd := m.Update(dash.Run{Verb: front.UnregisterNodes, Nodes: []string{"supernode_1"}})
	msgs := make(chan tea.Msg, 64)
	go drainAll(m, cmd, msgs)
	deadline := time.After(3 * time.Second)
	for m.desk.form() == nil {
		select {
		case msg := <-msgs:
			m.Update(msg)
		case <-deadline:
			t.Fatal("no question")
		}
	}
	if !strings.Contains(m.View(), "Unregister supernode_1?") {
		t.Error(m.View())
	}
	m.Update(press("enter"))
	if a := <-asked; a != "no" {
		t.Errorf("answered %q", a)
	}
}

// drainAll runs a command and its batch, and sends the messages to a channel.
func drainAll(m *Model, cmd tea.Cmd, to chan<- tea.Msg) {
	if cmd == nil {
		return
	}
	msg := cmd()
	if batch, ok := msg.(tea.BatchMsg); ok {
		for _, c := range batch {
			go drainAll(m, c, to)
		}
		return
	}
	if to != nil {
		to <- msg
	}
}

// TestRunIsFollowed: R on the dashboard starts a run, and the wizard follows a started run without another
// key.
func TestRunIsFollowed(t *testing.T) { synctest.Test(t, runIsFollowed) }

func runIsFollowed(t *testing.T) {
	f := world(17)
	f.apply[15] = func(_ context.Context, to front.Sink) error {
		to.Event(front.RunBegan{ID: "4711"})
		f.set(16, front.Status{State: front.Ready})
		return nil
	}
	followed := make(chan struct{})
	f.apply[16] = func(context.Context, front.Sink) error { close(followed); return nil }
	m := newModel(context.Background(), Options{Work: f, NoColor: true}.filled(), &lockedOutput{to: &bytes.Buffer{}})
	p := runInBubble(m)
	p.Send(dash.NewRun{})
	select {
	case <-followed:
	case <-time.After(5 * time.Second):
		t.Error("the run is not followed")
	}
	p.leave(t, 30*time.Second)
	if m.result.Step != 16 || f.applied[15] != 1 || f.applied[16] != 1 {
		t.Errorf("at step %d, 15 applied %d times, 16 %d times", m.result.Step, f.applied[15], f.applied[16])
	}
	m.close()
}

// TestAfterTheRun: while the step before has not been looked at again, the followed run does not lead back to it.
func TestAfterTheRun(t *testing.T) {
	f := world(17)
	m := still(f, 16, 100, 30, Options{})
	defer m.close()
	f.set(16, front.Status{State: front.Done})
	m.list.learn(f)
	j := m.desk.pretend(16, front.RunBegan{ID: runID})
	j.end(noon, nil)
	for i := range m.list.steps {
		m.list.steps[i].known = m.list.steps[i].known && i != 14
	}
	if words := m.wizard.enterWords(); words != "dashboard" || strings.Contains(m.View(), "continue to Run") {
		t.Errorf("Enter: %q\n%s", words, m.View())
	}
	m.list.learn(f)
	f.set(15, front.Status{State: front.Ready}) // the run has to be repeated
	m.list.learn(f)
	if words := m.wizard.enterWords(); words != "continue to Run" {
		t.Errorf("Enter: %q", words)
	}
}

// TestIrreversibleIsSaid: the sentence is at the question, whole, however low the terminal is and wherever one has scrolled.
func TestIrreversibleIsSaid(t *testing.T) {
	for _, size := range [][2]int{{40, 15}, {40, 12}, {80, 24}, {120, 40}, {200, 60}} {
		m := still(world(10), 10, size[0], size[1], Options{NoColor: true})
		for range 3 {
			if !strings.Contains(squeezed(m.View()), "This cannot be undone: a key can be registered once in its life. ▸ Enter register 5 SuperNodes") {
				t.Errorf("%v:\n%s", size, m.View())
			}
			m.Update(press("pgdown"))
		}
		m.close()
	}
}

// squeezed returns the words of a page without what is at its left.
func squeezed(page string) string {
	var words []string
	for _, l := range strings.Split(page, "\n") {
		if _, right, ok := strings.Cut(l, "│"); ok {
			l = right
		}
		words = append(words, strings.Fields(l)...)
	}
	return strings.Join(words, " ")
}

// TestWelcomeFits: at the usual size nothing of it has to be scrolled to.
func TestWelcomeFits(t *testing.T) {
	for _, rehearsal := range []bool{false, true} {
		m := still(world(1), 1, 80, 24, Options{NoColor: true})
		m.title.Rehearsal = rehearsal
		m.push(newWelcome(m))
		if page := m.View(); strings.Contains(page, "more below") || !strings.Contains(page, "Welcome to") || !strings.Contains(page, "▸ Enter  begin") {
			t.Error(page)
		}
		m.close()
	}
}

// TestFlowGoesBack: a step that changes what an earlier one needs, as a coordinator's reply names the flwr, leads back
// to that one without a key.
func TestFlowGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		for n := front.StepAccount; n <= front.StepConfirmation; n++ {
			f.status[n] = front.Status{State: front.NotNeeded}
		}
		f.status[10] = front.Status{State: front.Ready}
		set := func(n front.StepID, st front.Status) {
			f.mu.Lock()
			f.status[n] = st
			f.mu.Unlock()
		}
		f.apply[10] = func(context.Context, front.Sink) error {
			set(3, front.Status{State: front.Ready})
			set(13, front.Status{State: front.Blocked, By: 3, Why: "choose first what the SuperNodes run in"})
			return nil
		}
		f.apply[3] = func(context.Context, front.Sink) error {
			set(13, front.Status{State: front.Ready})
			return nil
		}
		m := newModel(context.Background(), Options{Work: f, NoColor: true}.filled(), &lockedOutput{to: &bytes.Buffer{}})
		p := runInBubble(m)
		for range 40 {
			time.Sleep(500 * time.Millisecond)
			synctest.Wait()
			p.Send(struct{}{})
			f.mu.Lock()
			sent := f.applied[10]
			f.mu.Unlock()
			if sent == 0 {
				p.press("enter")
			}
		}
		f.mu.Lock()
		if f.applied[10] != 1 || f.applied[3] != 1 || f.applied[13] != 1 {
			t.Errorf("applied: step 10 %d times, then 3 %d, then 13 %d", f.applied[10], f.applied[3], f.applied[13])
		}
		f.mu.Unlock()
		p.leave(t, 5*time.Second)
		m.close()
		m.tasks.wait(5 * time.Second)
	})
}
