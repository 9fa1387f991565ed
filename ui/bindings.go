package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
)

// bindings are the keys that mean something now, the most useful first, "all keys" last.
func (m *Model) bindings() []key.Binding {
	switch m.top() {
	case pageStep:
		if f := m.form(); f != nil && f.typing() {
			return m.stepBindings()
		}
		return append(m.stepBindings(), keys.help)
	case pageDash:
		if m.dash.Typing() {
			return m.dash.Keys()
		}
		return append(deeds(m.dash.Keys()), as(keys.back, "steps"), keys.quit, keys.help)
	case pageLogs:
		if m.logs.Typing() {
			return m.logs.Keys()
		}
		list := deeds(m.logs.Keys())
		if !m.logs.Holds() {
			list = append([]key.Binding{keys.back}, list...)
		}
		return append(list, keys.quit, keys.help)
	case pageWork:
		return append(m.workBindings(), keys.help)
	case pagePick:
		return []key.Binding{as(keys.enter, m.pick.verb()), bind("1-9", "choose", "1"), bind("↑↓", "move", "up"), keys.back}
	case pageLeave:
		return []key.Binding{as(keys.yes, "leave and stop it"), keys.no}
	case pageHelp:
		return []key.Binding{bind("↑↓", "scroll", "up"), keys.back}
	case pageRaw, pageReference, pageFlags:
		return []key.Binding{keys.back, bind("↑↓", "scroll", "up"), as(keys.copy, "copy"), keys.help}
	case pagePlaces:
		return []key.Binding{keys.back, as(keys.open, "open"), as(keys.copy, "copy"), keys.help}
	}
	return []key.Binding{keys.back, keys.help}
}

func (m *Model) workBindings() []key.Binding {
	var list []key.Binding
	if f := m.form(); f != nil {
		list = append(list, f.bindings()...)
		list = append(list, as(keys.back, "stop this"))
	} else if m.working() {
		list = append(list, as(keys.back, "to the nodes, it goes on"), keys.cancel)
	} else {
		list = append(list, as(keys.enter, "back"))
	}
	if m.rawText() != "" {
		list = append(list, keys.raw)
	}
	return append(list, keys.quit)
}

func (m *Model) stepBindings() []key.Binding {
	st := &m.steps[m.at]
	here := m.working() && m.job.step == st.number
	var list []key.Binding
	f := m.form()
	switch {
	case f != nil:
		list = append(list, f.bindings()...)
		list = append(list, as(keys.back, "stop this"))
		if f.typing() {
			return list
		}
	case here && !m.job.stopping:
		list = append(list, keys.cancel)
	case here:
	default:
		if words := m.enterWords(); words != "" {
			list = append(list, as(keys.enter, words))
		}
	}
	if m.login() != nil {
		list = append([]key.Binding{as(keys.copy, "copy link"), as(keys.open, "open it")}, list...)
		if len(m.job.qr) > 0 {
			list = append(list, keys.qr)
		}
	} else {
		if n := len(m.copies()); n > 0 {
			list = append(list, as(keys.copy, m.copyWords()))
		}
		if len(m.links()) > 0 {
			list = append(list, keys.open)
		}
	}
	if m.failure() != nil && m.rawText() != "" {
		list = append(list, keys.raw)
	}
	if !m.working() {
		if hasCommands(st.plan) {
			list = append(list, keys.flags)
		}
		if m.work.CanUndo(st.number) {
			list = append(list, keys.undo)
		}
		if m.work.CanChange(st.number) && (st.settled() || st.fresh() && st.status.Change) {
			list = append(list, as(keys.change, st.changeWords()))
		}
	}
	if m.failure() != nil {
		list = append(list, keys.places)
	}
	if st.number.HasLogs() {
		list = append(list, keys.logs)
	}
	if m.hasRun() {
		list = append(list, keys.save)
	}
	return append(list, keys.dash, keys.quit)
}

// changeWords says what doing a settled step anew means.
func (st *stepView) changeWords() string {
	switch st.number {
	case front.StepRun:
		return "run again"
	case front.StepStart:
		return "change settings"
	}
	return keys.change.Help().Desc
}

// enterWords says what Enter does on the open step; "" when it does nothing.
func (m *Model) enterWords() string {
	st := &m.steps[m.at]
	switch {
	case m.working() && m.job.step > 0:
		return "go to step " + m.job.step.String()
	case m.working():
		return ""
	}
	if p := m.failure(); p != nil {
		words, to := remedy(p, st.number)
		j := m.last[st.number]
		switch {
		case to > 0 && !j.sent(), to > 0 && j == nil:
			return words
		case j == nil || j.err == nil:
			return "look again"
		}
		if to > 0 {
			return "try again"
		}
		return words
	}
	if !st.fresh() {
		return ""
	}
	switch st.status.State {
	case front.Done, front.NotNeeded:
		if n := m.next(m.at); n >= 0 {
			return "go on to " + m.steps[n].name
		}
		return "dashboard"
	case front.Blocked:
		return "go to step " + st.status.By.String()
	case front.Waiting:
		return "look closer"
	}
	if !st.planned {
		return ""
	}
	return "do this"
}

// deeds are the bindings of a component without those that only move about: everybody finds those.
func deeds(list []key.Binding) []key.Binding {
	var out []key.Binding
	for _, b := range list {
		if !claims([]key.Binding{keys.up, keys.down, keys.pageUp, keys.pageDown, keys.home, keys.end}, keyOf(b)) || b.Help().Key == "space" {
			out = append(out, b)
		}
	}
	return out
}

// keyOf is a press of a binding's first key.
func keyOf(b key.Binding) tea.KeyMsg {
	names := map[string]tea.KeyType{"up": tea.KeyUp, "down": tea.KeyDown, "pgup": tea.KeyPgUp, "pgdown": tea.KeyPgDown,
		"home": tea.KeyHome, "end": tea.KeyEnd}
	for _, k := range b.Keys() {
		if t, ok := names[k]; ok {
			return tea.KeyMsg{Type: t}
		}
	}
	return tea.KeyMsg{}
}
