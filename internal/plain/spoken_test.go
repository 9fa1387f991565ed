package plain

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"flwrup/internal/front"
	"flwrup/steps"
)

func TestSpoken(t *testing.T) {
	for line, want := range map[string]string{
		" 6 ✓ Keys  2 of 2":            " 6 done: Keys  2 of 2",
		" 4 ∅ Certificate line  no":    " 4 not needed: Certificate line  no",
		"12 ◷ Confirmation  2 of 3":    "12 waiting: Confirmation  2 of 3",
		"     ! the clock is ahead":    "     attention: the clock is ahead",
		"    … supernode_1  starting":  "    working: supernode_1  starting",
		"✗ supernode_1: wrong":         "failed: supernode_1: wrong",
		"    waits … for the grid":     "    waits … for the grid",
		"    - make the folder · keys": "    - make the folder · keys",
	} {
		if got := spoken(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestUnsigned(t *testing.T) {
	for line, want := range map[string]string{
		"  ✓ supernode_1  online  up":    "  supernode_1  online  up",
		"  · supernode_2  unknown":       "  supernode_2  unknown",
		"    ! supernode_1 was killed":   "    attention: supernode_1 was killed",
		"    name         node ID  grid": "    name         node ID  grid",
	} {
		if got := Unsigned(line); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestFolded(t *testing.T) {
	long := strings.Repeat("word ", 30)
	for _, c := range []struct {
		text string
		want []string
	}{
		{"  short", []string{"  short"}},
		{"  " + long + "ends. " + long + "ends.", []string{"  " + long + "ends.", "  " + long + "ends."}},
		{long + long, []string{strings.TrimSpace(strings.Repeat("word ", 40)), strings.Repeat("word ", 20)}},
		{strings.Repeat("x", 300), []string{strings.Repeat("x", 300)}},
	} {
		if got := Folded(c.text); strings.Join(got, "|") != strings.Join(c.want, "|") {
			t.Errorf("%q: %q", c.text, got)
		}
	}
}

// TestLinesOfSteps: what the 16 steps say, and a question with a long help, is in lines that can be read aloud.
func TestLinesOfSteps(t *testing.T) {
	var out bytes.Buffer
	f := &Front{Out: &out, Spoken: true}
	for _, s := range steps.Steps() {
		f.Event(front.StepBegan{Step: s})
		f.Event(front.Planned{Actions: []front.Action{{Says: "do it"}}})
		f.Event(front.StepEnded{Step: s, Status: front.Status{State: front.Done, Evidence: []string{s.Why(), s.Why()}}})
	}
	for _, l := range strings.Split(out.String(), "\n") {
		if n := ansi.StringWidth(l); n > longest {
			t.Errorf("%d characters: %s", n, l)
		}
	}
	if got := strings.Join(strings.Fields(out.String()), ""); !strings.Contains(got, strings.Join(strings.Fields(steps.Steps()[15].Why()), "")) {
		t.Error("a long line lost words")
	}
}

// TestCommandsOnRequest: a person gets the commands of a step with ?, all of them, before the answer.
func TestCommandsOnRequest(t *testing.T) {
	for _, c := range []struct {
		name     string
		attended bool
		commands bool
		before   bool // the commands come with the plan
	}{
		{"attended", true, false, false},
		{"attended, --commands", true, true, true},
		{"a record", false, false, true},
	} {
		in, keyboard, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if _, err := keyboard.WriteString("?\nno\n"); err != nil {
			t.Fatal(err)
		}
		keyboard.Close()
		var out bytes.Buffer
		f := &Front{Out: &out, In: in, Yes: !c.attended, Commands: c.commands}
		f.Event(front.StepBegan{Step: steps.Steps()[5]})
		f.Event(front.Planned{Actions: []front.Action{{Says: "make the pair", Command: "ssh-keygen -t ecdsa"}}})
		if got := strings.Contains(out.String(), "\n        ssh-keygen -t ecdsa\n"); got != c.before {
			t.Errorf("%s: commands with the plan: %v\n%s", c.name, got, &out)
		}
		answer, err := f.Ask(context.Background(), front.Question{ID: "go", Kind: front.AskConfirm, Default: "yes", Ask: "Do this?", Help: "It takes a minute."})
		if err != nil || answer != map[bool]string{true: "no", false: "yes"}[c.attended] {
			t.Errorf("%s: %q %v", c.name, answer, err)
		}
		if got := strings.Contains(out.String(), "Answer, yes or no [yes]:         ssh-keygen -t ecdsa\n"); got != (c.attended && !c.commands) {
			t.Errorf("%s: ? shows commands: %v\n%s", c.name, got, &out)
		}
		if c.attended && strings.Index(out.String(), "Do this?") > strings.Index(out.String(), "It takes a minute.") {
			t.Errorf("%s: the help comes first:\n%s", c.name, &out)
		}
	}
}
