package problem

import (
	"errors"
	"fmt"
	"testing"
)

// TestJoin: any nil error, in any place.
func TestJoin(t *testing.T) {
	first, second := New(BadInput, "the first", "its why", "its fix"), errors.New("the second")
	for _, errs := range [][]error{nil, {nil}, {nil, nil}} {
		if err := Join(errs...); err != nil {
			t.Errorf("%v: %v", errs, err)
		}
	}
	for _, errs := range [][]error{{first}, {first, nil}, {nil, first}, {nil, first, nil}} {
		if err := Join(errs...); err != error(first) {
			t.Errorf("%v: %v", errs, err)
		}
	}
	given := []error{nil, first, nil, second, fmt.Errorf("third: %w", second)}
	p := Of(Join(given...))
	if p.Code != BadInput || p.What != "the first (and 2 more)" || p.Fix != "its fix" || p.Raw != "the second\nthird: the second\n" || !errors.Is(p, second) {
		t.Errorf("%+v", p)
	}
	if given[0] != nil || given[1] != error(first) || first.What != "the first" {
		t.Error("what was given is changed")
	}
}
