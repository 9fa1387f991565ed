package ui

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"flwrup/internal/frametest"
	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/supernode"
)

// pictured are the screens in the README and in docs/walkthrough.md. They are drawn by the code that draws the frames:
// go test ./ui -run TestPictures -pictures writes them, and the page.
var pictured = []frametest.Picture{
	{Name: "wizard", Scene: "step10/at work", W: 110, H: 28, Says: "The wizard at step 10: the 16 steps at the left, SuperNodes being registered at the right"},
	{Name: "dashboard", Scene: "picture/dashboard", W: 120, H: 27, Says: "The dashboard: four of five SuperNodes online, and why the fifth is not"},
	{Name: "logs", Scene: "picture/logs", W: 120, H: 22, Says: "The logs of two SuperNodes, each in its pane: a run, and an app that lacks a file"},
}

// otherTerminals are the screens of docs/screens.md.
var otherTerminals = []frametest.Picture{
	{Name: "wizard-80x24", Scene: "step10/at work", W: 80, H: 24, Says: "The wizard at 80 by 24"},
	{Name: "wizard-40x15", Scene: "step10/at work", W: 40, H: 15, Says: "The wizard at 40 by 15: the step alone"},
	{Name: "wizard-200x60", Scene: "step10/at work", W: 200, H: 60, Says: "The wizard at 200 by 60"},
	{Name: "dashboard-80x24", Scene: "picture/dashboard", W: 80, H: 24, Says: "The dashboard at 80 by 24"},
	{Name: "dashboard-200x60", Scene: "picture/dashboard", W: 200, H: 60, Says: "The dashboard at 200 by 60: details at the side"},
	{Name: "dashboard-no-colour", Scene: "picture/dashboard", W: 120, H: 27, NoColor: true, Says: "The dashboard without colours (NO_COLOR)"},
	{Name: "dashboard-ascii", Scene: "picture/dashboard", W: 120, H: 27, ASCII: true, Says: "The dashboard where the locale is not UTF-8"},
	{Name: "past", Scene: "picture/past", W: 120, H: 16, Says: "The dashboard after a day: a strip for each SuperNode"},
	{Name: "past-80x24", Scene: "picture/past", W: 80, H: 24, Says: "The same at 80 by 24: shorter strips"},
	{Name: "logs-80x24", Scene: "picture/logs", W: 80, H: 24, Says: "Logs at 80 by 24"},
	{Name: "logs-200x60", Scene: "picture/logs", W: 200, H: 60, Says: "Logs at 200 by 60"},
}

// walked says which scene of a step docs/walkthrough.md shows.
var walked = map[front.StepID]string{1: "ready", 2: "asks: federation", 3: "at work", 4: "not needed", 5: "asks: nodes", 6: "at work", 7: "asks: passphrase", 8: "asks: configuration",
	9: "at work", 10: "at work", 11: "ready", 12: "at work", 13: "at work", 14: "at work", 15: "asks: app", 16: "at work"}

// shownScenes are like scenes of the dashboard and the log panes, with more to see.
func shownScenes() (list []frametest.Scene) {
	for name, open := range map[string]func(testing.TB, *Model){
		"dashboard": func(t testing.TB, m *Model) {
			openDashUntil(t, m, func(frame string) bool { return strings.Contains(frame, "round 3") })
		},
		"past": func(t testing.TB, m *Model) {
			m.work.(*fake).past = aDay
			openDashUntil(t, m, func(frame string) bool {
				return strings.Contains(frame, "last day") && strings.Contains(frame, "round 3")
			})
		},
		"logs": func(t testing.TB, m *Model) {
			openLogsUntil(t, m, 2, func(frame string) bool {
				return strings.Contains(frame, "round 3") && strings.Contains(frame, "scans.npz")
			})
		},
	} {
		list = append(list, frametest.Scene{File: "picture", Name: name, Draw: func(t testing.TB, mode frametest.Mode, w, h int) string {
			f := world(16)
			f.lines = shownLines
			m := still(f, 16, w, h, Options{NoColor: mode.NoColor, ASCII: mode.ASCII, Light: mode.Light})
			defer m.cancel(nil)
			open(t, m)
			return m.View()
		}})
	}
	return list
}

