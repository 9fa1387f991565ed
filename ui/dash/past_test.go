package dash

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"flwrup/internal/history"
	"flwrup/ui/style"
)

// look24 has the dashboard read a history.
func (m *Model) look24(l history.Log) {
	m.src.(*world).past = l
	m.past.asking, m.past.asked = false, time.Time{}
	m.Update(m.recall(noon)())
}

// aDay is the last day of five SuperNodes, during which nobody looked for six hours.
func aDay() history.Log {
	ago := func(h float64) time.Time { return noon.Add(-time.Duration(h * float64(time.Hour))) }
	online := history.State{Grid: "online", Here: "running", Wanted: "up"}
	l := history.Log{}
	add := func(h float64, name string, s history.State) {
		l.Entries = append(l.Entries, history.Entry{At: ago(h), Kind: history.Node, Name: name, State: s})
	}
	for i := range 5 {
		add(24, fmt.Sprintf("supernode_%d", i+1), online)
	}
	add(20, "supernode_2", history.State{Grid: "offline", Here: "stopped", Wanted: "up", Exit: 137})
	add(18, "supernode_2", online)
	l.Entries = append(l.Entries, history.Entry{At: ago(10), Kind: history.Look, For: 14 * time.Hour})
	add(3, "supernode_3", history.State{Grid: "offline", Here: "stopped", Wanted: "down"})
	l.Entries = append(l.Entries, history.Entry{At: ago(2), Kind: history.Grid, Code: "grid-unreachable"}, history.Entry{At: ago(1.5), Kind: history.Grid})
	add(1, "supernode_5", history.State{Grid: "offline", Here: "restarting", Wanted: "up", Code: "node-version"})
	l.Entries = append(l.Entries, history.Entry{At: noon, Kind: history.Look, For: 4 * time.Hour})
	return l
}

// aMonth is 30 days of 50 SuperNodes, each lost every third day.
func aMonth() (l history.Log) {
	from := noon.AddDate(0, 0, -30)
	for hour := range 30 * 24 {
		at := from.Add(time.Duration(hour) * time.Hour)
		for i := range 50 {
			s := history.State{Grid: "online", Here: "running", Wanted: "up"}
			switch (hour + i) % 72 {
			case 7:
				s.Grid = "offline"
			case 8, 0:
			default:
				if hour > 0 {
					continue
				}
			}
			l.Entries = append(l.Entries, history.Entry{At: at, Kind: history.Node, Name: fmt.Sprintf("supernode_%d", i+1), State: s})
		}
		l.Entries = append(l.Entries, history.Entry{At: at.Add(time.Hour), Kind: history.Look, For: time.Hour})
	}
	return l
}

func TestStrips(t *testing.T) {
	m := testModel(t, five(), 120, 40, style.Options{NoColor: true, ASCII: true})
	m.look24(aDay())
	for name, want := range map[string]string{
		"supernode_1": "==============      ==?=|97.2%",
		"supernode_2": "====xx========      ==?=|86.1%",
		"supernode_3": "==============      =___|83.3%",
		"supernode_5": "==============      ==?x|91.7%",
	} {
		s := m.past.strips[name]
		online := strings.TrimSuffix(s.online, "%")
		if got := s.short + "|" + s.online; got != want || !strings.HasPrefix(s.says, online+" % online of the time looked at, which is 75.0 %") {
			t.Errorf("%s: %q, %q; want %q", name, got, s.says, want)
		}
		if !strings.Contains(m.View(), s.short) {
			t.Errorf("%s has no strip in\n%s", name, m.View())
		}
	}
	first := m.past.strips["supernode_1"].short
	m.Update(m.Update(press("H"))())
	if m.past.of != 1 || m.past.strips["supernode_1"].short == first || !strings.Contains(m.View(), "last week") {
		t.Errorf("after the key: %+v\n%s", m.past.strips["supernode_1"], m.View())
	}
	if cmd := m.recall(noon.Add(pastEvery / 2)); cmd != nil {
		t.Error("the history is read again at once")
	}
	if cmd := m.recall(noon.Add(pastEvery)); cmd == nil {
		t.Error("the history is not read again")
	}
}

// A set-up that is new has no strips; then they grow with what is known, and leave room for the node IDs. A narrow table
// has shorter ones.
func TestStripsOfANewSetUp(t *testing.T) {
	at := func(known time.Duration, w int) (frame string) {
		m := testModel(t, five(), w, 40, style.Options{NoColor: true, ASCII: true})
		for i := range m.have.Nodes {
			m.have.Nodes[i].Diagnosis = nil
		}
		m.arrange()
		m.look24(history.Log{Entries: []history.Entry{
			{At: noon.Add(-known), Kind: history.Node, Name: "supernode_1", State: history.State{Grid: "online", Here: "running", Wanted: "up"}},
			{At: noon, Kind: history.Look, For: known}}})
		return m.View()
	}
	for _, c := range []struct {
		known time.Duration
		w     int
		has   []string
		not   string
	}{
		{4 * time.Minute, 120, []string{"node ID"}, "last day"},
		{30 * time.Minute, 120, []string{"node ID", "last day", " =| 100%"}, "==|"},
		{150 * time.Minute, 120, []string{"node ID", "last day", " ===| 100%"}, "====|"},
		{24 * time.Hour, 120, []string{"node ID", "last day", " ============|"}, "=============|"},
		{24 * time.Hour, 160, []string{"node ID", "last day", " ========================| 100%"}, ""},
		{24 * time.Hour, 80, []string{"last day", " ============|"}, "node ID"},
	} {
		frame := at(c.known, c.w)
		for _, has := range c.has {
			if !strings.Contains(frame, has) {
				t.Errorf("after %s, %d wide: no %q in\n%s", c.known, c.w, has, frame)
			}
		}
		if c.not != "" && strings.Contains(frame, c.not) {
			t.Errorf("after %s, %d wide: %q in\n%s", c.known, c.w, c.not, frame)
		}
	}
}

// BenchmarkStrips draws the strips of 50 SuperNodes over 30 days. Budget: 5 ms.
func BenchmarkStrips(b *testing.B) {
	m := testModel(b, many(50), 120, 40, style.Options{Dark: true})
	line := aMonth().Between(noon.AddDate(0, 0, -30), noon, "")
	if len(line.Names()) != 50 {
		b.Fatal(line.Names())
	}
	for b.Loop() {
		m.drawPasts(line)
	}
}

// aHalfHour is the past of five SuperNodes that were set up half an hour ago.
func aHalfHour() (l history.Log) {
	for i := range 5 {
		l.Entries = append(l.Entries, history.Entry{At: noon.Add(-30 * time.Minute), Kind: history.Node, Name: fmt.Sprintf("supernode_%d", i+1),
			State: history.State{Grid: "online", Here: "running", Wanted: "up"}})
	}
	l.Entries = append(l.Entries, history.Entry{At: noon, Kind: history.Look, For: 30 * time.Minute})
	return l
}
