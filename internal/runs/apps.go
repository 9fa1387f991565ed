package runs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// Answers other than a folder with an app.
const (
	newApp   = "new"
	otherApp = "other"
)

// SettleApp makes sure that there is an app to run, or that none: somebody else starts the runs. The app is the
// chosen one, else the only one in the folder, else the user's choice. A chosen one that is gone is never exchanged
// unattended.
func SettleApp(ctx context.Context, s *site.Site, to front.Sink) error {
	if id := s.Choices().App; flwr.IsAppID(id) {
		if err := fetchApp(ctx, s, id, to); err != nil {
			return err
		}
	}
	for !s.RunsElsewhere() {
		_, err := app.Read(s.AppDir())
		if err == nil || problem.Is(err, app.Unusable) { // another app is not what the person wants
			return err
		}
		if named := s.Choices().App; named != "" {
			why := "no app is at " + s.AppDir()
			if !s.Options.Attended {
				return problem.New(app.Broken, "cannot run the app "+termsafe.Quote(named)+" that flwrup.toml names", why, "name another app: flwrup run --app FOLDER")
			}
			to.Event(front.Says{Text: "flwrup.toml names the app " + termsafe.Quote(named) + ": " + why})
		}
		if err := chooseApp(ctx, s, to); err != nil {
			return err
		}
	}
	return nil
}

// UsableApp says why folder dir holds no app that flwr can run; nil when it does.
func UsableApp(dir string) error {
	_, err := app.Read(dir)
	if problem.Is(err, app.Broken) {
		return errors.New(problem.Of(err).Why)
	}
	return err
}

// chooseApp offers the apps in the project's folder and one level below it, a new one, any other folder,
// and none.
func chooseApp(ctx context.Context, s *site.Site, to front.Sink) error {
	apps := app.Find(s.Dir)
	q := front.Question{ID: "app", Kind: front.AskChoice, Ask: "Which Flower app do you want to run?",
		Help: "Its ServerApp runs on the grid, its ClientApp on every SuperNode."}
	for _, a := range apps {
		dir := s.Folder().ShellDir(a.Dir)
		q.Choices = append(q.Choices, front.Choice{Value: dir, Label: dir, Note: a.Title() + " " + a.Version})
	}
	switch {
	case len(apps) == 1:
		q.Default = q.Choices[0].Value
	case len(apps) == 0:
		q.Help = "There is no app in this folder or one level below it. " + q.Help
	}
	q.Choices = append(q.Choices,
		front.Choice{Value: newApp, Label: "make a new one", Note: newAppNote(s)},
		front.Choice{Value: otherApp, Label: "another folder"},
		front.Choice{Value: site.NoApp, Label: "none", Note: "none: somebody else starts the runs"})
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	switch answer {
	case newApp:
		return makeApp(ctx, s, to)
	case otherApp:
		if answer, err = to.Ask(ctx, front.Question{ID: "app-folder", Kind: front.AskText, Ask: "Where is the Flower app?",
			Help: "The folder with the app's pyproject.toml.",
			Validate: func(text string) error {
				if text == "" {
					return fmt.Errorf("a folder")
				}
				return nil
			}}); err != nil {
			return err
		}
		if _, err := app.Read(s.Path(answer)); err != nil {
			to.Event(front.Says{Text: problem.Of(err).Error()})
			return nil // asked again
		}
	}
	return s.Change(func(c *project.Choices) error { c.App = answer; return nil })
}

func newAppNote(s *site.Site) string {
	if !s.Dialect().AppsFromPlatform {
		return "flwr's own NumPy template"
	}
	return "downloaded from Flower"
}

// makeApp has flwr make a new app, in a folder of flwrup's own, and moves it into the project when it is
// whole.
func makeApp(ctx context.Context, s *site.Site, to front.Sink) error {
	publisher := s.Ledger.Account(s.Choices().Grid.Connection)
	return placeApp(ctx, s, flwr.NewAppName, func(d flwr.Dialect) []string { return d.NewAppArgv(publisher) }, to)
}

// fetchApp fetches an app of Flower's hub into the project, unless its folder is there already.
func fetchApp(ctx context.Context, s *site.Site, id string, to front.Sink) error {
	dir := filepath.Join(s.Dir, flwr.AppFolder(id))
	if a, err := app.Read(dir); err == nil {
		title, version, exact := strings.Cut(id, "==")
		if a.Title() != title || exact && a.Version != version {
			return problem.New(problem.BadInput, "cannot fetch the app "+id, s.Rel(dir)+" is there already, with "+a.Title()+" "+a.Version,
				"name that folder with --app, or move it away")
		}
		to.Event(front.Says{Text: "the app " + title + " is in " + s.Rel(dir) + " already"})
		return s.Change(func(c *project.Choices) error { c.App = s.Rel(dir); return nil })
	}
	if _, err := s.Session(ctx); err != nil {
		return err
	}
	if d := s.Dialect(); !d.AppsFromPlatform {
		return problem.New(problem.NotSupported, "cannot fetch the app "+id, "flwr "+d.Version.String()+" has templates of its own, and no apps from Flower's hub",
			"use flwr 1.25 or later (--flwr), or name the folder of an app with --app")
	}
	return placeApp(ctx, s, flwr.AppFolder(id), func(d flwr.Dialect) []string { return d.FetchAppArgv(id) }, to)
}

// placeApp runs a command of flwr's that makes the app folder name, and moves it into the project.
func placeApp(ctx context.Context, s *site.Site, name string, argv func(flwr.Dialect) []string, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	dir := filepath.Join(s.Dir, name)
	if _, err := os.Lstat(dir); err == nil {
		return problem.New(problem.BadInput, s.Rel(dir)+" already exists", "a new app would go there", "choose it, or move it away")
	}
	work, err := site.Scratch(s, site.ScratchApp)
	if err != nil {
		return fmt.Errorf("make a folder for the new app: %w", err)
	}
	defer os.RemoveAll(work) // made just now, below .flwrup
	to.Event(front.Says{Text: "making a new app: " + strings.Join(argv(f.Dialect()), " ")})
	a, err := f.NewApp(ctx, work, argv(f.Dialect()), func(l string) { to.Event(front.Output{Text: l}) })
	if err != nil {
		return err
	}
	if err := os.Rename(a.Dir, dir); err != nil {
		return fmt.Errorf("move the new app to its place: %w", err)
	}
	return s.Change(func(c *project.Choices) error { c.App = s.Rel(dir); return nil })
}
