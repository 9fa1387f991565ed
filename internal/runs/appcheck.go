package runs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"flwrup/flwrexec/app"
	"flwrup/internal/front"
	"flwrup/internal/memo"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
)

// AppReport is what is known of the app before it is run.
type AppReport struct {
	App   app.App
	Found app.Findings
}

// ReportApp reads the app's source, unless that was done less than maxAge ago.
func ReportApp(ctx context.Context, s *site.Site, maxAge time.Duration) (AppReport, error) {
	r, _, err := site.Kept[memo.Answer[AppReport]](s).Get(maxAge, func() (AppReport, error) {
		a, err := app.Read(s.AppDir())
		if err != nil {
			return AppReport{}, err
		}
		f, err := s.Session(ctx)
		if err != nil {
			return AppReport{}, err
		}
		found, err := app.Check(ctx, f.Found().Python, a)
		return AppReport{a, found}, err
	})
	return r, err
}

// Place says where a trap is, and its statement.
func Place(at site.Folder, r AppReport, t app.Trap) string {
	return fmt.Sprintf("%s, line %d: %s", at.Rel(filepath.Join(r.App.Dir, t.File)), t.Line, t.Text)
}

// trapHint says how sure it is that a statement fails on a grid.
func trapHint(at site.Folder, r AppReport, t app.Trap) string {
	if !t.Sure {
		return Place(at, r, t) + " " + t.Does() + "; on a grid, apps can write only to /tmp"
	}
	text := Place(at, r, t) + " " + t.Does() + ", which fails on a grid"
	if t.WhyNot != "" {
		text += "; edit it by hand: " + t.WhyNot
	}
	return text
}

// TrapHints says what in the app would fail on a grid.
func TrapHints(at site.Folder, r AppReport) []string {
	var hints []string
	for _, t := range r.Found.Traps {
		hints = append(hints, trapHint(at, r, t))
	}
	return append(hints, reachHints(at, r)...)
}

// reachHints says what in the app a grid may not allow; only a run can tell.
func reachHints(at site.Folder, r AppReport) []string {
	var hints []string
	for _, t := range r.Found.Reaches {
		hints = append(hints, fmt.Sprintf("%s, line %d: %s uses the network, which a grid may not allow the ServerApp",
			at.Rel(filepath.Join(r.App.Dir, t.File)), t.Line, t.What))
	}
	return hints
}

// CheckApp looks at the app as the grid will meet it, before it is sent: what writes files, packages that
// the SuperNodes lack, more nodes wanted than there are. It returns the run configuration to send with it: the
// person's, and what flwrup adds to it.
func CheckApp(ctx context.Context, s *site.Site, given Config, to front.Sink) (Config, error) {
	r, err := ReportApp(ctx, s, 0)
	if problem.Is(err, problem.PythonMissing) || problem.Is(err, problem.Internal) {
		to.Event(front.Says{Text: "cannot check the app's source: " + problem.Of(err).Error()})
		return given, nil
	}
	if err != nil {
		return nil, err
	}
	if err := given.fits(r.App); err != nil {
		return nil, err
	}
	if err := disarm(ctx, s, r, to); err != nil {
		return nil, err
	}
	if err := checkPackages(ctx, s, r.App, to); err != nil {
		return nil, err
	}
	return enoughNodes(ctx, s, r, given, to)
}

// disarm offers to comment out what surely writes files in the ServerApp. Unattended it changes nothing, unless
// the person asked for it with --mend.
func disarm(ctx context.Context, s *site.Site, r AppReport, to front.Sink) error {
	for _, hint := range reachHints(s.Folder(), r) {
		to.Event(front.Says{Text: hint})
	}
	mends := s.Options.Attended || s.Options.Mend
	for _, t := range r.Found.Traps {
		switch mendable := t.Sure && t.WhyNot == ""; {
		case mendable && mends:
		case mendable:
			to.Event(front.Says{Text: trapHint(s.Folder(), r, t) + "; --mend comments it out"})
		default:
			to.Event(front.Says{Text: trapHint(s.Folder(), r, t)})
		}
	}
	if len(r.Found.Mendable()) == 0 || !mends {
		return nil
	}
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	edits, err := app.Mend(ctx, f.Found().Python, r.App, r.Found.Mendable())
	if err != nil {
		return err
	}
	for _, e := range edits {
		var what []string
		for _, t := range r.Found.Mendable() {
			if filepath.Join(r.App.Dir, t.File) == e.File {
				what = append(what, fmt.Sprintf("%s in line %d", t.What, t.Line))
			}
		}
		list := strings.Join(what, ", ")
		done, err := site.Edit(ctx, s, to, front.StepRun, e, front.Question{ID: "traps", Default: mendByDefault(s), Ask: "Comment out " + list + "?",
			Help: "The ServerApp runs on the grid, where it cannot write files: the run would fail there. flwrup keeps a copy of the file, and " +
				"you can undo the edit. Answer no to run the app as it is."})
		if err != nil {
			return err
		}
		if done {
			site.Kept[memo.Answer[AppReport]](s).Forget()
			to.Event(front.Says{Text: "commented out " + list + " in " + s.Rel(e.File)})
		}
	}
	return nil
}

