package ui

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"flwrup/internal/front"
	"flwrup/ui/style"
)

// complete is the last step that has to be done before the dashboard comes first.
const complete = int(front.StepOnline)

// stepList holds the state of the steps, and draws the list of them at the left.
type stepList struct {
	m     *Model
	desk  *desk
	steps []stepView
	at    int  // index of the open step
	auto  bool // nobody has pressed a key yet: go to the first step with work left
	looks *lookout
}

// stepView is one step as the screen knows it.
type stepView struct {
	number           front.StepID
	name, title, why string
	deed, undo       string // of Enter: "start the SuperNodes"; what can be undone

	status  front.Status
	err     error // Inspect failed
	plan    []front.Action
	planErr error
	hand    []entry
	known   bool // status was read at least once
	planned bool // plan belongs to status
	looked  time.Time
	since   time.Time // it has been waiting since
	pause   time.Duration
	stale   bool
	looking bool
}

// here returns the open step.
func (sl *stepList) here() *stepView { return &sl.steps[sl.at] }

// goTo goes to a step.
func (sl *stepList) goTo(id front.StepID) tea.Cmd { return sl.open(int(id) - 1) }

// open goes to the step with index i; it is inspected again unless that was just now.
func (sl *stepList) open(i int) tea.Cmd {
	i = min(max(i, 0), len(sl.steps)-1)
	if sl.m.top() != sl.m.wizard {
		sl.m.base(sl.m.wizard)
	}
	sl.moveTo(i)
	if st := &sl.steps[i]; sl.m.now().Sub(st.looked) >= fresh || !st.planned {
		st.stale = true
	}
	return sl.m.shown()
}

func (sl *stepList) moveTo(i int) {
	sl.at = i
	sl.m.window = window{}
}

// next returns the index of the step to go to after index i, or -1 when all are done. A step before i that has not been
// looked at yet is none: i comes after it, and a look at it is on its way.
func (sl *stepList) next(i int) int {
	for k := i + 1; k < len(sl.steps); k++ {
		if !sl.steps[k].settled() {
			return k
		}
	}
	for k := 0; k < i; k++ {
		if sl.steps[k].known && !sl.steps[k].settled() {
			return k
		}
	}
	return -1
}

// sign returns the sign of a step's state, with its style and its word.
func (sl *stepList) sign(i int) (sign string, st lipgloss.Style, word string) {
	s, v := sl.m.s, &sl.steps[i]
	if sl.desk.working() && sl.desk.job.step == v.number && (sl.desk.job.form != nil || sl.desk.job.login != nil) {
		return "?", s.Accent, "your turn"
	}
	if sl.desk.working() && sl.desk.job.step == v.number {
		return sl.m.clock.spin(s), s.Accent, "at work"
	}
	if j := sl.desk.last[v.number]; j != nil && j.over && j.err != nil || v.err != nil {
		if j == nil || j.err == nil || !cancelled(j.err) {
			return s.Signs.Failed, s.Bad, "failed"
		}
		return s.Signs.ToDo, s.Text, "stopped"
	}
	if !v.known || i == sl.at && !v.fresh() {
		if v.looking {
			return sl.m.clock.spin(s), s.Dim, "looking"
		}
		return " ", s.Dim, "not looked at yet"
	}
	switch v.status.State {
	case front.Done:
		if v.status.Severity() == front.Warning {
			return s.Signs.Warning, s.Warn, "needs attention"
		}
		return s.Signs.Done, s.OK, "done"
	case front.NotNeeded:
		return s.Signs.NotNeeded, s.Dim, "not needed"
	case front.Waiting:
		return s.Signs.Waiting, s.Accent, "waiting " + style.Age(sl.m.now().Sub(v.since))
	case front.Blocked:
		return s.Signs.Blocked, s.Dim, "after step " + v.status.By.String()
	case front.Ready:
		return s.Signs.ToDo, s.Text, "to do"
	}
	return " ", s.Dim, "unknown"
}

// short returns the text after the name in the list.
func (sl *stepList) short(i int) string {
	v := &sl.steps[i]
	if j := sl.desk.job; sl.desk.working() && j.step == v.number && len(j.items) > 0 {
		done := 0
		for _, it := range j.items {
			if it.State == front.ItemDone {
				done++
			}
		}
		return fmt.Sprintf("%d/%d", done, max(len(j.items), v.status.Of))
	}
	return v.status.Short
}

// draw lists the steps, height lines of them: in their phases where there is room.
func (sl *stepList) draw(width, height int) []string {
	if rows := sl.phases(width); len(rows) <= height {
		return sl.m.s.Fit(rows, width, height)
	}
	var out []string
	for i := range sl.steps {
		out = append(out, sl.row(i, width))
	}
	if len(out) > height {
		from := min(max(sl.at-height/2, 0), len(out)-height)
		out = out[from : from+height]
	} else if height >= len(out)+2 {
		out = append([]string{""}, out...)
	}
	return sl.m.s.Fit(out, width, height)
}

