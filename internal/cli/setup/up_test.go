package setup

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"flwrup/internal/cli/program"
	"flwrup/internal/project"
)

// TestPlaceFrom: a file on the command line is where the shell would look for it, and is kept as the project finds it.
func TestPlaceFrom(t *testing.T) {
	here := t.TempDir()
	t.Chdir(here)
	for _, c := range []struct{ dir, file, want string }{
		{".", "pass", "pass"},
		{"project", "pass", filepath.Join(here, "pass")},
		{"project", "project/secrets/pass", filepath.Join("secrets", "pass")},
		{"project", filepath.Join(here, "pass"), filepath.Join(here, "pass")},
	} {
		if got := placeFrom(c.dir, c.file); got != c.want {
			t.Errorf("%s for %s: %q, %q wanted", c.file, c.dir, got, c.want)
		}
	}
	if got := AppFrom("project", "none"); got != "none" {
		t.Errorf("no app became %q", got)
	}
}

// TestKept: the flags of up that the project keeps are those of the list.
func TestKept(t *testing.T) {
	o, c := upOptions{}, &project.Choices{}
	sets := o.keep(c, ".")
	for name, set := range o.nodes.keep(&c.All) {
		sets[name] = set
	}
	Up(&program.Program{}).Flags().VisitAll(func(f *pflag.Flag) {
		_, keeps := sets[f.Name]
		if has := slices.Contains(Kept, f.Name); has != keeps {
			t.Errorf("--%s: is in the list: %v, is kept: %v", f.Name, has, keeps)
		}
		delete(sets, f.Name)
	})
	if len(sets) > 0 {
		t.Errorf("no flags %v", sets)
	}
}
