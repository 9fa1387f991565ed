package site

import (
	"strings"
	"testing"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/probe"
	"flwrup/internal/problem"
)

func TestJudge(t *testing.T) {
	at := func(addr string, control, fleet probe.Transport) probe.Result {
		return probe.Result{Address: addr, Control: control, Fleet: fleet}
	}
	closed := probe.Result{Address: "f:1", Problem: problem.New(problem.Unreachable, "nothing answers at f:1", "", "x")}
	for _, c := range []struct {
		name                   string
		flwr                   string
		control, fleet         probe.Result
		wantControl, wantFleet string // in what is said; "" is well
	}{
		{"gRPC", "1.24.0", at("c:1", probe.GRPC, ""), at("f:1", "", probe.GRPC), "", ""},
		{"half HTTP", "1.37.0", at("c:1", probe.HTTP, ""), at("f:1", "", probe.GRPC), "", ""},
		{"HTTP", "1.42.0", at("c:1", probe.HTTP, probe.HTTP), at("c:1", probe.HTTP, probe.HTTP), "", ""},
		{"swapped", "1.24.0", at("c:1", "", probe.GRPC), at("f:1", probe.GRPC, ""), "--control f:1 --fleet c:1", "--control f:1 --fleet c:1"},
		{"both the fleet's", "1.37.0", at("f:1", "", probe.GRPC), at("f:1", "", probe.GRPC), "for SuperNodes (fleet)", ""},
		{"both control", "1.37.0", at("c:1", probe.HTTP, ""), at("c:1", probe.HTTP, ""), "", "for flwr's commands (control)"},
		{"old flwr, new grid", "1.24.0", at("c:1", probe.HTTP, probe.HTTP), at("c:1", probe.HTTP, probe.HTTP), "1.40 or later", "1.40 or later"},
		{"old flwr, its fleet guessed", "1.24.0", at("c:1", probe.HTTP, probe.HTTP), closed, "1.40 or later", "nothing answers"},
		{"new flwr, old grid", "1.42.0", at("c:1", probe.GRPC, ""), at("f:1", "", probe.GRPC), "1.24 to 1.36", "1.24 to 1.36"},
		{"only the fleet differs", "1.42.0", at("c:1", probe.HTTP, ""), at("f:1", "", probe.GRPC), "", "1.37 to 1.39"},
		{"fleet's port closed", "1.42.0", at("c:1", probe.HTTP, ""), closed, "", "nothing answers"},
	} {
		v, err := flwr.ParseVersion(c.flwr)
		if err != nil {
			t.Fatal(err)
		}
		control, fleet := Network{Control: c.control, Fleet: c.fleet}.Judge(flwr.DialectOf(v))
		for side, p := range map[string][2]any{"control": {control, c.wantControl}, "fleet": {fleet, c.wantFleet}} {
			got, want := p[0].(*problem.Problem), p[1].(string)
			if (got == nil) != (want == "") || got != nil && (!strings.Contains(got.Error()+got.Fix, want) || got.Fix == "") {
				t.Errorf("%s, %s: want %q, got %+v", c.name, side, want, got)
			}
		}
	}
}

func TestClock(t *testing.T) {
	for off, bad := range map[time.Duration]bool{0: false, 2 * time.Second: false, -100 * time.Second: false, 20 * time.Second: true, -time.Hour: true} {
		n := Network{Fleet: probe.Result{Fleet: probe.HTTP, Dated: true, Clock: off}}
		if text, p := n.Clock(); text == "" || (p != nil) != bad {
			t.Errorf("%v: %q %+v", off, text, p)
		}
	}
	if text, p := (Network{Fleet: probe.Result{Fleet: probe.GRPC}}).Clock(); text != "" || p != nil {
		t.Errorf("%q %+v", text, p)
	}
}
