package runs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec/app"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestAppThatFlwrRefuses: the app that the person named is not exchanged for another one, and flwr is not asked.
func TestAppThatFlwrRefuses(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	folder := filepath.Join(s.Dir, "app")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "\ufeff[project]\nname = \"a\"\n[tool.flwr.app.components]\nserverapp = \"a:app\"\n"
	if err := os.WriteFile(filepath.Join(folder, "pyproject.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.App = "app" })
	if err := SettleApp(context.Background(), s, &sitetest.Heard{}); !problem.Is(err, app.Unusable) || !strings.Contains(err.Error(), "byte order mark") {
		t.Errorf("%v", err)
	}
}

// TestAppThatIsGone: unattended, the only app in the folder does not take the place of the app in flwrup.toml. A
// person reads why, and chooses.
func TestAppThatIsGone(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
	folder := filepath.Join(s.Dir, "theirs")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "[project]\nname = \"a\"\nversion = \"1\"\n[tool.flwr.app.components]\nserverapp = \"a:app\"\n"
	if err := os.WriteFile(filepath.Join(folder, "pyproject.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.App = "gone" })
	s.Options.Attended = false
	if err := SettleApp(context.Background(), s, &sitetest.Heard{}); !problem.Is(err, app.Broken) || !strings.Contains(err.Error(), "cannot run the app gone") {
		t.Errorf("unattended: %v", err)
	}
	if s.Choices().App != "gone" {
		t.Errorf("app = %q", s.Choices().App)
	}
	s.Options.Attended = true
	person := &sitetest.Scripted{Answers: map[string]string{"app": "theirs"}}
	if err := SettleApp(context.Background(), s, person); err != nil || s.Choices().App != "theirs" {
		t.Errorf("attended: %v, app = %q", err, s.Choices().App)
	}
	if !strings.Contains(person.Said(), "names the app gone: no app is at ") {
		t.Errorf("%s", person.Said())
	}
}

// hub is a grid whose flwr fetches apps.
type hub struct {
	*sitetest.Grid
	asked *[]string
}

func (h hub) NewApp(_ context.Context, work string, argv []string, _ func(string)) (app.App, error) {
	*h.asked = append(*h.asked, strings.Join(argv, " "))
	dir := filepath.Join(work, "lungs")
	text := "[project]\nname = \"lungs\"\nversion = \"1.0.0\"\n[tool.flwr.app]\npublisher = \"ada\"\n[tool.flwr.app.components]\nserverapp = \"a:app\"\n"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return app.App{}, err
	}
	if err := os.WriteFile(filepath.Join(dir, "pyproject.toml"), []byte(text), 0o600); err != nil {
		return app.App{}, err
	}
	return app.Read(dir)
}

// TestAppOfTheHub: an app that is named as Flower's hub has it is fetched once, by a flwr that can.
func TestAppOfTheHub(t *testing.T) {
	for _, c := range []struct{ flwr, id, says string }{
		{"1.42.0", "@ada/lungs", ""},
		{"1.42.0", "@ada/lungs==1.0.0", ""},
		{"1.24.0", "@ada/lungs", "flwr 1.24.0 has templates of its own"},
	} {
		asked := []string{}
		g := sitetest.NewGrid(c.flwr)
		s := sitetest.WithKeys(t, g, 1)
		site.With(s, site.Backends{Flwr: hub{g, &asked}})
		for try := range 2 {
			sitetest.Choose(t, s, func(p *project.Choices) { p.App = c.id })
			err := SettleApp(context.Background(), s, &sitetest.Heard{})
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) || len(asked) > 0 {
					t.Errorf("%s %s: %v, asked %v", c.flwr, c.id, err, asked)
				}
				continue
			}
			if err != nil || s.Choices().App != "lungs" || len(asked) != 1 || asked[0] != "flwr new "+c.id {
				t.Errorf("%s %s, call %d: %v, app %q, asked %v", c.flwr, c.id, try+1, err, s.Choices().App, asked)
			}
		}
	}
	// Another release, or another app, does not take the place of what was named.
	g, asked := sitetest.NewGrid("1.42.0"), []string{}
	s := sitetest.WithKeys(t, g, 1)
	site.With(s, site.Backends{Flwr: hub{g, &asked}})
	if _, err := (hub{g, &asked}).NewApp(context.Background(), s.Dir, nil, nil); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"@ada/lungs==2.0.0", "@eve/lungs"} {
		sitetest.Choose(t, s, func(p *project.Choices) { p.App = id })
		if err := SettleApp(context.Background(), s, &sitetest.Heard{}); err == nil || !strings.Contains(err.Error(), "is there already, with @ada/lungs 1.0.0") {
			t.Errorf("%s: %v", id, err)
		}
	}
}
