package steps

import (
	"context"
	"time"

	"flwrup/internal/fit"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/history"
	"flwrup/internal/notify"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/turn"
)

// Work is all that a screen does with one site. Its methods hand on to the rooms that do the work, and may be
// called from any goroutine.
type Work struct{ s *site.Site }

// On returns the work on s, which stays the caller's to close.
func On(s *site.Site) Work { return Work{s} }

// Title returns what every screen's first line says.
func (w Work) Title() front.Title { return w.s.Title() }

// Steps returns the 16 steps, in order, in the words of this folder's way.
func (w Work) Steps() []front.Step { return shown(way(w.s.Folder())) }

// Look returns a look at the steps that has read nothing yet.
func (w Work) Look() front.Look { return NewLook(w.s) }

// Apply does a step.
func (w Work) Apply(ctx context.Context, id front.StepID, to front.Sink) error {
	return Apply(ctx, w.s, id, to)
}

// CanChange reports whether the step's choice can be made again.
func (w Work) CanChange(id front.StepID) bool { return CanChange(w.s, id) }

// Change makes the step's choice again.
func (w Work) Change(ctx context.Context, id front.StepID, to front.Sink) error {
	return Change(ctx, w.s, id, to)
}

// CanUndo reports whether the step's last file edit can be taken back.
func (w Work) CanUndo(id front.StepID) bool { return site.CanUndo(w.s, id) }

// Undo takes the step's last file edit back.
func (w Work) Undo(ctx context.Context, id front.StepID, to front.Sink) error {
	return site.InTurn(ctx, w.s, "undoing "+atStep(id), to, func(front.Sink) error { return site.Undo(ctx, w.s, id) })
}

// Overview returns the dashboard's data; the grid is asked only when its answer is older than maxAge.
func (w Work) Overview(ctx context.Context, maxAge time.Duration) front.Overview {
	fit.Ask(ctx, w.s)
	return health.Overview(ctx, w.s, maxAge)
}

// Past returns how the SuperNodes stood from one time to another.
func (w Work) Past(from, to time.Time) (history.Timeline, error) { return health.Past(w.s, from, to) }

// Usage reads what a SuperNode takes of this machine.
func (w Work) Usage(ctx context.Context, node string) (supernode.Usage, error) {
	return site.Usage(ctx, w.s, node)
}

// Logs calls each with the lines of a SuperNode's log.
func (w Work) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	return site.Logs(ctx, w.s, node, o, each)
}

// Watch calls changed whenever a SuperNode started or ended here, until ctx ends.
func (w Work) Watch(ctx context.Context, changed func()) error { return site.Watch(ctx, w.s, changed) }

// RunProgress reads from a run's log how far it has come.
func (w Work) RunProgress(ctx context.Context, run string) (front.RunProgress, error) {
	return runs.Progress(ctx, w.s, run)
}

// SaveMetrics writes a run's metrics to a CSV file and returns its name; no run means the last one.
func (w Work) SaveMetrics(ctx context.Context, run string) (file string, err error) {
	return runs.SaveMetrics(ctx, w.s, run)
}

// Act does verb to the named SuperNodes.
func (w Work) Act(ctx context.Context, verb front.Verb, nodes []string, to front.Sink) error {
	return Act(ctx, w.s, verb, nodes, to)
}

// BringUp restarts the named SuperNodes, unless they are up again; see BringUp.
func (w Work) BringUp(ctx context.Context, nodes []string, to front.Sink) error {
	return BringUp(ctx, w.s, nodes, to, func(string) {})
}

// Notify returns what the person wants to hear of, and how.
func (w Work) Notify() notify.Settings { return w.s.Choices().Notify }

// HoldWatch takes the watch over the folder's SuperNodes for this flwrup; a Problem (busy) where another does.
func (w Work) HoldWatch() (release func(), err error) { return turn.LockWatch(w.s.Dir) }

// Others returns what other flwrups do in the folder.
func (w Work) Others() front.Others { return site.Others(w.s) }

// Handover returns the list of node IDs for the federation's administrator; none where the keys cannot be read, which
// the step itself says.
func (w Work) Handover() fleet.Handover {
	h, _ := fleet.NewHandover(w.s)
	return h
}

// Reference returns the guide's quick reference in the dialect of the flwr at hand.
func (w Work) Reference() []front.Action { return fleet.Reference(w.s) }

// Answers returns the questions of a new user, with answers for this folder.
func (w Work) Answers() []front.Answer { return fleet.Answers(w.s) }

// Places returns the pages where a person finds help.
func (w Work) Places() []front.Link { return fleet.Places() }
