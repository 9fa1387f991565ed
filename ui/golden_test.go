package ui

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/frametest"
	"flwrup/internal/front"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// scene is one view of a step's screen.
type scene struct {
	name string
	make func(m *Model, f *fake, n front.StepID)
}

// still makes a model with a stopped clock that knows everything about the fake's world.
func still(f *fake, n front.StepID, w, h int, o Options) *Model {
	now := noon
	o.Work, o.now = f, func() time.Time { return now }
	o.env = func(string) string { return "" }
	o.open = func(string) error { return nil }
	m := newModel(context.Background(), o.filled(), &lockedOutput{to: &bytes.Buffer{}})
	m.list.auto = false
	m.list.at = int(n) - 1
	m.resize(w, h)
	m.list.learn(f)
	return m
}

// learn does all inspections at once, as the commands would.
func (sl *stepList) learn(f *fake) {
	for i := range sl.steps {
		msg := lookMsg{gen: sl.looks.gen, i: i, title: f.Title()}
		msg.status, msg.err = f.Inspect(context.Background(), sl.steps[i].number)
		if msg.status.State == front.Ready || msg.status.State == front.Waiting {
			msg.plan, _ = f.Plan(context.Background(), sl.steps[i].number)
		}
		sl.look(msg)
	}
}

// working puts a job on the screen as if it had been at it for 83 seconds.
func (dk *desk) pretend(n front.StepID, list ...any) *job {
	dk.jobs++
	j := &job{id: dk.jobs, step: n, what: dk.list.steps[n-1].title, sink: newSink(), began: noon.Add(-83 * time.Second),
		cancel: func(error) {}, planned: true}
	dk.job, dk.last[n] = j, j
	j.take(dk.m, list, 0)
	return j
}

func question(q front.Question) *pending { return &pending{q: q, reply: make(chan string, 1)} }

var questions = map[string]front.Question{
	"text": {Kind: front.AskText, Default: "later", Ask: "Which federation are the SuperNodes for?",
		Help: "Its name on the dashboard, such as @account/name; or \"later\", to choose from a list after you log in."},
	"number": {Kind: front.AskNumber, Default: "3", Ask: "How many SuperNodes?", Help: "Each takes about 190 MB of memory. You can add more later. 0: all are at other sites, which you admit."},
	"choice": {Kind: front.AskChoice, Default: "@ada/hospitals", Ask: "Which federation are the SuperNodes for?", Help: "Only a deployment federation can hold SuperNodes.",
		Choices: []front.Choice{{Value: "@ada/toys", Label: "@ada/toys", Note: "simulation: cannot hold SuperNodes", Disabled: true},
			{Value: "@ada/hospitals", Label: "@ada/hospitals", Note: "lungs and hearts"}, {Value: "new", Label: "create a new one", Note: "you will own it"}}},
	"secret": {Kind: front.AskSecret, Twice: true, Ask: "Passphrase for the backup", Help: "It is asked for when the keys are restored. Nobody can find it out again."},
	"confirm": {Kind: front.AskConfirm, Default: "yes", Ask: "Approve this login as ada for the rehearsal?",
		Help: "On a real grid you open the link and choose \"Yes\" there."},
	"acknowledge": {Kind: front.AskAcknowledge, Default: "later", Ask: "Has Flower Labs confirmed the SuperNodes?",
		Help: "flwrup cannot see it yet. If they have, you can start the SuperNodes: the grid then decides."},
	"diff": {Kind: front.AskConfirm, Default: "yes", Ask: "Change ~/.flwr/config.toml like this?", Diff: fakePlan(8)[0].Diff},
}

// world is the fake behind the frames: the steps before n are done.
func world(n front.StepID) *fake {
	f := newFake()
	for k := front.StepAccount; k < n; k++ {
		f.status[k] = front.Status{State: front.Done, Evidence: []string{"seen"}}
	}
	f.status[4] = front.Status{State: front.NotNeeded, Why: "there is no certificate.conf here"}
	f.undo[8] = true
	return f
}

// alsoKept are frames whose layout, colour or ASCII is worth reading besides every scene at 80x24.
var alsoKept = []string{
	"step01/done/36x10", // too small
	"step02/at work/40x15",
	"step05/ready/40x15",
	"step05/asks: nodes/40x15",
	"step08/done/40x15",
	"step09/at work/40x15",
	"step09/at work/120x40",
	"step09/at work/120x40-ascii",
	"step10/key ?/40x15",
	"step10/number, not valid/80x24-colour",
	"step10/key ?/120x40",
	"step10/key Q/40x15",
	"step10/1,000 items/120x40",
	"step13/asks: setting/40x15",
	"step13/failed/80x24-colour",
	"step14/at work/80x24-ascii",
	"step14/at work/120x40-colour",
	"step15/asks: traps/80x24-colour", // a diff
	"step16/at work/40x15",
	"step16/at work/120x40",
	"step16/at work/200x60",
	"dashboard/four of five online/40x15",
	"dashboard/four of five online/200x60",
	"dashboard/four of five online/80x24-colour",
	"dashboard/four of five online/80x24-ascii",
	"verbs/stop-run asks: stop-run/40x15",
	"logs/five, all keys/200x60",
	"logs/two/40x15",
}

// ownASCII are the scenes that have no QR code in ASCII, by step.
var ownASCII = map[front.StepID]map[string]string{9: {
	"at work":                        "nothing offers or draws the QR code",
	"login that asks":                "nothing offers or draws the QR code",
	"login without a code or an end": "nothing offers or draws the QR code",
	"login, QR code":                 "the key does nothing",
}}

