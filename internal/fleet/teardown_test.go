package fleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TearDown fails where the runtime still has something afterwards, although no call failed, or where it does not answer.
func TestClearedIsLookedAt(t *testing.T) {
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 1)
	site.With(s, site.Backends{Runtime: &forgets{rt}})
	if err := TearDown(context.Background(), s, &sitetest.Heard{}, true); err == nil || !strings.Contains(err.Error(), "still left: supernode_7") {
		t.Errorf("%v", err)
	}
	site.With(s, site.Backends{Runtime: &deaf{rt}})
	if err := TearDown(context.Background(), s, &sitetest.Heard{}, true); !problem.Is(err, problem.DockerDown) {
		t.Errorf("without an answer: %v", err)
	}
}

// The folder of a site that a rehearsal made goes with the rehearsal; that of a real site stays.
func TestSiteOfRehearsalGoes(t *testing.T) {
	for _, c := range []struct {
		fleet            string
		rehearsed, stays bool
	}{
		{"127.0.0.1:9092", true, false},
		{"", true, false}, // no reply taken so far
		{"fleet.example:9092", true, true},
		{"127.0.0.1:9092", false, true},
	} {
		dir := filepath.Join(t.TempDir(), "site-1")
		s, err := site.Open(site.Options{Dir: dir, Create: true, Rehearsed: c.rehearsed, Choose: func(choices *project.Choices) {
			choices.Nodes, choices.Site.Name, choices.Grid.Fleet = 1, "St. Mary", c.fleet
		}})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		g := sitetest.NewGrid("1.42.0")
		_, rt := sitetest.Up(t, g, 0)
		site.With(s, site.Backends{Flwr: g, Runtime: rt})
		if err := TearDown(t.Context(), s, &sitetest.Heard{}, true); err != nil {
			t.Errorf("%+v: %v", c, err)
		}
		if _, err := os.Stat(dir); (err == nil) != c.stays {
			t.Errorf("%+v: the folder: %v", c, err)
		}
	}
}

type forgets struct{ *sitetest.Runtime }

func (forgets) Leftovers(context.Context) ([]string, error) { return []string{"supernode_7"}, nil }

type deaf struct{ *sitetest.Runtime }

func (deaf) Leftovers(context.Context) ([]string, error) {
	return nil, &problem.Problem{Code: problem.DockerDown, What: "Docker is not running", Err: errors.New("refused")}
}
