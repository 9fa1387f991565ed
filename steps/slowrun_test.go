package steps

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/runs"
	"flwrup/internal/supernode"
)

// sayingRuntime is a runtime whose SuperNodes say the given lines.
type sayingRuntime struct {
	*fakeRuntime
	lines map[string]string
}

func (r sayingRuntime) Logs(_ context.Context, name string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	for _, text := range strings.Split(r.lines[name], "\n") {
		if err := each(supernode.Line{Node: name, Text: text}); err != nil {
			return err
		}
	}
	return nil
}

func TestTellSlow(t *testing.T) {
	s := siteOn(t, newFakeGrid("1.42.0"), 3)
	begins, ends := "INFO :      Installing application dependencies...", "INFO :      App dependencies installed successfully via uv sync."
	rt := sayingRuntime{s.Runtime.(*fakeRuntime), map[string]string{"supernode_1": begins, "supernode_2": begins + "\n" + ends, "supernode_3": begins}}
	for name := range rt.lines {
		rt.started[name] = supernode.Spec{Name: name}
	}
	s.Runtime = rt
	h, told := &heard{}, map[string]bool{}
	runs.TellSlow(t.Context(), s, told, h)
	runs.TellSlow(t.Context(), s, told, h)
	if said := h.said(); strings.Count(said, "\n") != 0 || !strings.HasPrefix(said, "supernode_1, supernode_3 install the app's packages") {
		t.Errorf("%q", said)
	}
}
