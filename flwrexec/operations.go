package flwrexec

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// ask runs argv, a command about c, with --format json and decodes the answer into to, which may be nil.
// Errors are Problems; MayHaveHappened reports which of them leave the outcome open.
func (s *Session) ask(ctx context.Context, c flwr.Connection, argv []string, to any) error {
	began := time.Now()
	err := s.askOnce(ctx, argv, to)
	if s.overtaken(ctx, c, began, err) {
		err = s.askOnce(ctx, argv, to)
	}
	return err
}

func (s *Session) askOnce(ctx context.Context, argv []string, to any) error {
	call := Call{Argv: argv, Began: time.Now()}
	out, err := s.run(ctx, append(append([]string(nil), argv...), "--format", "json"))
	if err == nil {
		err = decode(out, to)
	}
	call.Took, call.Err, call.Worker = time.Since(call.Began), err, out.worker
	call.Raw = termsafe.Text(out.stdout + out.stderr)
	s.record(call)
	return err
}

// decode is the only door for flwr's answers: it cleans every string in them before anything is read. It
// reads flwr's JSON: an object with "success", or for federations a bare list or object. The exit code does
// not count: it is 0 for every error from the grid.
func decode(out output, to any) error {
	b := jsonPart(out.stdout)
	var head struct {
		Success *bool  `json:"success"`
		Message string `json:"error-message"`
	}
	if b == nil {
		return classify(out.stdout+"\n"+out.stderr, out.code)
	}
	unknown := func(err error) error {
		p := problem.New(problem.FlwrFailed, "flwr answered in a form that flwrup does not know", termsafe.Line(err.Error()),
			"this flwr may be newer than flwrup; try another version of flwr")
		p.Err, p.Raw = err, termsafe.Text(out.stdout)
		return p
	}
	b, err := termsafe.JSON(b, "error-message")
	if err != nil {
		return unknown(err)
	}
	if b[0] == '{' {
		if err := json.Unmarshal(b, &head); err != nil {
			return unknown(err)
		}
		if head.Success != nil && !*head.Success {
			return classify(head.Message+"\n"+out.stderr, out.code)
		}
	}
	if to == nil {
		return nil
	}
	if err := json.Unmarshal(b, to); err != nil {
		return unknown(err)
	}
	return nil
}

// Nodes lists the account's own SuperNodes; flwr lists unregistered ones as well.
func (s *Session) Nodes(ctx context.Context, c flwr.Connection) ([]Node, error) {
	var a nodesAnswer
	if err := s.ask(ctx, c, s.Dialect().NodesArgv(s.absolute(c)), &a); err != nil {
		return nil, fmt.Errorf("list the SuperNodes: %w", err)
	}
	return a.nodes()
}

// Register registers a SuperNode and returns its node ID. Check the key before: flwr's own refusal ends its process.
func (s *Session) Register(ctx context.Context, c flwr.Connection, r flwr.Registration) (flwr.NodeID, error) {
	var a struct {
		ID *flwr.NodeID `json:"node-id"`
	}
	file := r.PublicKey
	r.PublicKey = userdirs.Abs(file)
	if err := s.ask(ctx, c, s.Dialect().RegisterArgv(s.absolute(c), r), &a); err != nil {
		return 0, fmt.Errorf("register %s: %w", file, err)
	}
	if a.ID == nil {
		return 0, fmt.Errorf("register %s: %w", file, problem.New(problem.FlwrFailed,
			"flwr registered the key but gave no node ID", "", "look for the new node in the list of SuperNodes"))
	}
	return *a.ID, nil
}

// Unregister takes a SuperNode off the grid for good. Its key can never be registered again.
func (s *Session) Unregister(ctx context.Context, c flwr.Connection, id flwr.NodeID) error {
	if err := s.ask(ctx, c, s.Dialect().UnregisterArgv(s.absolute(c), id), nil); err != nil {
		return fmt.Errorf("unregister SuperNode %s: %w", id, err)
	}
	return nil
}

// Federations lists the federations that the account can see.
func (s *Session) Federations(ctx context.Context, c flwr.Connection) ([]Federation, error) {
	var a federationsAnswer
	if err := s.ask(ctx, c, s.Dialect().FederationsArgv(s.absolute(c)), &a); err != nil {
		return nil, fmt.Errorf("list the federations: %w", err)
	}
	return a, nil
}

// FederationDetails returns members, SuperNodes and runs of a federation. Up to flwr 1.25 it is always the
// connection's own, whatever id says.
func (s *Session) FederationDetails(ctx context.Context, c flwr.Connection, id string) (FederationDetails, error) {
	var a detailsAnswer
	if err := s.ask(ctx, c, s.Dialect().FederationDetailsArgv(s.absolute(c), id), &a); err != nil {
		return FederationDetails{}, fmt.Errorf("show federation %s: %w", id, err)
	}
	a.ID = id
	return FederationDetails(a), nil
}

// CreateFederation makes a deployment federation and returns its ID, @account/name.
func (s *Session) CreateFederation(ctx context.Context, c flwr.Connection, name, description string) (string, error) {
	d := s.Dialect()
	if !d.Managed {
		return "", notManaged(d)
	}
	if err := CheckFederationName(name); err != nil {
		return "", err
	}
	var a struct {
		ID   string `json:"federation-id"`
		Name string `json:"name"` // flwr 1.29
	}
	if err := s.ask(ctx, c, d.CreateFederationArgv(s.absolute(c), name, description), &a); err != nil {
		return "", fmt.Errorf("create federation %s: %w", name, err)
	}
	if a.ID == "" {
		a.ID = a.Name
	}
	if err := checkForeignFederation(a.ID); err != nil {
		return "", fmt.Errorf("create federation %s: %w", name, err)
	}
	return a.ID, nil
}

