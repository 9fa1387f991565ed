package site

import (
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
)

// A run that was lost with its grid is the next grid's where its ServerApp starts there, or where that grid says how it
// ended.
func TestRevived(t *testing.T) {
	began := time.Date(2026, 11, 27, 2, 0, 0, 9e8, time.UTC)
	lost := ledger.Run{ID: "7", App: "app", Status: string(front.RunLost), Lost: began}
	for _, c := range []struct {
		app  string
		have flwrexec.Run
		want string
	}{
		{"app", flwrexec.Run{Status: "pending"}, "pending"},
		{"app", flwrexec.Run{Status: "running", Running: began.Add(2 * time.Second)}, "running"},
		{"app", flwrexec.Run{Status: "running", Running: began.Add(-time.Second)}, "lost"},     // its ServerApp is gone
		{"app", flwrexec.Run{Status: "running", Running: began.Truncate(time.Second)}, "lost"}, // a moment before
		{"app", flwrexec.Run{Status: "starting"}, "lost"},
		{"other", flwrexec.Run{Status: "pending"}, "lost"},
		{"other", flwrexec.Run{Status: "finished", SubStatus: "completed"}, "finished:completed"},
		{"app", flwrexec.Run{Status: "finished", SubStatus: "failed"}, "finished:failed"},
	} {
		if got := revived(lost, c.have, c.app); got.Status != c.want || got.Lost.IsZero() != (c.want != "lost") {
			t.Errorf("%+v with the app %s: %+v, want %s", c.have, c.app, got, c.want)
		}
	}
}