// mendByDefault: SuperGrid never lets a ServerApp write, another grid may.
func mendByDefault(s *site.Site) string {
	if s.Options.Mend || s.Rehearsal() || s.Choices().Grid.Control == "" {
		return "yes"
	}
	return "no"
}

// pythonInImage runs the Python of an image once; dockerctl's runtime can.
type pythonInImage interface {
	RunPython(ctx context.Context, image string, args []string) ([]byte, error)
}

// packageAnswers keeps what an image lacks: it does not change.
type packageAnswers struct {
	mu   sync.Mutex
	know map[string][]app.Missing
}

// missingPackages asks the Python of the SuperNodes which of the app's dependencies it lacks.
func missingPackages(ctx context.Context, s *site.Site, a app.App) ([]app.Missing, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return nil, err
	}
	if s.RuntimeKind() != project.RuntimeDocker {
		return app.MissingPackages(ctx, f.Found().Python, a)
	}
	image := site.Image(s.Choices(), f.Version().String())
	key := image + "\n" + strings.Join(a.Dependencies, "\n")
	packages := site.Kept[packageAnswers](s)
	packages.mu.Lock()
	defer packages.mu.Unlock()
	if m, ok := packages.know[key]; ok {
		return m, nil
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	runner, ok := site.At(rt, site.Hosts(s)[0]).(pythonInImage)
	if !ok {
		return nil, nil
	}
	args, err := app.PackagesCommand(a.Dependencies)
	if err != nil {
		return nil, err
	}
	out, err := runner.RunPython(ctx, image, args)
	if err != nil {
		return nil, err
	}
	missing, err := app.ReadMissing(out)
	if err == nil {
		if packages.know == nil {
			packages.know = map[string][]app.Missing{}
		}
		packages.know[key] = missing
	}
	return missing, err
}

// checkPackages compares the app's dependencies with the packages of the SuperNodes.
func checkPackages(ctx context.Context, s *site.Site, a app.App, to front.Sink) error {
	// A SuperNode that installs what a run needs hands the same lines to uv.
	if _, err := a.Requirements(); err != nil {
		return err
	}
	if len(a.Dependencies) == 0 || nodesInstall(s) {
		return nil
	}
	missing, err := missingPackages(ctx, s, a)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		to.Event(front.Says{Text: "cannot check the SuperNodes' packages: " + problem.Of(err).Error()})
		return nil
	}
	if len(missing) == 0 {
		return nil
	}
	var list []string
	for _, m := range missing {
		text := m.Want
		if m.Have != "" {
			text += " (there is " + m.Have + ")"
		}
		list = append(list, text)
	}
	remedy := "build an image that has them: `flwrup image`, then `flwrup restart`"
	if s.RuntimeKind() != project.RuntimeDocker {
		remedy = "install them next to flwr: " + pip(ctx, s) + " install " + shell.Word(missing[0].Want)
	}
	if f, err := s.Session(ctx); err == nil && f.Dialect().RuntimeInstall {
		remedy += ", or let SuperNodes install what a run needs (install-packages = true in flwrup.toml)"
	}
	answer, err := to.Ask(ctx, front.Question{ID: "packages", Kind: front.AskConfirm, Default: "no",
		Ask: "Run the app anyway?", Help: "The SuperNodes lack " + strings.Join(list, ", ") + ", which the app's pyproject.toml asks for, so its ClientApp may fail. Better: " + remedy + "."})
	if err != nil || answer == "yes" {
		return err
	}
	return problem.New(problem.BadInput, "the SuperNodes lack "+strings.Join(list, ", "), "the app's pyproject.toml asks for it", remedy)
}

// nodesInstall reports whether every SuperNode may install what a run needs.
func nodesInstall(s *site.Site) bool {
	list, _, err := site.Members(s)
	if err != nil || len(list) == 0 {
		return false
	}
	for _, m := range list {
		choice := s.Choices().ForNode(m.Number)
		if (choice.Install == nil || !*choice.Install) && !slices.Contains(choice.Args, "--allow-runtime-dependency-installation") {
			return false
		}
	}
	return true
}

// pip is the command that installs into flwr's environment.
func pip(ctx context.Context, s *site.Site) string {
	f, err := s.Session(ctx)
	if err != nil || f.Found().Python == "" {
		return "pip"
	}
	return shell.Path(f.Found().Python) + " -m pip"
}
