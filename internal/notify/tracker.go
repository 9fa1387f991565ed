package notify

import (
	"slices"
	"time"
)

// A What is the kind of thing that an Entry is about.
type What string

const (
	Node    What = "supernode"
	Grid    What = "grid"
	Runtime What = "runtime" // Docker, or what else runs SuperNodes
	Run     What = "run"
)

// Kind is what happened.
type Kind string

const (
	Lost        Kind = "lost"     // and is still lost
	Back        Kind = "back"     // and people had heard that it was lost
	WasLost     Kind = "was-lost" // and is back already
	RunStarted  Kind = "run-started"
	RunFinished Kind = "run-finished" // completed, or stopped by a person
	RunFailed   Kind = "run-failed"
	RunWaits    Kind = "run-waits" // for SuperNodes, longer than usual
	Test        Kind = "test"      // somebody tries whether messages arrive
)

// Entry is one thing that people hear of. Its texts are safe for a terminal, and nothing in them says more than names,
// states, a cause and a remedy.
type Entry struct {
	Kind  Kind      `json:"kind"`
	What  What      `json:"what,omitempty"`
	Name  string    `json:"name,omitempty"`  // of a SuperNode; the ID of a run
	App   string    `json:"app,omitempty"`   // of a run
	At    time.Time `json:"at"`              // when it was lost, came back, started, ended
	Since time.Time `json:"since,omitzero"`  // of Back and WasLost: when it was lost; of RunWaits: since when it waits
	Code  string    `json:"code,omitempty"`  // of the trouble
	Cause string    `json:"cause,omitempty"` // in words
	Fix   string    `json:"fix,omitempty"`   // what a person should do
}

// Stand is how a thing stands.
type Stand string

const (
	Unknown Stand = "" // nobody can say, or it is on its way
	Well    Stand = "well"
	Gone    Stand = "lost"
)

// Thing is a SuperNode that should be up, the grid, or the runtime, as one look saw it.
type Thing struct {
	What             What
	Name             string // of a SuperNode
	Stand            Stand
	Code, Cause, Fix string // of Gone
}

// SeenRun is a run as one look saw it.
type SeenRun struct {
	ID, App, Status string
	Going           bool
	Failed          bool
	Stopped         bool // by a person
	Waits           bool // for SuperNodes
	Cause           string
	Over            time.Time // when it ended; zero where nobody knows
}

// Seen is one look at all of a project.
type Seen struct {
	At     time.Time
	Slept  bool // the machine slept since the look before
	Things []Thing
	Runs   []SeenRun
	NoRuns bool // the grid did not say which runs there are
}

// How patient a Tracker is.
const (
	longestGap   = 4 * time.Minute // between two looks that belong together; a restart in between takes three minutes at most
	leastSteady  = 2 * time.Second // how long a thing is well before it counts as back
	mostSteady   = 30 * time.Second
	notABlip     = 30 * time.Second // a grid that was away for so long lost its SuperNodes with it
	flapSteady   = time.Hour        // like mostSteady, for a thing that goes up and down
	flapPer      = 24 * time.Hour   // in which it did so
	usualWait    = 100 * time.Second
	waitTimes    = 3 // as long as usual is longer than usual
	keptWaits    = 20
	mostThings   = 4000
	mostRunsKept = 500
)

// tracked is what a Tracker remembers of a thing.
type tracked struct {
	Gone   bool          `json:"gone,omitempty"`
	Told   bool          `json:"told,omitempty"` // people have heard that it is lost
	Since  time.Time     `json:"since,omitzero"` // when it was lost
	For    time.Duration `json:"for,omitempty"`  // how long it was seen to be lost
	WellAt time.Time     `json:"well_at,omitzero"`
	Well   time.Duration `json:"well,omitempty"`  // how long it was seen to be well since
	Tells  []time.Time   `json:"tells,omitempty"` // when people heard that it was lost
	Code   string        `json:"code,omitempty"`
	Cause  string        `json:"cause,omitempty"`
	Fix    string        `json:"fix,omitempty"`
}

