package history

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"flwrup/internal/atomicfile"
)

const (
	markEvery  = 5 * time.Minute // between two Look lines while nothing changes
	pause      = 4 * time.Minute // two looks further apart are not one long look: the machine slept, or the screen was away
	lockWithin = 2 * time.Second
	sameStart  = 3 * time.Second // by so much two readings of a start may differ
)

// Seen is one look at all of a project.
type Seen struct {
	At          time.Time
	GridAt      time.Time // when the grid was asked; older than the newest one on file: its side is left out
	GridCode    string    // why the grid's side is missing
	RuntimeCode string    // why the runtime's side is missing
	Nodes       []SeenNode
	Runs        []SeenRun
}

// SeenNode is a SuperNode as it was seen.
type SeenNode struct {
	Name string
	State
	Since time.Time // since when it runs; zero for one that does not
	Image string
}

// SeenRun is a run as it was seen.
type SeenRun struct {
	ID, App, Status string
	Old             bool      // it was over before anybody here saw it, and it is not from here
	Over            time.Time // when it ended; zero while it has not, or where nobody knows
}

// latest is the newest of each kind on file.
type latest struct {
	nodes         map[string]State
	started       map[string]time.Time
	images        map[string]string
	runs          map[string]string // status
	grid, runtime string
	from, to      time.Time // of the last time in which somebody looked all along
	any           time.Time // of the newest entry
	gridAt        time.Time // of the last entry with a state on the grid
}

func newLatest() latest {
	return latest{nodes: map[string]State{}, started: map[string]time.Time{}, images: map[string]string{}, runs: map[string]string{}}
}

func (n *latest) take(e Entry) {
	switch e.Kind {
	case Node:
		n.nodes[e.Name] = e.State
		n.gridAt = later(n.gridAt, e.At)
	case Gone:
		delete(n.nodes, e.Name)
		delete(n.started, e.Name)
		delete(n.images, e.Name)
	case Started:
		n.started[e.Name], _ = time.Parse(time.RFC3339, e.Text)
	case Image:
		n.images[e.Name] = e.Text
	case Run:
		n.runs[e.Name] = e.Status
	case Grid:
		n.grid = e.Code
		n.gridAt = later(n.gridAt, e.At)
	case Runtime:
		n.runtime = e.Code
	}
	n.any = later(n.any, e.At)
	if e.Kind != Look || e.For == 0 {
		return
	}
	if begin := e.At.Add(-e.For); begin.After(n.to) {
		n.from = begin
	}
	n.to = later(n.to, e.At)
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Recorder writes the history of one folder as one flwrup sees it. Its methods may be called from several goroutines.
type Recorder struct {
	mu     sync.Mutex
	state  string
	now    latest
	info   os.FileInfo // of the file that now is from
	read   int64       // bytes of it
	from   time.Time   // since when this flwrup looks without a pause
	last   time.Time   // when it looked last
	marked time.Time   // until when the file knows that
	asked  time.Time   // GridAt of the newest look
}

// In returns the Recorder of a project; state is its folder .flwrup, which is not made here.
func In(state string) *Recorder { return &Recorder{state: state, now: newLatest()} }

// Record writes what is new about a look. An error leaves the file as it was.
func (r *Recorder) Record(s Seen) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.At = s.At.UTC().Truncate(time.Second)
	if s.At.Before(r.last) || s.At.Sub(r.last) > pause {
		if err := r.mark(); err != nil {
			return err
		}
		r.from, r.marked = s.At, s.At
	}
	r.last = s.At
	if err := r.catchUp(); err != nil {
		return err
	}
	fresh := s.GridAt.After(r.asked) && s.GridAt.After(r.now.gridAt)
	r.asked = later(r.asked, s.GridAt)
	if len(r.news(s, fresh)) == 0 && !r.due() {
		return nil
	}
	return r.write(func() []Entry {
		list := r.news(s, fresh)
		if r.due() || len(list) > 0 && r.last.Sub(r.marked) >= time.Minute {
			list = append([]Entry{r.looked()}, list...)
		}
		return list
	})
}

// Add writes an entry of the kinds Act, Run or Note; its time is now.
func Add(state string, e Entry) error {
	r := In(state)
	e.At = time.Now().UTC().Truncate(time.Second)
	return r.write(func() []Entry { return []Entry{e} })
}

// Close writes until when this flwrup looked.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	err := r.mark()
	r.last = time.Time{}
	return err
}

