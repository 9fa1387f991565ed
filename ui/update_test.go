package ui

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/ui/dash"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

func press(name string) tea.KeyMsg { return keymap.Type(name) }

// TestForms types answers and checks those that arrive.
func TestForms(t *testing.T) {
	small := func(v string) error {
		if len(v) > 2 {
			return errors.New("at most 99")
		}
		return nil
	}
	choices := []front.Choice{{Value: "a", Label: "A"}, {Value: "b", Label: "B", Disabled: true, Note: "no"}, {Value: "c", Label: "C"}}
	for _, c := range []struct {
		name string
		q    front.Question
		keys string
		want string // "-": no answer yet
		err  string
	}{
		{"default by Enter", front.Question{Kind: front.AskText, Default: "later"}, "enter", "later", ""},
		{"typed", front.Question{Kind: front.AskText, Default: "later"}, "@ a d a enter", "@ada", ""},
		{"corrected", front.Question{Kind: front.AskText}, "x backspace y enter", "y", ""},
		{"nothing to take", front.Question{Kind: front.AskText}, "enter", "-", "needs an answer"},
		{"nothing is valid", front.Question{Kind: front.AskText, Validate: small}, "enter", "", ""},
		{"number", front.Question{Kind: front.AskNumber, Default: "3"}, "7 enter", "7", ""},
		{"number up", front.Question{Kind: front.AskNumber, Default: "3"}, "up up enter", "5", ""},
		{"number down", front.Question{Kind: front.AskNumber, Default: "3"}, "down enter", "2", ""},
		{"no number", front.Question{Kind: front.AskNumber, Default: "3"}, "x", "-", "whole number"},
		{"not valid as one types", front.Question{Kind: front.AskNumber, Validate: small}, "1 2 3", "-", "at most 99"},
		{"not valid, Enter", front.Question{Kind: front.AskNumber, Validate: small}, "1 2 3 enter", "-", "at most 99"},
		{"valid again", front.Question{Kind: front.AskNumber, Validate: small}, "1 2 3 backspace enter", "12", ""},
		{"choice by Enter", front.Question{Kind: front.AskChoice, Choices: choices, Default: "c"}, "enter", "c", ""},
		{"choice over a disabled one", front.Question{Kind: front.AskChoice, Choices: choices, Default: "a"}, "down enter", "c", ""},
		{"choice round the end", front.Question{Kind: front.AskChoice, Choices: choices, Default: "a"}, "k enter", "c", ""},
		{"choice by number", front.Question{Kind: front.AskChoice, Choices: choices, Default: "a"}, "3 enter", "c", ""},
		{"disabled by number", front.Question{Kind: front.AskChoice, Choices: choices, Default: "a"}, "2", "-", "not possible: no"},
		{"no default chosen", front.Question{Kind: front.AskChoice, Choices: choices}, "enter", "-", "needs an answer"},
		{"disabled default", front.Question{Kind: front.AskChoice, Choices: choices, Default: "b"}, "enter", "a", ""},
		{"secret once", front.Question{Kind: front.AskSecret}, "p w enter", "pw", ""},
		{"secret with blanks", front.Question{Kind: front.AskSecret}, "p   enter", "p", ""},
		{"secret twice", front.Question{Kind: front.AskSecret, Twice: true}, "p w enter p w enter", "pw", ""},
		{"secret not the same", front.Question{Kind: front.AskSecret, Twice: true}, "p w enter p enter", "-", "not what was typed"},
		{"secret from the start", front.Question{Kind: front.AskSecret, Twice: true}, "p w enter p enter q enter q enter", "q", ""},
		{"confirm by Enter", front.Question{Kind: front.AskConfirm, Default: "no"}, "enter", "no", ""},
		{"confirm y", front.Question{Kind: front.AskConfirm, Default: "no"}, "y", "yes", ""},
		{"confirm moved", front.Question{Kind: front.AskConfirm, Default: "no"}, "left enter", "yes", ""},
		{"confirm without default", front.Question{Kind: front.AskConfirm}, "enter", "-", "y or n"},
		{"acknowledge n", front.Question{Kind: front.AskAcknowledge, Default: "yes"}, "n", "later", ""},
		{"acknowledge Enter", front.Question{Kind: front.AskAcknowledge, Default: "later"}, "enter", "later", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := question(c.q)
			f := newForm(style.New(style.Options{}), p)
			for _, k := range strings.Fields(c.keys) {
				f.update(press(k))
			}
			got := "-"
			select {
			case got = <-p.reply:
			default:
			}
			if got != c.want {
				t.Errorf("answer %q, want %q", got, c.want)
			}
			if c.err == "" && f.err != nil || c.err != "" && (f.err == nil || !strings.Contains(f.err.Error(), c.err)) {
				t.Errorf("error %v, want %q", f.err, c.err)
			}
			if got != "-" && f.input.Value() != "" {
				t.Error("what was typed is still there after the answer")
			}
		})
	}
}

