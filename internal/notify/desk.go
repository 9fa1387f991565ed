package notify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/safego"
	"flwrup/internal/termsafe"
)

// How a Desk sends.
const (
	firstPause = 5 * time.Second // after a try that failed, doubled with each further one
	mostPause  = 30 * time.Minute
	giveUp     = 24 * time.Hour  // a message that is older is not tried again
	mostGap    = time.Minute     // between two messages, at most
	lastWords  = 3 * time.Second // for an answer that is on its way when the watch ends
	mostHeld   = 400             // entries that wait
	mostState  = 4 << 20         // bytes of the file
	version    = 1
)

// state is what a Desk keeps in its file.
type state struct {
	Version int              `json:"version"`
	Tracker Tracker          `json:"tracker"`
	Held    []Entry          `json:"held,omitempty"` // not in a message yet
	Dropped int              `json:"dropped,omitempty"`
	Quiet   bool             `json:"quiet,omitempty"`    // some of them are of quiet hours
	Message time.Time        `json:"message,omitzero"`   // when the last message was made
	Out     map[string]*line `json:"out,omitempty"`      // by channel
	Sent    map[string]int   `json:"sent,omitempty"`     // messages, by channel
	Failed  map[string]int   `json:"failed,omitempty"`   // tries, by channel
	LostMsg map[string]int   `json:"given_up,omitempty"` // messages that were given up, by channel
}

// line is what waits for one channel: a message that is tried, and behind it one that grows until its turn.
type line struct {
	Head  *Message  `json:"head,omitempty"`
	Since time.Time `json:"since,omitzero"` // when Head was made
	Next  time.Time `json:"next,omitzero"`  // when it is tried
	Tail  *Message  `json:"tail,omitempty"`
}

// Options says for what a Desk is.
type Options struct {
	StateDir string // the project's .flwrup; "": nothing is kept
	Dir      string // the project's folder
	Project  string
	Settings Settings
	Say      func(ok bool, text string) // hears of what was sent, and of what could not be; may be called from another goroutine
}

// Desk takes what a watch sees and sends what people have to hear. All of it is on disk before anything is sent, so that a
// watch that is killed neither forgets a message nor sends it twice: only one that is killed between an answer and the note
// of it sends the message again, with the same ID. Its methods may be called from several goroutines.
type Desk struct {
	mu    sync.Mutex
	o     Options
	state state
	bad   bool // the file could not be written, and that was said
	kick  chan struct{}
	now   func() time.Time
	send  func(ctx context.Context, channel string, m Message) error
}

// File is where a Desk keeps its state; dir is the project's folder .flwrup.
func File(dir string) string { return filepath.Join(dir, "notify.json") }

// Open returns the Desk of a project with what an earlier one left. A file that cannot be understood is set aside under
// another name, and said.
func Open(o Options) (*Desk, error) {
	d := &Desk{o: o, kick: make(chan struct{}, 1), now: time.Now}
	d.send = d.sendTo
	if o.Say == nil {
		d.o.Say = func(bool, string) {}
	}
	if o.StateDir == "" {
		return d, nil
	}
	text, err := plainfile.ReadAtMost(File(o.StateDir), mostState)
	if errors.Is(err, fs.ErrNotExist) {
		return d, nil
	}
	if err == nil {
		err = d.state.read(text)
	} else if !errors.Is(err, plainfile.ErrLarge) {
		return nil, err
	}
	if err != nil {
		d.state = state{}
		aside := File(o.StateDir) + ".unreadable-" + d.now().UTC().Format("20060102-150405")
		if err := os.Rename(File(o.StateDir), aside); err != nil {
			return nil, err
		}
		d.o.Say(false, "what had been said before cannot be read: it is in "+filepath.Base(aside)+" now, and what is lost may be said again")
	}
	return d, nil
}

func (s *state) read(text []byte) error {
	text, err := termsafe.JSON(text, "text")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return err
	}
	if s.Version != version {
		return fmt.Errorf("version %d", s.Version)
	}
	for key, l := range s.Out {
		if l == nil {
			delete(s.Out, key)
		}
	}
	for key, v := range s.Tracker.Things {
		if v == nil {
			delete(s.Tracker.Things, key)
		}
	}
	for key, v := range s.Tracker.Runs {
		if v == nil {
			delete(s.Tracker.Runs, key)
		}
	}
	return nil
}

// save writes the state. d.mu is held.
func (d *Desk) save() {
	if d.o.StateDir == "" {
		return
	}
	d.state.Version = version
	text, err := json.Marshal(d.state)
	if err == nil {
		err = atomicfile.Write(File(d.o.StateDir), append(text, '\n'), 0o600)
	}
	if err != nil && !d.bad {
		d.o.Say(false, "cannot keep what was said: "+err.Error()+"; after a restart of the watch it may be said again")
	}
	d.bad = err != nil
}