func (r *Recorder) mark() error {
	if r.last.IsZero() || r.last.Sub(r.marked) < time.Second {
		return nil
	}
	return r.write(func() []Entry { return []Entry{r.looked()} })
}

// due reports whether the file has to be given word that somebody still looks. Another flwrup may have written it.
func (r *Recorder) due() bool {
	if !r.now.from.IsZero() && !r.now.from.After(r.marked) && r.now.to.After(r.marked) && !r.now.to.After(r.last) {
		r.marked = r.now.to
	}
	return r.last.Sub(r.marked) >= markEvery || r.last.Equal(r.from) && r.last.Sub(r.now.any) >= markEvery
}

// looked is the line that says so.
func (r *Recorder) looked() Entry {
	e := Entry{At: r.last, Kind: Look, For: r.last.Sub(r.marked)}
	r.marked = r.last
	return e
}

// news compares a look with the file.
func (r *Recorder) news(s Seen, fresh bool) (list []Entry) {
	add := func(e Entry) {
		e.At = s.At
		list = append(list, e)
	}
	if r.now.runtime != s.RuntimeCode {
		add(Entry{Kind: Runtime, Code: s.RuntimeCode})
	}
	if (fresh || s.GridCode != "") && r.now.grid != s.GridCode {
		add(Entry{Kind: Grid, Code: s.GridCode})
	}
	seen := map[string]bool{}
	for _, n := range s.Nodes {
		name, before := text(n.Name, maxName), r.now.nodes[text(n.Name, maxName)]
		seen[name] = true
		now := n.State.clean()
		_, known := r.now.nodes[name]
		if s.GridCode != "" || !fresh && known {
			now.Grid = before.Grid
		}
		if s.RuntimeCode != "" {
			now.Here, now.Exit = before.Here, before.Exit
		}
		if now != before || !known {
			add(Entry{Kind: Node, Name: name, State: now})
		}
		if image := text(n.Image, maxText); image != "" && image != r.now.images[name] {
			add(Entry{Kind: Image, Name: name, Text: image})
		}
		if began := n.Since.UTC().Truncate(time.Second); !n.Since.IsZero() && began.Sub(r.now.started[name]).Abs() > sameStart {
			add(Entry{Kind: Started, Name: name, Text: began.Format(time.RFC3339)})
		}
	}
	if s.RuntimeCode == "" && len(s.Nodes) > 0 {
		for _, name := range slices.Sorted(maps.Keys(r.now.nodes)) {
			if !seen[name] {
				add(Entry{Kind: Gone, Name: name})
			}
		}
	}
	for _, run := range s.Runs {
		before, known := r.now.runs[text(run.ID, maxName)]
		if fresh && before != text(run.Status, maxName) && (known || !run.Old) {
			e := Entry{At: s.At, Kind: Run, Name: run.ID, Status: run.Status, Text: run.App}
			if over := run.Over.UTC().Truncate(time.Second); !run.Over.IsZero() && over.Before(s.At) {
				e.At = over // nobody may have looked then
			}
			list = append(list, e)
		}
	}
	return list
}

// clean returns the state as it comes back from the file.
func (s State) clean() State {
	return State{text(s.Grid, maxName), text(s.Here, maxName), text(s.Wanted, maxName), text(s.Code, maxName), s.Exit}
}

// catchUp reads what was written since the last time, by this flwrup and others.
func (r *Recorder) catchUp() error {
	f, err := open(File(r.state), os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		r.now, r.info, r.read = newLatest(), nil, 0
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if r.info == nil || !os.SameFile(info, r.info) || info.Size() < r.read {
		r.now, r.read = newLatest(), 0
	}
	if r.info = info; info.Size() == r.read {
		return nil
	}
	if _, err := f.Seek(r.read, io.SeekStart); err != nil {
		return err
	}
	more, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return err
	}
	var l Log
	r.read += int64(l.parse(string(more)))
	for _, e := range l.Entries {
		r.now.take(e)
	}
	return nil
}

