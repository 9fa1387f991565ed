package flwrexec

import (
	"testing"

	"flwrup/flwrexec/flwr"
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
