package ui

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/steps"
	"flwrup/ui/style"
)

// update tells that -update, a flag of teatest, was given: the golden files are written anew.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

var sizes = [][2]int{{40, 15}, {80, 24}, {120, 40}}

var modes = []struct {
	name string
	o    Options
}{
	{"colour", Options{}}, {"plain", Options{NoColor: true}}, {"ascii", Options{NoColor: true, ASCII: true}},
}

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// scene is one thing that a step's screen can show.
type scene struct {
	name string
	make func(m *Model, f *fake, n int)
}

// still makes a model whose clock stands and that has been told everything about the fake's world.
func still(f *fake, n, w, h int, o Options) *Model {
	now := noon
	o.Work, o.now = f, func() time.Time { return now }
	o.env = func(string) string { return "" }
	o.open = func(string) error { return nil }
	m := newModel(context.Background(), o.filled(), &lockedOutput{to: &bytes.Buffer{}})
	m.auto = false
	m.at = n - 1
	m.resize(w, h)
	m.learn(f)
	return m
}

// learn does all inspections at once, as the commands would.
func (m *Model) learn(f *fake) {
	for i := range m.steps {
		msg := lookMsg{gen: m.looks.gen, i: i, title: f.Title()}
		msg.status, msg.err = f.Inspect(context.Background(), i+1)
		if msg.status.State == steps.Ready || msg.status.State == steps.Waiting {
			msg.plan, _ = f.Plan(context.Background(), i+1)
		}
		m.look(msg)
	}
}

// working puts a job on the screen as if it had been at it for 83 seconds.
func (m *Model) pretend(n int, list ...any) *job {
	m.jobs++
	j := &job{id: m.jobs, step: n, what: m.steps[n-1].title, sink: newSink(), began: noon.Add(-83 * time.Second),
		cancel: func(error) {}}
	m.job, m.last[n] = j, j
	j.take(m, list, 0)
	return j
}

func question(q steps.Question) *pending { return &pending{q: q, reply: make(chan string, 1)} }

var questions = map[string]steps.Question{
	"text": {Kind: steps.AskText, Default: "later", Ask: "Which federation are the SuperNodes for?",
		Help: "Its name as the dashboard shows it, such as @account/name; or \"later\", to choose from a list after the login."},
	"number": {Kind: steps.AskNumber, Default: "3", Ask: "How many SuperNodes?", Help: "Each takes about 190 MB of memory. More can be added later."},
	"choice": {Kind: steps.AskChoice, Default: "@ada/hospitals", Ask: "Which federation are the SuperNodes for?", Help: "Only a deployment federation can hold SuperNodes.",
		Choices: []steps.Choice{{Value: "@ada/toys", Label: "@ada/toys", Note: "simulation: cannot hold SuperNodes", Disabled: true},
			{Value: "@ada/hospitals", Label: "@ada/hospitals", Note: "lungs and hearts"}, {Value: "new", Label: "create a new one", Note: "you will be its owner"}}},
	"secret": {Kind: steps.AskSecret, Twice: true, Ask: "Passphrase for the backup", Help: "It is asked for when the keys are restored. Nobody can find it out again."},
	"confirm": {Kind: steps.AskConfirm, Default: "yes", Ask: "Approve this login as ada for the rehearsal?",
		Help: "On a real grid you open the link and choose \"Yes\" there."},
	"acknowledge": {Kind: steps.AskAcknowledge, Default: "later", Ask: "Has Flower Labs told you that the SuperNodes are confirmed?",
		Help: "flwrup cannot see it yet. If they told you so, the SuperNodes can be started: the grid then decides."},
	"diff": {Kind: steps.AskConfirm, Default: "yes", Ask: "Change ~/.flwr/config.toml like this?", Diff: fakePlan(8)[0].Diff},
}

var questionNames = []string{"text", "number", "choice", "secret", "confirm", "acknowledge", "diff"}

