package logs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const hash = "641ce2b047685e94592c936bbb890265c21ecfe491a3e9c6160ba806b8051411"

// work is a message of a run and its answer, as a SuperNode of flwr 1.42 logs them.
var work = []string{
	"INFO :      ",
	"INFO :      [RUN 1762309077582676982]",
	"INFO :      Receiving: train message (ID: " + hash + ")",
	"INFO :      Received successfully",
	"INFO :      Start `flwr-clientapp` process",
	"an app's own words",
	"INFO :      ",
	"INFO :      [RUN 1762309077582676982]",
	"INFO :      Sending: train message (ID: 3ee17c6b9c98f79bc871a7bfd4a0eb5a7669a6329dc533b326b73f4b41ff5223)",
	"INFO :      Sent successfully",
	"INFO :      ",
}

// raised are two tracebacks of which one led to the other, as Python writes them.
var raised = []string{
	"ERROR :     ClientApp raised an exception",
	"Traceback (most recent call last):",
	"  File \"app.py\", line 3, in train",
	"    1/0",
	"ZeroDivisionError: division by zero",
	"",
	"During handling of the above exception, another exception occurred:",
	"",
	"Traceback (most recent call last):",
	"  File \"run.py\", line 9, in main",
	"ValueError: it was the data",
	"INFO :      after it",
}

func text(m *Model) string { return strings.TrimSpace(strings.Join(shownRows(m), "\n")) }

func TestMessageAndAnswerAreOneLandmark(t *testing.T) {
	m := testModel(t, 1, 160, 14)
	var r reader
	readTo(m, &r, "INFO :      [RUN 1762309077582676982, ROUND 2]", "INFO :      Receiving: evaluate message (ID: "+hash+")")
	if got := text(m); got != "◆ run started · [RUN 1762…6982, ROUND 2]\n◆ evaluate · no answer yet · round 2 · run 1762…6982" {
		t.Errorf("before the answer:\n%s", got)
	}
	readTo(m, &r, work...)
	want := "◆ evaluate · no answer yet · round 2 · run 1762…6982\n◆ train · answered in 6.0s · run 1762…6982\nan app's own words"
	if got := text(m); !strings.HasSuffix(got, want) {
		t.Errorf("after it:\n%s", got)
	}
	readTo(m, &r, "INFO :      Starting Flower SuperNode")
	if got := text(m); !strings.Contains(got, "evaluate · never answered · round 2") {
		t.Errorf("after a restart:\n%s", got)
	}
	// v shows every line as it was written, e the lines of one message.
	keysTo(m, "v")
	for _, line := range work {
		if !strings.Contains(m.View(), strings.TrimSpace(strings.TrimPrefix(line, "INFO :      "))) {
			t.Errorf("not among the raw lines: %s\n%s", line, m.View())
		}
	}
	keysTo(m, "v", "e")
	if got := text(m); !strings.Contains(got, "\nReceived successfully\n") || !strings.Contains(got, "\nSent successfully\n") {
		t.Errorf("unfolded:\n%s", got)
	}
	keysTo(m, "e")
	if got := text(m); strings.Contains(got, "successfully") {
		t.Errorf("folded again:\n%s", got)
	}
}

// An answer whose message is not here is shown as it is.
func TestAnswerAlone(t *testing.T) {
	m := testModel(t, 1, 160, 8)
	tell(m, 0, work[6:]...)
	if got := text(m); !strings.Contains(got, "Sending: train message (ID: 3ee17c6b…)") {
		t.Errorf("hidden:\n%s", got)
	}
}

func TestTracebackIsOneBlock(t *testing.T) {
	for cut := range len(raised) { // wherever a delivery ends
		m := testModel(t, 1, 160, 14)
		if cut > 0 {
			feedTo(m, raised[:cut], raised[cut:])
		} else {
			feedTo(m, raised)
		}
		want := "✗ error · ClientApp raised an exception\n✗ error · ValueError: it was the data  9 lines folded\nafter it"
		if got := text(m); got != want {
			t.Errorf("cut at %d:\n%s", cut, got)
		}
		if n := len(m.rings[0].errs); n != 1 {
			t.Errorf("cut at %d: %d errors, 1 wanted", cut, n)
		}
		if keysTo(m, "e"); text(m) == want || !strings.Contains(text(m), "1/0") {
			t.Errorf("cut at %d, unfolded:\n%s", cut, text(m))
		}
		if keysTo(m, "e"); !strings.Contains(text(m), "9 lines folded") || strings.Contains(text(m), "1/0") {
			t.Errorf("cut at %d, folded again:\n%s", cut, text(m))
		}
	}
	m := testModel(t, 1, 160, 14)
	feedTo(m, raised[1:5])
	if n := len(m.rings[0].errs); n != 1 || text(m) != "✗ error · ZeroDivisionError: division by zero  3 lines folded" {
		t.Errorf("alone: %d errors\n%s", n, text(m))
	}
	m = testModel(t, 1, 160, 14)
	feedTo(m, raised[1:3])
	if text(m) != "Traceback (most recent call last):  1 line folded" {
		t.Errorf("half:\n%s", text(m))
	}
}

