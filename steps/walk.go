package steps

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/turn"
)

// checklist is the 16 steps in the guide's order.
var checklist = []Step{
	account{}, chooseFederation{}, tools{}, certificate{}, count{}, makeKeys{}, backUp{}, configure{},
	login{}, register{}, handOver{}, confirmation{}, start{}, online{}, runTask{}, monitor{},
}

// Steps returns the 16 steps, in order, as front ends show them.
func Steps() []front.Step { return shown(checklist) }

func shown(way []Step) []front.Step {
	list := make([]front.Step, len(way))
	for i, st := range way {
		list[i] = st
	}
	return list
}

// way returns the 16 steps of a folder: a site whose federation somebody else coordinates has its own, and a coordinator
// whose SuperNodes are all at other sites.
func way(f site.Folder) []Step {
	switch {
	case f.Coordinated():
		return coordinated
	case f.Choices.NoneHere():
		return sitesOnly
	}
	return checklist
}

func step(f site.Folder, id front.StepID) (Step, error) {
	if id < 1 || int(id) > len(checklist) {
		return nil, fmt.Errorf("no step %d", id)
	}
	return way(f)[id-1], nil
}

// Inspect looks at the site and tells how step id stands.
func Inspect(ctx context.Context, s *site.Site, id front.StepID) (front.Status, error) {
	return NewLook(s).Inspect(ctx, id)
}

// Plan looks at the site and tells what Apply of step id would do.
func Plan(ctx context.Context, s *site.Site, id front.StepID) ([]front.Action, error) {
	return NewLook(s).Plan(ctx, id)
}

// Apply does step id. A session that is over in the middle brings the person back to the login, and
// then on with the same step.
func Apply(ctx context.Context, s *site.Site, id front.StepID, to front.Sink) error {
	st, err := step(s.Folder(), id)
	if err != nil {
		return err
	}
	return inTurn(ctx, s, id, to, func(to front.Sink) error {
		if err := s.TakeEdits(); err != nil {
			if !problem.Is(err, problem.NotAccepted) || !id.OnlyLooks() {
				return err
			}
			to.Event(front.Says{Text: "keeping the previous values: " + err.Error()})
		}
		if id == front.StepLogin {
			return attempt(ctx, s, st, to)
		}
		return loggedIn(ctx, s, to, func() error { return attempt(ctx, s, st, to) })
	})
}

// thinkFirst are the steps at whose first question a person may stay for long, and that change nothing before the answer.
var thinkFirst = []front.StepID{front.StepAccount, front.StepFederation, front.StepCount, front.StepConfirmation}

// inTurn does a step while no other flwrup acts in the folder. A step that only looks needs no turn.
func inTurn(ctx context.Context, s *site.Site, id front.StepID, to front.Sink, do func(front.Sink) error) error {
	switch {
	case id.OnlyLooks():
		return do(to)
	case slices.Contains(thinkFirst, id):
		return site.InTurnOnceAsked(ctx, s, "at "+atStep(id), to, do)
	}
	return site.InTurn(ctx, s, "at "+atStep(id), to, do)
}

// atStep names a step for the person of another flwrup: "step 10 (Register)".
func atStep(id front.StepID) string {
	return "step " + id.String() + " (" + checklist[id-1].Name() + ")"
}

func attempt(ctx context.Context, s *site.Site, st Step, to front.Sink) error {
	err := st.Apply(ctx, s, to)
	s.Forget()
	if cause := context.Cause(ctx); cause != nil && err != nil {
		return problem.Stopped(cause, "stopped", "run flwrup again to continue from here")
	}
	return err
}

// CanChange reports whether the choice of a step can be made again.
func CanChange(s *site.Site, id front.StepID) bool {
	st, err := step(s.Folder(), id)
	_, ok := st.(Changer)
	return err == nil && ok
}

// Change makes the choice of a step again.
func Change(ctx context.Context, s *site.Site, id front.StepID, to front.Sink) error {
	st, err := step(s.Folder(), id)
	if err != nil {
		return err
	}
	c, ok := st.(Changer)
	if !ok {
		return problem.New(problem.NotSupported, st.Title()+" has nothing to change", "", "")
	}
	return changeBy(ctx, s, id, c, to)
}

func changeBy(ctx context.Context, s *site.Site, id front.StepID, c Changer, to front.Sink) error {
	defer s.Forget()
	return inTurn(ctx, s, id, to, func(to front.Sink) error {
		if err := s.TakeEdits(); err != nil {
			return err
		}
		return loggedIn(ctx, s, to, func() error { return c.Change(ctx, s, to) })
	})
}

