package notify

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
)

// Bounds of what is sent.
const (
	mostEntries = 100 // of one message
	mostText    = 400 // characters of a cause or a remedy
	mostName    = 100
	mostTitle   = 120
)

// Message is what a channel gets.
type Message struct {
	ID      string    `json:"id"` // the same when it is sent again
	At      time.Time `json:"at"`
	Project string    `json:"project"`
	Title   string    `json:"title"`
	Text    string    `json:"text"` // of several lines
	Entries []Entry   `json:"entries"`
	More    int       `json:"more,omitempty"`    // entries that are left out, the oldest ones
	Quiet   bool      `json:"quiet,omitempty"`   // it sums up the quiet hours
	Attempt int       `json:"attempt,omitempty"` // 2: the first try may have arrived all the same
}

// clean makes the texts of an entry safe and short.
func (e Entry) clean() Entry {
	for _, f := range []struct {
		text *string
		most int
	}{{&e.Name, mostName}, {&e.App, mostName}, {&e.Code, mostName}, {&e.Cause, mostText}, {&e.Fix, mostText}} {
		*f.text = cut(strings.TrimSpace(strings.ReplaceAll(termsafe.Line(*f.text), "\t", " ")), f.most)
	}
	return e
}

func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// subject says what it is about: "supernode_2", "the grid".
func (e Entry) subject() string {
	switch e.What {
	case Grid:
		return "the grid"
	case Runtime:
		return "the runtime of the SuperNodes"
	case Run:
		return "run " + e.Name + wording.Around(" (", e.App, ")")
	}
	return e.Name
}

// Line says in one sentence what happened.
func (e Entry) Line() string {
	cause := wording.Around(": ", e.Cause, "")
	switch e.Kind {
	case Lost:
		state := "is lost"
		if e.What != Node {
			state = "does not answer"
		}
		return fmt.Sprintf("%s %s since %s%s", e.subject(), state, clock(e.At), cause)
	case Back:
		return fmt.Sprintf("%s is back since %s, after %s", e.subject(), clock(e.At), lasted(e.At.Sub(e.Since)))
	case WasLost:
		return fmt.Sprintf("%s was lost from %s to %s and is back%s", e.subject(), clock(e.Since), clock(e.At), cause)
	case RunStarted:
		return e.subject() + " has started"
	case RunFinished:
		if e.Code == "stopped" {
			return e.subject() + " was stopped"
		}
		return e.subject() + " has finished"
	case RunFailed:
		return e.subject() + " failed" + cause
	case RunWaits:
		return fmt.Sprintf("%s has been waiting for SuperNodes since %s, longer than usual%s", e.subject(), clock(e.Since), cause)
	case Test:
		return "this is a test: messages of flwrup arrive here"
	}
	return e.subject() + " " + string(e.Kind)
}

// clock is a time as the person's machine has it, with the day unless it is today's.
func clock(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

func lasted(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// write fills in title and text.
func (m *Message) write() {
	var lost, back, other []string
	for _, e := range m.Entries {
		switch {
		case e.Kind == Lost:
			lost = append(lost, e.subject())
		case e.Kind == Back:
			back = append(back, e.subject())
		case e.Kind == WasLost:
			other = append(other, e.subject()+" was lost")
		case e.What == Run && e.Kind != RunWaits:
			other = append(other, "run "+e.Name+" "+map[Kind]string{RunStarted: "started", RunFinished: "finished", RunFailed: "failed"}[e.Kind])
		case e.Kind == RunWaits:
			other = append(other, "run "+e.Name+" waits for SuperNodes")
		default:
			other = append(other, string(e.Kind))
		}
	}
	var parts []string
	add := func(list []string, one, many string) {
		switch {
		case len(list) == 0:
		case len(list) <= 2:
			parts = append(parts, strings.Join(list, " and ")+" "+map[bool]string{true: one, false: many}[len(list) == 1])
		default:
			parts = append(parts, fmt.Sprintf("%d %s", len(list), many))
		}
	}
	add(lost, "is lost", "are lost")
	add(back, "is back", "are back")
	switch {
	case len(other) == 0:
	case len(other) <= 2:
		parts = append(parts, other...)
	default:
		parts = append(parts, fmt.Sprintf("%d more events", len(other)))
	}
	m.Title = cut(m.Project+": "+strings.Join(parts, ", "), mostTitle)
	var b strings.Builder
	if m.Quiet {
		b.WriteString("In the quiet hours:\n")
	}
	for _, e := range m.Entries {
		b.WriteString(e.Line() + "\n")
		if e.Fix != "" && e.Kind != WasLost {
			b.WriteString("  what to do: " + e.Fix + "\n")
		}
	}
	if m.More > 0 {
		fmt.Fprintf(&b, "and %d more before that\n", m.More)
	}
	m.Text = strings.TrimRight(b.String(), "\n")
}

// urgent reports whether something in it is wrong.
func (m *Message) urgent() bool {
	for _, e := range m.Entries {
		if e.Kind == Lost || e.Kind == RunFailed || e.Kind == RunWaits {
			return true
		}
	}
	return false
}

// projectName is the name of a project as messages have it.
func projectName(name string) string {
	return cmp.Or(Entry{Name: name}.clean().Name, "flwrup")
}
