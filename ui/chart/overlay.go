package chart

import (
	"fmt"
	"math"
	"strings"

	"flwrup/ui/style"
)

// Letter is the sign of the i-th curve of an Overlay.
func Letter(i int) string { return string(rune('A' + i%26)) }

// Overlay draws several series over each other in at most width × height cells, on the same axes. Each is a line of its
// letter, A for the first; where they meet there is a "*". It returns nothing where there is no room, or nothing to draw.
func Overlay(s *style.Set, list []Series, width, height int) []string {
	first, last, least, greatest := math.MaxInt, math.MinInt, math.Inf(1), math.Inf(-1)
	for _, x := range list {
		for i, v := range x.Values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil
			}
			first, last = min(first, x.Rounds[i]), max(last, x.Rounds[i])
			least, greatest = min(least, v), max(greatest, v)
		}
	}
	if last <= first || last-first > mostRounds {
		return nil
	}
	y := scaleOf(least, greatest, height-3)
	label := y.width()
	plot := width - label - 3
	if y.rows == 0 || plot < 8 {
		return nil
	}
	grid := make([][]rune, y.rows+1)
	for i := range grid {
		grid[i] = []rune(strings.Repeat(" ", plot))
	}
	for n, x := range list {
		if len(x.Values) == 0 {
			continue
		}
		values := x.filled()
		letter := []rune(Letter(n))[0]
		for col := range plot {
			round := float64(first) + float64(col)*float64(last-first)/float64(plot-1)
			at := round - float64(x.Rounds[0])
			if at < -1e-9 || at > float64(len(values)-1)+1e-9 {
				continue
			}
			low := min(max(int(at), 0), len(values)-1)
			v := values[low] + (values[min(low+1, len(values)-1)]-values[low])*(at-float64(low))
			row := min(max(int(math.Round((v-y.low)/(y.high()-y.low)*float64(y.rows))), 0), y.rows)
			if cell := &grid[y.rows-row][col]; *cell == ' ' {
				*cell = letter
			} else {
				*cell = '*'
			}
		}
	}
	var lines []string
	for i, row := range grid {
		text := y.label(y.low + (y.high()-y.low)*float64(y.rows-i)/float64(y.rows))
		lines = append(lines, fmt.Sprintf("%*s ┤%s", label, text, strings.TrimRight(string(row), " ")))
	}
	lines = append(lines, roundAxis(first, last, label+2, plot)...)
	for i, l := range lines {
		if s.ASCII {
			l = plainAxis.Replace(l)
		}
		lines[i] = s.Cut(strings.TrimRight(l, " "), width)
	}
	return lines
}
