package site

import (
	"testing"
	"time"

	"flwrup/internal/memo"
)

// TestKeptAnswersAreForgotten: what a room above keeps is forgotten with the grid's own answers.
func TestKeptAnswersAreForgotten(t *testing.T) {
	type report struct{ n int }
	s := &Site{}
	asked := 0
	get := func() int {
		r, _, err := Kept[memo.Answer[report]](s).Get(time.Hour, func() (report, error) { asked++; return report{asked}, nil })
		if err != nil {
			t.Fatal(err)
		}
		return r.n
	}
	for range 2 {
		if n := get(); n != 1 {
			t.Errorf("answer %d in the place of the first", n)
		}
	}
	s.Forget()
	if get() != 2 {
		t.Error("the answer outlives Forget")
	}
	s.ForgetGrid()
	if _, at, _ := Kept[memo.Answer[report]](s).Last(); !at.IsZero() || get() != 3 {
		t.Error("the answer outlives another grid")
	}
}
