package dash

import (
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/health"
	"flwrup/internal/notify"
)

// Tell asks the frame for a notification of the terminal: something was lost, or is back.
type Tell struct{ Entries []notify.Entry }

// teller decides what the terminal tells, as flwrup watch does for people who do not look.
type teller struct{ told notify.Tracker }

// hear takes the last overview.
func (t *teller) hear(m *Model) tea.Cmd {
	set := m.src.Notify()
	var list []notify.Entry
	for _, e := range t.told.Look(health.ToTell(m.have, m.now().Round(0), clean, nil), set.Bearable()) {
		if (e.Kind == notify.Lost || e.Kind == notify.Back) && set.Hears(e.What) {
			list = append(list, e)
		}
	}
	if len(list) == 0 || set.Terminal == notify.TerminalOff {
		return nil
	}
	return send(Tell{list})
}
