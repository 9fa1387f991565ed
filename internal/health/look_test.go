package health

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// TestExchangedKeyKeepsItsPlace: a SuperNode whose key was exchanged stands where its name belongs.
func TestExchangedKeyKeepsItsPlace(t *testing.T) {
	s := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 3)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	if _, err := keys.Generate(t.Context(), other, []string{"k"}, nil); err != nil {
		t.Fatal(err)
	}
	for from, to := range map[string]string{"k": list[0].Pair.Private, "k.pub": list[0].Pair.Public} {
		if err := os.Rename(filepath.Join(other, from), to); err != nil {
			t.Fatal(err)
		}
	}
	for name, o := range map[string]front.Overview{"diagnosed": Diagnosed(t.Context(), s, 0), "states": States(t.Context(), s)} {
		var names []string
		for _, v := range o.Nodes {
			names = append(names, v.Name)
		}
		if got := strings.Join(names, " "); got != "supernode_1 supernode_2 supernode_3" {
			t.Errorf("%s: %s", name, got)
		}
		if d := o.Nodes[0].Diagnosis; name == "diagnosed" && (d == nil || d.Code != KeySwapped) {
			t.Errorf("%v", d)
		}
	}
}

// TestKeysComeFirst: where the folder of keys cannot be read, the grid is not asked.
func TestKeysComeFirst(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.Open(t, g, 1)
	if err := os.WriteFile(s.Folder().KeysDir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := Diagnosed(t.Context(), s, 0); o.RuntimeErr == nil {
		t.Errorf("%+v", o)
	}
	if len(g.Calls) > 0 {
		t.Errorf("the grid was asked for %q", g.Calls)
	}
}

// TestRegisteredMeanwhile: a SuperNode that is registered while the grid answers is not missing in that answer.
func TestRegisteredMeanwhile(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := sitetest.WithKeys(t, g, 1)
	m, err := site.MemberNamed(s, "supernode_1")
	if err != nil {
		t.Fatal(err)
	}
	g.Faults["nodes"] = []sitetest.Fault{{After: func() {
		if err := s.Ledger.PutNode(site.Record(s, m, "7", "answer")); err != nil {
			t.Error(err)
		}
	}}}
	if o := Diagnosed(t.Context(), s, 0); o.Nodes[0].Diagnosis != nil {
		t.Errorf("%v", o.Nodes[0].Diagnosis)
	}
}

// endsNow is a Runtime whose SuperNodes end at the moment when they are listed.
type endsNow struct{ *sitetest.Runtime }

func (endsNow) List(context.Context) ([]supernode.Status, error) {
	return []supernode.Status{{Name: "supernode_1", State: supernode.Stopped, ExitCode: 1, Since: time.Now()}}, nil
}

// TestTimeAfterTheAnswers: a diagnosis counts the seconds from the time when all was read.
func TestTimeAfterTheAnswers(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s, rt := sitetest.Up(t, g, 1)
	g.SeeOnline(rt)
	site.With(s, site.Backends{Runtime: endsNow{rt}})
	o := Diagnosed(t.Context(), s, 0)
	if d := o.Nodes[0].Diagnosis; d == nil || d.Code != flwrexec.NodeHeld || !strings.Contains(d.Why, " s more") {
		t.Errorf("%v", d)
	}
}