// trackedRun is what it remembers of a run.
type trackedRun struct {
	Going     bool          `json:"going,omitempty"`
	ToldWaits bool          `json:"told_waits,omitempty"`
	WaitSince time.Time     `json:"wait_since,omitzero"`
	Waited    time.Duration `json:"waited,omitempty"`
	Seen      time.Time     `json:"seen"`
}

// Tracker decides, look by look, what people have to hear: each loss once, each return once, and nothing about what came
// back before it was unbearable. Its fields are exported for a file that keeps them. Not for several goroutines.
type Tracker struct {
	Last     time.Time              `json:"last,omitzero"` // when it looked last
	Things   map[string]*tracked    `json:"things,omitempty"`
	Runs     map[string]*trackedRun `json:"runs,omitempty"`
	RunsRead bool                   `json:"runs_read,omitempty"` // the runs before that are no news
	Waits    []time.Duration        `json:"waits,omitempty"`     // how long runs waited for SuperNodes, the newest last
}

func (t Thing) key() string { return string(t.What) + " " + t.Name }

// Look takes what was seen and returns what people have to hear now. after is the bearable time.
func (t *Tracker) Look(s Seen, after time.Duration) (news []Entry) {
	if t.Things == nil {
		t.Things = map[string]*tracked{}
	}
	if t.Runs == nil {
		t.Runs = map[string]*trackedRun{}
	}
	passed := s.At.Sub(t.Last)
	again := s.Slept || t.Last.IsZero() || passed < 0 || passed > longestGap // nobody knows what was in between
	if again {
		passed = 0
	}
	t.Last = s.At
	for _, thing := range s.Things {
		if thing.What != Node && thing.Stand == Well {
			if had := t.Things[thing.key()]; had != nil && had.Gone && (had.Told || had.For >= min(after/2, notABlip)) {
				again = true // SuperNodes come back after the grid and the runtime
			}
		}
	}
	seen := map[string]bool{}
	due := false
	for _, thing := range s.Things {
		key := thing.key()
		if seen[key] || len(seen) >= mostThings {
			continue
		}
		seen[key] = true
		had := t.Things[key]
		if had == nil {
			had = &tracked{}
			t.Things[key] = had
		}
		switch thing.Stand {
		case Gone:
			had.lose(thing, s.At, passed, again)
			due = due || !had.Told && had.For >= after
		case Well:
			if e, back := had.recover(thing, s.At, passed, after); back {
				news = append(news, e)
			}
		}
	}
	if due { // what else is lost for a good part of that time most likely has the same cause: one message
		for _, thing := range s.Things {
			if had := t.Things[thing.key()]; had != nil && thing.Stand == Gone && had.Gone && !had.Told && had.For >= after/2 {
				had.Told = true
				had.Tells = append(had.Tells, s.At)
				news = append(news, Entry{Kind: Lost, What: thing.What, Name: thing.Name, At: had.Since, Code: had.Code, Cause: had.Cause, Fix: had.Fix})
			}
		}
	}
	for key := range t.Things { // removed, or stopped by a person: no loss any more
		if !seen[key] {
			delete(t.Things, key)
		}
	}
	if !s.NoRuns {
		news = append(news, t.runs(s, passed, after)...)
	}
	return news
}

func (k *tracked) lose(thing Thing, now time.Time, passed time.Duration, again bool) {
	switch {
	case !k.Gone:
		k.Gone, k.Since, k.For = true, now, 0
	case again && !k.Told:
		k.For = 0
	default:
		k.For += passed
	}
	k.WellAt, k.Well = time.Time{}, 0
	k.Code, k.Cause, k.Fix = thing.Code, thing.Cause, thing.Fix
}

