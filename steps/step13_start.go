package steps

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
)

// start is step 13: each SuperNode runs, as a container or a process.
type start struct{}

func (start) ID() front.StepID { return front.StepStart }
func (start) Name() string     { return "Start" }
func (start) Title() string    { return "Start the SuperNodes" }
func (start) Why() string {
	return "Each SuperNode runs by itself and sees only its own key. As a container it has no rights on this machine: " +
		"not root, no capabilities, a read-only system. It connects out to the grid; nothing has to be opened in a firewall."
}

// stopGrace is how long a SuperNode gets to tell the grid that it goes: flwr needs under a second;
// more when it is in the middle of something.
const stopGrace = 20 * time.Second

// startAtOnce limits how many start side by side: each costs seconds of processor time.
const startAtOnce = 4

func (start) Inspect(ctx context.Context, s *Site) (front.Status, error) {
	list, _, err := s.members()
	if err != nil {
		return front.Status{}, err
	}
	for _, m := range list {
		if !m.Known() {
			return front.Status{State: front.Blocked, By: front.StepRegister, Why: m.Name + " is not registered"}, nil
		}
	}
	if len(list) == 0 {
		return front.Status{State: front.Blocked, By: front.StepKeys, Why: "there are no keys yet"}, nil
	}
	if s.runtimeKind() == "" {
		return front.Status{State: front.Blocked, By: front.StepTools, Why: "what the SuperNodes run in is not chosen yet"}, nil
	}
	states, err := s.states(ctx)
	if err != nil {
		return front.Status{}, err
	}
	f, err := s.session(ctx)
	if err != nil {
		return blockedByFlwr(err)
	}
	st := front.Status{State: front.Ready, Of: len(list), Change: true}
	var byHand []string
	for _, m := range list {
		state := states[m.Name]
		item := front.Item{Name: m.Name, Text: string(state.State)}
		other := s.elsewhere(state, f.Dialect())
		switch state.State {
		case supernode.Running:
			if other != "" {
				item.Text = "runs for the grid at " + other + ": it is stopped there first"
				break
			}
			item.State = front.ItemDone
			st.Done++
			if state.ByHand != "" {
				item.Text = "running, started by hand as " + state.ByHand
				byHand = append(byHand, m.Name)
			}
		case supernode.Stopped:
			if item.Text = "stopped"; state.ExitCode >= 0 { // else nobody saw it end
				item.Text += fmt.Sprintf(", exit code %d", state.ExitCode)
			}
		case "":
			item.Text = "not started"
		}
		st.Items = append(st.Items, item)
	}
	st.Short = fmt.Sprintf("%d/%d", st.Done, st.Of)
	st.Evidence = []string{fmt.Sprintf("%d of %d running as %s", st.Done, st.Of, runtimeText(s.runtimeKind()))}
	if len(byHand) > 0 {
		st.Evidence = append(st.Evidence, "started by hand: "+strings.Join(byHand, ", "))
		st.Hints = append(st.Hints, "Nothing is started beside a SuperNode that runs with the same key. `flwrup restart "+byHand[0]+"` offers to replace it by flwrup's own.")
	}
	if st.Done == st.Of {
		st.State = front.Done
	} else if before, err := (confirmation{}).Inspect(ctx, s); err != nil {
		return before, err
	} else if before.State != front.Done {
		return front.Status{State: front.Blocked, By: front.StepConfirmation, Why: "the SuperNodes are not confirmed yet", Items: st.Items, Short: st.Short}, nil
	} else {
		var down []member
		for _, m := range list {
			if states[m.Name].State != supernode.Running { // one that runs for another grid holds its own name and port
				down = append(down, m)
			}
		}
		found, err := s.preflight(ctx, down)
		if err != nil {
			return st, err
		}
		showFindings(&st, found)
		st.Before = s.onceOnline(ctx, list)
	}
	return st, nil
}

// onceOnline tells whether the grid has seen each of the SuperNodes online: until then it calls it registered.
func (s *Site) onceOnline(ctx context.Context, list []member) bool {
	nodes, _, err := s.gridNodes(ctx, fresh)
	seen := map[string]bool{}
	for _, n := range nodes {
		seen[n.ID.String()] = n.Status == flwrexec.StatusOnline || n.Status == flwrexec.StatusOffline
	}
	return err == nil && !slices.ContainsFunc(list, func(m member) bool { return !seen[m.Record.NodeID] })
}

// states gives the runtime's view of this site's SuperNodes by name.
func (s *Site) states(ctx context.Context) (map[string]supernode.Status, error) {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	list, err := rt.List(ctx)
	if err != nil {
		return nil, err
	}
	states := make(map[string]supernode.Status, len(list))
	for _, st := range list {
		states[st.Name] = st
	}
	return states, nil
}

