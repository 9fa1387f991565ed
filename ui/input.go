package ui

import (
	"strconv"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/ui/dash"
	"flwrup/ui/logs"
)

// keys takes what was typed: letters that came in one piece, from a fast hand or over a slow line, are one
// key each.
func (m *Model) keys(msg tea.KeyMsg) tea.Cmd {
	if msg.Type != tea.KeyRunes || msg.Paste || len(msg.Runes) < 2 {
		return m.key(msg)
	}
	var cmds []tea.Cmd
	for _, r := range msg.Runes {
		if m.leaving {
			break
		}
		cmds = append(cmds, m.key(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune{r}, Alt: msg.Alt}))
	}
	return tea.Batch(cmds...)
}

// key takes a key: first what leaves, then a question on the screen, then the page on top.
func (m *Model) key(msg tea.KeyMsg) tea.Cmd {
	m.message, m.bad = "", false
	m.auto = false
	if key.Matches(msg, keys.break_) {
		return m.end(true, nil)
	}
	switch m.top() {
	case pageLogs:
		return m.inLogs(msg)
	case pageDash:
		return m.inDash(msg)
	case pageLeave:
		return m.inLeave(msg)
	case pagePick:
		return m.inPick(msg)
	case pageStep, pageWork:
		if f := m.form(); f != nil {
			if cmd, taken := m.inForm(f, msg); taken {
				return cmd
			}
		}
	}
	if cmd, taken := m.everywhere(msg); taken {
		return cmd
	}
	if m.top() == pageStep {
		return m.inStep(msg)
	}
	if m.top() == pageWork {
		return m.inWork(msg)
	}
	if key.Matches(msg, keys.enter) {
		return m.pop()
	}
	return nil
}

// form is the question that is on the screen now, if one is.
func (m *Model) form() *form {
	if !m.working() || m.job.form == nil || m.job.step != m.shownStep() {
		return nil
	}
	return m.job.form
}

// shownStep is the number of the step on the screen; 0 for the work page, -1 for other pages.
func (m *Model) shownStep() front.StepID {
	switch m.top() {
	case pageStep:
		return m.steps[m.at].number
	case pageWork:
		return 0
	}
	return -1
}

func (m *Model) inForm(f *form, msg tea.KeyMsg) (tea.Cmd, bool) {
	if key.Matches(msg, keys.back) {
		return m.stop(), true
	}
	answered, taken := f.update(msg)
	if answered {
		m.job.form = nil
		m.job.nextForm(m)
		m.follow()
	}
	if !taken && f.typing() && !scrolls(msg) {
		return nil, true
	}
	if taken {
		m.follow()
	}
	return nil, taken
}

func scrolls(msg tea.KeyMsg) bool {
	return msg.Type == tea.KeyPgUp || msg.Type == tea.KeyPgDown
}

// everywhere takes the keys that mean the same on all pages of text.
func (m *Model) everywhere(msg tea.KeyMsg) (cmd tea.Cmd, taken bool) {
	switch {
	case key.Matches(msg, keys.quit):
		return m.quit(), true
	case key.Matches(msg, keys.help):
		if m.top() == pageHelp {
			return m.pop(), true
		}
		m.push(pageHelp)
	case key.Matches(msg, keys.reference):
		m.push(pageReference)
	case key.Matches(msg, keys.places):
		m.push(pagePlaces)
	case key.Matches(msg, keys.pageUp):
		m.scroll(-max(m.bodyHeight()-2, 1))
	case key.Matches(msg, keys.pageDown):
		m.scroll(max(m.bodyHeight()-2, 1))
	case key.Matches(msg, keys.mouse):
		return m.toggleMouse(), true
	case key.Matches(msg, keys.dash):
		if m.top() == pageDash {
			m.base(pageStep)
			return m.shown(), true
		}
		return m.showDash(), true
	case key.Matches(msg, keys.copy):
		return m.copyWhat(), true
	case key.Matches(msg, keys.open):
		return m.openWhat(), true
	case key.Matches(msg, keys.raw):
		if m.top() == pageRaw {
			return m.pop(), true
		}
		if m.rawText() != "" {
			m.push(pageRaw)
		} else {
			m.message = "no output so far"
		}
	case key.Matches(msg, keys.logs):
		return m.showLogs(m.nodesToWatch()), true
	case key.Matches(msg, keys.back) && len(m.stack) > 1 && m.top() != pageWork:
		return m.pop(), true
	case m.top() != pageStep && m.top() != pageWork && key.Matches(msg, keys.up):
		m.scroll(-1)
	case m.top() != pageStep && m.top() != pageWork && key.Matches(msg, keys.down):
		m.scroll(1)
	case m.top() != pageStep && m.top() != pageWork && key.Matches(msg, keys.home):
		m.scroll(-1 << 20)
	case m.top() != pageStep && m.top() != pageWork && key.Matches(msg, keys.end):
		m.scroll(1 << 20)
	default:
		return nil, false
	}
	return nil, true
}

