package flwrexec

import (
	"context"
	"strings"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/require"
)

// TestUnknownVersionIsChecked calls a real release by a version that the table does not know: its help has to
// lead to the same dialect.
func TestUnknownVersionIsChecked(t *testing.T) {
	for _, version := range []string{"1.26.1"} {
		t.Run(version, func(t *testing.T) {
			found := realFlwr(t, version)
			want := flwr.DialectOf(found.Version)
			found.Version = flwr.Version{Major: 1, Minor: 99, Dev: true, Raw: "1.99.0.dev20270101"}
			s := NewSession(found, SessionOptions{FlwrHome: t.TempDir(), Dir: t.TempDir()})
			defer s.Close()
			if s.Dialect().Known() {
				t.Fatal("1.99 is known")
			}
			if err := s.Check(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := s.Dialect()
			// Help does not show addresses, the protocol or the needs of a machine.
			got.Version, got.ControlHTTP, got.FleetHTTP, got.DefaultControl = want.Version, want.ControlHTTP, want.FleetHTTP, want.DefaultControl
			got.MinPython, got.NodeMemory = want.MinPython, want.NodeMemory
			if got != want {
				t.Errorf("want %+v\ngot  %+v", want, got)
			}
		})
	}
}

// TestCompareReal: each release in CI has all that the table says flwrup uses of it, and nothing that the table denies.
func TestCompareReal(t *testing.T) {
	for _, version := range realVersions {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := NewSession(realFlwr(t, version), SessionOptions{FlwrHome: t.TempDir(), Dir: t.TempDir()})
			defer s.Close()
			c, err := s.Compare(t.Context())
			if err != nil || c.Problem != nil || !c.Known || len(c.Items) < 25 {
				t.Errorf("%d items, %v, %v", len(c.Items), c.Problem, err)
			}
			for _, i := range c.Items {
				if i.Standing != flwr.There {
					t.Errorf("%s %s: %s", i.Command, i.What, i.Standing)
				}
			}
		})
	}
}

// TestCompareFindsChangedHelp renames options in what a real flwr says.
func TestCompareFindsChangedHelp(t *testing.T) {
	s := NewSession(realFlwr(t, require.Newest), SessionOptions{FlwrHome: t.TempDir(), Dir: t.TempDir()})
	defer s.Close()
	renamed := strings.NewReplacer("--run-id", "--run", "--description", "--about", "--node-config", "--settings", "FEDERATION_NAME", "")
	c, err := s.Dialect().Compare(t.Context(), func(ctx context.Context, args ...string) (string, error) {
		text, err := helpBy(s)(ctx, args...)
		return renamed.Replace(text), err
	}, renamed.Replace(s.runner.nodeHelp(t.Context())))
	if err != nil || c.Problem == nil {
		t.Fatalf("%v %v", c.Problem, err)
	}
	var got []string
	for _, i := range c.Misfits() {
		got = append(got, i.Command+" "+i.What+": "+string(i.Standing))
	}
	want := "flower-supernode --node-config: missing|flwr federation create --description: missing|flwr federation create 2 arguments (it takes 1): missing|flwr list --run-id: missing"
	if strings.Join(got, "|") != want {
		t.Errorf("%q", got)
	}
}
