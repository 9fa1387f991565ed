package steps

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/keys"
)

// siteWith opens a site for n SuperNodes whose folder has keys of these names.
func siteWith(t *testing.T, g *sitetest.Grid, n int, names ...string) *site.Site {
	t.Helper()
	s := siteOn(t, g, 0)
	if _, err := keys.Generate(context.Background(), s.Folder().KeysDir(), names, nil); err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = n })
	return s
}

func namesOfFiles(t *testing.T, s *site.Site) map[string]string {
	t.Helper()
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, m := range list {
		for _, other := range out {
			if other == m.Name {
				t.Fatalf("two SuperNodes are called %s", other)
			}
		}
		out[m.Pair.Name] = m.Name
	}
	return out
}

// Every SuperNode has a name of its own, whatever the keys are called, and keeps it while others come.
func TestNamesWhateverTheKeysAreCalled(t *testing.T) {
	ctx := context.Background()
	for _, names := range [][]string{
		{"supernode-0", "supernode-1"}, {"mission", "soma", "chinatown"}, {"1", "01", "001"}, {"site-1", "Site-1", "node_1", "x1"},
		{"klinik-ä-1", "klinik-ö-1", "ключ"}, {"k20260101", "k20260102", "k0"}, {"supernode_2", "supernode_10", "a"},
	} {
		s := siteWith(t, sitetest.NewGrid("1.42.0"), len(names), names...)
		before := namesOfFiles(t, s)
		if len(before) != len(names) {
			t.Errorf("%q: %v", names, before)
		}
		if err := Apply(ctx, s, 10, &sitetest.Heard{}); err != nil {
			t.Errorf("%q: %v", names, err)
		}
		for range 2 { // one more each time
			s.Choices().Nodes++
			if err := Apply(ctx, s, 6, &sitetest.Heard{}); err != nil {
				t.Fatal(err)
			}
			after := namesOfFiles(t, s)
			if len(after) != s.Choices().Nodes {
				t.Errorf("%q: %v", names, after)
			}
			for file, name := range before {
				if after[file] != name {
					t.Errorf("%q: %s was %s and is %s", names, file, name, after[file])
				}
			}
			if err := Apply(ctx, s, 10, &sitetest.Heard{}); err != nil {
				t.Errorf("%q: %v", names, err)
			}
		}
	}
}

// A key that somebody puts into the folder does not push a registered SuperNode out, nor take its name.
func TestANewKeyTakesNobodysPlace(t *testing.T) {
	ctx := context.Background()
	s := siteWith(t, sitetest.NewGrid("1.42.0"), 3, "mission", "soma", "chinatown")
	if err := Apply(ctx, s, 10, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	before := namesOfFiles(t, s)
	if _, err := keys.Generate(ctx, s.Folder().KeysDir(), []string{"boston", "supernode_1"}, nil); err != nil {
		t.Fatal(err)
	}
	after := namesOfFiles(t, s)
	if len(after) != 3 {
		t.Errorf("%v", after)
	}
	for file, name := range before {
		if after[file] != name {
			t.Errorf("%s was %s and is %q", file, name, after[file])
		}
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 5 })
	if got := namesOfFiles(t, s); got["supernode_1"] != "supernode_4" && got["supernode_1"] != "supernode_5" {
		t.Errorf("%v", got)
	}
	// A removed one may come back: its name is nobody else's.
	if err := Act(ctx, s, front.RemoveNodes, []string{before["soma"]}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if got := namesOfFiles(t, s); slices.Contains([]string{got["boston"], got["supernode_1"]}, before["soma"]) {
		t.Errorf("%s was given to another: %v", before["soma"], got)
	}
}

// A SuperLink's key and copies make no SuperNodes; one that was registered as one stays one.
func TestNoSuperNodeOfASuperLinksKey(t *testing.T) {
	ctx := context.Background()
	s := siteWith(t, sitetest.NewGrid("1.42.0"), 2, "server_credentials", "client_credentials_1")
	for _, suffix := range []string{"", ".pub"} {
		data, err := os.ReadFile(filepath.Join(s.Folder().KeysDir(), "client_credentials_1"+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Folder().KeysDir(), "copy"+suffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := namesOfFiles(t, s); len(got) != 1 || got["client_credentials_1"] == "" {
		t.Fatalf("%v", got)
	}
	st, err := Inspect(ctx, s, front.StepKeys)
	if hints := strings.Join(st.Hints, "\n"); err != nil || !strings.Contains(hints, "a SuperLink's key") || !strings.Contains(hints, "the same key") {
		t.Errorf("%v %s", err, hints)
	}
	for _, step := range []front.StepID{front.StepKeys, front.StepRegister} {
		if err := Apply(ctx, s, step, &sitetest.Heard{}); err != nil {
			t.Fatal(err)
		}
	}
	if got := namesOfFiles(t, s); len(got) != 2 || got["client_credentials_2"] == "" {
		t.Errorf("%v", got)
	}
	for _, suffix := range []string{"", ".pub"} { // as an earlier flwrup may have left it
		dir := s.Folder().KeysDir()
		if err := os.Rename(filepath.Join(dir, "client_credentials_2"+suffix), filepath.Join(dir, "superlink_key"+suffix)); err != nil {
			t.Fatal(err)
		}
	}
	if got := namesOfFiles(t, s); len(got) != 2 || got["superlink_key"] == "" {
		t.Errorf("registered, then called a SuperLink's: %v", got)
	}
	list, folder, err := site.Members(s)
	if lost := site.WithoutKey(s, list, folder); err != nil || len(lost) > 0 {
		t.Errorf("%+v %v", lost, err)
	}
}