func (m *Model) inStep(msg tea.KeyMsg) tea.Cmd {
	st := &m.steps[m.at]
	switch {
	case key.Matches(msg, keys.up):
		return m.open(m.at - 1)
	case key.Matches(msg, keys.down):
		return m.open(m.at + 1)
	case key.Matches(msg, keys.home):
		return m.open(0)
	case key.Matches(msg, keys.end):
		return m.open(len(m.steps) - 1)
	case key.Matches(msg, keys.enter):
		return m.enter()
	case key.Matches(msg, keys.cancel):
		return m.stop()
	case key.Matches(msg, keys.qr) && m.login() != nil && len(m.job.qr) > 0:
		m.push(pageQR)
	case key.Matches(msg, keys.flags) && hasCommands(st.plan):
		m.push(pageFlags)
	case key.Matches(msg, keys.save) && m.hasRun():
		return m.saveMetrics()
	case key.Matches(msg, keys.look) && !m.working():
		st.stale = true
	case key.Matches(msg, keys.undo) && !m.working() && m.work.CanUndo(st.number):
		return m.undo()
	case key.Matches(msg, keys.change) && !m.working() && m.work.CanChange(st.number):
		return m.change()
	case key.Matches(msg, keys.back) && m.working() && m.job.step == st.number:
		m.message = "still at work: x stops it"
	}
	return nil
}

func (m *Model) inWork(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, keys.cancel):
		return m.stop()
	case key.Matches(msg, keys.enter, keys.back):
		if m.working() {
			m.message = "it goes on: " + m.job.what
			m.base(pageDash)
			return m.shown()
		}
		return m.pop()
	}
	return nil
}

// login is the login that waits for the person on the open step.
func (m *Model) login() *front.LoginOpen {
	if m.working() && m.job.step == m.shownStep() {
		return m.job.login
	}
	return nil
}

// enter does what the open step offers.
func (m *Model) enter() tea.Cmd {
	st := &m.steps[m.at]
	if m.working() {
		if m.job.step != st.number && m.job.step > 0 {
			return m.openStep(m.job.step)
		}
		return nil
	}
	if p := m.failure(); p != nil {
		if _, to := remedy(p, st.number); to > 0 && !m.last[st.number].sent() {
			m.last[st.number].remedied = true
			if p.Code == problem.RunReadOnly { // the step shows the edit and asks before it does it
				return tea.Batch(m.openStep(to), m.apply())
			}
			return m.openStep(to)
		}
		if m.last[st.number] == nil || m.last[st.number].err == nil { // looking failed, not doing
			st.stale = true
			return nil
		}
		return m.apply()
	}
	if !st.fresh() {
		return nil
	}
	switch st.status.State {
	case front.Done, front.NotNeeded:
		if n := m.next(m.at); n >= 0 {
			cmd := m.open(n)
			if st := &m.steps[n]; st.number.StartsOnArrival() && st.fresh() && st.status.State == front.Ready {
				return tea.Batch(cmd, m.apply()) // nothing to read before it
			}
			return cmd
		}
		return m.showDash()
	case front.Blocked:
		if by := st.status.By; by > 0 {
			return m.openStep(by)
		}
		st.stale = true
		return nil
	}
	if !st.planned { // what would be done is shown before it is done
		return nil
	}
	return m.apply()
}

// failure is what went wrong on the open step, nil when nothing did.
func (m *Model) failure() *problem.Problem {
	st := &m.steps[m.at]
	if j := m.last[st.number]; j != nil && j.over && j.err != nil {
		return problem.Of(j.err)
	}
	switch {
	case st.err != nil:
		return problem.Of(st.err)
	case st.planErr != nil:
		return problem.Of(st.planErr)
	}
	return nil
}

// openStep goes to a step.
func (m *Model) openStep(id front.StepID) tea.Cmd { return m.open(int(id) - 1) }

// open goes to the step with index i; it is looked at again unless that was just now.
func (m *Model) open(i int) tea.Cmd {
	i = min(max(i, 0), len(m.steps)-1)
	if m.top() != pageStep {
		m.base(pageStep)
	}
	m.moveTo(i)
	if st := &m.steps[i]; m.now().Sub(st.looked) >= fresh || !st.planned {
		st.stale = true
	}
	return m.shown()
}

func (m *Model) moveTo(i int) {
	m.at = i
	m.offset, m.pinned = 0, false
}

// quit leaves, or asks when something would be lost.
func (m *Model) quit() tea.Cmd {
	if m.working() && m.job.losing() {
		m.push(pageLeave)
		return nil
	}
	return m.end(false, nil)
}

func (m *Model) inLeave(msg tea.KeyMsg) tea.Cmd {
	switch {
	case key.Matches(msg, keys.yes):
		return m.end(false, nil)
	case key.Matches(msg, keys.no, keys.quit):
		return m.pop()
	}
	return nil
}