// Walk goes through the steps from the first that is not done to the last. It stops with a Problem:
// needs-person or needs-grid where somebody else has to go on, or what went wrong.
func Walk(ctx context.Context, s *site.Site, to front.Sink) error {
	return WalkTo(ctx, s, to, front.StepMonitor)
}

// WalkTo is Walk that ends after step last.
func WalkTo(ctx context.Context, s *site.Site, to front.Sink, last front.StepID) error {
	unlock, err := turn.LockWalk(s.Dir)
	if err != nil {
		return err
	}
	defer unlock()
	if last.CallsGrid() && !s.Folder().Coordinated() { // the first that calls flwr; the steps before take their own time
		warm(ctx, s)
	}
	if s.Options.Attended {
		to = &guided{to, s}
	}
	for _, st := range way(s.Folder())[:last] {
		where := fmt.Sprintf("step %d", st.ID())
		if err := safego.Call(where, func() error { return walkOne(ctx, s, st, to) }); err != nil {
			return err
		}
	}
	return nil
}

// guided is the front end of a person who follows a walk: a step shows its plan first,
// and does it when they say so.
type guided struct {
	front.Sink
	s *site.Site
}

// tell shows the plan of a step, and asks where the step would change something without a question of its own.
func (g *guided) tell(ctx context.Context, st Step) error {
	actions, err := Plan(ctx, g.s, st.ID())
	if err != nil { // doing it says why
		return nil
	}
	g.Event(front.Planned{Actions: actions})
	if !st.ID().ChangesUnasked() {
		return nil
	}
	answer, err := g.Ask(ctx, front.Question{ID: "do", Kind: front.AskConfirm, Default: "yes", Ask: "Do this?"})
	if err == nil && answer != "yes" {
		err = problem.New(problem.NeedsPerson, "nothing was done", "", "the same command returns to this step")
	}
	return err
}

func walkOne(ctx context.Context, s *site.Site, st Step, to front.Sink) error {
	status, err := inspectPatiently(ctx, s, st, to)
	if err != nil {
		return ended(ctx, s, to, st, status, err)
	}
	if status.State == front.Done || status.State == front.NotNeeded {
		to.Event(front.StepEnded{Step: st, Status: status})
		return nil
	}
	to.Event(front.StepBegan{Step: st})
	if status.State == front.Blocked {
		return ended(ctx, s, to, st, status, problem.New(problem.NeedsPerson, st.Title()+" cannot be done yet",
			status.Why, fmt.Sprintf("finish step %d first", status.By)))
	}
	if g, ok := to.(*guided); ok {
		if err := g.tell(ctx, st); err != nil {
			return ended(ctx, s, to, st, status, err)
		}
	}
	asked := &asked{Sink: to}
	if err := Apply(ctx, s, st.ID(), asked); err != nil {
		return ended(ctx, s, to, st, status, err)
	}
	if status, err = inspectPatiently(ctx, s, st, to); err != nil {
		return ended(ctx, s, to, st, status, err)
	}
	if status.State == front.Done || status.State == front.NotNeeded {
		to.Event(front.StepEnded{Step: st, Status: status})
		return nil
	}
	code := problem.NeedsGrid
	if status.Person {
		code = problem.NeedsPerson
	}
	why := status.Why
	if no := asked.declined(); why == "" && no != "" {
		return ended(ctx, s, to, st, status, problem.New(problem.NeedsPerson, st.Title()+" is left for later",
			"you answered no to: "+no, "run the same command again when you can"))
	}
	if why == "" {
		why = "flwrup did it, but still sees " + status.State.String()
		code = problem.Internal
	}
	return ended(ctx, s, to, st, status, problem.New(code, st.Title()+" is "+status.State.String(), why,
		"run the same command again to continue from here"))
}

// asked is a Sink that keeps in mind what the person said no to last.
type asked struct {
	front.Sink
	mu sync.Mutex
	no string
}

func (a *asked) Ask(ctx context.Context, q front.Question) (string, error) {
	answer, err := a.Sink.Ask(ctx, q)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.no = ""
	if err == nil && answer != "yes" && (q.Kind == front.AskConfirm || q.Kind == front.AskAcknowledge) {
		a.no = q.Ask
	}
	return answer, err
}

func (a *asked) declined() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.no
}

// ended reports how a step stopped and gives its error back.
func ended(ctx context.Context, s *site.Site, to front.Sink, st Step, status front.Status, err error) error {
	if ctx.Err() != nil && !problem.Is(err, problem.Cancelled) {
		err = problem.Stopped(err, "stopped", "run flwrup again to continue from here")
	}
	err = leftForLater(s, st, site.WithNetwork(ctx, s, err))
	to.Event(front.StepEnded{Step: st, Status: status, Err: err})
	return fmt.Errorf("step %d, %s: %w", st.ID(), st.Name(), err)
}