func scenes(n int) []scene {
	count := func(state steps.ItemState, text string) (items []steps.Item) {
		for i := 1; i <= 5; i++ {
			it := steps.Item{Name: fmt.Sprintf("supernode_%d", i), State: steps.ItemDone, Text: fmt.Sprint(uint64(8688387445877465697) + uint64(i))}
			if i > 3 {
				it.State, it.Text = state, text
			}
			items = append(items, it)
		}
		return items
	}
	set := func(st steps.Status) func(*Model, *fake, int) {
		return func(m *Model, f *fake, n int) { f.set(n, st); m.learn(f) }
	}
	list := []scene{
		{"done", set(steps.Status{State: steps.Done, Short: "5", Evidence: []string{"5 key pairs in ./keys, mode 0600", "signed in before as ada"}})},
		{"ready", set(steps.Status{State: steps.Ready, Evidence: []string{"2 of 5 are there"},
			Links: []steps.Link{{Label: "Federations dashboard", URL: "https://flower.ai/federations"}}})},
		{"blocked", set(steps.Status{State: steps.Blocked, By: max(n-1, 1), Why: "the node IDs have to be handed over first"})},
		{"not needed", set(steps.Status{State: steps.NotNeeded, Why: "there is no certificate.conf here, and a SuperGrid has a public certificate"})},
		{"waiting", set(waitingStatus(n))},
		{"failed", func(m *Model, f *fake, n int) {
			j := m.pretend(n, steps.Output{Text: "some output"}, steps.ItemChanged{Item: steps.Item{Name: "supernode_1", State: steps.ItemFailed, Text: "refused"}})
			j.end(noon, fmt.Errorf("start supernode_1: %w", &problem.Problem{Code: problem.DockerDown, What: "the Docker daemon does not answer",
				Why: "nothing listens on /var/run/docker.sock", Fix: "start Docker: `sudo systemctl start docker`", Raw: "Cannot connect to the Docker daemon"}))
		}},
		{"applying", func(m *Model, f *fake, n int) {
			events := []any{steps.Says{Text: "registering"}}
			for _, it := range count(steps.ItemWorking, "registering") {
				events = append(events, steps.ItemChanged{Item: it})
			}
			for i := range 4 {
				events = append(events, steps.Output{Text: fmt.Sprintf("output line %d, which is rather long so that narrow screens have to cut it", i)})
			}
			m.pretend(n, append(events, steps.Progress{Label: "registered", Done: 3, Total: 5})...)
		}},
		{"looking", func(m *Model, f *fake, n int) { m.steps[n-1].known = false; m.steps[n-1].looking = true }},
		{"stopped", func(m *Model, f *fake, n int) {
			m.pretend(n).end(noon, &problem.Problem{Code: problem.Cancelled, What: "stopped", Err: errStopped})
		}},
	}
	ask := func(name string) {
		list = append(list, scene{"asks: " + name, func(m *Model, f *fake, n int) { m.pretend(n, question(questions[name])) }})
	}
	ask(questionNames[n%len(questionNames)])
	switch n {
	case 5:
		for i, name := range questionNames {
			if i != n%len(questionNames) {
				ask(name)
			}
		}
		list = append(list, scene{"asks: number, not valid", func(m *Model, f *fake, n int) {
			q := questions["number"]
			q.Validate = func(string) error { return errors.New("5 are registered: unregister one on the dashboard first") }
			m.pretend(n, question(q))
			m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("2")})
		}}, scene{"asks: secret, second time", func(m *Model, f *fake, n int) {
			m.pretend(n, question(questions["secret"]))
			m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("pässword")})
			m.Update(tea.KeyMsg{Type: tea.KeyEnter})
		}})
	case 9:
		open := steps.LoginOpen{URL: "https://auth.flower.ai/realms/flower/device?user_code=WDJB-MJHT&lang=en&from=the-command-line-of-flwr-1.42",
			Code: "WDJB-MJHT", Since: noon.Add(-40 * time.Second), Expires: noon.Add(560 * time.Second)}
		list = append(list, scene{"login", func(m *Model, f *fake, n int) { m.pretend(n, open) }},
			scene{"login that asks", func(m *Model, f *fake, n int) { m.pretend(n, open, question(questions["confirm"])) }},
			scene{"login, QR code", func(m *Model, f *fake, n int) {
				m.pretend(n, open)
				m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("g")})
			}})
	case 14:
		list = append(list, scene{"waits, with logs", func(m *Model, f *fake, n int) {
			events := []any{steps.Says{Text: "waiting for 2 of 5"}}
			for _, it := range count(steps.ItemWaiting, "offline, 40s: connection attempt failed") {
				events = append(events, steps.ItemChanged{Item: it})
			}
			for i := 4; i <= 5; i++ {
				events = append(events, steps.NodeLine{Line: supernode.Line{Node: fmt.Sprintf("supernode_%d", i), Text: "WARNING :   Connection attempt failed, retrying in 2.34 seconds, 日本語 and tabs\there"}})
			}
			m.pretend(n, events...)
		}})
	case 16:
		list = append(list, scene{"metrics", func(m *Model, f *fake, n int) {
			events := []any{steps.RunBegan{ID: "8822730199"}}
			for r := 1; r <= 9; r++ {
				events = append(events, steps.Metric{Round: r, Name: "accuracy", Value: 1 - 1/float64(r+1)}, steps.Metric{Round: r, Name: "loss", Value: 2 / float64(r)})
			}
			m.pretend(n, events...)
		}})
	}
	if n == 10 { // the other pages, once
		for _, k := range []string{"?", "h", "Q", "e", "c", "r", "q"} {
			list = append(list, scene{"key " + k, func(m *Model, f *fake, n int) {
				if k == "q" || k == "r" {
					m.pretend(n, steps.Says{Text: "registering"}, steps.Output{Text: "said by flwr"}, steps.Ran{Command: "flwr supernode register keys/client_credentials_1.pub supergrid"})
				}
				m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)})
			}})
		}
		list = append(list, scene{"1,000 items", func(m *Model, f *fake, n int) {
			var events []any
			for i := range 1000 {
				events = append(events, steps.ItemChanged{Item: steps.Item{Name: fmt.Sprintf("supernode_%d", i+1), State: steps.ItemState(i % 4), Text: "somehow"}})
			}
			m.pretend(n, events...)
		}})
	}
	return list
}

