package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/style"
)

var began = time.Date(2026, 11, 23, 2, 15, 14, 0, time.UTC)

func testModel(t testing.TB, nodes, w, h int) *Model {
	t.Helper()
	m := New(silent{}, names(nodes), style.New(style.Options{NoColor: true}))
	m.SetSize(w, h)
	t.Cleanup(m.Close)
	return m
}

// tell adds lines to node, one a second.
func tell(m *Model, node int, lines ...string) {
	b, r := new(batch), new(reader)
	for i, text := range lines {
		r.read(line(text, began.Add(time.Duration(m.rings[node].next+uint64(i))*time.Second)), b)
	}
	msg := batchMsg{feed: m.feed, batches: make([]*batch, len(m.nodes))}
	msg.batches[node] = b
	m.Update(msg)
	// The command from Update waits for more lines as well; only its scan is wanted here.
	m.scanning = false
	settle(m, m.scan())
}

// numbered adds the lines "line 0", "line 1", … to node.
func numbered(m *Model, node, n int) {
	var lines []string
	for i := range n {
		lines = append(lines, fmt.Sprintf("INFO :      line %d", i))
	}
	tell(m, node, lines...)
}

func keysTo(m *Model, ks ...string) {
	for _, k := range ks {
		settle(m, m.Update(press(k)))
	}
}

// shownRows returns the rows below the header without times and signs.
func shownRows(m *Model) []string {
	var rows []string
	for _, row := range strings.Split(m.View(), "\n")[1:] {
		if len(row) > timeWidth && row[2] == ':' {
			row = row[timeWidth:]
		}
		rows = append(rows, strings.TrimSpace(row))
	}
	return rows
}

func TestKeys(t *testing.T) {
	tests := []struct {
		keys        string
		first, last string // rows
		header      string // part of it
	}{
		{"", "line 91", "line 99", "following"},
		{"up", "line 90", "line 98", "paused, 91 of 100"},
		{"k k down", "line 90", "line 98", "paused"},
		{"up down", "line 91", "line 99", "following"},
		{"pgup", "line 83", "line 91", "paused"},
		{"pgup pgup pgdown pgdown", "line 91", "line 99", "following"},
		{"home", "line 0", "line 8", "paused, 1 of 100"},
		{"g up pgup", "line 0", "line 8", "paused, 1 of 100"},
		{"g j j", "line 2", "line 10", "paused, 3 of 100"},
		{"g G", "line 91", "line 99", "following"},
		{"p", "line 91", "line 99", "paused, 92 of 100"},
		{"p p", "line 91", "line 99", "following"},
		{"/ l i n e space 7 enter", "line 77", "line 85", "11 of 11 hits"}, // 7 and 70 to 79
		{"/ e space 7 7 enter", "line 77", "line 85", "1 of 1 hit"},
		{"/ e space 7 enter n", "line 4", "no more hits: from the other end again", "1 of 11 hits"},
		{"/ e space 7 enter N", "line 77", "line 85", "10 of 11 hits"},
		{"/ e space 7 enter n N N", "line 76", "line 84", "10 of 11 hits"},
		{"/ e space 7 esc", "line 91", "line 99", "following"},
		{"f 7 enter", "line 73", "line 97", "filter 7"},
		{"f / [ 1 2 ] $ / enter", "line 52", "line 92", "filter regex /[12]$/"},
		{"f z z enter", "no line passes the filter", "", "filter zz"},
		{"f 7 esc", "line 91", "line 99", "following"},
		{"f 7 enter esc", "line 91", "line 99", "following"},
		{"L L", "no line passes the filter", "", "filter warning+"},
		{"L L L L", "line 91", "line 99", "following"},
		{"E", "line 92", "no error", "following"},
		{"f 7 enter / 7 9 enter", "line 73", "line 97", "1 of 1 hit"},
	}
	for _, tt := range tests {
		m := testModel(t, 1, 80, 10)
		numbered(m, 0, 100)
		keysTo(m, fields(tt.keys)...)
		rows := shownRows(m)
		if len(rows) != 9 {
			t.Fatalf("%s: %d rows", tt.keys, len(rows))
		}
		header := strings.Split(m.View(), "\n")[0]
		first := strings.TrimPrefix(rows[0], "▸ ")
		if first != tt.first || strings.TrimPrefix(rows[8], "▸ ") != strings.TrimPrefix(tt.last, "▸ ") || !strings.Contains(header, tt.header) {
			t.Errorf("%q: %q to %q\n%s", tt.keys, rows[0], rows[8], header)
		}
	}
}

