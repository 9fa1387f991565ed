package dash

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/wording"
	"flwrup/ui/chart"
	"flwrup/ui/style"
)

const (
	progressEvery = 10 * time.Second // between two readings of the log of a run that goes
	stalledLeast  = 2 * time.Minute  // a run is never called stalled before
	stalledFirst  = 5 * time.Minute  // while no round tells how long one takes
	stalledTimes  = 3                // as long as the longest time between two messages so far
	recent        = 10 * time.Minute // how long an error in a log wants attention
	barWidth      = 10
)

// progress is how far a run has come, and since when.
type progress struct {
	front.RunProgress
	series []chart.Series
	asked  time.Time
	asking bool
	ended  bool      // read after its end
	moved  time.Time // when its log was seen to go on
}

type progressMsg struct {
	model *Model
	run   string
	got   front.RunProgress
	err   error
}

// askProgress reads the log of one run that is shown: every few seconds while it goes, once when it is over.
func askProgress(m *Model) tea.Cmd {
	if m.have.GridErr != nil {
		return nil
	}
	list := (runList{&m.table}).newest()
	for _, r := range list[:min(mostRuns, len(list))] {
		if p := m.progress[r.ID]; p != nil && p.asking {
			return nil // one at a time
		}
	}
	for _, r := range list[:min(mostRuns, len(list))] {
		p := m.progress[r.ID]
		if p == nil {
			p = &progress{}
			m.progress[r.ID] = p
		}
		over := r.Status.Ended()
		if r.Status == front.RunLost || r.Status == front.RunPending || over && p.ended || m.now().Sub(p.asked) < progressEvery {
			continue
		}
		p.asking, p.asked, p.ended = true, m.now(), over
		return func() tea.Msg {
			ctx, cancel := context.WithTimeout(m.ctx, oneAnswer)
			defer cancel()
			got, err := m.src.RunProgress(ctx, r.ID)
			return progressMsg{m, r.ID, got, err}
		}
	}
	return nil
}

// take takes over what the log of a run says.
func (msg progressMsg) take(m *Model) {
	p := m.progress[msg.run]
	if p == nil {
		return
	}
	p.asking = false
	if msg.err != nil {
		return
	}
	if msg.got.Round != p.Round && p.Round > 0 { // the first reading says nothing about when
		p.moved = m.now()
	}
	p.RunProgress, p.series, m.stale = msg.got, nil, true
	for _, v := range msg.got.Metrics {
		p.series = chart.Add(p.series, v)
	}
}

// runList is the part of the table about runs.
type runList struct{ *table }

// shownRun is a run as a frame shows it.
type shownRun struct {
	front.RunView
	stalled time.Duration // it has made no progress for so long; 0 while it does
}

// weigh puts the runs in order, once a frame, and finds those that make no progress.
func (l runList) weigh() {
	l.runs = l.runs[:0]
	for _, r := range l.newest() {
		l.runs = append(l.runs, shownRun{r, l.stalled(r)})
	}
}

// stuck reports whether one of them makes no progress.
func (l runList) stuck() bool {
	return slices.ContainsFunc(l.runs, func(r shownRun) bool { return r.stalled > 0 })
}

// stalled returns for how long a run has made no progress, once that is longer than its rounds explain; else 0.
func (l runList) stalled(r front.RunView) time.Duration {
	if !r.Status.Going() {
		return 0
	}
	last, longest := r.Running, time.Duration(0)
	if last.IsZero() {
		last = r.Pending
	}
	if p := l.progress[r.ID]; p != nil && p.moved.After(last) {
		last = p.moved
	}
	for _, n := range l.have.Nodes {
		c := l.count(n.Name)
		if c.Run != r.ID {
			continue
		}
		longest = max(longest, c.Longest)
		if c.Asked.After(last) {
			last = c.Asked
		}
	}
	if last.IsZero() {
		return 0
	}
	limit := max(stalledLeast, stalledTimes*longest)
	if longest == 0 && r.Status == front.RunRunning && len(l.failing()) == 0 {
		limit = stalledFirst
	}
	if d := l.now().Sub(last); d >= limit {
		return d
	}
	return 0
}

// failing returns the SuperNodes whose logs have had errors lately.
func (t *table) failing() (names []string) {
	for _, n := range t.have.Nodes {
		if t.fails(n) {
			names = append(names, n.Name)
		}
	}
	return names
}

// fails reports whether the log of a SuperNode that runs has had an error lately.
func (t *table) fails(n front.NodeView) bool {
	c := t.count(n.Name)
	return c.Errors > 0 && t.now().Sub(c.LastError) < recent
}