// TestFrames draws every step in each of its states, and the other pages.
func TestFrames(t *testing.T) { frametest.Golden(t, allScenes(), alsoKept...) }

func allScenes() (list []frametest.Scene) {
	for n := front.StepAccount; n <= front.StepMonitor; n++ {
		for _, sc := range scenes(n) {
			list = append(list, frametest.Scene{File: fmt.Sprintf("step%02d", n), Name: sc.name, Whole: true, OwnASCII: ownASCII[n][sc.name],
				Draw: func(t testing.TB, mode frametest.Mode, w, h int) string {
					f := world(n)
					m := still(f, n, w, h, Options{NoColor: mode.NoColor, ASCII: mode.ASCII, Light: mode.Light})
					sc.make(m, f, n)
					frame := m.View()
					if drawn := m.framed(); w >= minWidth && h >= minHeight && len(drawn) != h {
						t.Errorf("step %d, %s: %d lines for %d rows", n, sc.name, len(drawn), h)
					}
					if m.View() != frame {
						t.Errorf("step %d, %s: drawn twice, it differs", n, sc.name)
					}
					return frame
				}})
		}
	}
	for _, p := range pages {
		list = append(list, frametest.Scene{File: p.file, Name: p.name, Whole: true,
			Draw: func(t testing.TB, mode frametest.Mode, w, h int) string {
				m := still(world(16), 16, w, h, Options{NoColor: mode.NoColor, ASCII: mode.ASCII, Light: mode.Light})
				defer m.cancel(nil)
				p.make(t, m)
				return m.View()
			}})
	}
	return list
}

// TestStories checks that the table of scenes is complete: each step in each state, or a reason why it is
// never in it; each question of the steps; each kind of question.
func TestStories(t *testing.T) {
	asked, kinds := map[string]bool{}, map[front.QuestionKind]bool{}
	for n := front.StepAccount; n <= front.StepMonitor; n++ {
		st := stories[n]
		have := st.states()
		for _, state := range allStates {
			if have[state] == (st.never[state] != "") {
				t.Errorf("step %d, %s: has a scene: %v, a reason why it is never so: %q", n, state, have[state], st.never[state])
			}
		}
		for state, status := range st.status {
			if want := inspected[state]; status.State != want || status.Person != (state == onPerson) {
				t.Errorf("step %d, %s: the status says %v", n, state, status.State)
			}
		}
		for _, q := range st.asks {
			asked[q.ID], kinds[q.Kind] = true, true
		}
	}
	for _, d := range verbScenes {
		asked[d.asks.ID] = true
	}
	for kind := front.AskText; kind <= front.AskAcknowledge; kind++ {
		if !kinds[kind] {
			t.Errorf("no scene asks a question of kind %d", kind)
		}
	}
	files, err := filepath.Glob("../steps/*.go")
	if err != nil || len(files) < front.StepTotal {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range questionID.FindAllSubmatch(source, -1) {
			if !seen(asked, string(id[1])) && offScreen[string(id[1])] == "" {
				t.Errorf("%s asks %q, which no scene shows", name, id[1])
			}
		}
	}
}

// seen reports whether a question's scene exists; an ID that ends in a space goes on with a name.
func seen(asked map[string]bool, id string) bool {
	for have := range asked {
		if have == id || strings.HasSuffix(id, " ") && strings.HasPrefix(have, id) {
			return true
		}
	}
	return false
}

// offScreen are the questions that the screen never asks, and why.
var offScreen = map[string]string{"do": "on the screen, Enter is the answer"}

var (
	questionID = regexp.MustCompile(`Question\{ID: "([^"]+)"`)
	inspected  = map[string]front.State{isDone: front.Done, isReady: front.Ready, isBlocked: front.Blocked, isNotNeeded: front.NotNeeded,
		onPerson: front.Waiting, onGrid: front.Waiting}
)

// TestSizes draws all of it at odd sizes: it never overflows and never panics.
func TestSizes(t *testing.T) {
	for _, w := range []int{0, 1, 5, 39, 40, 41, 60, 71, 72, 73, 100, 109, 110, 300} {
		for _, h := range []int{0, 1, 11, 12, 13, 17, 18, 25, 90} {
			for _, n := range []front.StepID{5, 9, 10, 14, 16} {
				for _, sc := range scenes(n) {
					f := world(n)
					m := still(f, n, max(w, 1), max(h, 1), Options{})
					sc.make(m, f, n)
					m.Update(tea.WindowSizeMsg{Width: w, Height: h})
					if w == 0 && h == 0 {
						continue
					}
					if w == 0 || h == 0 {
						if m.View() != "" {
							t.Errorf("%d×%d: something is drawn", w, h)
						}
						continue
					}
					frametest.Check(t, fmt.Sprintf("%d×%d, step %d, %s", w, h, n, sc.name), m.View(), w, h, frametest.Mode{})
				}
			}
		}
	}
}

func BenchmarkView(b *testing.B) {
	for _, size := range frametest.Sizes {
		for _, n := range []front.StepID{9, 10, 14} {
			f := world(n)
			m := still(f, n, size[0], size[1], Options{})
			list := scenes(n)
			list[len(list)-1].make(m, f, n)
			b.Run(fmt.Sprintf("%dx%d/%d-%s", size[0], size[1], n, list[len(list)-1].name), func(b *testing.B) {
				for b.Loop() {
					m.View()
				}
			})
		}
	}
}