// world is the fake behind the frames: the steps before n are done.
func world(n int) *fake {
	f := newFake()
	for k := 1; k < n; k++ {
		f.status[k] = steps.Status{State: steps.Done, Evidence: []string{"seen"}}
	}
	f.status[4] = steps.Status{State: steps.NotNeeded, Why: "there is no certificate.conf here"}
	f.undo[8] = true
	return f
}

// TestFrames draws every screen in each of its states at three sizes, in colour, without, and in ASCII,
// compares it with the golden files and holds it to the size of the terminal.
func TestFrames(t *testing.T) {
	for _, size := range sizes {
		for _, mode := range modes {
			name := fmt.Sprintf("%dx%d-%s", size[0], size[1], mode.name)
			t.Run(name, func(t *testing.T) {
				var b strings.Builder
				for n := 1; n <= 16; n++ {
					for _, sc := range scenes(n) {
						f := world(n)
						m := still(f, n, size[0], size[1], mode.o)
						sc.make(m, f, n)
						frame := m.View()
						fits(t, fmt.Sprintf("step %d, %s", n, sc.name), frame, size[0], size[1], mode.o)
						if m.View() != frame {
							t.Errorf("step %d, %s: drawn twice, it differs", n, sc.name)
						}
						fmt.Fprintf(&b, "=== step %d, %s\n", n, sc.name)
						for _, l := range strings.Split(frame, "\n") {
							b.WriteString(strings.TrimRight(l, " ") + "\n")
						}
					}
				}
				compare(t, filepath.Join("testdata", name+".golden"), b.String())
			})
		}
	}
}

// fits holds a frame to its size and its mode.
func fits(t *testing.T, what, frame string, w, h int, o Options) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != h {
		t.Errorf("%s: %d lines of %d", what, len(lines), h)
	}
	for _, l := range lines {
		if style.Width(l) > w {
			t.Errorf("%s: %d cells of %d: %q", what, style.Width(l), w, l)
		}
	}
	if o.NoColor && strings.Contains(frame, "\x1b") {
		t.Errorf("%s: styling where none is wanted", what)
	}
	if o.ASCII {
		for _, r := range frame {
			if r > 0x7e {
				t.Errorf("%s: %q in ASCII", what, r)
				break
			}
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if update() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	head := ""
	for i := range g {
		if strings.HasPrefix(g[i], "=== ") {
			head = g[i]
		}
		if i >= len(w) || g[i] != w[i] {
			was := "nothing"
			if i < len(w) {
				was = w[i]
			}
			t.Fatalf("%s line %d, %s:\n got %q\nwant %q\n(go test ./ui -update writes it anew)", file, i+1, head, g[i], was)
		}
	}
	t.Fatalf("%s has more than is drawn", file)
}

// TestSizes draws all of it at odd sizes: it never overflows and never panics.
func TestSizes(t *testing.T) {
	for _, w := range []int{0, 1, 5, 39, 40, 41, 60, 71, 72, 73, 100, 109, 110, 300} {
		for _, h := range []int{0, 1, 11, 12, 13, 17, 18, 25, 90} {
			for _, n := range []int{5, 9, 10, 14, 16} {
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
					fits(t, fmt.Sprintf("%d×%d, step %d, %s", w, h, n, sc.name), m.View(), w, h, Options{})
				}
			}
		}
	}
}

func BenchmarkView(b *testing.B) {
	for _, size := range sizes {
		for _, n := range []int{9, 10, 14} {
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
