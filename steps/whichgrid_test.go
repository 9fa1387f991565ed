package steps

import (
	"cmp"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

const bare = `
[superlink.bare]
address = "bare.example.org:9093"
insecure = true

["superlink"."with spaces"]
address = "spaces.example.org:9093"
`

// TestWhichGrid: there is a question only where there is a choice, Enter alone stays with SuperGrid, and what
// was chosen stands in flwrup.toml.
func TestWhichGrid(t *testing.T) {
	superGridOnly := project.GridChoice{Connection: "supergrid"}
	for _, c := range []struct {
		name    string
		config  string
		change  bool
		answers map[string]string
		asked   string
		want    project.GridChoice
	}{
		{"SuperGrid alone", sitetest.Hospitals, false, nil, "federation", superGridOnly},
		{"no file", "", false, nil, "federation", superGridOnly},
		{"others that cannot be used", sitetest.Hospitals + bare, false, nil, "federation", superGridOnly},
		{"another one, Enter", sitetest.Hospitals + sitetest.Lungs, false, nil, "grid federation", superGridOnly},
		{"another one, chosen", sitetest.Hospitals + sitetest.Lungs, false, map[string]string{"grid": "lungs"}, "grid control fleet federation",
			project.GridChoice{Connection: "lungs", Control: "lungs.example.org:9093", Fleet: "lungs.example.org:9093", CA: "/etc/lungs/ca.crt"}},
		{"its addresses changed", sitetest.Hospitals + sitetest.Lungs, false, map[string]string{"grid": "lungs", "fleet": "fleet.example.org:9092"}, "grid control fleet federation",
			project.GridChoice{Connection: "lungs", Control: "lungs.example.org:9093", Fleet: "fleet.example.org:9092", CA: "/etc/lungs/ca.crt"}},
		{"asked for", sitetest.Hospitals, true, nil, "grid federation", superGridOnly},
		{"typed", sitetest.Hospitals, true, map[string]string{"grid": "other addresses", "control": "hearts.example.org:443", "fleet": "nodes.example.org:443"}, "grid control fleet ca connection federation",
			project.GridChoice{Connection: "hearts", Control: "hearts.example.org:443", Fleet: "nodes.example.org:443"}},
		{"SuperGrid at another address", sitetest.Hospitals, true, map[string]string{"grid": "other addresses", "control": "new.flower.ai"}, "grid control fleet ca connection federation",
			project.GridChoice{Connection: "supergrid", Control: "new.flower.ai", Fleet: "fleet-supergrid.flower.ai:443"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sitetest.Configured(t, c.config)
			p := &sitetest.Scripted{Answers: c.answers}
			do := func(id front.StepID) error {
				if c.change {
					return Change(t.Context(), s, id, p)
				}
				return Apply(t.Context(), s, id, p)
			}
			if err := do(2); err != nil {
				t.Fatal(err)
			}
			if asked := strings.Join(p.Asked, " "); asked != c.asked {
				t.Errorf("asked %q, %q wanted", asked, c.asked)
			}
			saved, err := project.Load(s.Dir)
			if err != nil || saved.Grid != c.want {
				t.Errorf("flwrup.toml has %+v, wanted %+v, %v", saved.Grid, c.want, err)
			}
			st, err := Inspect(t.Context(), s, 2)
			if err != nil || st.State != front.Done || !strings.Contains(st.Evidence[1], cmp.Or(c.want.Fleet, fleetName+":443")) {
				t.Errorf("step 2 is %s: %v %v", st.State, st.Evidence, err)
			}
		})
	}
}

// TestTypedGridAnew: typed addresses of another grid bring neither the fleet, the CA nor the name of the present
// one; with Enter alone nothing changes.
func TestTypedGridAnew(t *testing.T) {
	now := project.GridChoice{Connection: "lungs", Control: "10.0.0.1:9093", Fleet: "10.0.0.1:9999", CA: "/etc/lungs/ca.crt"}
	for control, want := range map[string]project.GridChoice{
		"10.0.0.1:9093":       now,
		"10.0.0.1:8000":       {Connection: "grid", Control: "10.0.0.1:8000", Fleet: "10.0.0.1:8000", CA: "/etc/lungs/ca.crt"},
		"lungs.example.org:1": {Connection: "lungs2", Control: "lungs.example.org:1", Fleet: "lungs.example.org:1"},
		"api.flower.ai":       {Connection: "supergrid", Control: "api.flower.ai", Fleet: "fleet-supergrid.flower.ai:443"},
	} {
		s := sitetest.Configured(t, sitetest.Hospitals, func(c *project.Choices) { c.Grid = now })
		p := &sitetest.Scripted{Answers: map[string]string{"grid": "other addresses", "control": control}}
		if want.CA != "" { // the file is not there
			file := filepath.Join(t.TempDir(), "ca.crt")
			if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
				t.Fatal(err)
			}
			want.CA = file
			sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.CA = file })
		}
		if err := Change(t.Context(), s, 2, p); err != nil || s.Choices().Grid != want {
			t.Errorf("%s: %+v, wanted %+v, %v", control, s.Choices().Grid, want, err)
		}
	}
}

