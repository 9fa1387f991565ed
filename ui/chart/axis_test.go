package chart

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"flwrup/ui/style"
)

// The labels of a curve are round numbers, whatever its values, and the curve fills its place.
func TestScaleIsRound(t *testing.T) {
	for _, c := range []struct {
		least, greatest float64
		most            int
		want            scale
	}{
		{0.0357, 1, 10, scale{low: 0, step: 0.1, rows: 10, per: 1}},
		{0.0357, 1, 9, scale{low: 0, step: 0.25, rows: 8, per: 2}},
		{2.31, 2.33, 6, scale{low: 2.31, step: 0.01, rows: 6, per: 3}},
		{-37, 512, 8, scale{low: -100, step: 100, rows: 7, per: 1}},
		{0.5, 0.5, 5, scale{low: 0.25, step: 0.25, rows: 4, per: 2}},
		{0, 0, 4, scale{low: -1, step: 0.5, rows: 4, per: 1}},
		{0, math.Inf(1), 4, scale{}},
		{0, 1, 0, scale{}},
	} {
		got := scaleOf(c.least, c.greatest, c.most)
		if math.Abs(got.low-c.want.low) > 1e-9 || math.Abs(got.step-c.want.step) > 1e-9 || got.rows != c.want.rows || got.per != c.want.per {
			t.Errorf("%v to %v in %d rows: %+v, not %+v", c.least, c.greatest, c.most, got, c.want)
		}
		if got.rows > 0 && (got.low > c.least+1e-9 || got.high() < c.greatest-1e-9) {
			t.Errorf("%v to %v: %+v does not reach so far", c.least, c.greatest, got)
		}
	}
}

func TestRoundAxis(t *testing.T) {
	for _, c := range []struct {
		first, last, width int
		want               string
	}{
		{1, 10, 46, "1 2 3 4 5 6 7 8 9 10"},
		{0, 100, 40, "0 20 40 60 80 100"},
		{1, 97, 48, "1 10 20 30 40 50 60 70 80 90"},
		{3, 4, 8, "3 4"},
	} {
		lines := roundAxis(c.first, c.last, 4, c.width)
		if got := strings.Join(strings.Fields(lines[1]), " "); got != c.want {
			t.Errorf("rounds %d to %d in %d cells: %s, not %s", c.first, c.last, c.width, got, c.want)
		}
		if n := strings.Count(lines[0], "┬"); n != len(strings.Fields(lines[1])) {
			t.Errorf("rounds %d to %d: %d ticks for %s", c.first, c.last, n, lines[1])
		}
	}
}

// A value of the run lies in the row of its label.
func TestCurveIsTrue(t *testing.T) {
	list := rounds(11) // the loss falls from 1 in round 0
	lines := Panel(style.New(style.Options{NoColor: true}), list, 60, 20)
	if !regexp.MustCompile(`^ +1 ┼`).MatchString(lines[1]) {
		t.Errorf("the curve does not begin in the row of 1:\n%s", strings.Join(lines, "\n"))
	}
}
