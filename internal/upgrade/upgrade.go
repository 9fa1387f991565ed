package upgrade

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/fit"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Codes of Problems.
const (
	Failed    problem.Code = "upgrade-failed"    // SuperNodes did not work with the new release
	Available problem.Code = "upgrade-available" // there is a release to move to
	Needed    problem.Code = "upgrade-needed"    // something cannot talk to the grid as it is
)

// Options says how an upgrade goes.
type Options struct {
	Target string // release of flwr; "" chooses, see Make
	Now    bool   // runs that go on are not waited for
	Agreed bool   // the person has said yes to whatever the plan is

	RemoveOld bool // releases that earlier upgrades left are removed without a question
}

// Do moves the set-up to another release, after showing the plan and asking. An upgrade that was cut short, by whatever, goes on
// when it is called again: which SuperNode runs what is read from what runs. again has the person log in where the session is
// over. It returns the plan, also where there was nothing to do. Problems: upgrade-failed, with what was taken back;
// needs-person, where the person did not agree.
func Do(ctx context.Context, s *site.Site, o Options, to front.Sink, again fleet.Again) (Plan, error) {
	if err := s.TakeEdits(); err != nil {
		return Plan{}, err
	}
	p, err := Make(ctx, s, o.Target)
	if err != nil {
		return p, err
	}
	if p.Nothing() {
		to.Event(front.Says{Text: p.Summary()})
		if o.RemoveOld {
			return p, site.InTurn(ctx, s, "removing old releases of flwr", to, func(to front.Sink) error { return clearOld(ctx, s, true, to) })
		}
		return p, nil
	}
	if err := agree(ctx, p, p.Lines(s.Folder()), o, to); err != nil {
		return p, err
	}
	found, err := prepare(ctx, s, p, to)
	if err != nil {
		return p, err
	}
	if !o.Now {
		if err := waitForRuns(ctx, s, to); err != nil {
			return p, err
		}
	}
	return p, site.InTurn(ctx, s, "upgrading to flwr "+p.To.String(), to, func(to front.Sink) error {
		w := work{s: s, to: to, again: again, found: found, gridStays: gridStays(ctx, s)}
		if err := w.do(ctx, o.Target); err != nil {
			return err
		}
		return clearOld(ctx, s, o.RemoveOld, to)
	})
}

// agree shows the plan and asks. To continue an upgrade that was cut short needs no second yes.
func agree(ctx context.Context, p Plan, lines []string, o Options, to front.Sink) error {
	if len(p.Runs) > 0 && o.Now {
		lines = append(lines, "It loses its SuperNodes one after the other, and may fail.")
	} else if len(p.Runs) > 0 {
		lines = append(lines, "flwrup waits until it has ended, then begins.")
	}
	if p.Open || o.Agreed {
		for _, line := range lines {
			to.Event(front.Says{Text: line})
		}
		return nil
	}
	q := front.Question{ID: "upgrade", Kind: front.AskConfirm, Default: "no", Ask: "Move to flwr " + p.To.String() + "?", Help: strings.Join(lines, "\n")}
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer != "yes" {
		return problem.New(problem.NeedsPerson, "nothing was changed", "moving to another release restarts SuperNodes, so a person has to confirm", "confirm with --yes")
	}
	return nil
}

// prepare gets the environment and the images while the SuperNodes go on.
func prepare(ctx context.Context, s *site.Site, p Plan, to front.Sink) (install.Found, error) {
	o := install.Options{Version: p.To.String(), Say: func(line string) { to.Event(front.Output{Text: line}) }}
	if s.Rehearsal() {
		o.Packages = []string{"numpy"}
	}
	found, err := install.Ensure(ctx, o)
	if err != nil || s.Choices().NoneHere() {
		return found, err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return found, err
	}
	if err := rt.Check(ctx); err != nil {
		return found, err
	}
	for _, host := range site.Hosts(s) {
		spec := supernode.Spec{Project: s.Choices().ID, Flwr: p.To.String(), Image: p.Image, Program: found.SuperNode(), Host: host}
		if err := rt.Prepare(ctx, spec, func(p supernode.Progress) {
			to.Event(front.Progress{Label: p.Text, Done: p.Done, Total: p.Total, Bytes: true})
		}); err != nil {
			return found, err
		}
	}
	return found, nil
}

