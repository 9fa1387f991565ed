package fleet

import (
	"context"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// leaves is a runtime that still has the volume of a SuperNode whose container is gone.
type leaves struct {
	*sitetest.Runtime
	left  []string
	stuck bool
}

func (r *leaves) Leftovers(context.Context) ([]string, error) { return slices.Clone(r.left), nil }
func (r *leaves) Remove(ctx context.Context, name string) error {
	if r.stuck && slices.Contains(r.left, name) {
		return problem.New("key-left", "a volume of "+name+" is left", "", "")
	}
	r.left = slices.DeleteFunc(r.left, func(n string) bool { return n == name })
	return r.Runtime.Remove(ctx, name)
}

// `down --remove` and `remove NODE` fail while the copy of a key is left.
func TestNoKeyIsLeftBehind(t *testing.T) {
	ctx := context.Background()
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
	l := &leaves{Runtime: rt, left: []string{"supernode_1", "supernode_9"}, stuck: true}
	site.With(s, site.Backends{Runtime: l})
	if err := TearDown(ctx, s, &sitetest.Heard{}, false); err != nil || len(l.left) != 2 {
		t.Fatalf("down without --remove: %v, left %q", err, l.left)
	}
	if err := TearDown(ctx, s, &sitetest.Heard{}, true); err == nil || !strings.Contains(err.Error(), "is left") {
		t.Errorf("down --remove with a volume that stays: %v", err)
	}
	if err := Remove(ctx, s, []string{"supernode_1"}, false, &sitetest.Heard{}, once); err == nil || !strings.Contains(err.Error(), "is left") {
		t.Errorf("remove with a volume that stays: %v", err)
	}
	l.stuck = false
	if err := TearDown(ctx, s, &sitetest.Heard{}, true); err != nil || len(l.left) > 0 {
		t.Errorf("down --remove: %v, left %q", err, l.left)
	}
}