// Set takes over other settings and another name of the project.
func (d *Desk) Set(project string, s Settings) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.o.Project, d.o.Settings = project, s
	d.wake()
}

// Counts says how many messages each channel got, how many tries failed, how many messages were given up, and how many wait.
func (d *Desk) Counts() (sent, failed, given, waiting map[string]int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	sent, failed, given, waiting = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, c := range d.o.Settings.channels() {
		sent[c], failed[c], given[c] = d.state.Sent[c], d.state.Failed[c], d.state.LostMsg[c]
		if l := d.state.Out[c]; l != nil {
			for _, m := range []*Message{l.Head, l.Tail} {
				if m != nil {
					waiting[c]++
				}
			}
		}
	}
	return sent, failed, given, waiting
}

// Look takes what a watch saw.
func (d *Desk) Look(s Seen) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.o.Settings.Sends() {
		return
	}
	before := d.state.key()
	for _, e := range d.state.Tracker.Look(s, d.o.Settings.Bearable()) {
		if d.o.Settings.Hears(e.What) {
			d.hold(e.clean())
		}
	}
	quiet := d.o.Settings.quiet(s.At)
	if len(d.state.Held) > 0 {
		d.state.Quiet = d.state.Quiet || quiet
	}
	gap := min(d.o.Settings.Bearable(), mostGap)
	since := s.At.Sub(d.state.Message)
	if len(d.state.Held) > 0 && !quiet && (since >= gap || since < 0) {
		d.queue(s.At)
	}
	if d.state.key() != before {
		d.save()
	}
	d.wake()
}

// key says whether the state has to be written: how long something is lost changes with every look, and is not worth it
// each time.
func (s *state) key() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s.Tracker.Things)) {
		k := s.Tracker.Things[name]
		fmt.Fprintf(&b, "%s %v %v %d %v\n", name, k.Gone, k.Told, k.For/(10*time.Second), k.WellAt)
	}
	for _, id := range slices.Sorted(maps.Keys(s.Tracker.Runs)) {
		r := s.Tracker.Runs[id]
		fmt.Fprintf(&b, "%s %v %v %v\n", id, r.Going, r.ToldWaits, r.WaitSince)
	}
	fmt.Fprintf(&b, "%v %d %d %v %d", s.Tracker.RunsRead, len(s.Held), s.Dropped, s.Message, s.Tracker.Last.Unix()/60)
	return b.String()
}

// hold keeps an entry until the next message. A loss that nobody has heard of and its return are one entry.
func (d *Desk) hold(e Entry) {
	if e.Kind == Back {
		for i, h := range d.state.Held {
			if h.Kind == Lost && h.What == e.What && h.Name == e.Name {
				d.state.Held = slices.Delete(d.state.Held, i, i+1)
				e.Kind, e.Since, e.Code, e.Cause = WasLost, h.At, h.Code, h.Cause
				break
			}
		}
	}
	d.state.Held = append(d.state.Held, e)
	if over := len(d.state.Held) - mostHeld; over > 0 {
		d.state.Held, d.state.Dropped = d.state.Held[over:], d.state.Dropped+over
	}
}

// queue makes one message of all that is held, for each channel.
func (d *Desk) queue(now time.Time) {
	if d.state.Out == nil {
		d.state.Out = map[string]*line{}
	}
	for _, c := range d.o.Settings.channels() {
		l := d.state.Out[c]
		if l == nil {
			l = &line{}
			d.state.Out[c] = l
		}
		l.add(d.state.Held, d.state.Dropped, d.state.Quiet, d.o.Project, now)
	}
	d.state.Held, d.state.Dropped, d.state.Quiet, d.state.Message = nil, 0, false, now
}

// add puts entries into the message that follows the present one.
func (l *line) add(list []Entry, more int, quiet bool, project string, now time.Time) {
	if l.Tail == nil {
		l.Tail = &Message{ID: newID(), At: now}
	}
	m := l.Tail
	m.Project, m.At = projectName(project), now
	m.Entries = append(m.Entries, list...)
	if over := len(m.Entries) - mostEntries; over > 0 {
		m.Entries, more = m.Entries[over:], more+over
	}
	m.More += more
	m.Quiet = m.Quiet || quiet
	m.write()
	if l.Head == nil {
		l.step(now)
	}
}

// step takes the message behind to the front.
func (l *line) step(now time.Time) {
	l.Head, l.Tail, l.Since, l.Next = l.Tail, nil, now, now
}