// TestKeys presses keys on a step and checks where they lead.
func TestKeys(t *testing.T) {
	failed := func(code problem.Code) func(*Model, *fake) {
		return func(m *Model, f *fake) {
			m.desk.pretend(10).end(noon, problem.New(code, "it failed", "", ""))
		}
	}
	set := func(st front.Status) func(*Model, *fake) {
		return func(m *Model, f *fake) { f.set(10, st); m.list.learn(f) }
	}
	type check func(m *Model) string
	at := func(n front.StepID) check {
		return func(m *Model) string {
			if m.list.steps[m.list.at].number != n || m.top() != m.wizard {
				return fmt.Sprintf("at step %d, page %T", m.list.steps[m.list.at].number, m.top())
			}
			return ""
		}
	}
	works := func(m *Model) string {
		if !m.desk.working() {
			return "nothing is at work"
		}
		return ""
	}
	page := func(p page) check {
		return func(m *Model) string {
			if reflect.TypeOf(m.top()) != reflect.TypeOf(p) {
				return fmt.Sprintf("page %T", m.top())
			}
			return ""
		}
	}
	left := func(interrupted bool) check {
		return func(m *Model) string {
			if !m.leaving || m.result.Interrupted != interrupted || m.result.Step != 10 {
				return fmt.Sprintf("leaving %v, %+v", m.leaving, m.result)
			}
			return ""
		}
	}
	running := func(m *Model, f *fake) { m.desk.pretend(10) }
	asking := func(q string) func(m *Model, f *fake) {
		return func(m *Model, f *fake) { m.desk.pretend(10, question(questions[q])) }
	}
	for _, c := range []struct {
		name string
		make func(*Model, *fake)
		keys string
		want check
	}{
		{"letters in one piece", nil, "jjk", at(11)},
		{"down", nil, "j", at(11)}, {"up", nil, "up", at(9)}, {"home", nil, "home", at(1)}, {"end stays", nil, "end j j", at(16)},
		{"Enter applies", nil, "enter", works},
		{"Enter not before the plan", func(m *Model, f *fake) { m.list.steps[9].planned = false }, "enter", func(m *Model) string {
			if m.desk.working() {
				return "works"
			}
			return ""
		}},
		{"Enter goes on when done", set(front.Status{State: front.Done}), "enter", at(11)},
		{"Enter goes on when not needed", set(front.Status{State: front.NotNeeded}), "enter", at(11)},
		{"Enter goes to what comes first", set(front.Status{State: front.Blocked, By: front.StepKeys}), "enter", at(6)},
		{"Enter waits for a fresh look when blocked", func(m *Model, f *fake) {
			set(front.Status{State: front.Blocked, By: front.StepKeys})(m, f)
			m.list.steps[9].planned = false
		}, "enter", at(10)},
		{"Enter tries again", failed(problem.Unreachable), "enter", works},
		{"Enter goes to the login", failed(problem.NotLoggedIn), "enter", at(9)},
		{"Enter goes to the tools", failed(problem.DockerDown), "enter", at(3)},
		{"Enter tries again after the tools", failed(problem.DockerDown), "enter home j j j j j j j j j enter", works},
		{"Enter goes to the work", running, "j enter", at(10)},
		{"help and back", nil, "? esc", at(10)}, {"help", nil, "?", page(&helpPage{})},
		{"flags", nil, "e", page(&flagsPage{})}, {"reference", nil, "Q", page(&referencePage{})}, {"places", nil, "h", page(&getHelpPage{})},
		{"dashboard", nil, "d", page(&dashPage{})}, {"dashboard and back", nil, "d esc", at(10)}, {"dashboard twice", nil, "d d", at(10)},
		{"pick", nil, "c", page(&pickPage{})}, {"pick and back", nil, "c j esc", at(10)}, {"picked", nil, "c 2", at(10)},
		{"no raw output", nil, "v", at(10)},
		{"change", func(m *Model, f *fake) {
			f.changed[10] = true
			f.set(10, front.Status{State: front.Done})
			m.list.learn(f)
		}, "m", works},
		{"no change", nil, "m", at(10)},
		{"undo", func(m *Model, f *fake) { f.undo[10] = true }, "u", works},
		{"q leaves", nil, "q", left(false)}, {"ctrl+c", nil, "ctrl+c", left(true)},
		{"q asks", running, "q", page(&leavePage{})}, {"q asks, Enter stays", running, "q enter", works},
		{"q asks, y leaves", running, "q y", left(false)}, {"ctrl+c never asks", running, "ctrl+c", left(true)},
		{"q does not ask in a question", asking("confirm"), "q", left(false)},
		{"q is a letter in a text", asking("text"), "q", func(m *Model) string {
			if m.leaving || m.desk.form() == nil || m.desk.form().input.Value() != "q" {
				return "not typed"
			}
			return ""
		}},
		{"x stops", running, "x", func(m *Model) string {
			if !m.desk.job.stopping {
				return "not stopping"
			}
			return ""
		}},
		{"Esc stops what asks", asking("text"), "esc", func(m *Model) string {
			if !m.desk.job.stopping || m.desk.form() != nil {
				return "not stopping"
			}
			return ""
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := world(10)
			m := still(f, 10, 80, 24, Options{})
			defer m.close()
			if c.make != nil {
				c.make(m, f)
			}
			for _, k := range strings.Fields(c.keys) {
				m.Update(press(k))
				m.View()
			}
			if wrong := c.want(m); wrong != "" {
				t.Error(wrong)
			}
		})
	}
}

