package outgoing

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCheck(t *testing.T) {
	private := []Private{{"/p/app/data/clinic a", "data of supernode_1", false}, {"/p/app/one.json", "data of supernode_2", false},
		{"/p/app/keys", "keys", true}, {"/p/app/data", "data of all", false}, {"/elsewhere", "data of supernode_3", false}}
	for name, c := range map[string]struct {
		file    File
		private []Private
		want    string // line (what) never
	}{
		"code":                    {File{Name: "pk/a.py"}, private, ""},
		"a settings file":         {File{Name: "conf.yaml"}, private, ""},
		"data, innermost":         {File{Name: "data/clinic a/x.json"}, private, `/data/clinic\ a/ data of supernode_1 false`},
		"data around":             {File{Name: "data/x.md"}, private, `/data/ data of all false`},
		"code in a data folder":   {File{Name: "data/x.py"}, private, `/data/ data of all false`},
		"a name that only begins": {File{Name: "database/x.json"}, private, ""},
		"a file":                  {File{Name: "one.json"}, private, `/one.json data of supernode_2 false`},
		"a key folder":            {File{Name: "keys/notes.md"}, private, `/keys/ keys true`},
		"a link to data":          {File{Name: "x.json", Real: "/elsewhere/x.json", Outside: true}, private, `/x.json data of supernode_3 false`},
		"a link to data within":   {File{Name: "y.json", Real: "/p/app/one.json"}, private, `/one.json data of supernode_2 false`},
		"a link elsewhere":        {File{Name: "x.json", Real: "/other/x.json", Outside: true}, private, `/x.json a link out of the app's folder, to /other/x.json false`},
		"a private key":           {File{Name: "x.md", Secret: true}, private, `/x.md it holds a private key true`},
		"a backup":                {File{Name: "b/x.age"}, private, `/b/x.age a backup, a key or passwords, by its name true`},
		"data around all":         {File{Name: "x.json"}, []Private{{"/p", "data", false}}, `/x.json data false`},
		"data is all":             {File{Name: "x.json"}, []Private{{"/p/app", "data", false}}, `/x.json data false`},
		"code, data around all":   {File{Name: "x.py"}, []Private{{"/p", "data", false}}, ""},
		"README, data around all": {File{Name: "README.md"}, []Private{{"/p", "data", false}}, ""},
		"keys around all":         {File{Name: "x.json"}, []Private{{"/p", "keys", true}}, ""},
		"an odd name":             {File{Name: "#a*b?.json"}, []Private{{"/p", "data", false}}, `/\#a\*b\?.json data false`},
	} {
		t.Run(name, func(t *testing.T) {
			if c.file.Real == "" {
				c.file.Real = "/p/app/" + c.file.Name
			}
			got := ""
			for _, f := range Check("/p/app", []File{c.file}, c.private) {
				got += fmt.Sprint(f.Line, " ", f.What, " ", f.Never)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTooLarge(t *testing.T) {
	files := []File{{Name: "a.py", Packed: 9}, {Name: "b.json", Packed: 5}, {Name: "c.json", Packed: 7}, {Name: "d.md", Packed: 1}}
	for limit, want := range map[int64]string{22: "", 21: "c.json", 15: "c.json", 14: "c.json b.json", 1: "c.json b.json d.md a.py"} {
		var got []string
		for _, f := range TooLarge(files, limit) {
			got = append(got, f.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d: got %q, want %q", limit, got, want)
		}
	}
}

func TestSummary(t *testing.T) {
	got := Summary([]File{{Name: "a.py"}, {Name: "README.md"}, {Name: "data/x.json"}, {Name: "notes.md"}})
	if got != "2 files of code, and data/x.json, notes.md" || !slices.Equal([]string{Summary([]File{{Name: "a.py"}})}, []string{"1 file of code"}) {
		t.Error(got)
	}
}

// A name cannot put a second line into .gitignore.
func TestLineIsOne(t *testing.T) {
	if got := Line("a\n!b\x1b.json", false); got != `/a?\!b?.json` {
		t.Errorf("%q", got)
	}
}
