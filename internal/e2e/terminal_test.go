//go:build linux

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/internal/ptytest"
)

// onTerminal starts flwrup on a terminal of w columns and rows rows.
func (h *home) onTerminal(w, rows int, args ...string) *ptytest.Terminal {
	h.t.Helper()
	return ptytest.Start(h.t, h.command(context.Background(), args...), w, rows)
}

// TestSilentTerminal: version, and the wizard's first frame, come at once on a terminal that answers
// nothing, where Bubble Tea alone would wait five seconds for its colours.
func TestSilentTerminal(t *testing.T) {
	h := newHome(t)
	began := time.Now()
	h.onTerminal(80, 24, "version").Over(0)
	if took := time.Since(began); took > time.Second {
		t.Errorf("version took %s", took)
	}
	best := time.Hour
	for range 5 { // the machine may be busy: what counts is what it can do
		s := h.onTerminal(80, 24, "rehearse")
		s.Wait("▸ Enter")
		best = min(best, s.FirstFrame())
		s.Press("q")
		s.Over(0)
		if out := s.Output(); strings.Contains(out, "\x1b]11;?") || strings.Contains(out, "\x1b[6n") {
			t.Errorf("the terminal was asked: %q", out)
		}
	}
	t.Logf("first frame after %s", best)
	if best > 400*time.Millisecond {
		t.Errorf("first frame after %s", best)
	}
}