// TestCopy checks the text that reaches the clipboard.
func TestCopy(t *testing.T) { synctest.Test(t, copies) }

func copies(t *testing.T) {
	f := world(10)
	m := still(f, 10, 80, 24, Options{})
	out := &bytes.Buffer{}
	m.outside.out = &lockedOutput{to: out}
	second := "flwr supernode register keys/client_credentials_2.pub supergrid"
	for key, want := range map[string]string{"3": second, "1": strings.Join(texts(commands(f.plans[10])), "\n") + "\n"} { // one of them, all
		out.Reset()
		m.Update(press("c"))
		_, cmd := m.Update(press(key))
		drain(m, cmd)
		if !strings.Contains(want, second) || !strings.Contains(out.String(), base64.StdEncoding.EncodeToString([]byte(want))) {
			t.Errorf("%s: clipboard: %q", key, out.String())
		}
		if !strings.Contains(m.View(), "copied "+want[:30]) {
			t.Error("it does not say what was copied")
		}
	}
}

// A dashboard that opens while another flwrup watches says so: that word came before there was a dashboard.
func TestWatchedBeforeTheDashboard(t *testing.T) {
	m := still(world(17), 10, 120, 24, Options{})
	m.Update(othersMsg{front.Others{WatchedBy: 4711, Service: true}})
	openDashUntil(t, m, func(frame string) bool { return strings.Contains(frame, "4 of 5 SuperNodes online") })
	if v := m.View(); !strings.Contains(v, "watched by the service") {
		t.Error(v)
	}
}

// TestTellsTheTerminal checks the sequence that reaches the terminal, as the person's settings want it.
func TestTellsTheTerminal(t *testing.T) { synctest.Test(t, tellsTheTerminal) }

func tellsTheTerminal(t *testing.T) {
	f := world(10)
	for kind, want := range map[string]string{"": "\x1b]9;flwrup ", notify.TerminalOSC777: "\x1b]777;notify;flwrup ", notify.TerminalOff: ""} {
		f.notify.Terminal = kind
		m := still(f, 10, 80, 24, Options{})
		m.outside.env = func(name string) string { return map[string]string{"TERM": "xterm-256color"}[name] }
		out := &bytes.Buffer{}
		m.outside.out = &lockedOutput{to: out}
		_, cmd := m.Update(dash.Tell{Entries: []notify.Entry{{Kind: notify.Lost, What: notify.Node, Name: "supernode_2\x1b]0;x\x07"}}})
		drain(m, cmd)
		if got := out.String(); !strings.HasPrefix(got, want) || (want == "") != (got == "") || strings.Count(got, "\x1b") > 1 || strings.Count(got, "\x07") > 1 {
			t.Errorf("%q: %q", kind, got)
		}
	}
}

// drain runs a command and all that follows from it, except commands that wait. It needs a bubble.
func drain(m *Model, cmd tea.Cmd) {
	if cmd == nil {
		return
	}
	done := make(chan tea.Msg, 1)
	go func() { done <- cmd() }()
	synctest.Wait()
	select {
	case msg := <-done:
		if batch, ok := msg.(tea.BatchMsg); ok {
			for _, c := range batch {
				drain(m, c)
			}
		} else if msg != nil {
			m.Update(msg)
		}
	default:
	}
}

func TestOpenNeverInTerminal(t *testing.T) {
	t.Setenv("DISPLAY", "")
	t.Setenv("WAYLAND_DISPLAY", "")
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" {
		t.Skip("needs a desktop that is found by DISPLAY: this system opens pages without")
	}
	if err := openBrowser("https://flower.ai"); err == nil {
		t.Error("a page was opened without a display: in this terminal")
	}
}

