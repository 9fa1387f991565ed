package history

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var day = time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)

func up(names ...string) (list []SeenNode) {
	for _, n := range names {
		list = append(list, SeenNode{Name: n, State: State{Grid: "online", Here: "running", Wanted: "up"}, Since: day, Image: "flwr/supernode:1.42.0"})
	}
	return list
}

func look(t testing.TB, r *Recorder, at time.Time, nodes []SeenNode, change func(*Seen)) {
	t.Helper()
	s := Seen{At: at, GridAt: at, Nodes: nodes}
	if change != nil {
		change(&s)
	}
	if err := r.Record(s); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, dir string) Log {
	t.Helper()
	l, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func lines(t testing.TB, dir string) int {
	t.Helper()
	text, err := os.ReadFile(File(dir))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Count(string(text), "\n")
}

// An hour online, ten minutes down, an hour online, looked at all along except for half an hour.
func TestSharesAndGaps(t *testing.T) {
	dir := t.TempDir()
	r := In(dir)
	at := day
	for ; at.Before(day.Add(time.Hour)); at = at.Add(10 * time.Second) {
		look(t, r, at, up("a"), nil)
	}
	for ; at.Before(day.Add(70 * time.Minute)); at = at.Add(10 * time.Second) {
		look(t, r, at, []SeenNode{{Name: "a", State: State{Grid: "offline", Here: "stopped", Wanted: "up", Exit: 137, Code: "killed"}}}, nil)
	}
	for at = at.Add(30 * time.Minute); !at.After(day.Add(160 * time.Minute)); at = at.Add(10 * time.Second) {
		look(t, r, at, up("a"), nil)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if n := lines(t, dir); n > 45 {
		t.Errorf("%d lines for two hours", n)
	}
	l := read(t, dir)
	line := l.Between(day, day.Add(160*time.Minute), "")
	s := line.Share("a")
	for is, want := range map[Stand]time.Duration{Online: 2 * time.Hour, Down: 10 * time.Minute, NotLooked: 30 * time.Minute, Stopped: 0, Unknown: 0} {
		if d := s[is] - want; d.Abs() > 11*time.Second {
			t.Errorf("%s for %s, want %s", is, s[is], want)
		}
	}
	if part, known := s.Of(Online); !known || math.Abs(part-120.0/130) > .002 || math.Abs(s.Seen()-130.0/160) > .002 {
		t.Errorf("online %v of the time, seen %v", part, s.Seen())
	}
	var strip string
	for _, is := range line.Strip("a", 16) { // ten minutes each
		strip += string(".osu!"[is])
	}
	if strip != "oooooo!...oooooo" {
		t.Errorf("strip %q", strip)
	}
	var said []string
	for _, e := range l.Events(day, day.Add(160*time.Minute), "") {
		said = append(said, e.At.Format("15:04 ")+e.Node+" "+e.Says)
	}
	want := []string{"00:00 a online (here: running)", "00:00 a image flwr/supernode:1.42.0", "00:00 a started",
		"01:00 a down (grid: offline, here: stopped with exit code 137, reason: killed)", "01:09  nobody looked for 30 min", "01:40 a online (here: running)"}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("events:\n%s", strings.Join(said, "\n"))
	}
}

// One look vouches for its moment alone, however short the time to the next one.
func TestSingleLooksAreMoments(t *testing.T) {
	dir := t.TempDir()
	for i := range 6 {
		r := In(dir)
		look(t, r, day.Add(time.Duration(i)*10*time.Minute), up("a"), nil)
		r.Close()
	}
	line := read(t, dir).Between(day, day.Add(time.Hour), "")
	if s := line.Share("a"); s.Looked() != 0 {
		t.Errorf("looked for %s", s.Looked())
	}
	if got := line.Strip("a", 12); fmt.Sprint(got) != "[online not looked at online not looked at online not looked at online not looked at online not looked at online not looked at]" {
		t.Errorf("strip %v", got)
	}
}

// A grid that does not answer makes no SuperNode offline, and an answer that is older than the file's takes nothing back.
func TestGridThatIsSilentOrOld(t *testing.T) {
	dir := t.TempDir()
	r, other := In(dir), In(dir)
	at := func(s int) time.Time { return day.Add(time.Duration(s) * time.Second) }
	look(t, r, at(0), up("a"), nil)
	look(t, other, at(60), []SeenNode{{Name: "a", State: State{Grid: "offline", Here: "running", Wanted: "up", Code: "node-offline"}}}, nil)
	look(t, r, at(70), up("a"), func(s *Seen) { s.GridAt = at(1) })
	if got := read(t, dir).Between(day, at(70), ""); got.Strip("a", 7)[6] != Down {
		t.Errorf("an old answer counts: %v", got.Strip("a", 7))
	}
	look(t, r, at(100), up("a"), nil)
	look(t, r, at(120), []SeenNode{{Name: "a", State: State{Here: "running", Wanted: "up"}}}, func(s *Seen) { s.GridCode = "grid-unreachable" })
	look(t, r, at(200), up("a"), nil)
	r.Close()
	s := read(t, dir).Between(at(100), at(200), "").Share("a")
	if s[Unknown] != 80*time.Second || s[Online] != 20*time.Second {
		t.Errorf("%v", s)
	}
}

// A planned stop is a stop, with the start after it.
func TestStopAndStart(t *testing.T) {
	dir := t.TempDir()
	r := In(dir)
	at := func(s int) time.Time { return day.Add(time.Duration(s) * time.Second) }
	look(t, r, at(0), up("a"), nil)
	look(t, r, at(100), []SeenNode{{Name: "a", State: State{Grid: "offline", Here: "stopped", Wanted: "down"}}}, nil)
	look(t, r, at(200), []SeenNode{{Name: "a", State: State{Grid: "offline", Here: "running", Wanted: "up"}}}, nil)
	look(t, r, at(230), up("a"), nil)
	look(t, r, at(300), up("a"), nil)
	r.Close()
	s := read(t, dir).Between(at(0), at(300), "").Share("a")
	if s[Stopped] != 130*time.Second || s[Online] != 170*time.Second || s[Down] != 0 {
		t.Errorf("%v", s)
	}
}

// A run is noted once for each status, at the time of its end, and never where it was over before anybody here saw it.
func TestRuns(t *testing.T) {
	dir := t.TempDir()
	r := In(dir)
	status := []string{"running", "running", "finished:completed", "finished:completed"}
	for i, s := range status {
		look(t, r, day.Add(time.Duration(i)*time.Minute), up("a"), func(seen *Seen) {
			seen.Runs = []SeenRun{{ID: "7", App: "a/b 1.0", Status: s, Over: day.Add(90 * time.Second)}, {ID: "6", Status: "finished:failed", Old: true}}
			if s == "running" {
				seen.Runs[0].Over = time.Time{}
			}
		})
	}
	var said []string
	for _, e := range read(t, dir).Events(day, day.Add(time.Hour), "") {
		if e.Kind == Run {
			said = append(said, e.At.Format("15:04:05 ")+e.Says)
		}
	}
	if got := strings.Join(said, "\n"); got != "00:00:00 run 7 a/b 1.0: running\n00:01:30 run 7 a/b 1.0: finished:completed" {
		t.Errorf("%s", got)
	}
}

func TestDamagedFiles(t *testing.T) {
	whole := Entry{At: day, Kind: Node, Name: "a", State: State{Grid: "online", Here: "running", Wanted: "up", Exit: 3, Code: "x"}}.line()
	for name, c := range map[string]struct {
		text             string
		entries, damaged int
	}{
		"empty":             {"", 0, 0},
		"whole":             {whole, 1, 0},
		"torn":              {whole + whole[:40], 1, 0},
		"torn and gone on":  {whole + whole[:45] + tornMark + whole, 2, 1},
		"an older flwrup's": {"2026-11-27T18:44:03Z register supernode_1 given up: key in use\n" + whole, 2, 0},
		"nonsense":          {"\x00\x01\n" + whole + "2026-99-27T18:44:03Z\tlook\t3\n2026-11-27T18:44:03Z\tlook\t-3\n2026-11-27T18:44:03Z\tnovel\tx\n", 1, 4},
		"long":              {whole + strings.Repeat("x", 1<<20) + "\n" + whole, 2, 1},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(File(dir), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		l := read(t, dir)
		if len(l.Entries) != c.entries || l.Damaged != c.damaged {
			t.Errorf("%s: %d entries, %d damaged", name, len(l.Entries), l.Damaged)
		}
		look(t, In(dir), day.Add(time.Hour), up("a"), nil)
		if after := read(t, dir); len(after.Entries) <= c.entries {
			t.Errorf("%s: nothing was written behind it", name)
		}
	}
	if l := new(Log); l.parse(whole) != len(whole) || l.Entries[0].line() != whole {
		t.Errorf("%q became %q", whole, l.Entries[0].line())
	}
}

// No text of the file reaches a terminal as it is.
func TestHostileText(t *testing.T) {
	dir := t.TempDir()
	bad := "\x1b]0;owned\x07a\u202eb"
	if err := os.WriteFile(File(dir), []byte("2026-11-27T00:00:00Z\tnode\t"+bad+"\tgrid="+bad+"\tcode="+bad+"\n2026-11-27T00:00:00Z "+bad+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	look(t, In(dir), day.Add(time.Second), []SeenNode{{Name: "b\tgrid=online\n" + bad, State: State{Code: bad}}}, nil)
	l := read(t, dir)
	if len(l.Entries) < 3 || l.Damaged > 0 {
		t.Fatalf("%d entries, %d damaged", len(l.Entries), l.Damaged)
	}
	for _, e := range l.Events(time.Time{}, day.AddDate(1, 0, 0), "") {
		if strings.ContainsAny(e.Node+e.Says+e.Code, "\x1b\x07\u202e\n\t") {
			t.Errorf("%q %q", e.Node, e.Says)
		}
	}
}

// A link in a folder from version control leads flwrup to no other file.
func TestLinksAreNotFollowed(t *testing.T) {
	for _, name := range []string{"history.log", "history.log.lock"} {
		dir := t.TempDir()
		target := filepath.Join(t.TempDir(), "profile")
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
		if err := In(dir).Record(Seen{At: day, GridAt: day, Nodes: up("a")}); err == nil {
			t.Errorf("%s: wrote through a link", name)
		}
		if _, err := os.Lstat(target); err == nil {
			t.Errorf("%s: made the file that the link leads to", name)
		}
	}
	gone := filepath.Join(t.TempDir(), "none")
	if err := In(gone).Record(Seen{At: day, GridAt: day, Nodes: up("a")}); err != nil {
		t.Errorf("where nothing was set up: %v", err)
	}
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("FLWRUP_TEST_HISTORY"); dir != "" {
		for i := range 200 {
			if err := Add(dir, Entry{Kind: Act, Name: fmt.Sprintf("node_%d", os.Getpid()), Text: fmt.Sprint(i)}); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestSeveralWriters(t *testing.T) {
	dir := t.TempDir()
	var all []*exec.Cmd
	for range 4 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "FLWRUP_TEST_HISTORY="+dir)
		cmd.Stdout = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	for _, cmd := range all {
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
	if l := read(t, dir); len(l.Entries) != 800 || l.Damaged != 0 {
		t.Errorf("%d entries of 800, %d damaged", len(l.Entries), l.Damaged)
	}
}

// Two that look at the same time say so once, and write each change once.
func TestTwoLookers(t *testing.T) {
	dir := t.TempDir()
	a, b := In(dir), In(dir)
	for i := range 360 { // an hour
		at := day.Add(time.Duration(i) * 10 * time.Second)
		look(t, a, at, up("x"), nil)
		look(t, b, at.Add(5*time.Second), up("x"), nil)
	}
	if n := lines(t, dir); n > 3+14 {
		t.Errorf("%d lines", n)
	}
	a.Close()
	if s := read(t, dir).Between(day, day.Add(time.Hour), "").Share("x"); s.Looked() < 59*time.Minute {
		t.Errorf("looked for %s", s.Looked())
	}
}

// A clock that is put back loses nothing but the time itself.
func TestClockGoesBack(t *testing.T) {
	dir := t.TempDir()
	r := In(dir)
	for i := range 10 {
		look(t, r, day.Add(time.Duration(i)*time.Minute), up("x"), nil)
	}
	for i := range 10 {
		look(t, r, day.Add(-time.Hour+time.Duration(i)*time.Minute), up("x"), nil)
	}
	r.Close()
	l := read(t, dir)
	if s := l.Between(day.Add(-2*time.Hour), day.Add(time.Hour), "").Share("x"); s[Online] > 9*time.Minute+time.Second || s[Online] < 9*time.Minute {
		t.Errorf("%v", s)
	}
}

// year writes a file as a year of n SuperNodes until end leaves it: a watch all along except for one night a month, each SuperNode lost every third day.
func year(t testing.TB, dir string, end time.Time, n int) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	day := end.AddDate(-1, 0, 0)
	for i := range n {
		b.WriteString(Entry{At: day, Kind: Node, Name: fmt.Sprintf("supernode_%d", i+1), State: State{Grid: "online", Here: "running", Wanted: "up"}}.line())
	}
	for at := day; at.Before(end); at = at.Add(markEvery) {
		if at.Day() == 3 && at.Hour() < 6 {
			continue
		}
		b.WriteString(Entry{At: at.Add(markEvery), Kind: Look, For: markEvery}.line())
		for i := range n {
			if rnd.IntN(3*24*12) > 0 {
				continue
			}
			name := fmt.Sprintf("supernode_%d", i+1)
			for k, s := range []State{{"online", "stopped", "up", "oom", 137}, {"offline", "stopped", "up", "oom", 137}, {"offline", "running", "up", "connecting", 0}, {"online", "running", "up", "", 0}} {
				b.WriteString(Entry{At: at.Add(time.Duration(k) * 40 * time.Second), Kind: Node, Name: name, State: s}.line())
			}
			b.WriteString(Entry{At: at.Add(2 * time.Minute), Kind: Started, Name: name, Text: at.Format(time.RFC3339)}.line())
		}
	}
	if err := os.WriteFile(File(dir), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

// A file that is too long becomes shorter with its newest time untouched.
func TestCompaction(t *testing.T) {
	dir := t.TempDir()
	end := day.AddDate(1, 0, 0)
	year(t, dir, end, 50)
	if err := os.WriteFile(previous(dir), []byte("2026-01-01T00:00:00Z register x given up\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	before := read(t, dir)
	info, _ := os.Stat(File(dir))
	t.Logf("a year of 50: %d lines, %.1f MB", len(before.Entries), float64(info.Size())/1e6)
	for _, most := range []int{keep, 1 << 20} {
		if err := compact(dir, most); err != nil {
			t.Fatal(err)
		}
		after := read(t, dir)
		info, _ = os.Stat(File(dir))
		t.Logf("compacted to %d lines, %.1f MB", len(after.Entries), float64(info.Size())/1e6)
		if info.Size() > int64(most) {
			t.Errorf("%d bytes are left", info.Size())
		}
		was, is := before.Between(end.AddDate(0, 0, -30), end, ""), after.Between(end.AddDate(0, 0, -30), end, "")
		for _, name := range was.Names() {
			if was.Share(name) != is.Share(name) || fmt.Sprint(was.Nodes[name]) != fmt.Sprint(is.Nodes[name]) {
				t.Fatalf("%s: %v became %v", name, was.Share(name), is.Share(name))
			}
		}
	}
	if _, err := os.Stat(previous(dir)); err == nil {
		t.Error("the file of an earlier flwrup is still there")
	}
}

// The recorder makes the file shorter when it is too long.
func TestLimit(t *testing.T) {
	dir := t.TempDir()
	line := Entry{At: day, Kind: Act, Name: "a", Text: strings.Repeat("x", 300)}.line()
	if err := os.WriteFile(File(dir), []byte(strings.Repeat(line, Limit/len(line))), 0o600); err != nil {
		t.Fatal(err)
	}
	r := In(dir)
	look(t, r, day.Add(time.Hour), up("a", "b", "c"), nil)
	if info, err := os.Stat(File(dir)); err != nil || info.Size() > keep {
		t.Errorf("%d bytes, %v", info.Size(), err)
	}
	look(t, r, day.Add(time.Hour+time.Minute), up("a", "b"), nil)
	if l := read(t, dir); l.Entries[len(l.Entries)-1].Kind != Gone {
		t.Errorf("the last entry is %v", l.Entries[len(l.Entries)-1])
	}
}

func BenchmarkYear(b *testing.B) {
	dir := b.TempDir()
	end := day.AddDate(1, 0, 0)
	year(b, dir, end, 50)
	for b.Loop() {
		l, err := Read(dir)
		if err != nil {
			b.Fatal(err)
		}
		line := l.Between(end.AddDate(0, 0, -30), end, "")
		for _, name := range line.Names() {
			if s := line.Share(name); s[Online] == 0 {
				b.Fatal(name)
			}
		}
	}
}

func BenchmarkStrips(b *testing.B) {
	dir := b.TempDir()
	end := day.AddDate(1, 0, 0)
	year(b, dir, end, 50)
	line := read(b, dir).Between(end.AddDate(0, 0, -30), end, "")
	for b.Loop() {
		for _, name := range line.Names() {
			if len(line.Strip(name, 48)) != 48 {
				b.Fatal(name)
			}
		}
	}
}
