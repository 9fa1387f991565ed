package history

import (
	"maps"
	"slices"
	"time"

	"github.com/fvbommel/sortorder"
)

// Stand is how a SuperNode stood for a while, from the best to the worst.
type Stand int

const (
	NotLooked Stand = iota // nobody looked
	Online                 // on the grid
	Stopped                // a person stopped it, or it was not started yet
	Unknown                // somebody looked, and the grid did not answer
	Down                   // it should have been online and was not
)

// String returns the word for it.
func (s Stand) String() string {
	return [...]string{"not looked at", "online", "stopped", "not known", "down"}[s]
}

// Span is a time in which a SuperNode stood in one way. Code is the reason, where there was one.
type Span struct {
	From, To time.Time
	Stand    Stand
	Code     string
}

// stand judges a state.
func (s State) stand(gridCode string) Stand {
	ended := s.Here == "stopped" || s.Here == "absent"
	switch {
	case s.Wanted == "down":
		return Stopped
	case ended && s.Wanted == "up":
		return Down
	case gridCode != "":
		return Unknown
	case s.Grid == "online":
		return Online
	case s.Wanted == "" && ended, s.Wanted == "" && s.Grid == "registered":
		return Stopped
	case s.Grid == "" && s.Here == "":
		return Unknown
	}
	return Down
}

// looked returns the times in which somebody looked, one after the other. An entry of another kind is a look that took no
// time.
func (l Log) looked() (list []Span) {
	var all []Span
	for _, e := range l.Entries {
		if e.Kind == Look && e.For > 0 {
			all = append(all, Span{From: e.At.Add(-e.For), To: e.At})
		}
	}
	slices.SortStableFunc(all, func(a, b Span) int { return a.From.Compare(b.From) })
	for _, s := range all {
		if n := len(list); n > 0 && s.From.Sub(list[n-1].To) <= time.Second {
			list[n-1].To = later(list[n-1].To, s.To)
			continue
		}
		list = append(list, s)
	}
	return list
}

// Timeline is how each SuperNode stood between two times.
type Timeline struct {
	From, To time.Time
	Nodes    map[string][]Span   // in order; a time without a Span was not looked at
	points   map[string][]moment // single looks
}

// moment is a look that took no time.
type moment struct {
	at    time.Time
	stand Stand
}

// Names returns the SuperNodes of a timeline in order.
func (t Timeline) Names() []string {
	return slices.SortedFunc(maps.Keys(t.Nodes), sortorder.NaturalCompare)
}

// change is a SuperNode in a new state.
type change struct {
	at   time.Time
	is   Stand
	code string
	gone bool
}

// Between works out how the SuperNodes stood from one time to another. With a name it does so for that SuperNode alone.
func (l Log) Between(from, to time.Time, only string) Timeline {
	t := Timeline{From: from, To: to, Nodes: map[string][]Span{}, points: map[string][]moment{}}
	changes := map[string][]change{}
	states, grid, single := map[string]State{}, "", []time.Time{}
	note := func(name string, at time.Time) {
		s := states[name]
		c := change{at: at, is: s.stand(grid), code: s.Code}
		if c.is == Unknown && grid != "" {
			c.code = grid
		}
		list := changes[name]
		if n := len(list); n > 0 && list[n-1].at.Equal(at) {
			list[n-1] = c
			return
		}
		if n := len(list); n > 0 && list[n-1].is == c.is && list[n-1].code == c.code && !list[n-1].gone {
			return
		}
		changes[name] = append(list, c)
	}
	for _, e := range l.Entries {
		if e.At.After(to) {
			break
		}
		if (e.Kind == Look || e.Kind == Node || e.Kind == Grid || e.Kind == Runtime) && !e.At.Before(from) && (len(single) == 0 || !single[len(single)-1].Equal(e.At)) {
			single = append(single, e.At)
		}
		switch e.Kind {
		case Node:
			if only == "" || e.Name == only {
				states[e.Name] = e.State
				note(e.Name, e.At)
			}
		case Gone:
			if _, known := states[e.Name]; known {
				delete(states, e.Name)
				changes[e.Name] = append(changes[e.Name], change{at: e.At, gone: true})
			}
		case Grid:
			grid = e.Code
			for name := range states {
				note(name, e.At)
			}
		}
	}
	looked := l.looked()
	single = outside(single, looked)
	for name, list := range changes {
		forgive(list)
		spans, points := lay(list, looked, single, from, to)
		if len(spans)+len(points) > 0 || states[name] != (State{}) {
			t.Nodes[name], t.points[name] = spans, points
		}
	}
	return t
}