// waitForRuns waits until no run of the account goes on. A grid that cannot be asked keeps nobody waiting.
func waitForRuns(ctx context.Context, s *site.Site, to front.Sink) error {
	if s.Folder().Coordinated() {
		return nil // runs are the coordinator's, and not seen from here
	}
	for try := 0; ; try++ {
		list, err := runs.Runs(ctx, s, 0)
		if err != nil {
			return ctx.Err()
		}
		i := slices.IndexFunc(list, func(r front.RunView) bool { return r.Status.Going() })
		if i < 0 {
			return nil
		}
		if try == 0 {
			to.Event(front.Says{Text: "waiting until run " + list[i].ID + " has ended (--now does not wait)"})
		}
		if err := safego.Sleep(ctx, 3*time.Second); err != nil {
			return problem.Stopped(context.Cause(ctx), "stopped before anything was changed", "")
		}
	}
}

// work is an upgrade under way, in the turn.
type work struct {
	s     *site.Site
	to    front.Sink
	again fleet.Again
	found install.Found // flwr that is moved to

	gridStays bool // of a rehearsal: its grid outlives this flwrup
}

// do moves to the release. Others may have acted since the plan was shown, so it is made once more.
func (w work) do(ctx context.Context, target string) error {
	p, err := Make(ctx, w.s, target)
	if err != nil || p.Nothing() {
		return err
	}
	if p.To != w.found.Version {
		return problem.New(problem.Busy, "cannot upgrade", "the set-up changed meanwhile", "run it again")
	}
	intent, err := w.begin(p)
	if err != nil {
		return err
	}
	before, _ := flwr.ParseVersion(intent.From)
	if err := w.move(ctx, p.To, names{imageOf(p, w.s.Choices().Image), fleetOf(p, w.s.Choices().Grid.Fleet)}); err != nil {
		if ctx.Err() != nil || p.Open {
			return err
		}
		var left []string
		if w.s.Rehearsal() { // all of them stopped before their grid was replaced
			left = w.moved(ctx, p, "")
		}
		return w.takeBack(ctx, intent, "", left, err)
	}
	if err := w.stillKnown(ctx, p); err != nil {
		return errors.Join(err, w.s.Ledger.Abandon(intent.ID, problem.Of(err).Error()))
	}
	var todo []string
	for _, n := range p.Nodes {
		todo = append(todo, n.Name)
	}
	behind := []error{}
	if len(todo) > 0 {
		first := todo[0]
		if err := w.restart(ctx, []string{first}, stays); err != nil {
			if ctx.Err() != nil {
				return err
			}
			if someRun(ctx, w.s, p.To) { // it went on: the release works here
				behind = append(behind, w.leaveBehind(ctx, first, before, p.To, err))
			} else {
				return w.takeBack(ctx, intent, first, append([]string{first}, w.moved(ctx, p, first)...), err)
			}
		}
		for batch := range slices.Chunk(todo[1:], atOnce) {
			err := w.restart(ctx, batch, 0)
			if ctx.Err() != nil {
				return err
			}
			if err == nil {
				continue
			}
			for _, name := range notOnline(ctx, w.s, batch) {
				behind = append(behind, w.leaveBehind(ctx, name, before, p.To, err))
			}
		}
	}
	if err := w.exported(ctx); err != nil {
		return err
	}
	if len(behind) > 0 {
		return problem.Join(behind...) // the intent stays: the same command tries them again
	}
	if err := w.s.Ledger.Finish(intent.ID, func(d *ledger.Data) error {
		d.Kept = append(d.Kept, ledger.Kept{From: intent.From, Image: intent.Image, At: time.Now()})
		return nil
	}); err != nil {
		return err
	}
	w.to.Event(front.Says{Text: "flwr " + p.To.String() + ": done"})
	return nil
}

// NewRecords is the code of a Problem about a grid that knows none of the SuperNodes any more.
const NewRecords problem.Code = "grid-records-new"