// TestWhichGridRefuses: what cannot be an address is said while it is typed, and a CA file that is not there
// before anything is written.
func TestWhichGridRefuses(t *testing.T) {
	for _, answers := range []map[string]string{
		{"control": "https://hearts.example.org"}, {"control": ""}, {"fleet": "hearts.example.org:99999"},
		{"control": "hearts.example.org:443", "ca": "nosuch.crt"}, {"connection": "local"}, {"connection": "two words"},
	} {
		s := sitetest.Configured(t, sitetest.Hospitals)
		answers["grid"] = "other addresses"
		err := Change(t.Context(), s, 2, &sitetest.Scripted{Answers: answers})
		if err == nil || s.Choices().Grid != (project.GridChoice{Connection: "supergrid"}) {
			t.Errorf("%v: %v, the grid is %+v", answers, err, s.Choices().Grid)
		}
		if _, ca := answers["ca"]; ca && (!problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "") {
			t.Errorf("%v: %v", answers, err)
		}
	}
	s := sitetest.Configured(t, sitetest.Hospitals+bare)
	p := &sitetest.Scripted{}
	if err := Change(t.Context(), s, 2, p); err != nil {
		t.Fatal(err)
	}
	for _, c := range p.Last["grid"].Choices {
		if c.Disabled != (c.Value == "bare" || c.Value == "with spaces") {
			t.Errorf("%+v", c)
		}
	}
}

// TestGridByEditor: another grid that is written into flwrup.toml while flwrup is open is taken, once it is accepted,
// like one that was chosen: the person can go back to the previous one.
func TestGridByEditor(t *testing.T) {
	s := sitetest.Configured(t, sitetest.Hospitals+sitetest.Lungs, func(c *project.Choices) { c.Federation = "@ada/study" })
	edited := s.Choices().Clone()
	edited.Federation, edited.Grid = "@lungs/all", project.GridChoice{Connection: "lungs", Control: "lungs.example.org:9093"}
	if err := edited.Save(s.Dir); err != nil {
		t.Fatal(err)
	}
	p := &sitetest.Scripted{Answers: map[string]string{"grid": "supergrid"}}
	if err := Change(t.Context(), s, 2, p); !problem.Is(err, problem.NotAccepted) {
		t.Fatalf("taken unasked: %v", err)
	}
	asked, err := site.Trust(s.Dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Trust(s.Dir, asked.Open); err != nil {
		t.Fatal(err)
	}
	if err := Change(t.Context(), s, 2, p); err != nil {
		t.Fatal(err)
	}
	if def := p.Last["grid"].Default; def != "lungs" || s.Choices().Grid.Connection != "supergrid" || s.Choices().Federation != "@ada/study" {
		t.Errorf("was on %s, back on %+v for %q", def, s.Choices().Grid, s.Choices().Federation)
	}
}
