package cli

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/sitetest"
	"flwrup/internal/turn"
	"flwrup/internal/watch/lastlook"
)

// While a watch lives, status answers from its last look and says how old that is. With --fresh, after a change of
// flwrup.toml that nobody accepted, and without the watch, it asks.
func TestStatusFromLastLook(t *testing.T) {
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1)
	dir := s.Dir
	s.Close()
	unlock, err := turn.LockWatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	fitting := front.Fit{Newest: "1.42.0", Index: "pypi.org", Control: "HTTP", Fleet: "HTTP", FlwrFits: "yes", Target: "1.42.0", Needed: true, Says: "supernode_1 runs 1.38.0: upgrade to 1.42.0"}
	keep := func() {
		t.Helper()
		stamp, err := lastlook.Stamp(dir)
		if err == nil {
			err = lastlook.Write(dir, stamp, lastlook.Look{At: time.Now().Add(-3 * time.Second), Title: front.Title{Project: "from-the-watch"},
				Over: front.Overview{Online: 1, Fit: fitting, Nodes: []front.NodeView{{Name: "supernode_1", Grid: front.GridOnline, Flwr: "1.38.0", Fits: "no"}}}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	status := func(args ...string) string {
		var out bytes.Buffer
		Main(append([]string{"status", "--dir", dir}, args...), program.Streams{Out: &out, Err: &out})
		return out.String()
	}
	keep()
	if text := status(); !strings.Contains(text, "\n    "+fitting.Says+"\n") {
		t.Error(text)
	}
	if text := status(); !strings.Contains(text, "from-the-watch") || !strings.Contains(text, "as of 3 s ago") || !strings.Contains(text, "--fresh") || !strings.Contains(text, "1 of 1 online") {
		t.Error(text)
	}
	var whole struct {
		OK   bool
		Data struct {
			Online int
			AsOf   time.Time `json:"as_of"`
			Fit    shown.FitData
			Nodes  []struct {
				Flwr string
				Fits string `json:"fits_grid"`
			}
		}
	}
	if text := status("--json"); json.Unmarshal([]byte(text), &whole) != nil || !whole.OK || whole.Data.Online != 1 || whole.Data.Fit != *shown.FitOf(fitting) || whole.Data.Nodes[0].Flwr != "1.38.0" || whole.Data.Nodes[0].Fits != "no" || time.Since(whole.Data.AsOf) > time.Minute {
		t.Error(text)
	}
	if text := status("--fresh"); strings.Contains(text, "from-the-watch") || strings.Contains(text, "as of") {
		t.Error(text)
	}
	sitetest.Rewrite(t, dir, "image = \"\"", "image = \"theirs\"")
	keep()
	if text := status(); strings.Contains(text, "from-the-watch") || !strings.Contains(text, "theirs") {
		t.Errorf("what nobody accepted: %s", text)
	}
	sitetest.Rewrite(t, dir, "image = \"theirs\"", "image = \"\"")
	keep()
	if text := status(); !strings.Contains(text, "from-the-watch") {
		t.Error(text)
	}
	unlock()
	if text := status(); strings.Contains(text, "from-the-watch") {
		t.Errorf("the watch is gone: %s", text)
	}
}
