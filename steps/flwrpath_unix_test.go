//go:build unix

package steps

import (
	"os"
	"path/filepath"
	"testing"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// A flwr that the person named and that is missing, broken or not permitted ends step 3 with that cause:
// no other one is installed in its place.
func TestNamedFlwrIsNotReplaced(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", "")
	t.Setenv("XDG_STATE_HOME", "")
	dir := t.TempDir()
	for name, text := range map[string]string{"fails": "#!/bin/sh\nexit 1\n", "closed": "#!/bin/sh\necho 1.42.0\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "fails"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]problem.Code{"none": problem.FlwrMissing, "fails": problem.FlwrBroken, "closed": problem.FlwrDenied} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, name)
			s, err := site.Open(site.Options{Dir: filepath.Join(t.TempDir(), "p"), Create: true, Trust: true,
				Choose: func(c *project.Choices) { c.Flwr.Path, c.Runtime = path, project.RuntimeProcess }})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := (tools{}).Apply(t.Context(), s, &sitetest.Heard{}); !problem.Is(err, code) || problem.Of(err).Fix == "" {
				t.Errorf("%v", err)
			}
			if _, err := Plan(t.Context(), s, front.StepTools); !problem.Is(err, code) {
				t.Errorf("plan: %v", err)
			}
			if st, err := Inspect(t.Context(), s, front.StepTools); err != nil || st.State != front.Ready || len(st.Hints) == 0 {
				t.Errorf("%+v %v", st, err)
			}
			root, err := install.OwnRoot()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := os.Stat(root); err == nil {
				t.Error("something was installed")
			}
		})
	}
}
