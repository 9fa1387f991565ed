package ui

import (
	"context"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/termsafe"
	"flwrup/ui/dash"
)

// othersEvery is how often the screen looks what other flwrups do in the folder: a small file and a lock.
const othersEvery = time.Second

// othersMsg is what other flwrups do now.
type othersMsg struct{ front.Others }

// watchOthers sends what other flwrups do whenever that has changed, until ctx ends.
func watchOthers(ctx context.Context, work Work, send func(tea.Msg)) {
	var last front.Others
	for ctx.Err() == nil {
		if now := work.Others(); now != last {
			last = now
			send(othersMsg{now})
		}
		select {
		case <-ctx.Done():
		case <-time.After(othersEvery):
		}
	}
}

// seeOthers shows what other flwrups do, and looks again at what one of them has changed.
func seeOthers(m *Model, now front.Others) tea.Cmd {
	now.Doing = termsafe.Line(now.Doing)
	before := m.others
	m.others = now
	acted := now.PID > 0 || before.PID > 0 || before.Record != "" && now.Record != before.Record
	if acted && !m.desk.working() {
		m.title = cleanTitle(m.work.Title())
		m.list.staleAll(-1)
	}
	if m.dash == nil {
		return nil
	}
	return m.dash.Update(dash.Others{Others: now, Acted: acted})
}

// othersNote says in the title line what another flwrup does.
func othersNote(o front.Others) string {
	switch {
	case o.PID > 0:
		return fmt.Sprintf("pid %d: %s", o.PID, o.Doing)
	case o.Doing != "":
		return "another flwrup: " + o.Doing
	}
	return ""
}
