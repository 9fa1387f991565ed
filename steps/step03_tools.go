package steps

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/safego"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/whichgrid"
)

// tools is step 3: flwr, and what SuperNodes run in. In a rehearsal also the grid itself.
type tools struct{ free }

func (tools) ID() front.StepID { return front.StepTools }
func (tools) Name() string     { return "Tools" }
func (tools) Title() string    { return "Install flwr and Docker" }
func (tools) Why() string {
	return "flwr is Flower's command line. flwrup runs it, and can install it into a separate environment that leaves yours alone. " +
		"SuperNodes run as Docker containers, or as plain processes without Docker. " +
		"The versions of flwr, the SuperNodes and the grid must match."
}

// Wants returns flwr, the runtime, and what else decides whether SuperNodes come online.
func (tools) Wants() Wants {
	return Wants{Status: site.ReadFlwr | site.ReadRuntime | site.ReadImage | site.ReadMachine | site.ReadGrid | site.ReadNetwork,
		Plan: site.ReadFlwr | site.ReadGrid | readInstallRoot}
}

func (t tools) Inspect(p Snapshot) (front.Status, error) {
	st := front.Status{State: front.Done}
	todo := func(name, text string) {
		st.State = front.Ready
		st.Items = append(st.Items, front.Item{Name: name, State: front.ItemWaiting, Text: text})
	}
	switch err := p.Tool.Err; {
	case problem.Is(err, noFlwr...):
		bad := problem.Of(err)
		todo("flwr", bad.Error())
		if namedFlwr(p.Folder) {
			st.Hints = append(st.Hints, bad.Error()+site.Fix(bad))
		}
	case err != nil:
		return st, err
	default:
		found := p.Tool.Value
		st.Short = found.Version.String()
		st.Evidence = append(st.Evidence, fmt.Sprintf("flwr %s (%s)", found.Version, found.Source))
		if found.Source != install.SourceOwn { // a person knows the others by their place
			st.Evidence[0] += ": " + found.Program
		}
		st.Items = append(st.Items, front.Item{Name: "flwr", State: front.ItemDone, Text: found.Version.String()})
	}
	switch {
	case p.Choices.NoneHere():
	case p.Kind == "":
		todo("runtime", "Docker or plain processes: not chosen yet")
	case p.Runtime != nil:
		bad := problem.Of(p.Runtime)
		todo(p.Kind, bad.Error()+site.Fix(bad))
	default:
		st.Items = append(st.Items, front.Item{Name: p.Kind, State: front.ItemDone, Text: runtimeText(p.Kind)})
		st.Evidence = append(st.Evidence, "SuperNodes run as "+runtimeText(p.Kind))
	}
	if p.Rehearsal() && st.State == front.Done {
		switch control := p.Grid.Ready.Control; {
		case p.Grid.Suspended != nil:
			todo("grid", p.Grid.Suspended.Why)
		case p.Grid.Running:
			st.Evidence = append(st.Evidence, "the rehearsal grid is running at "+control)
			st.Items = append(st.Items, front.Item{Name: "grid", State: front.ItemDone, Text: control})
		default:
			todo("grid", "the rehearsal grid is not running")
		}
	}
	if !namedFlwr(p.Folder) {
		st.Hints = append(st.Hints, p.LeftAside...)
	}
	t.surroundings(p, &st)
	return st, nil
}

// noFlwr are the codes that say that there is no flwr to work with.
var noFlwr = []problem.Code{problem.FlwrMissing, problem.FlwrBroken, problem.FlwrDenied}

// namedFlwr reports whether the person named the flwr to use: no other one takes its place.
func namedFlwr(f site.Folder) bool { return f.Choices.Flwr.Path != "" && !f.Rehearsal() }

