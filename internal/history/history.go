// Package history keeps what changed when: how the SuperNodes stood on the grid and on this machine, why, what was done
// to them, and the runs. It is a text file of bounded size, a line for each change, that a person can read. Lines of the
// kind Look say for how long somebody looked, so that a time when nobody did is a gap.
//
// Several flwrups may write at the same time. A line that cannot be read is skipped and counted, and a last line without
// its end is left out: it is being written, or its writer was killed.
package history

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"flwrup/internal/plainfile"
	"flwrup/internal/termsafe"
)

// Bounds of the file.
const (
	Limit   = 8 << 20 // bytes; a longer file is made shorter
	keep    = 6 << 20 // bytes that then are left
	most    = 2 * Limit
	maxLine = 1 << 10 // bytes
	maxName = 100     // characters of a name, a state, a code
	maxText = 400     // characters
)

// Kind is what an Entry is about.
type Kind string

const (
	Node    Kind = "node"    // a SuperNode stands otherwise; Name, State
	Gone    Kind = "gone"    // it is no longer among the SuperNodes; Name
	Started Kind = "started" // it runs since Text (RFC 3339); Name
	Image   Kind = "image"   // it runs from another image; Name, Text
	Grid    Kind = "grid"    // the grid does not answer, for the reason Code; "" when it does
	Runtime Kind = "runtime" // Docker, or what else runs SuperNodes, does not answer; Code as with Grid
	Run     Kind = "run"     // a run; Name is its ID, Text its app, Status
	Act     Kind = "act"     // somebody did Text; Name is the SuperNode, "" for all
	Look    Kind = "look"    // somebody looked all the time from For before At on
	Note    Kind = "note"    // Text, for a person
)

// State is how a SuperNode stands. The words are those of front.GridState, supernode.State, front.Wanted and problem.Code.
type State struct {
	Grid, Here, Wanted, Code string
	Exit                     int // of one that has stopped
}

// Entry is one line. Its texts are safe for a terminal.
type Entry struct {
	At     time.Time // UTC, whole seconds
	Kind   Kind
	Name   string
	State  State
	Status string // of a run
	Code   string // of Grid and Runtime
	Text   string
	For    time.Duration // of Look
}

// Log is a file as it was read, in the order of time.
type Log struct {
	Entries []Entry
	Damaged int // lines that could not be read
}

// File is where the history of a project is kept; state is its folder .flwrup.
func File(state string) string { return filepath.Join(state, "history.log") }

// previous is where an earlier flwrup set a long history aside. The next compaction takes it in.
func previous(state string) string { return filepath.Join(state, "history.previous.log") }

// Read reads the history in the folder state. Where none was written yet, it is empty.
func Read(state string) (Log, error) {
	var l Log
	for _, file := range []string{previous(state), File(state)} {
		text, err := plainfile.ReadAtMost(file, most)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return Log{}, err
		}
		l.parse(string(text))
	}
	l.sort()
	return l, nil
}

// Reader reads a history again and again, and the file only when it has changed. Its methods may be called from several
// goroutines.
type Reader struct {
	mu   sync.Mutex
	info os.FileInfo
	log  Log
}

// Read is the function Read; the Log must not be changed.
func (r *Reader) Read(state string) (Log, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	info, err := os.Stat(File(state))
	if err == nil && r.info != nil && os.SameFile(info, r.info) && info.Size() == r.info.Size() && info.ModTime().Equal(r.info.ModTime()) {
		return r.log, nil
	}
	l, lerr := Read(state)
	if lerr != nil {
		return l, lerr
	}
	if r.info = info; err != nil {
		r.info = nil
	}
	r.log = l
	return l, nil
}

// sort puts entries in the order of time. Those of one second keep their order, and a clock that was put back moves lines.
func (l *Log) sort() {
	byTime := func(a, b Entry) int { return a.At.Compare(b.At) }
	if !slices.IsSortedFunc(l.Entries, byTime) {
		slices.SortStableFunc(l.Entries, byTime)
	}
}

// parse appends the entries of text, and returns how many bytes of it are whole lines.
func (l *Log) parse(text string) (whole int) {
	l.Entries = slices.Grow(l.Entries, strings.Count(text, "\n")-strings.Count(text, "\t"+string(Look)+"\t")+1) // looks mostly join
	for {
		line, rest, ended := strings.Cut(text[whole:], "\n")
		if !ended {
			return whole
		}
		whole = len(text) - len(rest)
		if line == "" {
			continue
		}
		switch e, ok := parseLine(line); {
		case !ok:
			l.Damaged++
		case !l.extend(e):
			l.Entries = append(l.Entries, e)
		}
	}
}

