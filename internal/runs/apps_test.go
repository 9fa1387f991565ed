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