// write appends the entries that list returns once no other flwrup writes and all of the file is known.
func (r *Recorder) write(list func() []Entry) error {
	if info, err := os.Lstat(r.state); err != nil || !info.IsDir() || !ours(info) {
		return nil // nothing was set up here, or not by this user
	}
	unlock, err := lock(r.state)
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.catchUp(); err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range list() {
		b.WriteString(e.line())
	}
	if b.Len() == 0 {
		return nil
	}
	f, err := open(File(r.state), os.O_RDWR|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return err
	}
	content := b.String()
	info, err := f.Stat()
	if err == nil && info.Size() > r.read { // its last line was cut short: it becomes a damaged one
		content = tornMark + content
	}
	_, werr := f.WriteString(content)
	if err := errors.Join(err, werr, f.Close()); err != nil {
		return err
	}
	if info.Size()+int64(len(content)) > Limit {
		if err := compact(r.state, keep); err != nil {
			return err
		}
	}
	return r.catchUp()
}

// tornMark ends a line that was cut short, so that nobody takes it for a whole one.
const tornMark = "\t!\n"

// open opens a plain file, never what a link leads to: a folder from version control may have anything in it.
func open(path string, flags int) (*os.File, error) {
	before, err := os.Lstat(path)
	if err == nil && !before.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it is not a plain file")}
	}
	if err != nil && flags&os.O_CREATE != 0 && errors.Is(err, fs.ErrNotExist) {
		flags |= os.O_EXCL // follows no link that appears meanwhile
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, err
	}
	if now, err := f.Stat(); before != nil && (err != nil || !os.SameFile(before, now)) {
		f.Close()
		return nil, &fs.PathError{Op: "open", Path: path, Err: errors.New("it was replaced meanwhile")}
	}
	return f, nil
}

// lock keeps other flwrups from writing for a moment.
func lock(state string) (unlock func(), err error) {
	path := filepath.Join(state, "history.log.lock")
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, &fs.PathError{Op: "lock", Path: path, Err: errors.New("it is not a plain file")}
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockWithin)
	defer cancel()
	l := flock.New(path, flock.SetPermissions(0o600))
	if _, err := l.TryLockContext(ctx, 2*time.Millisecond); err != nil {
		_ = l.Close()
		return nil, err
	}
	return func() { _ = l.Close() }, nil
}

// compact makes the file shorter than most bytes: looks that follow each other become one, and the oldest lines go. How
// all stood at the time from which lines are kept is written in front of them. The lock is held.
func compact(state string, most int) error {
	l, err := Read(state)
	if err != nil {
		return err
	}
	lines := l.joined()
	size := 0
	from := len(lines)
	for from > 0 && size+len(lines[from-1].line()) < most*9/10 {
		from--
		size += len(lines[from].line())
	}
	var b strings.Builder
	if from > 0 && from < len(lines) {
		gone := newLatest()
		for _, e := range lines[:from] {
			gone.take(e)
		}
		for _, e := range gone.entries(lines[from].At) {
			b.WriteString(e.line())
		}
	}
	for _, e := range lines[from:] {
		b.WriteString(e.line())
	}
	if err := atomicfile.Write(File(state), []byte(b.String()), 0o600); err != nil {
		return err
	}
	if err := os.Remove(previous(state)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// joined returns the entries with one Look for each time in which somebody looked all along.
func (l Log) joined() (list []Entry) {
	var looks []Entry
	for _, s := range l.looked() {
		looks = append(looks, Entry{At: s.To, Kind: Look, For: s.To.Sub(s.From)})
	}
	for _, e := range l.Entries {
		for len(looks) > 0 && !looks[0].At.After(e.At) {
			list, looks = append(list, looks[0]), looks[1:]
		}
		if e.Kind != Look {
			list = append(list, e)
		}
	}
	return append(list, looks...)
}

// entries says how all stood at a time.
func (n latest) entries(at time.Time) (list []Entry) {
	add := func(e Entry) {
		e.At = at
		list = append(list, e)
	}
	if n.grid != "" {
		add(Entry{Kind: Grid, Code: n.grid})
	}
	if n.runtime != "" {
		add(Entry{Kind: Runtime, Code: n.runtime})
	}
	for _, id := range slices.Sorted(maps.Keys(n.runs)) {
		add(Entry{Kind: Run, Name: id, Status: n.runs[id]})
	}
	for _, name := range slices.Sorted(maps.Keys(n.nodes)) {
		add(Entry{Kind: Node, Name: name, State: n.nodes[name]})
		if image := n.images[name]; image != "" {
			add(Entry{Kind: Image, Name: name, Text: image})
		}
		if began := n.started[name]; !began.IsZero() {
			add(Entry{Kind: Started, Name: name, Text: began.Format(time.RFC3339)})
		}
	}
	return list
}
