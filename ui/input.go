package ui

import (
	"strconv"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
)

// keys handles typed text: letters in one piece, from a fast hand or over a slow line, are one key each.
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

// key handles a key: Ctrl-C leaves, everything else is for the page on top.
func (m *Model) key(msg tea.KeyMsg) tea.Cmd {
	m.say("")
	if m.list.auto && !m.flow.met && key.Matches(msg, keys.enter) {
		return nil // pressed before there was anything to answer
	}
	m.list.auto = false
	if key.Matches(msg, keys.break_) {
		return m.end(true, nil)
	}
	return m.top().update(msg)
}

// everywhere handles the keys that mean the same on all pages of text.
func (m *Model) everywhere(msg tea.KeyMsg) (cmd tea.Cmd, taken bool) {
	switch {
	case key.Matches(msg, keys.quit):
		return m.quit(), true
	case key.Matches(msg, keys.help):
		m.push(&helpPage{text{m}, m.top()})
	case key.Matches(msg, keymap.Palette):
		return showPalette(m), true
	case key.Matches(msg, keys.reference):
		m.push(&referencePage{text{m}})
	case key.Matches(msg, keys.places):
		m.push(&getHelpPage{text{m}})
	case key.Matches(msg, keys.pageUp):
		m.scroll(-max(m.bodyHeight()-2, 1))
	case key.Matches(msg, keys.pageDown):
		m.scroll(max(m.bodyHeight()-2, 1))
	case key.Matches(msg, keys.mouse):
		return m.toggleMouse(), true
	case key.Matches(msg, keys.dash):
		return m.showDash(), true
	case key.Matches(msg, keys.copy):
		return m.copyWhat(), true
	case key.Matches(msg, keys.open):
		return m.openWhat(), true
	case key.Matches(msg, keys.raw):
		if rawText(m) != "" {
			m.push(&rawPage{text{m}})
		} else {
			m.say("no output so far")
		}
	case key.Matches(msg, keys.logs):
		return m.showLogs(nil), true
	default:
		return nil, false
	}
	return nil, true
}

// quit leaves, or asks when something would be lost.
func (m *Model) quit() tea.Cmd {
	if m.desk.working() && m.desk.job.losing() {
		m.push(&leavePage{text{m}})
		return nil
	}
	return m.end(false, nil)
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
	return m.top().wheel(msg, by)
}

func (m *Model) toggleMouse() tea.Cmd {
	m.mouse = !m.mouse
	if m.mouse {
		m.say("mouse on: the wheel scrolls; M turns it off, so that text can be selected")
		return tea.EnableMouseCellMotion
	}
	m.say("mouse off")
	return tea.DisableMouse
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