// stillKnown returns the Problem of a grid that lists no SuperNode of the account though some were registered there: its
// records are new, as when a SuperLink of 1.42 takes the place of one of 1.24, whose records it does not read. No SuperNode
// comes online there before its key is registered again.
func (w work) stillKnown(ctx context.Context, p Plan) error {
	if len(p.Nodes) == 0 || w.s.Folder().Coordinated() {
		return nil
	}
	nodes, err := site.NodesNow(ctx, w.s, w.to)
	if err != nil || len(nodes) > 0 {
		return err
	}
	control := site.ControlOf(w.s.Choices().Grid, w.s.Dialect())
	return problem.New(NewRecords, "flwr "+p.To.String()+" is at hand, and the grid lists none of the SuperNodes: its records are new, or another account is signed in", "no SuperNode was touched",
		"sign in with the account that registered them; on a grid with new records register their keys as on another grid, under a name of its own: flwrup up --connection NAME --control "+control+" --federation @ACCOUNT/NAME --create-federation")
}

// names are the values of flwrup.toml that move with the release.
type names struct{ image, fleet string }

// fleetOf is the address for SuperNodes that flwrup.toml names after the move.
func fleetOf(p Plan, now string) string {
	if p.Fleet != "" {
		return p.Fleet
	}
	return now
}

// imageOf is the image that flwrup.toml names after the move.
func imageOf(p Plan, now string) string {
	if p.Gives != "" {
		return ""
	}
	return now
}

// begin notes what is about to happen. An upgrade that goes elsewhere than a cut-short one takes its place.
func (w work) begin(p Plan) (ledger.Intent, error) {
	if have, open := w.s.Ledger.Data().UpgradeUnderWay(w.s.Choices().Grid.Connection); open {
		if have.To == p.To.String() {
			return have, nil
		}
		if err := w.s.Ledger.Abandon(have.ID, "moving to "+p.To.String()+" in its place"); err != nil {
			return have, err
		}
	}
	i := ledger.Intent{Op: ledger.Upgrade, From: p.From.String(), To: p.To.String(), Image: w.s.Choices().Image, Fleet: w.s.Choices().Grid.Fleet, Connection: w.s.Choices().Grid.Connection}
	var err error
	i.ID, err = w.s.Ledger.Begin(i)
	return i, err
}

// move makes a release the set-up's own: in flwrup.toml, in flwr's configuration, on a rehearsal's grid. SuperNodes keep
// theirs until they are restarted.
func (w work) move(ctx context.Context, v flwr.Version, to names) error {
	s := w.s
	if err := choose(s, v, to); err != nil {
		return err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	if s.Rehearsal() {
		if g, running := site.GridRunning(s); !running || g.Ready.Version != v.String() {
			if err := replaceGrid(ctx, s, f.Found(), w.gridStays, w.to); err != nil {
				return err
			}
		}
	}
	if s.Folder().Coordinated() {
		return nil
	}
	conf, err := site.ReadConfiguration(ctx, s)
	if err != nil {
		return err
	}
	for _, e := range conf.Due {
		if _, err := site.Edit(ctx, s, front.Agreeing{Sink: w.to}, // the plan has shown it
			front.StepConfigure, e, front.Question{ID: "configuration", Default: "yes", Ask: "Change " + s.Rel(e.File) + "?"}); err != nil {
			return err
		}
	}
	if err := site.AcceptConnections(s); err != nil {
		return err
	}
	return w.again(func() error { _, err := site.NodesNow(ctx, s, w.to); return err })
}

// choose names the release in flwrup.toml, and closes the flwr of the one before.
func choose(s *site.Site, v flwr.Version, to names) error {
	put := func(c *project.Choices) error {
		c.Flwr.Version, c.Image = v.String(), to.image
		if !c.Grid.Rehearsal { // a rehearsal's comes with its grid
			c.Grid.Fleet = to.fleet
		}
		return nil
	}
	if c := s.Choices().Clone(); put(c) == nil && c.Flwr == s.Choices().Flwr && c.Image == s.Choices().Image && c.Grid == s.Choices().Grid {
		return nil
	}
	err := s.Change(put)
	site.CloseFlwr(s)
	s.ForgetGrid()
	return err
}

// restart restarts SuperNodes and waits until they are online; for longer, until they have stayed so.
func (w work) restart(ctx context.Context, names []string, stay time.Duration) error {
	if err := fleet.Operate(ctx, w.s, front.RestartNodes, names, w.to); err != nil {
		return err
	}
	w.to.Event(front.Says{Text: "waiting until " + strings.Join(names, ", ") + " " + map[bool]string{true: "is", false: "are"}[len(names) == 1] + " online"})
	trial := trial{names: names, stay: stay}
	for try := 0; ; try++ {
		before := trial.since
		switch trial.look(time.Now(), health.States(ctx, w.s).Nodes) {
		case lost:
			return whyNot(ctx, w.s, names, "was online, and did not stay so")
		case never:
			return whyNot(ctx, w.s, names, "is not online")
		case stayed:
			for _, name := range names {
				w.to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "online with flwr " + w.found.Version.String()}})
			}
			return nil
		}
		if before.IsZero() && !trial.since.IsZero() {
			w.to.Event(front.Says{Text: fmt.Sprintf("online; it has to stay so for %d s", int(stay.Seconds()))})
		}
		if err := safego.Sleep(ctx, max(time.Second, site.PollPause(w.s, try))); err != nil {
			return problem.Stopped(context.Cause(ctx), "the upgrade was stopped", "flwrup upgrade continues")
		}
	}
}

