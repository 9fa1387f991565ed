//go:build unix

package grid

import (
	"path/filepath"
	"testing"

	"flwrup/internal/probe"
	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// TestProbeSeesGrid asks the real SuperLink of three releases for its kind, without a login.
func TestProbeSeesGrid(t *testing.T) {
	otherCA, dir := "", t.TempDir()
	for _, c := range []struct {
		version        string
		control, fleet probe.Result // the wanted transports at the two addresses
	}{
		{"1.24.0", probe.Result{Control: probe.GRPC}, probe.Result{Fleet: probe.GRPC}},
		{"1.37.0", probe.Result{Control: probe.HTTP}, probe.Result{Fleet: probe.GRPC}},
		{require.Newest, probe.Result{Control: probe.HTTP, Fleet: probe.HTTP}, probe.Result{Control: probe.HTTP, Fleet: probe.HTTP}},
	} {
		t.Run(c.version, func(t *testing.T) {
			env := require.Flwr(t, c.version)
			g := start(t, Options{Dir: filepath.Join(dir, c.version), Python: require.Program(env, "python")})
			for _, a := range []struct {
				addr string
				want probe.Result
			}{{g.Ready.Control, c.control}, {g.Ready.Fleet, c.fleet}} {
				r := probe.Address(t.Context(), a.addr, probe.Options{CA: g.Ready.CA})
				if r.Problem != nil || r.Control != a.want.Control || r.Fleet != a.want.Fleet {
					t.Errorf("%s: want %+v, got %+v", a.addr, a.want, r)
				}
				r = probe.Address(t.Context(), a.addr, probe.Options{CA: otherCA})
				if !problem.Is(r.Problem, problem.Untrusted) || !r.SuperLink() {
					t.Errorf("%s with another CA: %+v", a.addr, r)
				}
			}
			state, err := g.State(t.Context())
			if err != nil || len(state.Nodes)+len(state.Logins) > 0 {
				t.Errorf("the question left something behind: %+v %v", state, err)
			}
			otherCA = g.Ready.CA
		})
	}
}
