//go:build linux

package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hinshun/vt10x"

	"flwrup/internal/ptytest"
	"flwrup/steps"
)

// castFile is a recording of a rehearsal in the format of asciinema. go test ./internal/e2e -run TestCast -cast makes it.
const castFile = "../../docs/rehearsal.cast"

var recordCast = flag.Bool("cast", false, "record docs/rehearsal.cast from a real rehearsal")

// castHead is the first line of an asciicast, version 2.
type castHead struct {
	Version int     `json:"version"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	Title   string  `json:"title"`
	Idle    float64 `json:"idle_time_limit"`
}

// TestCast plays docs/rehearsal.cast on a terminal: it shows the 16 steps as they are called today, then the dashboard,
// and tells nothing about the machine that it was made on.
func TestCast(t *testing.T) {
	if *recordCast {
		record(t)
	}
	text, err := os.ReadFile(castFile)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 200_000 {
		t.Errorf("%d bytes, at most 200,000 wanted", len(text))
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	var head castHead
	if err := json.Unmarshal([]byte(lines[0]), &head); err != nil || head.Version != 2 || head.Width == 0 || head.Height == 0 {
		t.Fatalf("%v: %s", err, lines[0])
	}
	vt := vt10x.New(vt10x.WithSize(head.Width, head.Height))
	seen, at := map[string]bool{}, 0.0
	for _, l := range lines[1:] {
		var after float64
		var kind, out string
		if err := json.Unmarshal([]byte(l), &[]any{&after, &kind, &out}); err != nil || kind != "o" || after < at {
			t.Fatalf("%v, after %v: %.200s", err, at, l)
		}
		at = after
		_, _ = vt.Write([]byte(out))
		for row := range strings.Lines(vt.String()) {
			list, _, steps := strings.Cut(row, "│")
			if words := []rune(list); steps && len(words) > 6 {
				seen[strings.TrimRight(string(words[5:]), " ")] = true // behind the signs of the list of steps
			}
			seen[row] = true
		}
	}
	listed := func(name string) bool {
		for row := range seen {
			if strings.HasPrefix(row, name) { // the outcome may follow
				return true
			}
		}
		return false
	}
	for _, st := range steps.Steps() {
		if name := fmt.Sprintf("%2d %s", st.ID(), st.Name()); !listed(name) {
			t.Errorf("it does not show step %q: record it again", name)
		}
	}
	online := false
	for row := range seen {
		online = online || strings.Contains(row, "✓ 3 of 3 SuperNodes online")
		if other := machines.FindString(row); other != "" {
			t.Errorf("%q is of the machine that it was recorded on: %s", other, row)
		}
	}
	if !online {
		t.Error("it does not reach the dashboard")
	}
}

// machines finds what belongs to one machine: folders of people, temporary ones, registries.
var machines = regexp.MustCompile(`(^|[\s"=])/(root|home|Users|var)/\S*|/tmp/[^a]\S*|https?://\S*(pypi|simple|proxy)\S*`)

// record goes through a rehearsal as a person does who knows Enter. flwr is there already: installing it once shows
// where its packages come from.
func record(t *testing.T) {
	const w, rows = 100, 28
	home := "/tmp/ada" // whoever looks at the recording reads it
	if err := os.Mkdir(home, 0o700); err != nil {
		t.Fatal(err)
	}
	h := newHome(t)
	h.dir = home
	h.env = append(h.env, "HOME="+home, "XDG_CACHE_HOME="+home+"/.cache")
	dir := filepath.Join(home, "lung-study")
	t.Cleanup(func() {
		h.run("down", "--yes", "--dir", dir)
		if err := os.RemoveAll(home); err != nil {
			t.Error(err)
		}
	})
	h.must("rehearse", "--yes", "--runtime", "process", "--dir", filepath.Join(home, "before"))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := h.command(t.Context(), "rehearse", "--runtime", "process", "--dir", ".")
	cmd.Dir = dir
	s := ptytest.Start(t, cmd, w, rows)
	s.Wait("How much should flwrup ask?")
	time.Sleep(2 * time.Second)
	s.EnterUntil("3 of 3 SuperNodes online", 5*time.Minute)
	time.Sleep(3 * time.Second)
	s.Press("l")
	time.Sleep(4 * time.Second)
	s.Press("q")
	s.Over(0)
	if err := os.WriteFile(castFile, cast(t, s.Output(), s.Moments(), w, rows), 0o644); err != nil {
		t.Fatal(err)
	}
}

// cast returns what was seen on a terminal. The program draws far more often than somebody can read: of each 800 ms the
// recording has the last screen, and of that what has changed.
func cast(t *testing.T, out string, list []ptytest.Moment, w, rows int) []byte {
	var b bytes.Buffer
	line := func(v any) {
		l, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(l, '\n'))
	}
	line(castHead{2, w, rows, "flwrup rehearse: from nothing to three online SuperNodes", 2})
	vt := vt10x.New(vt10x.WithSize(w, rows))
	shown := make([][]vt10x.Glyph, rows)
	for y := range shown {
		shown[y] = slices.Repeat([]vt10x.Glyph{{Char: ' ', FG: vt10x.DefaultFG, BG: vt10x.DefaultBG}}, w)
	}
	before, next := 0, time.Duration(0)
	for i, m := range list {
		_, _ = vt.Write([]byte(out[before:m.Bytes]))
		before = m.Bytes
		if i < len(list)-1 && list[i+1].After < next {
			continue
		}
		next = m.After + 800*time.Millisecond
		changed := ""
		for y := range rows {
			from, to := w, 0
			for x := range w {
				if g := vt.Cell(x, y); g != shown[y][x] {
					shown[y][x], from, to = g, min(from, x), x+1
				}
			}
			if from < to {
				changed += fmt.Sprintf("\x1b[%d;%dH", y+1, from+1) + drawn(shown[y][from:to])
			}
		}
		if changed != "" {
			line([]any{(m.After - list[0].After).Round(10 * time.Millisecond).Seconds(), "o", "\x1b[?25l" + changed})
		}
	}
	return b.Bytes()
}

// drawn returns cells of a terminal with their colours.
func drawn(cells []vt10x.Glyph) string {
	const bold = 1 << 2 // vt10x keeps the name to itself
	var b strings.Builder
	style := ""
	for _, g := range cells {
		now := ""
		if g.Mode&bold != 0 {
			now += ";1"
		}
		if g.FG < 256 {
			now += fmt.Sprintf(";38;5;%d", g.FG)
		}
		if g.BG < 256 {
			now += fmt.Sprintf(";48;5;%d", g.BG)
		}
		if now != style {
			b.WriteString("\x1b[0" + now + "m")
			style = now
		}
		b.WriteRune(max(g.Char, ' '))
	}
	if style != "" {
		b.WriteString("\x1b[m")
	}
	return b.String()
}
