package ui

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"flwrup/internal/front"
)

// TestMain also is a program: with FLWRUP_UI_DEMO it shows the wizard over a fake, for tests that need a
// whole process in a terminal of its own, and for people who want to see it.
func TestMain(m *testing.M) {
	if kind := os.Getenv("FLWRUP_UI_DEMO"); kind != "" {
		os.Exit(showDemo(kind))
	}
	os.Exit(m.Run())
}

func showDemo(kind string) int {
	f := demo(100 * time.Millisecond)
	o := Options{Work: f, Start: os.Getenv("FLWRUP_UI_START"), ExitAfter: 5 * time.Second}.FromEnv(os.Getenv)
	demoFault(kind, f)
	res, err := Run(context.Background(), o)
	if err != nil {
		fmt.Printf("error: %v\n", err)
		return 1
	}
	fmt.Printf("left at step %d, interrupted %v, signal %v\n", res.Step, res.Interrupted, res.Signal)
	if res.Interrupted {
		return 130
	}
	return 0
}

// demoFault breaks the fake as a test asks.
func demoFault(kind string, f *fake) {
	switch kind {
	case "panic-key":
		f.apply[1] = func(context.Context, front.Sink) error { panic("applying broke") }
	case "panic-screen": // called as one types, by Update
		f.apply[1] = func(ctx context.Context, to front.Sink) error {
			_, err := to.Ask(ctx, front.Question{ID: "nodes", Kind: front.AskText, Ask: "How many?", Default: "2",
				Validate: func(string) error { panic("the screen broke") }})
			return err
		}
	case "panic-inspect":
		f.inspect = func(_ context.Context, n front.StepID) {
			if n == 2 {
				panic("inspection broke")
			}
		}
	}
}
