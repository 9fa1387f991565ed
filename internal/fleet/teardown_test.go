package fleet

import (
	"context"
	"errors"
	"strings"
	"testing"

	"flwrup/internal/problem"
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

type forgets struct{ *sitetest.Runtime }

func (forgets) Leftovers(context.Context) ([]string, error) { return []string{"supernode_7"}, nil }

type deaf struct{ *sitetest.Runtime }

func (deaf) Leftovers(context.Context) ([]string, error) {
	return nil, &problem.Problem{Code: problem.DockerDown, What: "Docker is not running", Err: errors.New("refused")}
}