// aDay is the last day of five SuperNodes: nobody looked for six hours, supernode_2 was lost in the night, supernode_3 was
// stopped for two hours, and supernode_5 is lost.
func aDay(now time.Time) (l history.Log) {
	ago := func(h float64) time.Time { return now.Add(-time.Duration(h * float64(time.Hour))) }
	add := func(h float64, name, grid, here, wanted string) {
		l.Entries = append(l.Entries, history.Entry{At: ago(h), Kind: history.Node, Name: name, State: history.State{Grid: grid, Here: here, Wanted: wanted}})
	}
	for i := range 5 {
		add(24, fmt.Sprintf("supernode_%d", i+1), "online", "running", "up")
	}
	add(20, "supernode_2", "offline", "stopped", "up")
	add(18, "supernode_2", "online", "running", "up")
	l.Entries = append(l.Entries, history.Entry{At: ago(10), Kind: history.Look, For: 14 * time.Hour})
	add(3, "supernode_3", "offline", "stopped", "down")
	add(1, "supernode_3", "online", "running", "up")
	add(0.9, "supernode_5", "offline", "restarting", "up")
	l.Entries = append(l.Entries, history.Entry{At: now, Kind: history.Look, For: 4 * time.Hour})
	return l
}

// shownLines are a SuperNode's log in a run; the second one's app fails.
func shownLines(node string) (lines []supernode.Line) {
	at := time.Date(2026, 11, 24, 9, 14, 3, 0, time.Local) // shown as local time
	add := func(after time.Duration, text string) {
		at = at.Add(after)
		lines = append(lines, supernode.Line{Node: node, Time: at, Text: text})
	}
	add(0, "INFO :      Starting Flower SuperNode")
	add(2*time.Second, "INFO :      SuperNode ID: 8688387445877465697")
	for round, id := range []string{"641ce2b0", "b9f07d1c", "27ad08e5"} {
		add(time.Minute, "INFO :      [RUN "+runID+"]")
		add(0, "INFO :      Receiving: train message (ID: "+id+"47685e94592c936bbb890265c21ecfe491a3e9c6160ba806b8051411)")
		add(time.Second, "INFO :      Received successfully")
		if node == "supernode_2" && round == 2 {
			add(time.Second, "ERROR :     ClientApp raised an exception")
			add(0, "Traceback (most recent call last):")
			add(0, "  File \"/app/lungs/client_app.py\", line 31, in train")
			add(0, "FileNotFoundError: [Errno 2] No such file or directory: '/data/scans.npz'")
			break
		}
		add(4*time.Second, "INFO :      Start `flwr-clientapp` process")
		add(3*time.Second, fmt.Sprintf("round %d: 412 scans, loss %.3f, accuracy %.3f", round+1, 0.612/float64(round+1), 0.71+0.06*float64(round)))
		add(time.Second, "INFO :      [RUN "+runID+"]")
		add(0, "INFO :      Sending: train message (ID: "+id+"1a07ba0ca359f173e20c5ba8767b229d2a8be58226a1bfddcaff430d62)")
		add(time.Second, "INFO :      Sent successfully")
	}
	return lines
}

// TestPictures compares the pictures of the documentation with what flwrup draws.
func TestPictures(t *testing.T) {
	list := pictured
	page := walkthroughHead
	for n := front.StepAccount; n <= front.StepMonitor; n++ {
		st := still(world(n), n, 100, 30, Options{}).list.steps[n-1]
		p := frametest.Picture{Name: fmt.Sprintf("step%02d", n), Scene: fmt.Sprintf("step%02d/%s", n, walked[n]), W: 100, H: 26,
			Says: fmt.Sprintf("Step %d, %s", n, st.title)}
		list = append(list, p)
		page += fmt.Sprintf("\n## %d. %s\n\n%s\n\n%s\n", n, st.title, st.why, frametest.PictureTag("img/", p))
	}
	gallery := screensHead
	for _, p := range otherTerminals {
		gallery += fmt.Sprintf("\n## %s\n\n%s\n", p.Says, frametest.PictureTag("img/", p))
	}
	frametest.Page(t, "../docs/screens.md", gallery)
	frametest.Pictures(t, "../docs/img", append(allScenes(), shownScenes()...), append(list, otherTerminals...))
	frametest.Page(t, "../docs/walkthrough.md", page)
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pictured {
		if !strings.Contains(string(readme), frametest.PictureTag("docs/img/", p)) {
			t.Errorf("the README does not show %s as\n%s", p.Name, frametest.PictureTag("docs/img/", p))
		}
	}
}

const walkthroughHead = `# The 16 steps

What ` + "`flwrup`" + ` shows on the way from an empty folder to SuperNodes that are online. The steps are those of Flower's
registration guide, in its order. Most of them need no key: a step that is done goes by, and one that only reads does so on its own.

The pictures are drawn by the program's own code; a test fails when they are no longer what it shows. ` + "`flwrup rehearse`" + ` goes
this way on a SuperGrid on your machine, without an account; ` + "`asciinema play docs/rehearsal.cast`" + ` plays a recording of one.
`

const screensHead = `# Other sizes, other terminals

The wizard, the dashboard and the logs at other sizes than those of the README, and on terminals without colours or without UTF-8. All
of them are drawn by the program's own code, on a dark and on a light terminal; a test fails when they are no longer what it shows.
[terminals.md](terminals.md) says how the width of every sign is known, and what was checked on which terminal.
`
