// Package front is the language between flwrup and its front ends: how a step stands, the events of work
// in progress, questions to the person, and the views of SuperNodes and runs. It does no I/O.
package front

import (
	"context"
	"time"

	"flwrup/internal/supernode"
)

// State is how a step stands, read from the world and not from a saved tick.
type State int

const (
	Unknown   State = iota // not looked at yet
	Done                   // nothing to do; Evidence says why we think so
	Ready                  // can be applied now
	Blocked                // another step (Status.By) comes first
	NotNeeded              // Why says why not
	Waiting                // for a person or for the grid; Why says for what
)

// String returns the one word that front ends show next to the sign.
func (s State) String() string {
	return [...]string{"unknown", "done", "ready", "blocked", "not needed", "waiting"}[s]
}

// Status is what Inspect found.
type Status struct {
	State    State
	Evidence []string // what was found, one fact a line: "5 key pairs in ./keys, mode 0600"
	Why      string   // Blocked, NotNeeded, Waiting: one sentence
	By       StepID   // Blocked: the step that comes first
	Person   bool     // Waiting: for a person (else for the grid)
	Change   bool     // Ready: the choice can be changed before the step is done
	Before   bool     // not done now, and it was once: what has changed since is looked after on the dashboard
	Short    string   // for the list of steps: "5", "3/5", "@ada/study"
	Done, Of int      // where a count is known
	Items    []Item   // one a SuperNode, where the step is about each of them
	Links    []Link   // pages that belong to the step
	Hints    []string // what a person might want to know now, not evidence
	Letter   *Letter  // to send; nil for none
	Deed     string   // Waiting: what Enter does to end it; "" for a closer look
}

// Item is one SuperNode (or file, or layer) of a step.
type Item struct {
	Name  string
	State ItemState
	Text  string // node ID, status, reason: one line
}

// ItemState is how one item stands.
type ItemState int

const (
	ItemWaiting ItemState = iota
	ItemWorking
	ItemDone
	ItemFailed
)

// Link is a page that a person may open.
type Link struct{ Label, URL string }

// Action is one thing that Apply would do.
type Action struct {
	Says         string // a sentence: "register supernode_3"
	Command      string // what a person would type into /bin/sh to the same effect; "" where there is none
	Flags        []Flag // each flag of Command explained
	Diff         string // a file edit, unified
	Irreversible bool   // cannot be taken back
}

// Flag is one flag of a command with what it does.
type Flag struct{ Flag, Means string }

// Sink is a front end as a step sees it. Event returns at once; both may be called from any goroutine.
type Sink interface {
	Event(Event)
	// Ask puts q to the person and waits. An unattended front end answers q.Default, or fails with a
	// Problem (needs-person) where there is none.
	Ask(ctx context.Context, q Question) (string, error)
}

// QuestionKind is the form that a question takes.
type QuestionKind int

const (
	AskText        QuestionKind = iota
	AskNumber                   // a whole number
	AskChoice                   // one of Choices
	AskSecret                   // never shown, never logged; typed twice when Twice
	AskConfirm                  // answered "yes" or "no"
	AskAcknowledge              // the person says that they have done it: answered "yes" or "later"
	AskLetter                   // the path of a file with a letter to flwrup, or the letter itself, pasted
)

// Question is what only the person can answer.
type Question struct {
	ID       string // stable name, for scripts and tests: "nodes", "federation", "passphrase"
	Kind     QuestionKind
	Ask      string // the question, one line
	Help     string // one or two sentences more
	Default  string // Enter takes it; "" where the person must answer
	Choices  []Choice
	Twice    bool
	Validate func(string) error // called as one types; must be quick and do no input or output
	Diff     string             // what a yes would change, unified
}

// Choice is one possible answer.
type Choice struct {
	Value, Label, Note string
	Disabled           bool // shown, with Note as the reason, but not to be taken
}

// Event is something that happened while a step was applied.
type Event interface{ event() }

type (
	// StepBegan and StepEnded frame the events of one step (Walk sends them).
	StepBegan struct{ Step Step }
	// StepEnded carries the new status; Err is what stopped the step, if anything did.
	StepEnded struct {
		Step   Step
		Status Status
		Err    error
	}
	// Planned is what the step that began would do, for a person who follows the walk (Walk sends it).
	Planned struct{ Actions []Action }
	// Says is a sentence about what is being done now.
	Says struct{ Text string }
	// Output is one line that a program printed, safe to show.
	Output struct{ Text string }
	// Ran is a command that was run, for the log of commands.
	Ran struct {
		Command string
		Took    time.Duration
		Err     error
	}
	// Progress moves a bar; Total 0 means that the size is not known. Bytes: the unit is bytes.
	Progress struct {
		Label       string
		Done, Total int64
		Bytes       bool
	}
	// ItemChanged is one SuperNode's (or file's) new state.
	ItemChanged struct{ Item Item }
	// LoginOpen asks the person to approve the login at URL, whose page shows the Code, or, when Typed, asks for
	// it. Expires is zero when flwr does not say.
	LoginOpen struct {
		URL, Code      string
		Typed          bool
		Warn           string // why flwrup does not open URL; "" where it leads to the grid
		Since, Expires time.Time
	}
	// LoginClosed ends LoginOpen: approved, or over.
	LoginClosed struct{ Approved bool }
	// NodeLine is a line of a SuperNode's log, shown where one waits for it.
	NodeLine struct{ Line supernode.Line }
	// RunBegan names the run whose output follows.
	RunBegan struct{ ID string }
	// RunState is how the run stands now.
	RunState struct{ Run RunView }
	// RunNodes says how many SuperNodes were chosen for a round, of how many that were online.
	RunNodes struct{ Chosen, Of int }
	// Turned says that the work is another verb's now, or for other names: so the person has answered.
	Turned struct {
		Verb  Verb
		Nodes []string
	}
	// Letter is a letter to another institution that flwrup has written into a file: a site's request, a coordinator's
	// reply. It holds nothing secret.
	Letter struct {
		To    string // who gets it
		File  string // relative to the project's folder
		Words string // that are read to them by telephone
		Text  string
	}
	// Metric is one number of one round, read from the run's output.
	Metric struct {
		Round int
		Phase string // "train" and "evaluate": of the ClientApps, put together; "server": of the ServerApp itself
		Name  string // as people tell them apart: "server loss"
		Value float64
	}
)

func (StepBegan) event()   {}
func (StepEnded) event()   {}
func (Planned) event()     {}
func (Says) event()        {}
func (Output) event()      {}
func (Ran) event()         {}
func (Progress) event()    {}
func (ItemChanged) event() {}
func (LoginOpen) event()   {}
func (LoginClosed) event() {}
func (NodeLine) event()    {}
func (RunBegan) event()    {}
func (RunState) event()    {}
func (RunNodes) event()    {}
func (Metric) event()      {}
func (Letter) event()      {}
func (Turned) event()      {}
