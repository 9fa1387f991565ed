package chart

import (
	"math"
	"strings"
	"testing"

	"flwrup/ui/style"
)

func TestOverlay(t *testing.T) {
	st := style.New(style.Options{NoColor: true, ASCII: true})
	a := Series{"loss", []int{1, 2, 3, 4}, []float64{4, 3, 2, 1}}
	b := Series{"loss", []int{1, 2}, []float64{1, 2}}
	got := strings.Join(Overlay(st, []Series{a, {Name: "loss"}, b}, 30, 9), "\n")
	if want := strings.TrimPrefix(`
  4 |AA
3.5 |  AAAA
  3 |      AAAA
2.5 |          AAAA
  2 |      CC      AAAA
1.5 |  CCCC            AAAA
  1 |CC                    AA
    ++------+-------+-------+
     1      2       3       4`, "\n"); !strings.HasPrefix(got, want) {
		t.Errorf("drawn:\n%s", got)
	}
	for _, l := range strings.Split(got, "\n") {
		if style.Width(l) > 30 || strings.ContainsAny(l, "┤└") {
			t.Errorf("%q", l)
		}
	}
	for name, list := range map[string][]Series{"none": nil, "one round": {{"x", []int{3}, []float64{1}}}, "no number": {{"x", []int{1, 2}, []float64{1, math.NaN()}}},
		"endless": {{"x", []int{1, math.MaxInt32}, []float64{1, 2}}}} {
		if got := Overlay(st, list, 60, 12); got != nil {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := Overlay(st, []Series{a, a}, 8, 3); got != nil {
		t.Errorf("no room: %q", got)
	}
	if got := strings.Join(Overlay(st, []Series{a, a}, 30, 9), "\n"); strings.Contains(got, "A") || !strings.Contains(got, "*") {
		t.Errorf("two that are alike:\n%s", got)
	}
}