// running gives the names of the SuperNodes that run now.
func (s *Site) running(ctx context.Context) ([]string, error) {
	states, err := s.states(ctx)
	var names []string
	for name, st := range states {
		if st.State == supernode.Running || st.State == supernode.Restarting || st.State == supernode.Starting {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

func (start) Plan(ctx context.Context, s *Site) ([]front.Action, error) {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	list, _, err := s.members()
	if err != nil {
		return nil, err
	}
	states, err := s.states(ctx)
	if err != nil {
		return nil, err
	}
	f, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	var actions []front.Action
	said := map[string]bool{}
	for _, m := range list {
		other := s.elsewhere(states[m.Name], f.Dialect())
		if states[m.Name].State == supernode.Running && other == "" {
			continue
		}
		if other != "" {
			actions = append(actions, front.Action{Says: "stop " + m.Name + ", which runs for the grid at " + other})
		}
		spec, err := s.spec(ctx, m)
		if err != nil {
			return nil, err
		}
		for i, line := range rt.Commands(spec) {
			a := front.Action{Command: line, Flags: explain(shellWords(line))}
			if strings.HasPrefix(line, "mkdir ") { // flwrup's own script: its words are no flags of Docker's
				a.Flags = nil
			}
			if said[line] { // the same for all nodes
				continue
			}
			said[line] = true
			if i == 0 {
				a.Says = "start " + m.Name
			}
			actions = append(actions, a)
		}
	}
	return actions, nil
}

func (st start) Apply(ctx context.Context, s *Site, to front.Sink) error {
	list, _, err := s.members()
	if err != nil {
		return err
	}
	return st.bringUp(ctx, s, list, to)
}

// bringUp starts the given SuperNodes, a few at a time; one that fails does not hold up the others.
func (start) bringUp(ctx context.Context, s *Site, list []member, to front.Sink) error {
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return err
	}
	if err := rt.Check(ctx); err != nil {
		return err
	}
	if err := s.fleetFits(ctx); err != nil {
		return err
	}
	if list, err = s.keepOrReplace(ctx, list, to); err != nil {
		return err
	}
	if err := s.fetchBack(ctx, list, to); err != nil {
		return err
	}
	list, unfit, err := s.checkFirst(ctx, list, to)
	if err != nil {
		return err
	}
	if err := s.want(namesOf(list), wantedUp); err != nil {
		return err
	}
	if len(list) > 0 {
		spec, err := s.spec(ctx, list[0])
		if err != nil {
			return err
		}
		if err := rt.Prepare(ctx, spec, func(p supernode.Progress) {
			to.Event(front.Progress{Label: p.Text, Done: p.Done, Total: p.Total, Bytes: true})
		}); err != nil {
			return err
		}
		if err := s.settleImage(ctx, rt, spec.Image, to); err != nil {
			return err
		}
	}
	free, held, states, err := s.held(ctx, list)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	done := 0
	launch := func(list []member) error {
		byName := map[string]member{}
		for _, m := range list {
			byName[m.Name] = m
		}
		return s.each(ctx, namesOf(list), func(ctx context.Context, name string) error {
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemWorking, Text: "starting"}})
			if err := s.startOne(ctx, rt, byName[name], to); err != nil {
				to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
				return err
			}
			to.Event(front.ItemChanged{Item: front.Item{Name: name, State: front.ItemDone, Text: "running"}})
			mu.Lock()
			done++
			to.Event(front.Progress{Label: "started", Done: int64(done), Total: int64(len(free) + len(held))})
			mu.Unlock()
			return nil
		})
	}
	err = launch(free)
	if len(held) > 0 && ctx.Err() == nil {
		err = errors.Join(err, s.waitOut(ctx, held, states, to, launch))
	}
	if unfit != nil {
		err = errors.Join(unfit, err)
	}
	return err
}

// fetchBack stops those of list that still run for a grid that the project has left: a SuperNode has one key,
// one name and one grid at a time.
func (s *Site) fetchBack(ctx context.Context, list []member, to front.Sink) error {
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	states, err := s.states(ctx)
	if err != nil {
		return err
	}
	var away []member
	for _, m := range list {
		if states[m.Name].ByHand == "" && s.elsewhere(states[m.Name], f.Dialect()) != "" {
			away = append(away, m)
		}
	}
	if len(away) == 0 {
		return nil
	}
	return s.stop(ctx, away, to)
}

// startOne starts one SuperNode. The plain name supernode_X is taken where it is free on this daemon;
// somebody else's container under that name is left alone, and ours gets the project's name before.
func (s *Site) startOne(ctx context.Context, rt supernode.Runtime, m member, to front.Sink) error {
	spec, err := s.spec(ctx, m)
	if err != nil {
		return err
	}
	err = rt.Start(ctx, spec)
	if problem.Is(err, supernode.ValueMissing) {
		if err := s.askValues(ctx, spec, to); err != nil {
			return err
		}
		if spec, err = s.spec(ctx, m); err != nil {
			return err
		}
		err = rt.Start(ctx, spec)
	}
	if problem.Is(err, problem.PortTaken) && spec.Port > 0 { // another program has its port of last time
		if rerr := s.Ledger.Retract("port " + m.Name); rerr != nil {
			return rerr
		}
		if spec, err = s.spec(ctx, m); err != nil {
			return err
		}
		err = rt.Start(ctx, spec)
	}
	c := s.Choices()
	if problem.Is(err, problem.NameTaken) && rt.Kind() == project.RuntimeDocker {
		spec.Container = suggestName(c.Name) + "_" + c.ID + "_" + spec.Container
		err = rt.Start(ctx, spec)
	}
	return err
}

// each calls do for every name, a few at a time, and joins what went wrong, each with its name.
func (s *Site) each(ctx context.Context, names []string, do func(context.Context, string) error) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		errs  = map[string]error{}
		slots = make(chan struct{}, startAtOnce)
	)
	for _, name := range names {
		wg.Add(1)
		report := func(err error) {
			mu.Lock()
			errs[name] = err
			mu.Unlock()
		}
		slots <- struct{}{}
		var once sync.Once
		leave := func() { once.Do(func() { <-slots; wg.Done() }) }
		safego.Go(name, func(err error) { report(err); leave() }, func() {
			defer leave()
			if err := do(ctx, name); err != nil {
				report(fmt.Errorf("%s: %w", name, err))
			}
		})
	}
	wg.Wait()
	var all []error
	for _, name := range names {
		if errs[name] != nil {
			all = append(all, errs[name])
		}
	}
	return problem.Join(all...)
}
