package safego

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

// TestPanicIsAProblem: a panic is an error like any other for front ends, even wrapped, with its stack to
// report.
func TestPanicIsAProblem(t *testing.T) {
	var none *problem.Problem
	err := Call("a run", func() error { return errors.New(none.What) })
	told := make(chan error, 1)
	Go("a run", func(err error) { told <- err }, func() { panic("boom") })
	for _, err := range []error{err, <-told, fmt.Errorf("step 15: %w", err)} {
		p := problem.Of(err)
		if p.Code != problem.Internal || !strings.Contains(p.What, "a run") || !strings.Contains(p.Why, "panic") && !strings.Contains(p.Why, "nil pointer") && !strings.Contains(p.Why, "boom") ||
			!strings.Contains(p.Fix, "report") || !strings.Contains(p.Raw, "safego_test.go") || strings.Contains(p.Error(), "goroutine") {
			t.Errorf("%+v", p)
		}
	}
	if !strings.HasPrefix(problem.Of(fmt.Errorf("step 15: %w", err)).What, "step 15: ") {
		t.Error("the wrapping is lost")
	}
	bad := errors.New("bad")
	if Call("x", func() error { return nil }) != nil || Call("x", func() error { return bad }) != bad {
		t.Error("what does not panic")
	}
}