// recover notes that the thing is well, and returns the news once it has been for long enough and people had heard of its loss.
func (k *tracked) recover(thing Thing, now time.Time, passed, after time.Duration) (Entry, bool) {
	k.Tells = slices.DeleteFunc(k.Tells, func(at time.Time) bool { return now.Sub(at) > flapPer })
	switch {
	case !k.Gone:
		return Entry{}, false
	case !k.Told:
		*k = tracked{Tells: k.Tells}
		return Entry{}, false
	case k.WellAt.IsZero():
		k.WellAt = now
	default:
		k.Well += passed
	}
	if k.Well < steady(after, len(k.Tells)) {
		return Entry{}, false
	}
	e := Entry{Kind: Back, What: thing.What, Name: thing.Name, At: k.WellAt, Since: k.Since, Code: k.Code, Cause: k.Cause}
	*k = tracked{Tells: k.Tells}
	return e, true
}

// steady is how long a thing is well before it counts as back. It doubles each time that people heard of its loss within a day.
func steady(after time.Duration, tells int) time.Duration {
	d := min(max(after/2, leastSteady), mostSteady)
	return min(d<<min(max(tells-1, 0), 10), flapSteady)
}

// runs returns what is new about the runs.
func (t *Tracker) runs(s Seen, passed, after time.Duration) (news []Entry) {
	first := !t.RunsRead
	t.RunsRead = true
	for _, r := range s.Runs {
		had := t.Runs[r.ID]
		if had == nil {
			had = &trackedRun{Going: r.Going}
			t.Runs[r.ID] = had
			if !first { // a run that was short enough to end between two looks makes one entry, at its end
				if r.Going {
					news = append(news, Entry{Kind: RunStarted, What: Run, Name: r.ID, App: r.App, At: s.At})
				} else {
					news = append(news, r.ended(s.At))
				}
			}
		} else if had.Going && !r.Going {
			had.Going = false
			news = append(news, r.ended(s.At))
		}
		had.Seen = s.At
		if e, waits := t.waits(r, had, s.At, passed, after); waits {
			news = append(news, e)
		}
	}
	if over := len(t.Runs) - mostRunsKept; over > 0 {
		var ids []string
		for id := range t.Runs {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, func(a, b string) int { return t.Runs[a].Seen.Compare(t.Runs[b].Seen) })
		for _, id := range ids[:over] {
			if t.Runs[id].Seen.Before(s.At) {
				delete(t.Runs, id)
			}
		}
	}
	return news
}

func (r SeenRun) ended(now time.Time) Entry {
	e := Entry{Kind: RunFinished, What: Run, Name: r.ID, App: r.App, At: now, Cause: r.Cause}
	if !r.Over.IsZero() {
		e.At = r.Over
	}
	switch {
	case r.Failed:
		e.Kind = RunFailed
		e.Fix = "flwrup runs show " + r.ID + " says who took part and what their logs said"
	case r.Stopped:
		e.Code = "stopped"
	}
	return e
}

// waits notes how long a run waits for SuperNodes, and returns the news when that is longer than usual.
func (t *Tracker) waits(r SeenRun, had *trackedRun, now time.Time, passed, after time.Duration) (Entry, bool) {
	if !r.Going || !r.Waits {
		if had.Waited > 0 {
			t.Waits = append(t.Waits, had.Waited)
			t.Waits = t.Waits[max(0, len(t.Waits)-keptWaits):]
		}
		had.WaitSince, had.Waited, had.ToldWaits = time.Time{}, 0, had.ToldWaits && r.Going
		return Entry{}, false
	}
	if had.WaitSince.IsZero() {
		had.WaitSince = now
	} else {
		had.Waited += passed
	}
	if had.ToldWaits || had.Waited < max(after, waitTimes*t.usual()) {
		return Entry{}, false
	}
	had.ToldWaits = true
	return Entry{Kind: RunWaits, What: Run, Name: r.ID, App: r.App, At: now, Since: had.WaitSince, Cause: r.Cause, Fix: "flwrup status shows which SuperNodes are not online"}, true
}

// usual is how long a run waits for SuperNodes, as the last runs did.
func (t *Tracker) usual() time.Duration {
	if len(t.Waits) == 0 {
		return usualWait
	}
	list := slices.Sorted(slices.Values(t.Waits))
	return list[len(list)/2]
}
