package front

import (
	"context"
	"strconv"
)

// StepID names one of the 16 steps of Flower's registration guide. Its value is the step's number there.
type StepID int

const (
	StepAccount StepID = iota + 1
	StepFederation
	StepTools
	StepCertificate
	StepCount
	StepKeys
	StepBackup
	StepConfigure
	StepLogin
	StepRegister
	StepHandover
	StepConfirmation
	StepStart
	StepOnline
	StepRun
	StepMonitor
)

// StepTotal is the number of steps.
const StepTotal = int(StepMonitor)

// String returns the step's number.
func (id StepID) String() string { return strconv.Itoa(int(id)) }

// traits are how doing a step differs from doing the others.
type traits struct {
	asks      bool   // doing it begins with a question, and nothing is done before the answer
	word      bool   // it is done at a person's word alone, however much flwrup may do unasked
	result    bool   // what it shows at its end is what the person came for
	looks     bool   // watches SuperNodes or a run, and starts nothing
	waits     bool   // stopping it loses no work
	unasked   bool   // changes this machine or the grid without a question of its own
	deed      string // what Enter does there; "" for a step that asks first
	supernode bool   // part of the way of one SuperNode from its key to online
}

var traitsOf = map[StepID]traits{
	StepAccount:      {asks: true},
	StepFederation:   {asks: true},
	StepTools:        {deed: "set up flwr and the runtime", unasked: true},
	StepCertificate:  {asks: true},
	StepCount:        {asks: true},
	StepKeys:         {deed: "generate the keys", supernode: true},
	StepBackup:       {supernode: true, asks: true},
	StepConfigure:    {supernode: true, asks: true},
	StepLogin:        {deed: "log in", supernode: true},
	StepRegister:     {deed: "register", supernode: true, unasked: true, word: true},
	StepHandover:     {deed: "hand over the node IDs", supernode: true, unasked: true},
	StepConfirmation: {supernode: true, waits: true},
	StepStart:        {deed: "start the SuperNodes", supernode: true, unasked: true},
	StepOnline:       {deed: "wait until all are online", supernode: true, looks: true, waits: true},
	StepRun:          {deed: "run the app", unasked: true, word: true},
	StepMonitor:      {deed: "follow the run", looks: true, waits: true, result: true},
}

// AsksFirst reports whether doing the step begins with a question, and does nothing before the answer.
func (id StepID) AsksFirst() bool { return traitsOf[id].asks }

// Deed says what doing the step is: "start the SuperNodes".
func (id StepID) Deed() string {
	if traitsOf[id].asks || traitsOf[id].deed == "" {
		return "answer the question"
	}
	return traitsOf[id].deed
}

// NeedsWord reports whether the step is done at a person's word alone: it cannot be taken back, or others take part.
func (id StepID) NeedsWord() bool { return traitsOf[id].word }

// ShowsResult reports whether what the step shows at its end is what the person came for.
func (id StepID) ShowsResult() bool { return traitsOf[id].result }

// OnlyLooks reports whether doing the step watches SuperNodes or a run, and starts nothing.
func (id StepID) OnlyLooks() bool { return traitsOf[id].looks }

// OnlyWaits reports whether stopping the step loses no work.
func (id StepID) OnlyWaits() bool { return traitsOf[id].waits }

// ChangesUnasked reports whether the step changes this machine or the grid without a question of its own.
func (id StepID) ChangesUnasked() bool { return traitsOf[id].unasked }

// PerSuperNode reports whether the step is part of the way of one SuperNode from its key to online.
func (id StepID) PerSuperNode() bool { return traitsOf[id].supernode }

// NeedsLogin reports whether the step comes after the login.
func (id StepID) NeedsLogin() bool { return id > StepLogin }

// CallsGrid reports whether the step is the login or comes after it: from there on flwr calls the grid.
func (id StepID) CallsGrid() bool { return id >= StepLogin }

// HasLogs reports whether SuperNodes may run when the step is shown, and so have logs.
func (id StepID) HasLogs() bool { return id >= StepConfirmation }

// Step is a step as front ends show it.
type Step interface {
	ID() StepID
	Name() string  // for the list: "Register"
	Title() string // for the screen: "Register each SuperNode"
	Why() string   // what the step does and why, two or three sentences in plain words
}

// Look is one look at the steps: what it reads for one of them serves those after it. It may block, and is not for
// several goroutines.
type Look interface {
	Inspect(ctx context.Context, id StepID) (Status, error) // how a step stands
	Plan(ctx context.Context, id StepID) ([]Action, error)  // what Apply would do
}

// Worded is a Step whose words are not those of its number.
type Worded interface {
	Deed() string // as StepID.Deed
	Undo() string // as StepID.Undo
}