// feedTo delivers lines of the first SuperNode in parts, read by one reader.
func feedTo(m *Model, parts ...[]string) {
	var r reader
	for _, lines := range parts {
		readTo(m, &r, lines...)
	}
}

// feedAt delivers one more line of the first SuperNode, so long after the beginning.
func feedAt(m *Model, after time.Duration, text string) {
	b := new(batch)
	new(reader).read(line(text, began.Add(after)), b)
	msg := batchMsg{feed: m.feed, batches: make([]*batch, len(m.nodes))}
	msg.batches[0] = b
	m.Update(msg)
}

// readTo delivers lines of the first SuperNode, one a second.
func readTo(m *Model, r *reader, lines ...string) {
	b := new(batch)
	for i, text := range lines {
		r.read(line(text, began.Add(time.Duration(m.rings[0].next+uint64(i))*time.Second)), b)
	}
	msg := batchMsg{feed: m.feed, batches: make([]*batch, len(m.nodes))}
	msg.batches[0] = b
	m.Update(msg)
	m.scanning = false
	settle(m, m.scan())
}

// A hit in what is folded is shown when the search goes there.
func TestSearchUnfolds(t *testing.T) {
	m := testModel(t, 1, 160, 20)
	feedTo(m, work, raised)
	for typed, want := range map[string]string{"a p p . p y": "▸   File \"app.py\", line 3, in train", "r e c e i v e d": "▸ Received successfully",
		"5 2 2 3": "▸ Sending: train message (ID: 3ee17c6b9c98f79bc871a7bfd4a0eb5a7669a6329dc533b326b73f4b41ff5223)",
		"6 4 1 c": "▸ train · Receiving: train message (ID: " + hash + ")"} {
		keysTo(m, fields("/ "+typed+" enter")...)
		if got := text(m); !strings.Contains(got, want) {
			t.Errorf("%s: not shown\n%s", typed, got)
		}
		keysTo(m, "esc")
	}
}

func TestFilterShowsFoldedLines(t *testing.T) {
	m := testModel(t, 1, 160, 20)
	feedTo(m, work, raised)
	keysTo(m, fields("f a p p . p y enter")...)
	if got := text(m); got != "File \"app.py\", line 3, in train" {
		t.Errorf("by text:\n%s", got)
	}
	keysTo(m, fields("esc L L L")...)
	if got := text(m); got != "✗ error · ClientApp raised an exception\n✗ error · ZeroDivisionError: division by zero\n✗ error · ValueError: it was the data  9 lines folded" {
		t.Errorf("by level:\n%s", got)
	}
	keysTo(m, "v")
	if got := text(m); !strings.Contains(got, "1/0") {
		t.Errorf("by level, raw:\n%s", got)
	}
}

// A save, and the text to select, have every line as it was written.
func TestSavesRawLines(t *testing.T) {
	m := testModel(t, 1, 160, 30)
	dir := t.TempDir()
	t.Chdir(dir)
	feedTo(m, work, raised)
	m.Update(Told{{Node: "supernode_1", Key: "1", At: began.Add(3 * time.Second), Text: "killed (137)"}})
	m.Update(m.Update(press("ctrl+s"))())
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	saved, _ := os.ReadFile(files[0])
	var lines []string
	for l := range strings.Lines(string(saved)) {
		_, l, _ = strings.Cut(strings.TrimSuffix(l, "\n"), " ")
		lines = append(lines, l)
	}
	if want := strings.Join(append(append([]string(nil), work...), raised...), "\n"); strings.Join(lines, "\n") != want {
		t.Errorf("saved:\n%s", saved)
	}
	keysTo(m, "b")
	for _, l := range append(append([]string(nil), work...), raised...) {
		if !strings.Contains(m.View(), l) {
			t.Errorf("not to select: %q\n%s", l, m.View())
		}
	}
}

