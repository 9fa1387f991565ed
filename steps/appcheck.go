package steps

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
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/shell"
)

// appReport is what is known of the app before it is run.
type appReport struct {
	App   app.App
	Found app.Findings
}

// appReport reads the app's source, unless that was done less than maxAge ago.
func (s *Site) appReport(ctx context.Context, maxAge time.Duration) (appReport, error) {
	r, _, err := s.world.app.get(maxAge, func() (appReport, error) {
		a, err := app.Read(s.appDir())
		if err != nil {
			return appReport{}, err
		}
		f, err := s.session(ctx)
		if err != nil {
			return appReport{}, err
		}
		found, err := app.Check(ctx, f.Found().Python, a)
		return appReport{a, found}, err
	})
	return r, err
}

// place says where a trap is, and its statement.
func (s *Site) place(r appReport, t app.Trap) string {
	return fmt.Sprintf("%s, line %d: %s", s.rel(filepath.Join(r.App.Dir, t.File)), t.Line, t.Text)
}

// trapHint says how sure it is that a statement fails on a grid.
func (s *Site) trapHint(r appReport, t app.Trap) string {
	if !t.Sure {
		return s.place(r, t) + " " + t.Does() + "; on a grid only /tmp can be written to"
	}
	text := s.place(r, t) + " " + t.Does() + ", which fails on a grid"
	if t.WhyNot != "" {
		text += "; change it by hand: " + t.WhyNot
	}
	return text
}

// trapHints says what in the app would fail on a grid.
func (s *Site) trapHints(r appReport) []string {
	var hints []string
	for _, t := range r.Found.Traps {
		hints = append(hints, s.trapHint(r, t))
	}
	return append(hints, s.reachHints(r)...)
}

// reachHints says what in the app a grid may not allow; only a run can tell.
func (s *Site) reachHints(r appReport) []string {
	var hints []string
	for _, t := range r.Found.Reaches {
		hints = append(hints, fmt.Sprintf("%s, line %d: %s reaches out over the network, which a grid may not let the ServerApp do",
			s.rel(filepath.Join(r.App.Dir, t.File)), t.Line, t.What))
	}
	return hints
}

// checkApp looks at the app as the grid will meet it, before it is sent: what writes files, packages that
// the SuperNodes lack, more nodes wanted than there are. It gives the run configuration to send with it.
func (s *Site) checkApp(ctx context.Context, to front.Sink) (config string, err error) {
	r, err := s.appReport(ctx, 0)
	if problem.Is(err, problem.PythonMissing) || problem.Is(err, problem.Internal) {
		to.Event(front.Says{Text: "the app's source was not looked at: " + problem.Of(err).Error()})
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if err := s.disarm(ctx, r, to); err != nil {
		return "", err
	}
	if err := s.checkPackages(ctx, r.App, to); err != nil {
		return "", err
	}
	return s.enoughNodes(ctx, r, to)
}

// disarm offers to comment out what surely writes files in the ServerApp. Unattended it changes nothing, unless
// the person asked for it with --mend.
func (s *Site) disarm(ctx context.Context, r appReport, to front.Sink) error {
	for _, hint := range s.reachHints(r) {
		to.Event(front.Says{Text: hint})
	}
	mends := s.o.Attended || s.o.Mend
	for _, t := range r.Found.Traps {
		switch mendable := t.Sure && t.WhyNot == ""; {
		case mendable && mends:
		case mendable:
			to.Event(front.Says{Text: s.trapHint(r, t) + "; --mend comments it out"})
		default:
			to.Event(front.Says{Text: s.trapHint(r, t)})
		}
	}
	if len(r.Found.Mendable()) == 0 || !mends {
		return nil
	}
	f, err := s.session(ctx)
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
		done, err := s.edit(ctx, to, runTask{}.ID(), e, front.Question{ID: "traps", Default: s.mendByDefault(), Ask: "Comment out " + list + "?",
			Help: "The ServerApp runs on the grid, where it cannot write files: the run would fail there. A copy of the file is kept, and " +
				"the edit can be undone. With no the app is run as it is."})
		if err != nil {
			return err
		}
		if done {
			s.world.app.forget()
			to.Event(front.Says{Text: "commented out " + list + " in " + s.rel(e.File)})
		}
	}
	return nil
}

// mendByDefault: SuperGrid never lets a ServerApp write, another grid may.
func (s *Site) mendByDefault() string {
	if s.o.Mend || s.Rehearsal() || !s.customAddress() {
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
func (s *Site) missingPackages(ctx context.Context, a app.App) ([]app.Missing, error) {
	f, err := s.session(ctx)
	if err != nil {
		return nil, err
	}
	if s.runtimeKind() != project.RuntimeDocker {
		return app.MissingPackages(ctx, f.Found().Python, a)
	}
	image := s.image(f.Version().String())
	key := image + "\n" + strings.Join(a.Dependencies, "\n")
	s.packages.mu.Lock()
	defer s.packages.mu.Unlock()
	if m, ok := s.packages.know[key]; ok {
		return m, nil
	}
	rt, err := s.nodesRuntime(ctx)
	if err != nil {
		return nil, err
	}
	runner, ok := inner(rt).(pythonInImage)
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
		if s.packages.know == nil {
			s.packages.know = map[string][]app.Missing{}
		}
		s.packages.know[key] = missing
	}
	return missing, err
}

// checkPackages holds the app's dependencies against what the SuperNodes have.
func (s *Site) checkPackages(ctx context.Context, a app.App, to front.Sink) error {
	// A SuperNode that installs what a run needs hands the same lines to uv.
	if _, err := a.Requirements(); err != nil {
		return err
	}
	if len(a.Dependencies) == 0 || s.nodesInstall() {
		return nil
	}
	missing, err := s.missingPackages(ctx, a)
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		to.Event(front.Says{Text: "the SuperNodes' packages were not looked at: " + problem.Of(err).Error()})
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
	if s.runtimeKind() != project.RuntimeDocker {
		remedy = "install them where flwr is: " + s.pip(ctx) + " install " + shell.Word(missing[0].Want)
	}
	if f, err := s.session(ctx); err == nil && f.Dialect().RuntimeInstall {
		remedy += ", or let SuperNodes install what a run needs (flwrup.toml: install-packages = true)"
	}
	answer, err := to.Ask(ctx, front.Question{ID: "packages", Kind: front.AskConfirm, Default: "no",
		Ask: "Run the app all the same?", Help: "The SuperNodes lack " + strings.Join(list, ", ") + ", which the app's pyproject.toml asks for: its ClientApp may fail there. Better: " + remedy + "."})
	if err != nil || answer == "yes" {
		return err
	}
	return problem.New(problem.BadInput, "the SuperNodes lack "+strings.Join(list, ", "), "the app's pyproject.toml asks for it", remedy)
}

// nodesInstall tells whether every SuperNode may install what a run needs.
func (s *Site) nodesInstall() bool {
	list, _, err := s.members()
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
func (s *Site) pip(ctx context.Context) string {
	f, err := s.session(ctx)
	if err != nil || f.Found().Python == "" {
		return "pip"
	}
	return shell.Path(f.Found().Python) + " -m pip"
}
