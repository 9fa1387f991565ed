package watch

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/sitetest"
	"flwrup/internal/turn"
)

// Several folders are watched at the same time. One that cannot be ends all of a watch that a person started, and none of a
// service's.
func TestFolders(t *testing.T) {
	ready, taken := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1), sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1)
	unlock, err := turn.LockWatch(taken.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	dirs := []string{ready.Dir, taken.Dir}
	if err := Folders(t.Context(), dirs, Options{Each: func(string, health.WatchEvent) {}}); !problem.Is(err, problem.Busy) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var said []string
	ended := make(chan error, 1)
	go func() {
		ended <- Folders(ctx, dirs, Options{Patient: true, Each: func(dir string, e health.WatchEvent) {
			said = append(said, map[string]string{ready.Dir: "ready", taken.Dir: "taken"}[dir]+" "+string(e.Kind)+" "+string(e.Code))
			if text := strings.Join(said, "\n"); strings.Contains(text, "ready watching ") && strings.Contains(text, "taken not-watched") {
				cancel()
			}
		}})
	}()
	select {
	case err = <-ended:
	case <-time.After(30 * time.Second):
		t.Fatal("it does not end")
	}
	text := strings.Join(said, "\n")
	if !problem.Is(err, problem.Cancelled) || !strings.Contains(text, "ready watching ") || !strings.Contains(text, "taken not-watched busy") {
		t.Errorf("%v, said\n%s", err, text)
	}
}