// surroundings adds what else decides whether SuperNodes come online: the image, the disk, the network
// to the two addresses, the clock. None of it holds up the steps until the login.
func (tools) surroundings(p Snapshot, st *front.Status) {
	said := map[string]bool{} // a network that is away is one trouble, and not one an address
	add := func(name, text string, bad *problem.Problem) {
		item := front.Item{Name: name, State: front.ItemDone, Text: strings.TrimPrefix(text, name+" ")}
		if bad != nil {
			item.State = front.ItemFailed
			if cause := bad.Why + bad.Fix; !said[cause] {
				said[cause] = true
				st.Hints = append(st.Hints, bad.Error()+site.Fix(bad))
			}
		} else {
			st.Evidence = append(st.Evidence, text)
		}
		st.Items = append(st.Items, item)
	}
	if p.Tool.Err != nil {
		return
	}
	if p.Image.Err == nil && !p.Choices.NoneHere() {
		image := site.Image(p.Choices, p.Flwr)
		if p.Image.Value {
			add("image", image+" is here", nil)
		} else {
			st.Items = append(st.Items, front.Item{Name: "image", State: front.ItemWaiting, Text: image + " is not here yet; flwrup pulls it before it starts the SuperNodes"})
		}
	}
	if p.DiskFree.Err == nil && !p.Choices.NoneHere() {
		text := fmt.Sprintf("%.1f GB of disk free", float64(p.DiskFree.Value)/1e9)
		var bad *problem.Problem
		if p.DiskFree.Value < diskNeeded {
			bad = problem.New(problem.BadInput, text, "an image takes 0.5 GB, and an app's packages can take several more", "free some disk space")
		}
		add("disk", text, bad)
	}
	n := p.Network.Value
	if p.Network.Err != nil || n.Fleet.Address == "" {
		return
	}
	control, fleet := n.Judge(p.Dialect)
	if !p.Coordinated() {
		add("control", site.Side("control", n.Control, control), control)
	}
	if fleet == control && fleet != nil {
		fleet = problem.New(fleet.Code, n.Fleet.Address+" is the address for flwr's commands", "", fleet.Fix) // swapped: said once
	}
	if fleet == nil {
		fleet = site.InsideOut(p.Folder, p.Kind, p.Dialect)
	}
	add("fleet", site.Side("fleet", n.Fleet, fleet), fleet)
	if text, bad := n.Clock(); text != "" {
		add("clock", text, bad)
	}
}

// diskNeeded is what should be free: the image and a little, in bytes.
const diskNeeded = 2e9

func runtimeText(kind string) string {
	if kind == project.RuntimeDocker {
		return "Docker containers"
	}
	return "plain processes on this machine"
}

func (t tools) Plan(p Snapshot) ([]front.Action, error) {
	var actions []front.Action
	if err := p.Tool.Err; err != nil && namedFlwr(p.Folder) {
		return nil, err
	} else if err != nil {
		root, version := p.InstallRoot.Value, p.Choices.Flwr.Version
		if p.InstallRoot.Err != nil {
			return nil, p.InstallRoot.Err
		}
		actions = append(actions, front.Action{Says: "install flwr " + orNewest(version) + " into a separate environment in " + root,
			Command: installCommand(root, version)})
	}
	if p.Kind == "" && !p.Choices.NoneHere() {
		actions = append(actions, front.Action{Says: "use Docker if it answers and has the image, else plain processes"})
	}
	if p.Rehearsal() && !p.Grid.Running {
		actions = append(actions, front.Action{Says: "start a SuperGrid on this machine, on loopback only"})
	}
	return actions, nil
}

// installCommand is how a person would do the same by hand. The quotes matter: unquoted, the guide's
// `flwr>=1.24.0` makes a shell write to a file named "=1.24.0".
func installCommand(root, version string) string {
	want := "flwr"
	if version != "" {
		want = "flwr==" + version
	}
	dir := shell.Path(filepath.Join(root, "by-hand"))
	return fmt.Sprintf("python3 -m venv %s && %s/bin/pip install '%s'", dir, dir, want)
}

func (t tools) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	s.Forget(site.ReadNetwork)
	found, err := t.flwr(ctx, s, to)
	if err != nil {
		return err
	}
	if s.Rehearsal() {
		warm(ctx, s)
		if _, running := site.GridRunning(s); running {
			if err := site.ResumeGrid(s, to); err != nil {
				return err
			}
		} else {
			if err := site.StartGrid(ctx, s, found, to); err != nil {
				return err
			}
		}
	}
	if s.Choices().NoneHere() {
		return nil
	}
	return t.runtime(ctx, s, to)
}

// warm has flwr load its Python while something else takes its seconds. Only speed hangs on it.
func warm(ctx context.Context, s *site.Site) {
	f, err := s.Session(ctx)
	if err != nil {
		return
	}
	safego.Go("load flwr", func(error) {}, func() { _, _ = f.Warm(ctx) })
}