// stallLine says below a run that it makes no progress, and what to look at.
func (l runList) stallLine(r shownRun) string {
	text := "no progress for " + style.Uptime(r.stalled)
	bad := l.failing()
	var away []string
	for _, n := range l.have.Nodes {
		if v := l.severity(n); v == front.Failing || v == front.Working {
			away = append(away, n.Name)
		}
	}
	hint := "see step 16 for its log"
	switch {
	case len(bad) > 0:
		hint = plural(bad, "logs errors", "log errors") + ": E shows them"
	case len(away) > 0:
		hint = plural(away, "is not online", "are not online")
	case r.Status == front.RunPending || r.Status == front.RunStarting:
		hint = "it waits for SuperNodes: are enough of the federation online?"
	}
	return l.st.Cut("    "+l.ink.Warn.Render(front.Warning.Sign(l.st.ASCII)+" "+text+": "+hint), l.w)
}

// plural names one SuperNode, or says how many.
func plural(names []string, one, more string) string {
	if len(names) == 1 {
		return clean(names[0]) + " " + one
	}
	return wording.Count(len(names), "SuperNode") + " " + more
}

// draw draws the last runs below a rule.
func (l runList) draw(rows int) []string {
	if rows < 3 {
		return nil
	}
	lines := []string{"", l.rule("runs")}
	for _, r := range l.runs {
		if len(lines) == rows {
			break
		}
		lines = append(lines, l.run(r))
		if r.stalled > 0 && len(lines) < rows {
			lines = append(lines, l.stallLine(r))
		}
	}
	return lines
}

// runRows returns how many rows the runs take at most.
func (l runList) runRows() int {
	rows := min(mostRuns, len(l.runs))
	for _, r := range l.runs[:rows] {
		if r.stalled > 0 {
			rows++
		}
	}
	return rows
}

// newest returns the runs in progress, then the others as the grid lists them.
func (l runList) newest() []front.RunView {
	var list, over []front.RunView
	for _, r := range l.have.Runs {
		if r.Status.Going() {
			list = append(list, r)
		} else {
			over = append(over, r)
		}
	}
	return append(list, over...)
}

// run draws a run: state, round, progress, metric, time, ID, app, as many of them as fit.
func (l runList) run(r shownRun) string {
	v := r.Status.Severity()
	if r.stalled > 0 {
		v = front.Warning
	}
	state := sign{v.Sign(l.st.ASCII), clean(r.Status.Outcome()), l.ink.Severity(v)}
	line, room := strings.Repeat(" ", pointerWidth)+state.style.Render(l.st.Pad(state.text(), 12)), l.w-pointerWidth-12
	add := func(text string, width int) {
		if width = max(width, style.Width(text)); room >= width+2 {
			line += "  " + l.st.Pad(text, width)
			room -= width + 2
		}
	}
	p := l.progress[r.ID]
	if l.rounds() { // all rows keep the place, so that the columns are in line
		var round, bar string
		if p != nil && p.Round > 0 {
			round = "round " + strconv.Itoa(p.Round)
			done := p.Round
			if r.Status.Going() {
				done-- // this one is not over
			}
			if p.Rounds > 0 {
				round += " of " + strconv.Itoa(p.Rounds)
				bar = l.st.Bar(int64(done), int64(p.Rounds), barWidth)
			}
		}
		add(l.ink.Text.Render(round), 13)
		if l.w >= 60 {
			add(l.ink.Accent.Render(bar), barWidth)
		}
	}
	add(l.ink.Dim.Render(style.RunClock(r.RunView, l.now())), 7)
	if p != nil {
		if s, ok := leading(p.series); ok {
			add(l.ink.Dim.Render(clean(s.Name)+" ")+l.ink.Accent.Render(chart.Spark(l.st, s.Values, cpuReadings))+l.ink.Text.Render(fmt.Sprintf(" %.3g", s.Last())), 0)
		}
	}
	add(l.ink.Text.Render(clean(r.ID)), 19)
	add(l.ink.Dim.Render(clean(r.App)), 0)
	return l.st.Cut(strings.TrimRight(line, " "), l.w)
}

// rounds reports whether a run that is shown has told its round.
func (l runList) rounds() bool {
	return slices.ContainsFunc(l.runs[:min(mostRuns, len(l.runs))], func(r shownRun) bool {
		p := l.progress[r.ID]
		return p != nil && p.Round > 0
	})
}

// leading returns the metric that tells most about a run: accuracy, else loss, else the first.
func leading(list []chart.Series) (chart.Series, bool) {
	for _, word := range []string{"acc", "loss", ""} {
		if i := slices.IndexFunc(list, func(s chart.Series) bool { return strings.Contains(s.Name, word) && len(s.Values) > 0 }); i >= 0 {
			return list[i], true
		}
	}
	return chart.Series{}, false
}