func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	return hex.EncodeToString(b[:])
}

func (d *Desk) wake() {
	select {
	case d.kick <- struct{}{}:
	default:
	}
}

// Deliver sends the messages until ctx ends. What is left then is sent by the next Desk of the project.
func (d *Desk) Deliver(ctx context.Context) {
	for ctx.Err() == nil {
		next := d.round(ctx)
		wait := time.NewTimer(next)
		select {
		case <-ctx.Done():
		case <-d.kick:
		case <-wait.C:
		}
		wait.Stop()
	}
}

// round tries what is due, and returns after how long something is due again.
func (d *Desk) round(ctx context.Context) time.Duration {
	d.mu.Lock()
	channels := d.o.Settings.channels()
	for c := range d.state.Out {
		if l := d.state.Out[c]; !slices.Contains(channels, c) {
			if l.Head != nil || l.Tail != nil {
				d.o.Say(false, "messages that waited for "+c+" are given up: flwrup.toml no longer names it")
			}
			delete(d.state.Out, c)
			d.save()
		}
	}
	d.mu.Unlock()
	var done sync.WaitGroup
	for _, c := range channels { // one that hangs does not hold up the others
		done.Add(1)
		safego.Go("sending a message by "+c, func(err error) { d.o.Say(false, err.Error()); done.Done() }, func() {
			d.try(ctx, c)
			done.Done()
		})
	}
	done.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	next := time.Hour
	for _, l := range d.state.Out {
		if l.Head != nil {
			next = min(next, max(l.Next.Sub(d.now()), 0))
		}
	}
	return next
}

// try sends what is due on one channel, message after message.
func (d *Desk) try(ctx context.Context, channel string) {
	for ctx.Err() == nil {
		m, due := d.begin(channel)
		if !due {
			return
		}
		patient, done := lasting(ctx)
		err := d.send(patient, channel, m)
		done()
		if ctx.Err() != nil && err != nil {
			return // the next Desk tries again
		}
		d.end(channel, m, err)
	}
}

// lasting returns a context that outlives ctx for a moment: a message that has arrived must not go unnoted, or it would be
// sent twice.
func lasting(ctx context.Context) (context.Context, func()) {
	patient, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		_ = safego.Sleep(patient, lastWords)
		cancel()
	})
	return patient, func() { stop(); cancel() }
}

// begin notes that a message is tried, and returns it.
func (d *Desk) begin(channel string) (Message, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.state.Out[channel]
	if l == nil || l.Head == nil || d.now().Before(l.Next) && l.Next.Sub(d.now()) < 2*mostPause { // else the clock was set back
		return Message{}, false
	}
	l.Head.Attempt++
	d.save()
	return *l.Head, true
}

// end notes how a try went.
func (d *Desk) end(channel string, m Message, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.state.Out[channel]
	if l == nil || l.Head == nil || l.Head.ID != m.ID {
		return
	}
	now := d.now()
	switch {
	case err == nil:
		count(&d.state.Sent, channel)
		d.o.Say(true, "told by "+channel+": "+m.Title)
		l.step(now)
	case now.Sub(l.Since) >= giveUp:
		count(&d.state.Failed, channel)
		count(&d.state.LostMsg, channel)
		d.o.Say(false, fmt.Sprintf("%s: given up after %d tries: %s. It said: %s", channel, m.Attempt, err, strings.ReplaceAll(m.Text, "\n", "; ")))
		l.step(now)
	default:
		count(&d.state.Failed, channel)
		pause := min(firstPause<<min(m.Attempt-1, 12), mostPause)
		var later *retryLater
		if errors.As(err, &later) {
			pause = min(max(pause, later.after), mostPause)
		}
		l.Next = now.Add(pause)
		if m.Attempt == 1 || m.Attempt%10 == 0 {
			d.o.Say(false, fmt.Sprintf("%s: %s; it is tried again in %s", channel, err, lasted(pause)))
		}
	}
	d.save()
}

func count(m *map[string]int, channel string) {
	if *m == nil {
		*m = map[string]int{}
	}
	(*m)[channel]++
}

// SendTest sends a message that says that it is a test on each channel, once, and returns the error of each; nil for one
// that took it.
func (d *Desk) SendTest(ctx context.Context) map[string]error {
	now := d.now()
	m := Message{ID: newID(), At: now, Project: projectName(d.o.Project), Entries: []Entry{{Kind: Test, At: now}}, Attempt: 1}
	m.write()
	results := map[string]error{}
	for _, c := range d.o.Settings.channels() {
		results[c] = d.send(ctx, c, m)
	}
	return results
}
