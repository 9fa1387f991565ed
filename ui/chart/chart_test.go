package chart

import (
	"fmt"
	"math"
	"strings"
	"testing"

	_ "github.com/charmbracelet/x/exp/golden" // has the flag -update, which go test ./ui/... passes to every package

	"flwrup/internal/front"
	"flwrup/ui/style"
)

// rounds are metrics of n rounds in the order of a run: the server's before those of the ClientApps.
func rounds(n int) []Series {
	var list []Series
	for r := range n {
		x := float64(r)
		for _, m := range []front.Metric{
			{Round: r, Name: "server loss", Value: math.Exp(-x / 3)},
			{Round: r, Name: "server accuracy", Value: 1 - math.Exp(-x/3)/2},
			{Round: r, Name: "train_loss", Value: math.Exp(-x/3) + 0.1},
		} {
			list = Add(list, m)
		}
	}
	return list
}

// A panel keeps to its cells at every size, with and without colour, and says the last values.
func TestPanelFits(t *testing.T) {
	for _, o := range []style.Options{{}, {NoColor: true, ASCII: true}} {
		s := style.New(o)
		for _, n := range []int{1, 2, 3, 50} {
			list := rounds(n)
			for width := 10; width <= 130; width += 7 {
				for height := 1; height <= 16; height++ {
					lines := Panel(s, list, width, height)
					if len(lines) == 0 || len(lines) > height {
						t.Errorf("%d rounds in %d×%d: %d lines", n, width, height, len(lines))
					}
					for _, l := range lines {
						if style.Width(l) > width {
							t.Errorf("%d rounds in %d×%d: a line of %d cells: %q", n, width, height, style.Width(l), l)
						}
					}
				}
			}
			text := strings.Join(Panel(s, list, 100, 12), "\n")
			for _, x := range list {
				if !strings.Contains(text, x.Name) || !strings.Contains(text, number(x.Last())) {
					t.Errorf("%d rounds: %s or its last value is not there:\n%s", n, x.Name, text)
				}
			}
		}
	}
}

func TestPanelOfNothingAndOfNonsense(t *testing.T) {
	s := style.New(style.Options{NoColor: true})
	if lines := Panel(s, nil, 80, 10); lines != nil {
		t.Errorf("%q", lines)
	}
	list := Add(Add(nil, front.Metric{Round: 1, Name: "loss", Value: 1e300}), front.Metric{Round: 2_000_000_000, Name: "loss", Value: -1e300})
	if text := fmt.Sprint(Panel(s, list, 80, 10)); !strings.Contains(text, "round 2000000000") {
		t.Errorf("%s", text)
	}
}

// A late or repeated value takes its place.
func TestAdd(t *testing.T) {
	var list []Series
	for _, m := range []front.Metric{{Round: 2, Name: "loss", Value: 0.2}, {Round: 0, Name: "loss", Value: 1}, {Round: 2, Name: "loss", Value: 0.3}} {
		list = Add(list, m)
	}
	if got := fmt.Sprint(list, list[0].filled()); got != "[{loss [0 2] [1 0.3]}] [1 0.65 0.3]" {
		t.Error(got)
	}
}