func fields(s string) []string {
	f := strings.Fields(s)
	for i := range f {
		if f[i] == "space" {
			f[i] = " "
		}
	}
	return f
}

func TestErrors(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	for range 20 {
		numbered(m, 0, 10)
		tell(m, 0, "ERROR :     Exit Code: 500", "  more of it")
	}
	keysTo(m, "g", "E")
	if m.focused().cur.seq != 10 {
		t.Errorf("the first error is at line %d", m.focused().cur.seq)
	}
	keysTo(m, "n")
	if m.focused().cur.seq != 22 {
		t.Errorf("the next error is at line %d", m.focused().cur.seq)
	}
	keysTo(m, "N", "N")
	if got := m.focused().cur.seq; got != 19*12+10 || !strings.Contains(m.View(), "from the other end") {
		t.Errorf("the error before is at line %d\n%s", got, m.View())
	}
}

// Paused stays paused: new lines do not move the visible ones, until those are gone.
func TestPausedStands(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	m.Limit(1000)
	numbered(m, 0, 300)
	keysTo(m, "g", "pgdown")
	before := shownRows(m)
	numbered(m, 0, 300)
	if after := shownRows(m); fmt.Sprint(before) != fmt.Sprint(after) {
		t.Errorf("moved from %q to %q", before, after)
	}
	numbered(m, 0, 3000)
	if rows := shownRows(m); rows[0] == before[0] || rows[0] == "" || !strings.Contains(m.View(), "paused, 1 of ") {
		t.Errorf("not at the oldest line that is kept\n%s", m.View())
	}
}

// An unfinished expression is not valid yet; the last matches stay.
func TestUnfinishedExpression(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	numbered(m, 0, 100)
	keysTo(m, fields("f / [")...)
	if keysTo(m, "/"); !strings.Contains(m.View(), "missing closing ]") {
		t.Errorf("the mistake is not named\n%s", m.View())
	}
	if !m.Typing() || !m.Holds() {
		t.Error("a prompt is not told of")
	}
	keysTo(m, "esc")
	if m.Typing() || m.Holds() {
		t.Error("the prompt does not close")
	}
}

func TestWrapAndCut(t *testing.T) {
	m := testModel(t, 1, 40, 8)
	tell(m, 0, strings.Repeat("0123456789", 10), "INFO :      end")
	if rows := shownRows(m); rows[0] != strings.Repeat("0123456789", 4)[:38] || rows[3] != "end" {
		t.Errorf("wrapped: %q", rows)
	}
	keysTo(m, "w")
	if rows := shownRows(m); rows[0] != strings.Repeat("0123456789", 4)[:37]+"…" || rows[1] != "end" {
		t.Errorf("cut: %q", rows)
	}
	keysTo(m, "right")
	if rows := shownRows(m); !strings.HasPrefix(rows[0], "8901") {
		t.Errorf("moved: %q", rows)
	}
	keysTo(m, "w", "g", "down")
	if rows := shownRows(m); !strings.HasPrefix(rows[0], "8901") && !strings.HasPrefix(rows[0], "0123") {
		t.Errorf("scrolled by a row: %q", rows)
	}
}

// Panes of SuperNodes that took part in a run show its end once.
func TestRunOver(t *testing.T) {
	over := Told{{Run: "42", Key: "run 42", Text: "run 42 completed", At: began.Add(time.Minute)}}
	for _, log := range []string{"INFO :      [RUN 42]", "INFO :      [RUN 43]"} {
		m := testModel(t, 2, 80, 10)
		m.layout = merged
		m.Update(over)
		tell(m, 0, log)
		m.Update(over)
		want := strings.Count(log, "42")
		if got := strings.Count(m.View(), "── run 42 completed ──"); got != want {
			t.Errorf("%s: told %d times\n%s", log, got, m.View())
		}
	}
}

