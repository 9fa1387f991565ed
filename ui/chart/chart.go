// Package chart draws a run's metrics by round: loss and accuracy as curves, the rest as lines of text. It
// only draws.
package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/guptarohit/asciigraph"

	"flwrup/internal/front"
	"flwrup/ui/style"
)

// Series is one metric over the rounds, in order.
type Series struct {
	Name   string
	Rounds []int
	Values []float64
}

// mostRounds is how many rounds a curve may span: a log may name any number.
const mostRounds = 100_000

// Last returns the newest value.
func (s Series) Last() float64 { return s.Values[len(s.Values)-1] }

// Add adds a metric to the list: another value of the series of its name, or a new series.
func Add(list []Series, m front.Metric) []Series {
	i := slices.IndexFunc(list, func(s Series) bool { return s.Name == m.Name })
	if i < 0 {
		return append(list, Series{m.Name, []int{m.Round}, []float64{m.Value}})
	}
	s := &list[i]
	at, had := slices.BinarySearch(s.Rounds, m.Round)
	if had {
		s.Values[at] = m.Value
	} else {
		s.Rounds, s.Values = slices.Insert(s.Rounds, at, m.Round), slices.Insert(s.Values, at, m.Value)
	}
	return list
}

// Panel draws the list in at most width × height cells. The loss and the accuracy are curves, next to each
// other where there is room, else one below the other; every other metric is one line.
func Panel(s *style.Set, list []Series, width, height int) []string {
	if len(list) == 0 || width < 10 || height < 1 {
		return nil
	}
	var curves, rest []Series
	for _, word := range []string{"loss", "acc"} {
		if i := primary(list, word); i >= 0 {
			curves = append(curves, list[i])
		}
	}
	for _, x := range list {
		if !slices.ContainsFunc(curves, func(c Series) bool { return c.Name == x.Name }) {
			rest = append(rest, x)
		}
	}
	room := height - min(len(rest), max(height/3, 1))
	var lines []string
	switch {
	case len(curves) == 2 && width >= 72 && room >= 5:
		half := (width - 3) / 2
		left, right := curve(s, curves[0], half, room), curve(s, curves[1], half, room)
		for i := range max(len(left), len(right)) {
			lines = append(lines, s.Pad(at(left, i), half)+"   "+at(right, i))
		}
	case len(curves) == 2 && room >= 12:
		lines = append(curve(s, curves[0], width, room/2), curve(s, curves[1], width, room-room/2)...)
	case len(curves) > 0 && room >= 5 && len(curves[0].Values) > 1:
		lines = curve(s, curves[0], width, room-len(curves)+1)
		rest = append(curves[1:], rest...)
	default:
		rest = append(curves, rest...)
	}
	wide := 0
	for _, x := range rest {
		wide = max(wide, style.Width(x.Name))
	}
	for _, x := range rest {
		if len(lines) == height {
			break
		}
		lines = append(lines, s.Cut(s.Pad(x.Name, min(wide, width/3))+"  "+s.Accent.Render(Spark(s, x.Values, max(width/4, 4)))+"  "+
			number(x.Last())+s.Dim.Render(fmt.Sprintf("  round %d", x.Rounds[len(x.Rounds)-1])), width))
	}
	return lines
}

// primary returns the series to draw for a word: the ServerApp's own before those of the ClientApps,
// evaluation before training; -1 for none.
func primary(list []Series, word string) int {
	best, found := 3, -1
	for i, x := range list {
		rank := 1
		switch {
		case !strings.Contains(strings.ToLower(x.Name), word):
			continue
		case strings.HasPrefix(x.Name, "server "):
			rank = 0
		case strings.Contains(x.Name, "train"):
			rank = 2
		}
		if rank < best {
			best, found = rank, i
		}
	}
	return found
}

// curve draws one series in width × height cells: its name and last value, the line, the rounds.
func curve(s *style.Set, x Series, width, height int) []string {
	head := s.Bold.Render(x.Name) + "  " + number(x.Last()) + s.Dim.Render(fmt.Sprintf("  round %d", x.Rounds[len(x.Rounds)-1]))
	lines := []string{s.Cut(head, width)}
	first, last := x.Rounds[0], x.Rounds[len(x.Rounds)-1]
	switch {
	case first == last:
		return lines
	case last-first > mostRounds:
		return append(lines, s.Accent.Render(Spark(s, x.Values, width)))
	}
	values := x.filled()
	y := scaleOf(slices.Min(values), slices.Max(values), height-4)
	label := y.width()
	plot := width - label - 4
	if y.rows == 0 || plot < 8 {
		return append(lines, s.Accent.Render(Spark(s, x.Values, width)))
	}
	o := []asciigraph.Option{asciigraph.Width(plot), asciigraph.Height(y.rows), asciigraph.LowerBound(y.low), asciigraph.UpperBound(y.high()),
		asciigraph.YAxisValueFormatter(func(v float64) string { return fmt.Sprintf("%*s", label, y.label(v)) })}
	if s.ASCII {
		o = append(o, asciigraph.SeriesChars(asciigraph.CreateCharSet("*")))
	}
	drawn := append(strings.Split(asciigraph.Plot(values, o...), "\n"), roundAxis(first, last, label+2, plot)...)
	for _, l := range drawn {
		if s.ASCII {
			l = plainAxis.Replace(l)
		}
		if i := strings.IndexAny(l, "┤┼|+"); i >= 0 && !strings.ContainsAny(l, "└┬") {
			_, n := decode(l[i:])
			l = s.Dim.Render(l[:i+n]) + s.Accent.Render(l[i+n:])
		} else {
			l = s.Dim.Render(l)
		}
		lines = append(lines, s.Cut(strings.TrimRight(l, " "), width))
	}
	return lines
}

var plainAxis = strings.NewReplacer("┤", "|", "┼", "+", "└", "+", "┬", "+", "─", "-")

// decode returns the first character of text and its length in bytes.
func decode(text string) (rune, int) {
	for i, r := range text {
		if i == 0 {
			return r, len(string(r))
		}
	}
	return 0, 0
}

// filled returns a value for every round; missing ones are interpolated.
func (s Series) filled() []float64 {
	var out []float64
	for i, v := range s.Values {
		if i > 0 {
			gap := s.Rounds[i] - s.Rounds[i-1]
			for k := 1; k < gap; k++ {
				out = append(out, s.Values[i-1]+(v-s.Values[i-1])*float64(k)/float64(gap))
			}
		}
		out = append(out, v)
	}
	return out
}

// number writes a value in few characters.
func number(v float64) string {
	if a := math.Abs(v); a != 0 && (a < 0.001 || a >= 1e5) {
		return fmt.Sprintf("%.2e", v)
	}
	return fmt.Sprintf("%.4g", v)
}

func at(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return ""
}

// Spark draws the last n values as one line, between their least and their greatest. There has to be one at least.
func Spark(s *style.Set, values []float64, n int) string {
	values = values[max(len(values)-n, 0):]
	low, high := slices.Min(values), slices.Max(values)
	var b strings.Builder
	for _, v := range values {
		i := 0
		if high > low {
			i = int((v - low) / (high - low) * float64(len(s.Signs.Spark)-1))
		}
		b.WriteString(s.Signs.Spark[min(max(i, 0), len(s.Signs.Spark)-1)])
	}
	return b.String()
}
