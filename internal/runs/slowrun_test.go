package runs

import (
	"strings"
	"testing"

	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

func TestTellSlow(t *testing.T) {
	s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 3)
	begins, ends := "INFO :      Installing application dependencies...", "INFO :      App dependencies installed successfully via uv sync."
	rt := sitetest.Saying{Runtime: sitetest.RuntimeOf(t, s), Lines: map[string]string{"supernode_1": begins, "supernode_2": begins + "\n" + ends, "supernode_3": begins}}
	for name := range rt.Lines {
		rt.Started[name] = supernode.Spec{Name: name}
	}
	site.With(s, site.Backends{Runtime: rt})
	h, told := &sitetest.Heard{}, map[string]bool{}
	tellSlow(t.Context(), s, told, h)
	tellSlow(t.Context(), s, told, h)
	if said := h.Said(); strings.Count(said, "\n") != 0 || !strings.HasPrefix(said, "supernode_1, supernode_3 install the app's packages") {
		t.Errorf("%q", said)
	}
}