// extend makes the last entry longer where e is a look that goes on from it: most of a file are such lines.
func (l *Log) extend(e Entry) bool {
	if len(l.Entries) == 0 || e.Kind != Look || e.For == 0 {
		return false
	}
	last := &l.Entries[len(l.Entries)-1]
	begin, end := e.At.Add(-e.For), last.At
	if last.Kind != Look || last.For == 0 || e.At.Before(end) || begin.After(end) || begin.Before(end.Add(-last.For)) {
		return false
	}
	last.For += e.At.Sub(end)
	last.At = e.At
	return true
}

const stampLen = len("2006-01-02T15:04:05Z")

func parseLine(line string) (e Entry, ok bool) {
	if len(line) > maxLine || len(line) < stampLen+2 {
		return e, false
	}
	if e.At, ok = parseStamp(line[:stampLen]); !ok {
		return e, false
	}
	rest := line[stampLen+1:]
	switch line[stampLen] {
	case ' ': // a note; an earlier flwrup wrote nothing else
		e.Kind, e.Text = Note, text(rest, maxText)
		return e, true
	case '\t':
	default:
		return e, false
	}
	kind, rest, _ := strings.Cut(rest, "\t")
	e.Kind = Kind(kind)
	switch e.Kind {
	case Node, Gone, Started, Image, Run, Act:
		var name string
		name, rest, _ = strings.Cut(rest, "\t")
		if e.Name = text(name, maxName); e.Name == "" && e.Kind != Act {
			return e, false
		}
	case Grid, Runtime:
	case Look:
		n, err := strconv.ParseUint(rest, 10, 31)
		e.For = time.Duration(n) * time.Second
		return e, err == nil
	default:
		return e, false // of a newer flwrup
	}
	for rest != "" {
		var field string
		field, rest, _ = strings.Cut(rest, "\t")
		name, v, has := strings.Cut(field, "=")
		if !has {
			return e, false
		}
		switch name {
		case "grid":
			e.State.Grid = text(v, maxName)
		case "here":
			e.State.Here = text(v, maxName)
		case "wanted":
			e.State.Wanted = text(v, maxName)
		case "exit":
			n, err := strconv.Atoi(v)
			if err != nil {
				return e, false
			}
			e.State.Exit = n
		case "code":
			if e.Kind == Node {
				e.State.Code = text(v, maxName)
			} else {
				e.Code = text(v, maxName)
			}
		case "status":
			e.Status = text(v, maxName)
		case "text":
			e.Text = text(v, maxText)
		}
	}
	return e, true
}

// line writes an entry; parseLine reads it again.
func (e Entry) line() string {
	var b strings.Builder
	b.WriteString(e.At.UTC().Format(time.RFC3339))
	if e.Kind == Note {
		return b.String() + " " + text(e.Text, maxText) + "\n"
	}
	b.WriteString("\t" + string(e.Kind))
	switch e.Kind {
	case Look:
		b.WriteString("\t" + strconv.FormatInt(int64(e.For/time.Second), 10))
	case Grid, Runtime:
	default:
		b.WriteString("\t" + text(e.Name, maxName))
	}
	field := func(name, v string, most int) {
		if v = text(v, most); v != "" {
			b.WriteString("\t" + name + "=" + v)
		}
	}
	field("grid", e.State.Grid, maxName)
	field("here", e.State.Here, maxName)
	field("wanted", e.State.Wanted, maxName)
	if e.State.Exit != 0 {
		field("exit", strconv.Itoa(e.State.Exit), maxName)
	}
	field("code", e.State.Code+e.Code, maxName)
	field("status", e.Status, maxName)
	field("text", e.Text, maxText)
	return b.String() + "\n"
}

// text makes foreign text safe: a line of at most n characters without tabs.
func text(s string, n int) string {
	if len(s) <= n && simple(s) {
		return s
	}
	s = strings.TrimSpace(strings.ReplaceAll(termsafe.Line(s), "\t", " "))
	if utf8.RuneCountInString(s) > n {
		s = string([]rune(s)[:n-1]) + "…"
	}
	return s
}

// simple reports whether s is printable ASCII, as nearly all of the file is.
func simple(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// parseStamp is time.Parse for the one shape that the file has.
func parseStamp(s string) (time.Time, bool) {
	number := func(from, to int) (n int) {
		for i := from; i < to; i++ {
			if s[i] < '0' || s[i] > '9' {
				return -1 << 20
			}
			n = n*10 + int(s[i]-'0')
		}
		return n
	}
	if s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[19] != 'Z' {
		return time.Time{}, false
	}
	y, mo, d, h, mi, sec := number(0, 4), number(5, 7), number(8, 10), number(11, 13), number(14, 16), number(17, 19)
	if y < 2000 || mo < 1 || mo > 12 || d < 1 || d > 31 || h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 60 {
		return time.Time{}, false
	}
	return time.Date(y, time.Month(mo), d, h, mi, sec, 0, time.UTC), true
}
