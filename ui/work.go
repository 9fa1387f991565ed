// Package ui is the wizard in a terminal: the 16 screens, the dashboard and the log panes, drawn with Bubble
// Tea. It decides nothing about the work: that is behind Work.
package ui

import (
	"context"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/notify"
	"flwrup/internal/supernode"
)

// Work is the interface of the screens to the work; steps.Work implements it. Every method except Title,
// Steps, Look, CanChange, CanUndo, Notify, Reference, Answers and Places may block, so only a tea.Cmd calls it.
type Work interface {
	Title() front.Title
	Steps() []front.Step // the 16, in order
	Look() front.Look    // at the steps
	Apply(ctx context.Context, step front.StepID, to front.Sink) error
	CanChange(step front.StepID) bool // the step's choice can be made again
	Change(ctx context.Context, step front.StepID, to front.Sink) error
	CanUndo(step front.StepID) bool // the step's last file edit can be undone
	Undo(ctx context.Context, step front.StepID, to front.Sink) error

	// Overview returns the dashboard's data; it asks the grid again only when its answer is older than maxAge.
	Overview(ctx context.Context, maxAge time.Duration) front.Overview
	Past(from, to time.Time) (history.Timeline, error) // how the SuperNodes stood
	Usage(ctx context.Context, node string) (supernode.Usage, error)
	Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error
	Watch(ctx context.Context, changed func()) error // runtime states; returns when ctx ends
	RunProgress(ctx context.Context, run string) (front.RunProgress, error)
	// SaveMetrics writes a run's metrics to a CSV file and returns its name; no run means the last one.
	SaveMetrics(ctx context.Context, run string) (file string, err error)
	Act(ctx context.Context, verb front.Verb, nodes []string, to front.Sink) error

	Notify() notify.Settings // what the person wants to hear of, and how

	// Others returns what other flwrups do in the same folder. HoldWatch takes the watch for this one, which then restarts
	// lost SuperNodes with BringUp, which leaves alone what is up again.
	Others() front.Others
	HoldWatch() (release func(), err error)
	BringUp(ctx context.Context, nodes []string, to front.Sink) error

	Reference() []front.Action // the guide's quick reference in the dialect of the installed flwr
	Answers() []front.Answer   // to the questions of a new user
	Places() []front.Link      // where to get help
}
