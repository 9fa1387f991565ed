package logs

import (
	"testing"
	"time"

	"flwrup/internal/frametest"
	"flwrup/ui/style"
)

// scene is a log with everything in it.
func scene(m *Model) {
	tell(m, 0,
		"INFO :      Starting Flower SuperNode",
		"INFO :      SuperNode ID: 11843878913437196669",
		"INFO :      Starting Flower SuperExec",
		"INFO :      ",
		"INFO :      [RUN 1762309077582676982]",
		"INFO :      Receiving: train message (ID: 641ce2b047685e94592c936bbb890265c21ecfe491a3e9c6160ba806b8051411)",
		"INFO :      Received successfully",
		"INFO :      \t└──> Aggregated MetricRecord: {'train_loss': 0.1}",
		"WARNING :   Connection attempt failed, retrying in 0.83 seconds",
		"INFO :      Connection successful after 3.10 seconds and 3 tries.",
		"an app prints 模型训练 and é",
	)
	if len(m.nodes) > 1 {
		tell(m, 1,
			"INFO :      Starting Flower SuperNode",
			"ERROR :     Exit Code: 305",
			"Traceback (most recent call last):",
			"  File \"flower-supernode\", line 10, in <module>",
			"RuntimeError: generator didn't yield",
			"WARNING :   something is odd",
		)
	}
}

// fallen is a SuperNode that was killed and that the grid lost, down seconds ago when it is back.
func fallen(down int) Told {
	killed := Happened{Node: "supernode_1", Key: "1", At: began.Add(11 * time.Second), Text: "killed (137)", Bad: true, Down: true}
	lost := Happened{Node: "supernode_1", Key: "2", At: began.Add(61 * time.Second), Text: "offline on the grid", Bad: true, Down: true}
	if down == 0 {
		return Told{killed, lost}
	}
	killed.Text, killed.Down, killed.Bad, lost.Down, lost.Bad = "killed (137), down "+style.Took(time.Duration(down)*time.Second)+", restarted", false, false, false, false
	return Told{killed, lost, {Node: "supernode_1", Key: "3", At: began.Add(540 * time.Second), Text: "online again, 8m 10s after it was lost"}}
}

var panes = []struct {
	name  string
	nodes int
	keys  string
	then  func(*Model)
}{
	{"no lines yet", 1, "", func(m *Model) {}},
	{"one", 1, "", scene},
	{"side by side", 2, "", scene},
	{"side by side, the other pane", 2, "tab", scene},
	{"four side by side", 4, "P", scene},
	{"merged", 3, "", scene},
	{"search, being typed", 3, "/ s u p e r n o d e", scene},
	{"search, with hits", 3, "/ s u p e r n o d e enter n", scene},
	{"search, without hits", 1, "/ z z enter", scene},
	{"filter, being typed", 2, "f / ( r u n | c o d e ) / tab", scene},
	{"filter", 2, "f r u n enter", scene},
	{"filter, not an expression", 1, "f / [ /", scene},
	{"nothing passes the filter", 1, "f z z enter", scene},
	{"warnings and worse", 2, "P L L", scene},
	{"next error", 2, "P g E", scene},
	{"cut", 1, "w", scene},
	{"cut, moved to the right", 1, "w right right", scene},
	{"without times", 1, "T", scene},
	{"paused", 1, "g", func(m *Model) { numbered(m, 0, 300) }},
	{"dropped lines", 1, "", func(m *Model) {
		m.Limit(1000)
		numbered(m, 0, 3000)
		m.rings[0].dropped = 1234
	}},
	{"a log that does not come", 2, "", func(m *Model) {
		scene(m)
		m.states[1] = "Docker is not running"
	}},
	{"a round of work", 1, "", func(m *Model) { feedTo(m, []string{"INFO :      SuperNode ID: 11843878913437196669"}, work, raised) }},
	{"a round of work, unfolded", 1, "e", func(m *Model) { feedTo(m, work, raised) }},
	{"a round of work, raw", 1, "v", func(m *Model) { feedTo(m, work, raised) }},
	{"next error, in a traceback", 1, "E e", func(m *Model) { feedTo(m, work, raised) }},
	{"a mark", 1, "g space j", scene},
	{"to a time, being typed", 1, "t 1 4 :", scene},
	{"to a time that is none", 1, "t n o o n enter", scene},
	{"ended", 1, "", func(m *Model) { scene(m); m.Update(fallen(0)) }},
	{"ended and back", 1, "", func(m *Model) {
		scene(m)
		m.Update(fallen(532))
		feedAt(m, 543*time.Second, "INFO :      Starting Flower SuperNode")
	}},
	{"ended and back, merged", 3, "", func(m *Model) { scene(m); m.Update(fallen(532)) }},
	{"full screen", 1, "z", scene},
	{"text to select", 1, "b", scene},
	{"text to select, merged", 2, "P b", scene},
}

func TestFrames(t *testing.T) {
	var list []frametest.Scene
	for _, p := range panes {
		own := ""
		if p.name == "cut, moved to the right" {
			own = "a wide character takes one cell in ASCII, so the cut is further to the right"
		}
		list = append(list, frametest.Scene{File: "logs", Name: p.name, OwnASCII: own,
			Draw: func(t testing.TB, mode frametest.Mode, w, h int) string {
				m := New(silent{}, names(p.nodes), style.New(style.Options{NoColor: mode.NoColor, ASCII: mode.ASCII, Dark: true}))
				defer m.Close()
				m.SetSize(w, h)
				m.now = func() time.Time { return began.Add(time.Hour) }
				p.then(m)
				keysTo(m, fields(p.keys)...)
				return m.View()
			}})
	}
	frametest.Golden(t, list,
		"logs/four side by side/40x15",
		"logs/four side by side/200x60",
		"logs/search, with hits/80x24-colour",
		"logs/side by side/120x40",
		"logs/side by side/80x24-ascii")
}
