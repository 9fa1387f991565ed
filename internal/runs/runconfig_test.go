package runs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/flwrexec/app"
)

func TestParseConfig(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, c := range []struct {
		given      []string
		want, says string
	}{
		{nil, "", ""},
		{[]string{"num-server-rounds=5 lr=0.1"}, "num-server-rounds=5 lr=0.1", ""},
		{[]string{"a=1", `b="two words"`}, `a=1 b="two words"`, ""},
		{[]string{file("c.toml", "a = 1\nok = true\n[opt]\nname = \"it's\"\nlr = 0.5\n")}, `a=1 ok=true opt.lr=0.5 opt.name="it's"`, ""},
		{[]string{"a=1", "a=2"}, "", "`a` is there twice"},
		{[]string{"a=1", "c.toml"}, "", "a file of values comes alone"},
		{[]string{"lr"}, "", "no key=value"},
		{[]string{"name=clinic"}, "", "a text needs quotes"},
		{[]string{""}, "", "it is empty"},
		{[]string{filepath.Join(dir, "none.toml")}, "", "cannot read it: no such file"},
		{[]string{file("bad.toml", "a =")}, "", "it is no TOML"},
		{[]string{file("list.toml", "a = [1]")}, "", "the value of a is neither"},
		{[]string{file("empty.toml", "")}, "", "no values are in it"},
		{[]string{file("quotes.toml", `a = "'\""`)}, "", "both kinds of quotes"},
	} {
		got, err := ParseConfig(c.given)
		switch {
		case c.says != "":
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q: %v, want %q", c.given, err, c.says)
			}
		case err != nil || got.String() != c.want:
			t.Errorf("%q: %q %v, want %q", c.given, got, err, c.want)
		}
	}
}

// TestConfigFits: the grid takes a run with a key that its app lacks, and the run fails there; flwrup does not send it.
func TestConfigFits(t *testing.T) {
	a := app.App{Config: map[string]any{"num-server-rounds": int64(3), "min-nodes": int64(2)}}
	given, err := ParseConfig([]string{"num-server-rounds=5"})
	if err != nil {
		t.Fatal(err)
	}
	if err := given.fits(a); err != nil {
		t.Error(err)
	}
	if got := given.With("min-nodes", 4).With("num-server-rounds", 6).String(); got != "num-server-rounds=6 min-nodes=4" || given.String() != "num-server-rounds=5" {
		t.Errorf("%q %q", got, given)
	}
	given, _ = ParseConfig([]string{"rounds=5"})
	if err := given.fits(a); err == nil || !strings.Contains(err.Error(), "it has min-nodes, num-server-rounds") {
		t.Error(err)
	}
}