// phases lists the steps below the names of their phases, each with how much of it is done.
func (sl *stepList) phases(width int) (out []string) {
	s := sl.m.s
	for _, ph := range front.Phases {
		done, of := 0, int(ph.Last-ph.First)+1
		head := s.Dim
		for i := int(ph.First) - 1; i < int(ph.Last); i++ {
			if sl.steps[i].settled() {
				done++
			}
			if i == sl.at {
				head = s.Heading
			}
		}
		count := fmt.Sprintf("%d/%d", done, of)
		st := s.Dim
		if done == of {
			st = s.OK
		}
		room := width - 2 - len(count)
		out = append(out, "", " "+head.Render(s.Pad(ph.Name, room))+st.Render(count)+" ")
		for i := int(ph.First) - 1; i < int(ph.Last); i++ {
			out = append(out, sl.row(i, width))
		}
	}
	return out
}

// row is one step of the list.
func (sl *stepList) row(i, width int) string {
	s, v := sl.m.s, &sl.steps[i]
	sign, st, _ := sl.sign(i)
	cursor, name := " ", s.Text
	switch {
	case i == sl.at:
		cursor, name = s.Accent.Render(s.Signs.Cursor), s.Selected
	case !v.known || v.status.State == front.Blocked || v.status.State == front.NotNeeded:
		name = s.Dim
	}
	left := fmt.Sprintf("%2d %s", v.number, v.name)
	room := width - 5 - 1
	line := " " + cursor + " " + st.Render(sign) + " "
	short := sl.short(i)
	if free := room - style.Width(left) - 2; short != "" && (free >= 6 || style.Width(short) <= free) { // a few letters of a name say nothing
		short = s.Cut(short, free)
		gap := room - style.Width(left) - style.Width(short)
		return line + name.Render(left) + strings.Repeat(" ", gap) + s.Dim.Render(short) + " "
	}
	return line + name.Render(s.Cut(left, room)) + " "
}

// line replaces the list of steps on a narrow terminal.
func (sl *stepList) line() string {
	s, v := sl.m.s, sl.here()
	text := fmt.Sprintf(" step %d of %d %s %s", v.number, len(sl.steps), s.Signs.Separator, v.name)
	if short := sl.short(sl.at); short != "" {
		text += " " + short
	}
	text = s.Selected.Render(s.Cut(text, sl.m.w))
	if free := sl.m.w - style.Width(text) - 1; free >= len(sl.steps)+2 {
		var signs strings.Builder
		for i := range sl.steps {
			sign, st, _ := sl.sign(i)
			if i == sl.at {
				sign, st = s.Signs.Current, s.Accent
			}
			signs.WriteString(st.Render(sign))
		}
		text += strings.Repeat(" ", free-len(sl.steps)) + signs.String()
	}
	return text
}

// settled reports whether a step needs no work.
func (st *stepView) settled() bool {
	return st.known && st.err == nil && (st.status.State == front.Done || st.status.State == front.NotNeeded)
}

// fresh reports whether the status on the screen is fit to act on: it was read, and no later change may have
// unblocked the step.
func (st *stepView) fresh() bool {
	return st.known && (st.planned || st.status.State != front.Blocked)
}

// changeable reports whether the choice of the step can be made again now.
func (st *stepView) changeable() bool {
	if st.number == front.StepKeys { // their folder, as long as it is empty
		return st.fresh() && st.status.Change
	}
	return st.settled() || st.fresh() && st.status.Change
}

// changeWords says what doing a settled step again means.
func (st *stepView) changeWords() string {
	switch st.number {
	case front.StepRun:
		return "run again"
	case front.StepStart:
		return "change settings"
	case front.StepKeys:
		return "another folder"
	}
	return keys.change.Help().Desc
}

// nodeIDs returns name and node ID of every item that has one, a line each.
func (v *stepView) nodeIDs() (string, bool) {
	var b strings.Builder
	for _, it := range v.status.Items {
		if _, err := strconv.ParseUint(it.Text, 10, 64); err == nil {
			b.WriteString(it.Name + "\t" + it.Text + "\n")
		}
	}
	return b.String(), b.Len() > 0
}

// word takes the words of the steps from the work: a site whose federation somebody else coordinates has its own.
func (sl *stepList) word(steps []front.Step) {
	for i, st := range steps {
		v := &sl.steps[i]
		v.name, v.title, v.why, v.deed, v.undo = st.Name(), st.Title(), st.Why(), st.ID().Deed(), st.ID().Undo()
		if own, ok := st.(front.Worded); ok {
			v.deed, v.undo = own.Deed(), own.Undo()
		}
	}
}
