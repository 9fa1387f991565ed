package wording

import "testing"

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 pairs", 1: "1 pair", 2: "2 pairs"} {
		if got := Count(n, "pair"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}
