package chart

import (
	"fmt"
	"math"
	"strings"
)

// scale is a vertical axis: rows above low, of which every per-th has a label, a round number.
type scale struct {
	low, step float64 // step is the distance between two labels
	rows, per int     // rows is 0 where nothing can be drawn
}

// scaleOf returns the scale of at most the given number of rows above the lowest that spans least to greatest
// in the finest rows.
func scaleOf(least, greatest float64, most int) scale {
	if least == greatest { // a constant runs through the middle
		least, greatest = least-math.Abs(least)/2, greatest+math.Abs(greatest)/2
	}
	if least == greatest {
		least, greatest = -1, 1
	}
	span := greatest - least
	if most < 1 || math.IsInf(span, 0) || math.IsNaN(span) {
		return scale{}
	}
	unit := math.Pow(10, math.Floor(math.Log10(span/float64(most))))
	var best scale
	for _, by := range []float64{1, 2, 2.5, 5, 10, 20, 25, 50, 100} {
		step := by * unit
		from, to := math.Floor(least/step+1e-9), math.Ceil(greatest/step-1e-9)
		n := max(int(to-from), 1)
		if n > most {
			continue
		}
		if per := min(most/n, 4); best.rows == 0 || step/float64(per) < best.step/float64(best.per)-1e-12*step {
			best = scale{low: from * step, step: step, rows: n * per, per: per}
		}
	}
	return best
}

// high is the value of the highest row.
func (y scale) high() float64 { return y.low + float64(y.rows/max(y.per, 1))*y.step }

// label returns the text for the row of value v, "" for a row between two labels.
func (y scale) label(v float64) string {
	n := (v - y.low) / y.step
	if math.Abs(n-math.Round(n)) > 1e-6 {
		return ""
	}
	at := y.low + math.Round(n)*y.step
	if math.Abs(at) < y.step/2 { // not -0 nor 1e-17
		at = 0
	}
	return number(at)
}

// width is how many cells the widest label takes, 2 at least.
func (y scale) width() int {
	wide := 2
	for i := 0; y.per > 0 && i <= y.rows/y.per; i++ {
		wide = max(wide, len(y.label(y.low+float64(i)*y.step)))
	}
	return wide
}

// roundAxis draws the rounds below a plot of width cells that begins after indent cells: a line with ticks, and the numbers
// of the first round and of as many round ones as fit.
func roundAxis(first, last, indent, width int) []string {
	need := len(fmt.Sprint(last)) + 2
	step := 1
	for unit, i := 1, 0; (last-first)/step*need > width; i++ {
		step = unit * []int{2, 5, 10}[i%3]
		if i%3 == 2 {
			unit *= 10
		}
	}
	line, numbers := []rune(strings.Repeat("─", width)), []rune(strings.Repeat(" ", indent+width))
	free := 0
	for round := first; round <= last; round = (round/step + 1) * step {
		at := (round - first) * (width - 1) / (last - first)
		text := []rune(fmt.Sprint(round))
		from := min(max(indent+at-len(text)/2, 0), len(numbers)-len(text))
		if from < free {
			continue
		}
		line[at] = '┬'
		copy(numbers[from:], text)
		free = from + len(text) + 1
	}
	return []string{strings.Repeat(" ", indent-1) + "└" + string(line), strings.TrimRight(string(numbers), " ")}
}
