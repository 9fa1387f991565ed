//go:build unix

package flwrexec

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/problem"
)

// slowFlwr is a flwr that answers after some seconds.
func slowFlwr(t *testing.T, seconds string, silent func(context.Context) error) *Session {
	t.Helper()
	program := filepath.Join(t.TempDir(), "flwr")
	text := "#!/bin/sh\nsleep " + seconds + "\necho '{\"success\": true, \"nodes\": [], \"runs\": []}'\n"
	if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	v, _ := flwr.ParseVersion("1.42.0")
	s := NewSession(install.Found{Program: program, Version: v}, SessionOptions{Dir: t.TempDir(), Silent: silent})
	t.Cleanup(func() { s.Close() })
	return s
}

func TestSilentGridEndsCommands(t *testing.T) {
	no := problem.New(problem.Unreachable, "the grid does not answer", "it is asleep", "wake it")
	var knocks atomic.Int32
	s := slowFlwr(t, "60", func(context.Context) error { knocks.Add(1); return no })
	c := flwr.Connection{Name: "supergrid"}
	for name, do := range map[string]func(ctx context.Context) error{
		"list": func(ctx context.Context) error { _, err := s.Nodes(ctx, c); return err },
		"register": func(ctx context.Context) error {
			_, err := s.Register(ctx, c, flwr.Registration{PublicKey: "key.pub"})
			return err
		},
		"show log": func(ctx context.Context) error { return s.ShowLog(ctx, c, 1, func(string) {}) },
		"log":      func(ctx context.Context) error { return s.FollowLog(ctx, c, 1, func(string) {}) },
		"login":    func(ctx context.Context) error { return s.Login(ctx, c, func(LoginPrompt) {}, func(string) {}) },
	} {
		began := time.Now()
		err := do(t.Context())
		if !Silent(err) || !problem.Is(err, problem.Unreachable) || problem.Of(err).Fix != "wake it" || time.Since(began) > 5*time.Second {
			t.Errorf("%s: after %v: %v", name, time.Since(began), err)
		}
		if !MayHaveHappened(err) {
			t.Errorf("%s: the question may have been heard", name)
		}
	}
	if n := knocks.Load(); n != 1 {
		t.Errorf("%d knocks: the verdict of a moment ago should do", n)
	}
	if err := errors.Join(problem.New(problem.Unreachable, "x", "", "")); Silent(err) {
		t.Error("any grid that is away is called silent")
	}
}

// A slow grid that lives has the session's own limit, both for changes and for a look.
func TestSlowGridIsWaitedFor(t *testing.T) {
	s := slowFlwr(t, "1", func(context.Context) error { return nil })
	c := flwr.Connection{Name: "supergrid"}
	if err := s.Unregister(t.Context(), c, 1); err != nil {
		t.Error(err)
	}
	look := OneLook(t.Context())
	if _, err := s.Nodes(look, c); err != nil {
		t.Error(err)
	}
	lookOf(look).left = 300 * time.Millisecond // has waited long enough for other answers
	if _, err := s.Runs(look, c); !Silent(err) || !problem.Is(err, problem.Unreachable) {
		t.Errorf("a look without a limit: %v", err)
	}
	began := time.Now()
	if _, err := s.Nodes(OneLook(look), c); !Silent(err) || time.Since(began) > 300*time.Millisecond {
		t.Errorf("the look goes on after %v: %v", time.Since(began), err)
	}
}

// The user's own Ctrl-C is not taken for a silent grid.
func TestStoppedWhileAsking(t *testing.T) {
	s := slowFlwr(t, "60", func(ctx context.Context) error { <-ctx.Done(); return errors.New("late") })
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := s.Nodes(ctx, flwr.Connection{Name: "supergrid"}); Silent(err) || !problem.Is(err, problem.Cancelled) {
		t.Error(err)
	}
}
