package ui

import "testing"

// CommandLines returns the command lines that the palette shows on the dashboard of five SuperNodes with a run.
func CommandLines(t *testing.T) (list []string) {
	m := still(world(16), 16, 120, 40, Options{})
	t.Cleanup(m.close)
	m.title.Rehearsal = true
	openDash(t, m)
	m.work.(*fake).over.Runs[0].Status = "running"
	pump(t, m, m.dash.Init(), func(string) bool { return m.dash.Overview().Runs[0].Status == "running" })
	for _, c := range commandsOf(m, m.dash) {
		if c.line != "" {
			list = append(list, c.line)
		}
	}
	return list
}
