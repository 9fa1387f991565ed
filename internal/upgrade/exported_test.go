package upgrade

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/export"
	"flwrup/internal/fleet"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// TestExportedFiles: after an upgrade the files of an engine's SuperNodes are shown as a diff, written after a yes alone,
// and the command that the person types there is said.
func TestExportedFiles(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	g := sitetest.NewGrid("1.42.0")
	s, _, _ := sitetest.InFederation(t, g, 2)
	for i := range 2 {
		g.SetStatus(i, flwrexec.StatusOffline)
	}
	e, err := fleet.NewExport(t.Context(), s, export.Compose, []string{"supernode_1"}, "")
	if err == nil {
		err = e.Write(t.Context(), s, false, &sitetest.Heard{})
	}
	if err == nil {
		err = fleet.Move(t.Context(), s, e, &sitetest.Heard{})
	}
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(e.Dir, "compose.yaml")
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := read()
	quiet := &sitetest.Heard{}
	if err := (work{s: s, to: quiet}).exported(t.Context()); err != nil || quiet.Said() != "" {
		t.Errorf("nothing changed: %v, said %s", err, quiet.Said())
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Image = "hospital/own:1.43.0" })

	no := &sitetest.Scripted{}
	if err := (work{s: s, to: no}).exported(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"-    image: flwr/supernode:1.42.0", "+    image: hospital/own:1.43.0", "flwrup export compose", "docker compose up -d"} {
		if !strings.Contains(no.Said(), want) {
			t.Errorf("does not say %q:\n%s", want, no.Said())
		}
	}
	if read() != before {
		t.Error("written without a yes")
	}
	yes := &sitetest.Scripted{Answers: map[string]string{"overwrite": "yes"}}
	if err := (work{s: s, to: yes}).exported(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(read(), "image: hospital/own:1.43.0") || !strings.Contains(yes.Said(), "docker compose up -d") || yes.Last["overwrite"].Diff == "" {
		t.Errorf("said %s\nwrote %s", yes.Said(), read())
	}
}
