package steps

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/byguide"
	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestEdits: the edits of steps 4, 5 and 8 are shown as a diff before they are made, keep the file's mode,
// leave a copy, and can be taken back one by one.
func TestEdits(t *testing.T) {
	const script = "#!/bin/bash\nset -e\ngenerate() {\n    local num_clients=${1:-2}\n}\n"
	for _, c := range []struct {
		step       front.StepID
		question   string
		file, text string
		mode       os.FileMode
		wants      string // in the file afterwards
		answers    map[string]string
		change     bool
	}{
		{4, "certificate", "certificate.conf", "[req]\nreq_extensions = e\n[e]\nsubjectAltName = @alt_names\n[alt_names]\nDNS.1 = localhost\n", 0o640, "DNS.2 = " + fleetName, nil, false},
		{5, "script", byguide.ScriptName, script, 0o750, "num_clients=${1:-5}", map[string]string{"nodes": "5", "script": "yes"}, true},
	} {
		s := sitetest.Configured(t, sitetest.Hospitals)
		file := filepath.Join(s.Dir, c.file)
		if err := os.WriteFile(file, []byte(c.text), c.mode); err != nil {
			t.Fatal(err)
		}
		p := &sitetest.Scripted{Answers: c.answers}
		do := func(id front.StepID) error {
			if c.change {
				return Change(t.Context(), s, id, p)
			}
			return Apply(t.Context(), s, id, p)
		}
		if err := do(c.step); err != nil {
			t.Fatal(err)
		}
		if d := p.Last[c.question].Diff; !strings.Contains(d, "+++ "+c.file) || !strings.Contains(d, c.wants) {
			t.Errorf("step %d shows the diff\n%s", c.step, d)
		}
		now, err := os.ReadFile(file)
		info, serr := os.Stat(file)
		if err != nil || serr != nil || !strings.Contains(string(now), c.wants) || info.Mode().Perm() != c.mode {
			t.Errorf("step %d: mode %v %v %v\n%s", c.step, info.Mode(), err, serr, now)
		}
		copies, err := filepath.Glob(file + ".before-flwrup-*")
		if err != nil || len(copies) != 1 || !site.CanUndo(s, c.step) {
			t.Fatalf("step %d: copies %v, can be undone %v, %v", c.step, copies, site.CanUndo(s, c.step), err)
		}
		if kept, err := os.ReadFile(copies[0]); err != nil || string(kept) != c.text {
			t.Errorf("the copy has %q, %v", kept, err)
		}
		if err := site.Undo(t.Context(), s, c.step); err != nil {
			t.Fatal(err)
		}
		now, err = os.ReadFile(file)
		if info, serr = os.Stat(file); err != nil || serr != nil || string(now) != c.text || info.Mode().Perm() != c.mode || site.CanUndo(s, c.step) {
			t.Errorf("step %d undone: mode %v %v %v\n%s", c.step, info.Mode(), err, serr, now)
		}
	}
}

// TestEditRefused: after a no nothing has changed, and a certificate.conf that is made goes again with undo.
func TestEditRefused(t *testing.T) {
	s := sitetest.Configured(t, sitetest.Hospitals)
	file := filepath.Join(s.Dir, "certificate.conf")
	for answer, there := range map[string]bool{"no": false, "yes": true} {
		if err := Change(t.Context(), s, 4, &sitetest.Scripted{Answers: map[string]string{"certificate": answer}}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(file); (err == nil) != there || site.CanUndo(s, 4) != there {
			t.Errorf("after %q: %v, can be undone %v", answer, err, site.CanUndo(s, 4))
		}
		if there {
			if err := site.Undo(t.Context(), s, 4); err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(file); !os.IsNotExist(err) {
				t.Errorf("after undo: %v", err)
			}
		}
	}
}

// TestUndoTwice: a step that edits two files takes both back, the last one first: the block of the guide goes only
// after the connection is where flwr looks for it.
func TestUndoTwice(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Configured(t, "[superlink]\ndefault = \"local\"\n")
	site.With(s, site.Backends{Flwr: g})
	sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Control = "lungs.example.org:9093" })
	app := filepath.Join(s.Dir, "pyproject.toml")
	legacy := "[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\n"
	if err := os.WriteFile(app, []byte(legacy), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(s.Choices().Flwr.Home, "config.toml")
	if err := Apply(t.Context(), s, 8, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	read := func(file string) string {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for left := 2; left > 0; left-- {
		if changed := read(app) != legacy; changed != (left == 2) || !strings.Contains(read(config), "lungs") {
			t.Errorf("%d edits left, pyproject.toml\n%s\nconfig.toml\n%s", left, read(app), read(config))
		}
		if !site.CanUndo(s, 8) {
			t.Fatalf("%d edits left and no undo", left)
		}
		if err := site.Undo(t.Context(), s, 8); err != nil {
			t.Fatal(err)
		}
	}
	if read(app) != legacy || strings.Contains(read(config), "lungs") || site.CanUndo(s, 8) {
		t.Errorf("undone twice, pyproject.toml\n%s\nconfig.toml\n%s", read(app), read(config))
	}
}