func TestExport(t *testing.T) {
	dir := t.TempDir()
	m := testModel(t, 2, 80, 10)
	t.Chdir(dir)
	tell(m, 0, "INFO :      zero", "ERROR :     two")
	tell(m, 1, "INFO :      three")
	keysTo(m, "P") // merged
	keysTo(m, fields("f / o $ | e r r / enter")...)
	for range 2 { // a second one does not overwrite the first
		m.Update(m.Update(press("ctrl+s"))())
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 2 {
		t.Fatalf("files: %v", files)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f)
		want := "2026-11-23T02:15:14.000Z supernode_1 INFO :      zero\n2026-11-23T02:15:15.000Z supernode_1 ERROR :     two\n"
		if string(text) != want {
			t.Errorf("%s:\n%s", f, text)
		}
	}
	if !strings.Contains(m.View(), "2 lines saved to ") {
		t.Errorf("does not say where\n%s", m.View())
	}
	gone := filepath.Join(t.TempDir(), "gone")
	if err := os.Mkdir(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Chdir(gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if m.Update(m.Update(press("ctrl+s"))()); !strings.Contains(m.View(), "save the log: open") {
		t.Errorf("does not say why not\n%s", m.View())
	}
}

// checkFrame fails when a frame has another height, is too wide, or holds control sequences other than
// colours.
func checkFrame(t testing.TB, m *Model, v string) {
	t.Helper()
	rows := strings.Split(v, "\n")
	if len(rows) != m.h {
		t.Fatalf("%d rows of %d\n%s", len(rows), m.h, v)
	}
	for i, row := range rows {
		if w := ansi.StringWidth(row); w > m.w {
			t.Fatalf("row %d has %d columns of %d: %q", i, w, m.w, row)
		}
		if m.look.plainASCII && !ascii(row) {
			t.Fatalf("row %d is not ASCII: %q", i, row)
		}
	}
	var state byte
	for rest := v; rest != ""; {
		seq, w, n, next := ansi.DecodeSequence(rest, state, nil)
		state, rest = next, rest[n:]
		if w > 0 || seq == "\n" {
			continue
		}
		if strings.HasPrefix(seq, "\x1b[") && strings.HasSuffix(seq, "m") {
			continue
		}
		if strings.ContainsFunc(seq, func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }) {
			t.Fatalf("%q is in the frame", seq)
		}
	}
}

// TestErrorStrip: the right edge of a full screen says where among all lines the errors are, and where this page begins.
func TestErrorStrip(t *testing.T) {
	m := testModel(t, 2, 100, 11)
	var lines []string
	for i := range 1000 {
		text := fmt.Sprintf("INFO :      line %d", i)
		if i == 250 || i == 251 || i == 999 {
			text = "ERROR :     lost"
		}
		lines = append(lines, text)
	}
	tell(m, 0, lines...)
	edge := func() (signs string) {
		for _, row := range strings.Split(m.View(), "\n")[1:] {
			last := " "
			if ansi.StringWidth(row) == 100 {
				last = ansi.Cut(row, 99, 100)
			} else if ansi.StringWidth(row) > 98 {
				t.Errorf("a row of %d columns reaches into the strip: %q", ansi.StringWidth(row), row)
			}
			signs += last
		}
		return signs
	}
	if strings.TrimSpace(edge()) != "" {
		t.Errorf("a pane that is not the whole screen has a strip: %q", edge())
	}
	keysTo(m, "z")
	if got, want := edge(), "  "+m.look.Failed+"      "+m.look.Failed; got != want {
		t.Errorf("following: %q, want %q", got, want)
	}
	keysTo(m, "home")
	if got, want := edge(), m.look.Vertical+" "+m.look.Failed+"      "+m.look.Failed; got != want {
		t.Errorf("at the top: %q, want %q", got, want)
	}
}