// AddToFederation adds one of the account's SuperNodes to a federation. A node that is already in it causes a
// Problem with code already-member.
func (s *Session) AddToFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error {
	d := s.Dialect()
	if !d.Managed {
		return notManaged(d)
	}
	err := s.ask(ctx, c, d.AddArgv(s.absolute(c), id, federation), nil)
	if problem.Is(err, problem.ServerError) {
		// Up to 1.28 the SuperLink has no words for a node that is in the federation already.
		if f, ferr := s.FederationDetails(ctx, c, federation); ferr == nil && f.Has(id) {
			err = problem.New(problem.AlreadyMember, "the SuperNode is in the federation already", "", "")
		}
	}
	if err != nil {
		return fmt.Errorf("add SuperNode %s to %s: %w", id, federation, err)
	}
	return nil
}

// RemoveFromFederation removes a SuperNode from a federation.
func (s *Session) RemoveFromFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, federation string) error {
	d := s.Dialect()
	if !d.Managed {
		return notManaged(d)
	}
	if err := s.ask(ctx, c, d.RemoveArgv(s.absolute(c), id, federation), nil); err != nil {
		return fmt.Errorf("remove SuperNode %s from %s: %w", id, federation, err)
	}
	return nil
}

func notManaged(d flwr.Dialect) error {
	return problem.New(problem.NotSupported, "flwr "+d.Version.String()+" cannot manage federations",
		"that came with flwr 1.27", "send the node IDs to Flower Labs, or use flwr 1.27 or newer")
}

// StartRun submits the app in folder app and returns the run's ID. federation is ignored where the connection
// names it; config is one --run-config value, "" for none.
func (s *Session) StartRun(ctx context.Context, c flwr.Connection, app, federation, config string) (flwr.RunID, error) {
	var a struct {
		ID *flwr.RunID `json:"run-id"`
	}
	argv := s.Dialect().RunArgv(s.absolute(c), userdirs.Abs(app), federation, config, false)
	if err := s.ask(ctx, c, argv, &a); err != nil {
		return 0, fmt.Errorf("run the app in %s: %w", app, err)
	}
	if a.ID == nil {
		return 0, fmt.Errorf("run the app in %s: %w", app, problem.New(problem.FlwrFailed,
			"flwr started a run but gave no run ID", "", "look for the new run: flwrup runs"))
	}
	return *a.ID, nil
}

// Runs lists the account's runs, newest first where flwr does so.
func (s *Session) Runs(ctx context.Context, c flwr.Connection) ([]Run, error) {
	var a runsAnswer
	if err := s.ask(ctx, c, s.Dialect().RunsArgv(s.absolute(c)), &a); err != nil {
		return nil, fmt.Errorf("list the runs: %w", err)
	}
	return a.runs()
}

// Run returns one run.
func (s *Session) Run(ctx context.Context, c flwr.Connection, id flwr.RunID) (Run, error) {
	var a runsAnswer
	if err := s.ask(ctx, c, s.Dialect().RunStatusArgv(s.absolute(c), id), &a); err != nil {
		return Run{}, fmt.Errorf("look at run %s: %w", id, err)
	}
	runs, err := a.runs()
	if err != nil {
		return Run{}, fmt.Errorf("look at run %s: %w", id, err)
	}
	for _, r := range runs {
		if r.ID == id {
			return r, nil
		}
	}
	return Run{}, fmt.Errorf("look at run %s: %w", id, problem.New(problem.RunNotFound, "the grid does not know the run",
		"", "list the runs: flwr list"))
}

// StopRun stops a run. A finished run causes a Problem with code RunOver.
func (s *Session) StopRun(ctx context.Context, c flwr.Connection, id flwr.RunID) error {
	if err := s.ask(ctx, c, s.Dialect().StopArgv(s.absolute(c), id), nil); err != nil {
		return fmt.Errorf("stop run %s: %w", id, err)
	}
	return nil
}

// NewApp makes a new Flower app in a folder of its own below the empty folder work, and returns it. Newer
// flwr fetch it from Flower's platform. publisher is the app's future publisher, where flwr asks for it. line
// gets flwr's output.
func (s *Session) NewApp(ctx context.Context, work string, argv []string, line func(string)) (app.App, error) {
	call := Call{Argv: argv, Began: time.Now()}
	runCtx, release := s.runner.within(ctx)
	defer release()
	out, err := s.longWait(runCtx, child.Command(runCtx, work, s.runner.found.Program, argv[1:]...), line, nil)
	call.Took, call.Err, call.Raw = time.Since(call.Began), err, out
	s.record(call)
	apps := app.Find(work)
	if err == nil && len(apps) == 0 { // up to 1.25 flwr exits 0 on some errors
		err = classify(out, 1)
	}
	if err != nil {
		return app.App{}, fmt.Errorf("make a new app: %w", err)
	}
	return apps[0], nil
}

// ShowLog sends the run's log so far to line, safe for a terminal.
func (s *Session) ShowLog(ctx context.Context, c flwr.Connection, run flwr.RunID, line func(string)) error {
	_, err := s.long(ctx, append(s.Dialect().LogArgv(s.absolute(c), run), "--show"), line)
	return err
}