// outside returns the times that are in none of the spans; both are in order.
func outside(times []time.Time, spans []Span) (list []time.Time) {
	for _, at := range times {
		for len(spans) > 0 && spans[0].To.Before(at) {
			spans = spans[1:]
		}
		if len(spans) == 0 || spans[0].From.After(at) {
			list = append(list, at)
		}
	}
	return list
}

// starting is how long a SuperNode may take from its start until it is online.
const starting = 90 * time.Second

// forgive takes the moments between the start of a stopped SuperNode and its coming online for a part of the stop.
func forgive(list []change) {
	for i := 1; i < len(list); i++ {
		if list[i].is != Down || list[i].gone || list[i-1].is != Stopped {
			continue
		}
		end := i
		for end < len(list) && list[end].is == Down && !list[end].gone {
			end++
		}
		if end < len(list) && list[end].is == Online && list[end].at.Sub(list[i].at) <= starting {
			for ; i < end; i++ {
				list[i].is, list[i].code = Stopped, ""
			}
		}
	}
}

// lay cuts the changes of one SuperNode by the times in which somebody looked.
func lay(list []change, looked []Span, single []time.Time, from, to time.Time) (spans []Span, points []moment) {
	at := 0
	for _, look := range looked {
		begin, end := later(look.From, from), look.To
		if end.After(to) {
			end = to
		}
		if !begin.Before(end) {
			continue
		}
		for at+1 < len(list) && !list[at+1].at.After(begin) {
			at++
		}
		for i := at; i < len(list) && list[i].at.Before(end); i++ {
			s := Span{From: later(list[i].at, begin), To: end, Stand: list[i].is, Code: list[i].code}
			if i+1 < len(list) && list[i+1].at.Before(end) {
				s.To = list[i+1].at
			}
			if list[i].gone || !s.From.Before(s.To) {
				continue
			}
			spans = append(spans, s)
		}
	}
	at = 0
	for _, when := range single {
		for at+1 < len(list) && !list[at+1].at.After(when) {
			at++
		}
		if len(list) > 0 && !list[at].at.After(when) && !list[at].gone {
			points = append(points, moment{when, list[at].is})
		}
	}
	return spans, points
}

// Share is for how long a SuperNode stood in each way. Their sum without NotLooked is the time that was looked at.
type Share [Down + 1]time.Duration

// Looked returns how long it was looked at.
func (s Share) Looked() time.Duration { return s[Online] + s[Stopped] + s[Unknown] + s[Down] }

// Of returns which part of the time that was looked at a Stand took, from 0 to 1; known is false where nobody looked.
func (s Share) Of(is Stand) (part float64, known bool) {
	if s.Looked() <= 0 {
		return 0, false
	}
	return float64(s[is]) / float64(s.Looked()), true
}

// Seen returns which part of all the time was looked at.
func (s Share) Seen() float64 {
	if all := s.Looked() + s[NotLooked]; all > 0 {
		return float64(s.Looked()) / float64(all)
	}
	return 0
}

// Share adds up the times of one SuperNode.
func (t Timeline) Share(name string) (s Share) {
	for _, span := range t.Nodes[name] {
		s[span.Stand] += span.To.Sub(span.From)
	}
	s[NotLooked] = max(0, t.To.Sub(t.From)-s.Looked())
	return s
}

// Strip returns n equal pieces of the timeline of one SuperNode, oldest first: for each how it stood, the worst where it
// changed.
func (t Timeline) Strip(name string, n int) []Stand {
	strip := make([]Stand, n)
	whole := t.To.Sub(t.From)
	if whole <= 0 || n == 0 {
		return strip
	}
	cell := func(at time.Time) int {
		return min(max(int(float64(at.Sub(t.From))/float64(whole)*float64(n)), 0), n-1)
	}
	for _, s := range t.Nodes[name] {
		last := cell(s.To.Add(-1))
		for i := cell(s.From); i <= last; i++ {
			strip[i] = max(strip[i], s.Stand)
		}
	}
	for _, p := range t.points[name] {
		strip[cell(p.at)] = max(strip[cell(p.at)], p.stand)
	}
	return strip
}