// flwr returns the flwr of this site, and installs the wanted one where it is missing.
func (t tools) flwr(ctx context.Context, s *site.Site, to front.Sink) (install.Found, error) {
	if f, err := s.Session(ctx); err == nil {
		return f.Found(), nil
	} else if namedFlwr(s.Folder()) || !problem.Is(err, problem.FlwrMissing) {
		return install.Found{}, err
	}
	for _, line := range s.LeftAside() {
		to.Event(front.Says{Text: line})
	}
	version := s.Choices().Flwr.Version
	answer, err := whichgrid.AskRelease(ctx, to, version)
	if err != nil {
		return install.Found{}, err
	}
	to.Event(front.Says{Text: "installing flwr " + orNewest(answer)})
	o := install.Options{Version: answer, Say: func(line string) { to.Event(front.Output{Text: line}) }}
	if s.Rehearsal() {
		o.Packages = []string{"numpy"} // the rehearsal's app
	}
	found, err := install.Ensure(ctx, o)
	if err != nil {
		return found, err
	}
	return found, s.Change(func(c *project.Choices) error { c.Flwr.Version = found.Version.String(); return nil })
}

func orNewest(version string) string {
	if version == "" {
		return "newest"
	}
	return version
}

// runtime settles what SuperNodes run in, and for containers gets the image.
func (t tools) runtime(ctx context.Context, s *site.Site, to front.Sink) error {
	if kind := s.RuntimeKind(); kind != "" {
		rt, err := s.NodesRuntime(ctx)
		if err != nil {
			return err
		}
		if err := rt.Check(ctx); err != nil {
			return err
		}
		return t.prepare(ctx, s, rt, to)
	}
	docker := t.tryDocker(ctx, s, to)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	kind := project.RuntimeDocker
	if docker != nil {
		p := problem.Of(docker)
		to.Event(front.Says{Text: "no containers: " + p.Error()})
		if runtime.GOOS == "windows" {
			return docker
		}
		answer, err := to.Ask(ctx, front.Question{ID: "runtime", Kind: front.AskChoice, Default: project.RuntimeProcess,
			Ask:  "What should the SuperNodes run in?",
			Help: p.Error() + site.Fix(p),
			Choices: []front.Choice{
				{Value: project.RuntimeProcess, Label: "plain processes on this machine", Note: "no Docker needed"},
				{Value: project.RuntimeDocker, Label: "Docker containers", Note: "fix Docker first, then try again"},
			}})
		if err != nil {
			return err
		}
		if answer == project.RuntimeDocker {
			return docker
		}
		kind = project.RuntimeProcess
	}
	site.CloseRuntime(s)
	return s.Ledger.Attest(site.AttestRuntime, kind)
}

// tryDocker reports whether containers can be had: daemon and image.
func (t tools) tryDocker(ctx context.Context, s *site.Site, to front.Sink) error {
	rt := site.OpenDocker(s)
	defer rt.Close()
	if err := rt.Check(ctx); err != nil {
		return err
	}
	return t.prepare(ctx, s, rt, to)
}

// prepare gets what a SuperNode of this site needs before any key exists: the image, the program.
func (t tools) prepare(ctx context.Context, s *site.Site, rt supernode.Runtime, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	found := f.Found()
	spec := supernode.Spec{Project: s.Choices().ID, Flwr: found.Version.String(), Image: site.Image(s.Choices(), found.Version.String()),
		Program: found.SuperNode()}
	for _, spec.Host = range site.Hosts(s) {
		if err := rt.Prepare(ctx, spec, func(p supernode.Progress) {
			to.Event(front.Progress{Label: p.Text, Done: p.Done, Total: p.Total, Bytes: true})
		}); err != nil {
			return err
		}
	}
	return nil
}

// Change chooses the runtime again, as long as no SuperNode runs.
func (t tools) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	answer, err := to.Ask(ctx, front.Question{ID: "runtime", Kind: front.AskChoice, Default: s.Choices().Runtime,
		Ask: "What should the SuperNodes run in?",
		Choices: []front.Choice{
			{Value: project.RuntimeAuto, Label: "Docker if available, else plain processes"},
			{Value: project.RuntimeDocker, Label: "Docker containers"},
			{Value: project.RuntimeProcess, Label: "plain processes on this machine", Disabled: runtime.GOOS == "windows",
				Note: "not on Windows"},
		}})
	if err != nil || answer == s.Choices().Runtime {
		return err
	}
	if running, err := site.Running(ctx, s); err == nil && len(running) > 0 {
		return problem.New(problem.BadInput, fmt.Sprintf("%d SuperNodes are running", len(running)),
			"the grid refuses a SuperNode that runs twice", "stop them on the dashboard first")
	}
	err = errors.Join(s.Ledger.Retract(site.AttestRuntime),
		s.Change(func(c *project.Choices) error { c.Runtime = answer; return nil }))
	site.CloseRuntime(s)
	return err
}
