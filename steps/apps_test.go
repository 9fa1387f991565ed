package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestAppThatFlwrRefuses: the app that the person named is not exchanged for another one, and flwr is not asked.
func TestAppThatFlwrRefuses(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
	folder := filepath.Join(s.Dir, "app")
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "\ufeff[project]\nname = \"a\"\n[tool.flwr.app.components]\nserverapp = \"a:app\"\n"
	if err := os.WriteFile(filepath.Join(folder, "pyproject.toml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.App = "app" })
	if err := runs.SettleApp(context.Background(), s, &sitetest.Heard{}); !problem.Is(err, app.Unusable) || !strings.Contains(err.Error(), "byte order mark") {
		t.Errorf("%v", err)
	}
}

// refusing is a grid whose flwr refuses every run.
type refusing struct{ *sitetest.Grid }

func (refusing) StartRun(context.Context, flwr.Connection, string, string, string) (flwr.RunID, error) {
	return 0, problem.New(app.Broken, "flwr said no", "", "")
}

// TestRunRefused: a run that flwr refuses is an error with its words, and its intent is given up.
func TestRunRefused(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 1)
	site.With(s, site.Backends{Flwr: refusing{g}})
	err := runTask{}.send(context.Background(), s, nil, "", &sitetest.Heard{})
	if err == nil || err.Error() != "flwr said no" || len(s.Ledger.Intents()) > 0 {
		t.Errorf("%v; intents %v", err, s.Ledger.Intents())
	}
}
