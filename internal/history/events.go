package history

import (
	"fmt"
	"strings"
	"time"
)

// Event is something that happened, in words.
type Event struct {
	At     time.Time
	Kind   Kind
	Node   string // "" when it is about all
	Run    string // its ID; "" when it is about no run
	Stand  string // of a SuperNode from then on; "" when it is about something else
	Code   string // the reason, for scripts
	Status string // of a run
	Says   string
}

// Gap is the Kind of an Event that says for how long nobody looked.
const Gap Kind = "gap"

// leastGap is the shortest gap that is worth a line.
const leastGap = 10 * time.Minute

// Events lists what happened from one time to another, oldest first; with a name only what concerns that SuperNode.
func (l Log) Events(from, to time.Time, only string) (list []Event) {
	states, grid := map[string]State{}, ""
	gaps := l.gaps(from, to)
	for _, e := range l.Entries {
		if e.At.After(to) {
			break
		}
		said, event := "", Event{At: e.At, Kind: e.Kind, Code: e.Code, Status: e.Status}
		switch e.Kind {
		case Node:
			before, known := states[e.Name]
			states[e.Name] = e.State
			event.Node, event.Code, event.Stand = e.Name, e.State.Code, e.State.stand(grid).String()
			said = e.State.says(before, known, event.Stand)
		case Gone:
			delete(states, e.Name)
			event.Node, said = e.Name, "no longer one of the SuperNodes"
		case Started:
			event.Node, said = e.Name, "started"
			if began, err := time.Parse(time.RFC3339, e.Text); err == nil && e.At.Sub(began).Abs() > 2*time.Minute {
				said = "has run since " + began.UTC().Format("2006-01-02 15:04:05") + " UTC"
			}
		case Image:
			event.Node, said = e.Name, "image "+e.Text
		case Grid:
			grid = e.Code
			said = answers("the grid", e.Code)
		case Runtime:
			said = answers("what runs the SuperNodes here", e.Code)
		case Run:
			event.Run, said = e.Name, strings.TrimSpace("run "+e.Name+" "+e.Text)+": "+e.Status
		case Act:
			event.Node, said = e.Name, e.Text
		case Note:
			said = e.Text
		}
		if said == "" || e.At.Before(from) || only != "" && event.Node != only && (event.Node != "" || event.Kind == Note || event.Kind == Act && e.Name != "") {
			continue
		}
		for len(gaps) > 0 && !gaps[0].At.After(e.At) {
			list, gaps = append(list, gaps[0]), gaps[1:]
		}
		event.Says = said
		list = append(list, event)
	}
	return append(list, gaps...)
}

func answers(who, code string) string {
	if code == "" {
		return who + " answers"
	}
	return who + " does not answer: " + code
}

// says puts a new state into words.
func (s State) says(before State, known bool, stand string) string {
	text := stand
	var facts []string
	if !known || s.Grid != before.Grid {
		if s.Grid != "" && s.Grid != stand {
			facts = append(facts, "grid: "+s.Grid)
		}
	}
	if !known || s.Here != before.Here || s.Exit != before.Exit {
		here := s.Here
		if s.Exit != 0 {
			here += fmt.Sprintf(" with exit code %d", s.Exit)
		}
		if here != "" && here != stand {
			facts = append(facts, "here: "+here)
		}
	}
	if s.Code != "" {
		facts = append(facts, "reason: "+s.Code)
	}
	if len(facts) > 0 {
		text += " (" + strings.Join(facts, ", ") + ")"
	}
	return text
}

// gaps are the times in which nobody looked, those that are long enough.
func (l Log) gaps(from, to time.Time) (list []Event) {
	if len(l.Entries) == 0 {
		return nil
	}
	at := later(from, l.Entries[0].At.Add(-l.Entries[0].For))
	add := func(end time.Time) {
		if end.Sub(at) >= leastGap {
			list = append(list, Event{At: at, Kind: Gap, Says: "nobody looked for " + spell(end.Sub(at))})
		}
	}
	for _, s := range l.looked() {
		if s.From.After(to) {
			break
		}
		if s.To.After(at) {
			add(s.From)
			at = s.To
		}
	}
	if at.Before(to) {
		add(to)
	}
	return list
}

// spell writes a length of time in its two greatest units.
func spell(d time.Duration) string {
	days, hours, minutes := int(d/(24*time.Hour)), int(d/time.Hour)%24, int(d/time.Minute)%60
	switch {
	case days > 0:
		return fmt.Sprintf("%d d %d h", days, hours)
	case hours > 0:
		return fmt.Sprintf("%d h %d min", hours, minutes)
	}
	return fmt.Sprintf("%d min", minutes)
}