// TestWaitingIsLookedAtAgain lets time pass on a waiting step: 5 s first, up to 30 s while nothing changes.
func TestWaitingIsLookedAtAgain(t *testing.T) {
	f := world(12)
	f.set(12, waitingStatus(12))
	now := noon
	m := still(f, 12, 80, 24, Options{})
	m.now = func() time.Time { return now }
	var pauses []time.Duration
	last := now
	for range 400 {
		now = now.Add(time.Second)
		m.clock.ticking = false
		m.list.dueLooks()
		if m.list.steps[11].stale {
			pauses = append(pauses, now.Sub(last))
			last = now
			m.list.steps[11].stale = false
			st, _ := f.Inspect(context.Background(), 12)
			m.list.look(lookMsg{gen: m.list.looks.gen, i: 11, status: st})
		}
	}
	if pauses[0] > 10*time.Second || pauses[len(pauses)-1] != maxPause {
		t.Errorf("pauses %v", pauses)
	}
	f.set(12, front.Status{State: front.Done})
	st, _ := f.Inspect(context.Background(), 12)
	m.list.look(lookMsg{gen: m.list.looks.gen, i: 11, status: st})
	if !m.list.steps[12].stale || !m.list.steps[11].settled() {
		t.Error("what waited for it is not looked at again")
	}
}

// TestFailuresAreForgotten: a failed run is not shown over the new one that follows it, and stays visible as
// long as there is none.
func TestFailuresAreForgotten(t *testing.T) {
	m := still(world(16), 16, 80, 24, Options{})
	end := func(err error) {
		j := &job{id: 1, step: 15, sink: newSink(), began: noon, cancel: func(error) {}}
		j.sink.err = err
		m.desk.job, m.desk.last[15] = j, j
		m.desk.ended(j)
	}
	m.desk.last[16] = &job{step: 16, over: true, err: errors.New("the run failed")}
	end(errors.New("no new run"))
	if m.desk.last[16] == nil {
		t.Error("the failure is forgotten, and nothing came in its place")
	}
	end(nil)
	if m.desk.last[16] != nil {
		t.Error("the old run's failure is still shown")
	}
	if m.desk.last[15] == nil {
		t.Error("what made the new run is forgotten, too")
	}
}

// TestWithdrawn removes a question when its asker gives up.
func TestWithdrawn(t *testing.T) {
	m := still(world(9), 9, 80, 24, Options{})
	j := m.desk.pretend(9)
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan error, 1)
	go func() { _, err := j.sink.Ask(ctx, questions["confirm"]); got <- err }()
	list, n, _ := j.sink.next(context.Background())
	j.take(m, list, n)
	if m.desk.form() == nil {
		t.Fatal("no question on the screen")
	}
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	list, n, _ = j.sink.next(context.Background())
	j.take(m, list, n)
	if m.desk.form() != nil {
		t.Error("the question is still on the screen")
	}
}

// TestFlood: a step that prints without end costs neither memory nor the answer to keys.
func TestFlood(t *testing.T) {
	m := still(world(10), 10, 80, 24, Options{})
	j := m.desk.pretend(10)
	for i := range 100_000 {
		j.sink.Event(front.Output{Text: fmt.Sprint("line ", i)})
	}
	j.sink.Event(front.Says{Text: "still here"})
	list, n, _ := j.sink.next(context.Background())
	j.take(m, list, n)
	if len(j.output) > keepOutput || j.dropped < 90_000 || j.says != "still here" {
		t.Errorf("%d lines kept, %d dropped, says %q", len(j.output), j.dropped, j.says)
	}
}

// TestHostile: no output of a program can steer the terminal.
func TestHostile(t *testing.T) {
	evil := "\x1b]52;c;ZXZpbA==\x07\x1b[2J\x9b31mred\u202ereversed\r\nx"
	f := world(10)
	f.title.Project = evil
	f.set(10, front.Status{State: front.Ready, Evidence: []string{evil}, Why: evil, Short: evil, Items: []front.Item{{Name: evil, Text: evil}}})
	m := still(f, 10, 80, 24, Options{NoColor: true})
	j := m.desk.pretend(10)
	for _, e := range []front.Event{front.Says{Text: evil}, front.Output{Text: evil}, front.Progress{Label: evil, Total: 3},
		front.ItemChanged{Item: front.Item{Name: evil, Text: evil}}, front.LoginOpen{URL: evil, Code: evil}} {
		j.sink.Event(e)
	}
	list, n, _ := j.sink.next(context.Background())
	// the inspections of still bypass lookAt, so clean here as lookAt does
	m.list.steps[9].status = cleanStatus(m.list.steps[9].status)
	j.take(m, list, n)
	if frame := m.View(); strings.ContainsAny(frame, "\x1b\u009b\x07\r\u202e") {
		t.Errorf("%q", frame)
	}
}
