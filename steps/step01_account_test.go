package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
)

// replies is a person who replies each question by its ID, else with its default.
type replies struct {
	sitetest.Heard
	by    map[string]string
	asked []string
}

func (a *replies) Ask(_ context.Context, q front.Question) (string, error) {
	a.asked = append(a.asked, q.Ask)
	if answer, ok := a.by[q.ID]; ok {
		return answer, nil
	}
	return q.Default, nil
}

// TestHalfOfTheGuide: who did half of the guide by hand is asked once whether to use it, and nothing of theirs changes.
func TestHalfOfTheGuide(t *testing.T) {
	for answer, want := range map[string]struct {
		keys, federation string
		nodes            int
	}{"use": {"keys", "radiology", 3}, "own": {"flwrup-keys", "", 0}} {
		t.Run(answer, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("FLWR_HOME", filepath.Join(home, ".flwr"))
			dir := t.TempDir()
			names := []string{"client_credentials_1", "client_credentials_2", "client_credentials_3"}
			if _, err := keys.Generate(t.Context(), filepath.Join(dir, "keys"), names, func(keys.Pair) {}); err != nil {
				t.Fatal(err)
			}
			pyproject := filepath.Join(dir, "pyproject.toml")
			const block = "[tool.flwr.federations.supergrid]\naddress = \"supergrid.flower.ai\"\nfederation = \"radiology\"\nenable-account-auth = true\n"
			if err := os.WriteFile(pyproject, []byte(block), 0o600); err != nil {
				t.Fatal(err)
			}
			before := contents(t, dir)
			s := opens(t, site.Options{Dir: dir, Create: true, Attended: true})

			st, err := Inspect(t.Context(), s, front.StepAccount)
			if err != nil || st.State != front.Ready || !strings.HasPrefix(strings.Join(st.Evidence, "|"), "3 key pairs in keys|federation radiology in pyproject.toml") {
				t.Errorf("%+v, %v", st, err)
			}
			p := &replies{by: map[string]string{"found": answer}}
			if err := Apply(t.Context(), s, front.StepAccount, p); err != nil {
				t.Fatal(err)
			}
			if len(p.asked) == 0 || p.asked[0] != "Found 3 keys and federation radiology. Use them?" {
				t.Errorf("asked: %q", p.asked)
			}
			if c := s.Choices(); c.Keys != want.keys || c.Federation != want.federation || c.Nodes != want.nodes {
				t.Errorf("chosen: keys in %q, federation %q, %d SuperNodes", c.Keys, c.Federation, c.Nodes)
			}
			p.asked = nil
			if err := Apply(t.Context(), s, front.StepAccount, p); err != nil || len(p.asked) > 0 && strings.HasPrefix(p.asked[0], "Found") {
				t.Errorf("asked again: %q, %v", p.asked, err)
			}
			for name, text := range before {
				if now := contents(t, dir)[name]; now != text {
					t.Errorf("%s has changed", name)
				}
			}
		})
	}
}

// contents returns the files of a folder, by name.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(file string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			var text []byte
			text, err = os.ReadFile(file)
			files[file] = string(text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