// whyNot says why some of the named SuperNodes are not online, as the diagnosis has it.
func whyNot(ctx context.Context, s *site.Site, names []string, how string) error {
	for _, n := range health.Diagnosed(ctx, s, 0).Nodes {
		if !slices.Contains(names, n.Name) || n.Up() {
			continue
		}
		p := problem.New(problem.NodeNotOnline, n.Name+" "+how, "", "read its log: flwrup logs "+n.Name)
		if d := n.Diagnosis; d != nil {
			p.Why, p.Fix, p.Raw = d.Error(), d.Fix, d.Raw
		}
		return p
	}
	return problem.New(problem.NodeNotOnline, names[0]+" "+how, "it is back meanwhile", "try again")
}

// notOnline returns those of names that the grid does not call online.
func notOnline(ctx context.Context, s *site.Site, names []string) (list []string) {
	for _, n := range health.States(ctx, s).Nodes {
		if slices.Contains(names, n.Name) && !n.Up() {
			list = append(list, n.Name)
		}
	}
	return list
}

// exported writes the files of SuperNodes that other engines run, each that differs after its diff and a yes alone. Without
// one the diff is shown, with the command.
func (w work) exported(ctx context.Context) error {
	list, _, err := site.Members(w.s)
	if err != nil {
		return err
	}
	all, err := fleet.Outdated(ctx, w.s, list)
	if err != nil {
		return err
	}
	for _, e := range all {
		diff, remedy := e.Diff(w.s), e.Remedy(w.s)
		switch err := e.Write(ctx, w.s, false, w.to); {
		case problem.Is(err, fleet.Differs):
			for line := range strings.Lines(diff) {
				w.to.Event(front.Output{Text: strings.TrimRight(line, "\n")})
			}
			w.to.Event(front.Says{Text: remedy})
		case err != nil:
			return err
		default:
			w.to.Event(front.Says{Text: fmt.Sprintf("%s runs %s with the release before until you type in %s: %s", e.Kind, strings.Join(e.Names, ", "), w.s.Rel(e.Dir), e.Again())})
		}
	}
	return nil
}

// moved returns those that have moved, but for first; some maybe by an upgrade that was cut short. From a rehearsal's grid that
// was replaced all of them have.
func (w work) moved(ctx context.Context, p Plan, first string) (list []string) {
	for _, n := range health.States(ctx, w.s).Nodes {
		has, _ := fit.VersionOf(n.Runtime)
		planned := slices.ContainsFunc(p.Nodes, func(o Node) bool { return o.Name == n.Name })
		if n.Name != first && n.Engine == nil && n.Runtime.ByHand == "" && (has == p.To || planned && w.s.Rehearsal()) {
			list = append(list, n.Name)
		}
	}
	return list
}

// someRun reports whether some SuperNode is online with the release.
func someRun(ctx context.Context, s *site.Site, v flwr.Version) bool {
	for _, n := range health.States(ctx, s).Nodes {
		if has, ok := fit.VersionOf(n.Runtime); n.Up() && ok && has == v {
			return true
		}
	}
	return false
}
