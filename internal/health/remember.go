package health

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// memory is the history of the folder, as one flwrup writes it.
type memory struct {
	once sync.Once
	to   *history.Recorder
	has  atomic.Bool // the folder has records of flwrup's
}

// keeps reports whether the folder has records of flwrup's. A look makes none where there are none: a folder from version
// control, of which nothing was accepted, stays as it is.
func (m *memory) keeps(s *site.Site) bool {
	if !m.has.Load() {
		fresh, err := project.Fresh(s.Dir)
		m.has.Store(!fresh && err == nil)
	}
	return m.has.Load()
}

func memoryOf(s *site.Site) *history.Recorder {
	m := site.Kept[memory](s)
	m.once.Do(func() { m.to = history.In(s.StateDir()) })
	return m.to
}

// Remember writes what is new about an overview into the folder's history. The history is an extra: where it cannot be
// written, as in another person's folder, nothing is, and nothing else is different.
func Remember(s *site.Site, o front.Overview) {
	if !site.Kept[memory](s).keeps(s) {
		return
	}
	seen := history.Seen{At: time.Now(), GridAt: o.GridAt, GridCode: codeOf(o.GridErr), RuntimeCode: codeOf(o.RuntimeErr)}
	for _, v := range o.Nodes {
		n := history.SeenNode{Name: v.Name, State: history.State{Grid: string(v.Grid), Here: string(v.Runtime.State), Wanted: string(v.Wanted)}}
		if v.Runtime.State == supernode.Running {
			n.Since, n.Image = v.Runtime.Since, v.Runtime.Image
		}
		if v.Runtime.State == supernode.Stopped {
			n.Exit = v.Runtime.ExitCode
		}
		if v.Engine != nil {
			n.Here = "" // another engine runs it, perhaps elsewhere
		}
		if v.Diagnosis != nil {
			n.Code = string(v.Diagnosis.Code)
		}
		seen.Nodes = append(seen.Nodes, n)
	}
	for _, r := range o.Runs {
		seen.Runs = append(seen.Runs, history.SeenRun{ID: r.ID, App: r.App, Status: string(r.Status), Old: r.Status.Ended() && !r.Here, Over: r.Over})
	}
	_ = memoryOf(s).Record(seen)
}

func codeOf(err error) string {
	if err == nil {
		return ""
	}
	return string(problem.Of(err).Code)
}

// RememberRun writes into the history how a run ended, which a watch does not look at.
func RememberRun(s *site.Site, r front.RunView) {
	if !s.Options.ReadOnly && site.Kept[memory](s).keeps(s) {
		_ = history.Add(s.StateDir(), history.Entry{Kind: history.Run, Name: r.ID, Status: string(r.Status), Text: r.App})
	}
}

// Past returns how the SuperNodes stood from one time to another, as far as somebody looked.
func Past(s *site.Site, from, to time.Time) (history.Timeline, error) {
	l, err := site.Kept[history.Reader](s).Read(s.StateDir())
	return l.Between(from, to, ""), err
}

// StopLooking writes into the history until when this flwrup looked.
func StopLooking(s *site.Site) { _ = memoryOf(s).Close() }

// Did writes into the history what was done to the named SuperNodes, to all of them without a name.
func Did(s *site.Site, verb front.Verb, nodes []string, err error) {
	if !site.Kept[memory](s).keeps(s) {
		return
	}
	text := strings.ReplaceAll(string(verb), "-", " ")
	if err != nil {
		text += " failed: " + codeOf(err)
	}
	if len(nodes) == 0 {
		nodes = []string{""}
	}
	for _, name := range nodes {
		_ = history.Add(s.StateDir(), history.Entry{Kind: history.Act, Name: name, Text: text})
	}
}