func TestPromptSaysHow(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	numbered(m, 0, 100)
	keysTo(m, fields("f 7 enter")...)
	for _, tt := range []struct{ keys, note, shown string }{
		{"f", "text, level: all (tab)", "filter 7"},
		{"N", "text, case counts", ""},
		{"esc f backspace / [", "/ closes a regex; enter takes it as text", "filter 7"},
		{"/", "not a regex: missing closing ]; still 7", "filter 7"},
		{"enter", "not a regex: missing closing ]", "filter 7"}, // and stays open
		{"esc", "", "filter 7"},
		{"f backspace / 7 $ /", "regex, level: all", "filter regex /7$/"},
		{"enter", "", "filter regex /7$/"},
		{"f esc esc f / v a r enter", "", "filter /var"},
		{"f backspace backspace backspace backspace / V /", "regex, case counts", "filter regex /V/"},
	} {
		keysTo(m, fields(tt.keys)...)
		v := m.View()
		if !strings.Contains(v, tt.note) || !strings.Contains(strings.Split(v, "\n")[0], tt.shown) {
			t.Errorf("%s: want %q and %q\n%s", tt.keys, tt.note, tt.shown, v)
		}
	}
}

func TestGoToTime(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	m.now = func() time.Time { return began.Add(time.Hour) }
	numbered(m, 0, 100)
	local := began.Local()
	type try struct{ typed, first, header, says string }
	for _, tt := range []try{
		{local.Add(30 * time.Second).Format("15:04:05"), "▸ line 30", "paused, 31 of 100", ""},
		{"59m30s", "▸ line 30", "paused, 31 of 100", ""},
		{local.Add(time.Hour).Format(time.DateOnly) + " " + local.Add(40*time.Second).Format("15:04:05"), "▸ line 40", "paused, 41 of 100", ""},
		{"30m", "line 92", "following", "no line since"},
		{"5h", "▸ line 0", "paused, 1 of 100", "the log begins at"},
		{"noon", "", "", "not a time; try 10m"},
	} {
		keysTo(m, "t")
		m.input.SetValue(tt.typed)
		keysTo(m, "enter")
		v := m.View()
		if !strings.HasPrefix(shownRows(m)[0], tt.first) || !strings.Contains(v, tt.header) || !strings.Contains(v, tt.says) {
			t.Errorf("%s: want %q, %q, %q\n%s", tt.typed, tt.first, tt.header, tt.says, v)
		}
	}
	if !m.Typing() {
		t.Error("a time that cannot be meant closes the prompt")
	}
	keysTo(m, "esc", "home")
	m.now = func() time.Time { return began.Add(24 * time.Hour) }
	m.stale = true
	if v := m.View(); !strings.Contains(v, "paused, 1 of 100, "+local.Format("2 Jan")) {
		t.Errorf("the day is not said\n%s", v)
	}
}

func TestMarks(t *testing.T) {
	m := testModel(t, 1, 80, 10)
	numbered(m, 0, 100)
	if keysTo(m, "'"); !strings.Contains(m.View(), "no mark: space sets one") {
		t.Errorf("without a mark\n%s", m.View())
	}
	keysTo(m, fields("space g j j space end")...) // lines 99 and 2
	if !strings.Contains(m.View(), "◉ line 99") {
		t.Errorf("not marked\n%s", m.View())
	}
	for _, tt := range []struct{ keys, at string }{{"'", "▸ line 99"}, {"n", "▸ line 2"}, {"n", "▸ line 99"}, {"N", "▸ line 2"}} {
		if keysTo(m, tt.keys); !strings.Contains(m.View()+"\n", tt.at+"\n") {
			t.Errorf("%s: not at %s\n%s", tt.keys, tt.at, m.View())
		}
	}
	keysTo(m, fields("space '")...)
	if n := len(m.marks[0]); n != 1 || !strings.Contains(m.View(), "▸ line 99") {
		t.Errorf("%d marks after one was taken away\n%s", n, m.View())
	}
}

func TestCountsOfEachNode(t *testing.T) {
	m := testModel(t, 3, 100, 10)
	tell(m, 0, "ERROR :     x", "WARNING :   y")
	tell(m, 2, "ERROR :     x", "ERROR :     x", "WARNING :   y", "WARNING :   y")
	if v := m.View(); !strings.Contains(v, "3 errors: s1 1, s3 2 · 3 warnings") {
		t.Errorf("merged\n%s", v)
	}
	m.layout = split
	m.focus = 2
	m.stale = true
	if v := m.View(); !strings.Contains(v, "2 errors") {
		t.Errorf("split\n%s", v)
	}
}