// inDash gives a key to the dashboard, but for those of the frame that it leaves free.
func (m *Model) inDash(msg tea.KeyMsg) tea.Cmd {
	if !m.dash.Typing() && !m.dash.Holds() && key.Matches(msg, keys.back) {
		m.base(pageStep)
		return m.shown()
	}
	if !m.dash.Typing() && !claims(m.dash.Keys(), msg) {
		if key.Matches(msg, keys.quit, keys.help, keys.reference, keys.places, keys.mouse, keys.dash) {
			cmd, _ := m.everywhere(msg)
			return cmd
		}
	}
	return m.dash.Update(msg)
}

func (m *Model) inLogs(msg tea.KeyMsg) tea.Cmd {
	if m.logs.Typing() {
		return m.logs.Update(msg)
	}
	if !m.logs.Holds() && key.Matches(msg, keys.back) || key.Matches(msg, keys.logs) {
		return m.pop()
	}
	if !claims(m.logs.Keys(), msg) && key.Matches(msg, keys.quit, keys.help, keys.reference, keys.places, keys.mouse, keys.dash) {
		cmd, _ := m.everywhere(msg)
		return cmd
	}
	cmd := m.logs.Update(msg)
	m.layout()
	return cmd
}

func claims(list []key.Binding, msg tea.KeyMsg) bool {
	for _, b := range list {
		if key.Matches(msg, b) {
			return true
		}
	}
	return false
}

// scroll moves the page by lines; it stays there until something new happens.
func (m *Model) scroll(by int) {
	m.offset = max(m.offset+by, 0)
	m.pinned = true
	d := m.document()
	_, m.offset, _ = d.window(m.offset, d.footed(m.bodyHeight()))
}

func (m *Model) wheel(msg tea.MouseMsg) tea.Cmd {
	by := 0
	switch msg.Button {
	case tea.MouseButtonWheelUp:
		by = -3
	case tea.MouseButtonWheelDown:
		by = 3
	default:
		return nil
	}
	switch m.top() {
	case pageDash:
		return m.dash.Update(msg)
	case pageLogs:
		var cmds []tea.Cmd
		k := tea.KeyMsg{Type: tea.KeyUp}
		if by > 0 {
			k.Type = tea.KeyDown
		}
		for range 3 {
			cmds = append(cmds, m.logs.Update(k))
		}
		return tea.Batch(cmds...)
	}
	m.scroll(by)
	return nil
}

func (m *Model) toggleMouse() tea.Cmd {
	m.mouse = !m.mouse
	if m.mouse {
		m.message = "mouse on: the wheel scrolls; M turns it off, so that text can be selected"
		return tea.EnableMouseCellMotion
	}
	m.message = "mouse off"
	return tea.DisableMouse
}

// showDash opens the dashboard.
func (m *Model) showDash() tea.Cmd {
	var cmds []tea.Cmd
	if m.dash == nil {
		m.dash = dash.New(m.work, m.s)
		cmds = append(cmds, m.dash.Init())
	}
	m.base(pageDash)
	return tea.Batch(append(cmds, m.shown())...)
}

// nodesToWatch are the nodes whose logs belong to what is on the screen; nil means all.
func (m *Model) nodesToWatch() []string {
	if j := m.last[m.steps[m.at].number]; j != nil && m.top() == pageStep {
		if names := j.nodes(); len(names) > 0 && j.step >= 12 {
			return names
		}
	}
	return nil
}

// showLogs opens the log panes of the named nodes; of all when there is no name.
func (m *Model) showLogs(names []string) tea.Cmd {
	if len(names) == 0 {
		work, ctx := m.work, m.ctx
		return func() tea.Msg {
			o := work.Overview(ctx, maxPause)
			for _, n := range o.Nodes {
				names = append(names, n.Name)
			}
			if len(names) == 0 {
				return saidMsg{text: "no SuperNode here yet: there are no logs", bad: true}
			}
			return dash.OpenLogs{Nodes: names}
		}
	}
	var cmd tea.Cmd
	switch {
	case m.logs == nil:
		m.logs = logs.New(m.work, names, m.s)
		cmd = m.logs.Init()
	case !equal(m.logs.Nodes(), names):
		cmd = m.logs.SetNodes(names)
	}
	m.push(pageLogs)
	return tea.Batch(cmd, m.shown())
}

func (m *Model) exported(e logs.Exported) {
	if e.Err != nil {
		m.message, m.bad = problem.Of(e.Err).Error(), true
		return
	}
	m.message = strconv.Itoa(e.Lines) + " lines written to " + e.Path
}

func equal(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func hasCommands(plan []front.Action) bool {
	for _, a := range plan {
		if a.Command != "" {
			return true
		}
	}
	return false
}

func itoa(n int) string { return strconv.Itoa(n) }
