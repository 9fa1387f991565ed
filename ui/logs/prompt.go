package logs

import (
	"errors"
	"regexp/syntax"
	"strings"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
)

// prompt opens the line for typing a search, a filter or a time.
func (m *Model) prompt(what asking, text string) {
	m.asking, m.typoErr, m.was = what, "", *m.focused()
	m.wasFilter, m.wasLevel = m.filter, m.level
	m.input.SetValue(text)
	m.input.CursorEnd()
	m.input.Focus()
}

// typed handles a key while the prompt is open.
func (m *Model) typed(msg tea.KeyMsg) tea.Cmd {
	switch msg.String() {
	case "enter":
		return answered(m)
	case "esc":
		asked := m.asking
		m.asking, m.typoErr = nothing, ""
		m.input.Blur()
		switch asked {
		case forTime:
			return nil
		case forSearch:
			m.search = ""
			*m.focused() = m.was
			m.focused().has = false
		default:
			m.filter, m.level = m.wasFilter, m.wasLevel
		}
		return m.requery()
	case "tab":
		if m.asking == forFilter {
			m.level = nextLevel(m.level)
			return m.requery()
		}
		return nil
	}
	before := m.input.Value()
	m.input, _ = m.input.Update(msg) // the cursor stands still: no command of its own is needed
	text := m.input.Value()
	if text == before {
		return nil
	}
	if m.asking == forTime {
		m.typoErr = ""
		return nil
	}
	_, err := newMatcher(text)
	m.typoErr = wrong(err)
	if err != nil || halfRegex(text) || text == "" && m.asking == forFilter { // what was looked for before stays
		return nil
	}
	return seek(m, text)
}

// seek searches or filters for text, as the prompt asks.
func seek(m *Model, text string) tea.Cmd {
	switch {
	case m.asking == forFilter && m.filter != text:
		m.filter = text
	case m.asking == forSearch && m.search != text:
		m.search, m.focused().has = text, false
		m.wantsSeek = true
	default:
		return nil
	}
	return m.requery()
}

// answered takes what was typed. What cannot be taken stays, with the reason.
func answered(m *Model) tea.Cmd {
	text := m.input.Value()
	var cmd tea.Cmd
	if m.asking == forTime {
		if strings.TrimSpace(text) != "" {
			at, err := front.ParseMoment(text, m.now())
			if err != nil {
				m.typoErr = "not a time; try 10m, 14:00 or yesterday"
				return nil
			}
			p := m.focused()
			p.goTo(p.geometry(), at)
		}
	} else {
		if m.typoErr != "" {
			return nil
		}
		cmd = seek(m, text)
	}
	m.asking, m.typoErr = nothing, ""
	m.input.Blur()
	return cmd
}

// requery looks again for what is set.
func (m *Model) requery() tea.Cmd {
	filter, _ := newMatcher(m.filter) // set only when it is good
	search, _ := newMatcher(m.search)
	return m.ask(filter, search, m.level)
}

// halfRegex reports whether text is the beginning of a regular expression, or a text that begins with a slash.
func halfRegex(text string) bool { return strings.HasPrefix(text, "/") && !isRegex(text) }

// isRegex reports whether text is /an expression/.
func isRegex(text string) bool {
	return len(text) > 2 && text[0] == '/' && strings.HasSuffix(text, "/")
}

// wrong says in a few words what is wrong with an expression.
func wrong(err error) string {
	if err == nil {
		return ""
	}
	why := err.Error()
	var se *syntax.Error
	if errors.As(err, &se) {
		why = se.Code.String()
	}
	return "not a regex: " + why
}

// kindOf says how text is looked for.
func kindOf(text string) string {
	switch {
	case isRegex(text) && strings.ToLower(text) != text:
		return "regex, case counts"
	case isRegex(text):
		return "regex"
	case text == "/" || halfRegex(text):
		return "/ closes a regex; enter takes it as text"
	case text == "":
		return "text or /regex/"
	case strings.ToLower(text) != text:
		return "text, case counts"
	}
	return "text"
}
