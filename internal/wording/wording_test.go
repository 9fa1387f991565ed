package wording

import (
	"slices"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{0: "0 pairs", 1: "1 pair", 2: "2 pairs"} {
		if got := Count(n, "pair"); got != want {
			t.Errorf("Count(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestAround(t *testing.T) {
	if got := Around(" (", "ada", ")"); got != " (ada)" {
		t.Errorf("%q", got)
	}
	if got := Around(" (", "", ")"); got != "" {
		t.Errorf("%q", got)
	}
}

func TestSlug(t *testing.T) {
	for text, want := range map[string]string{"St. Mary_2": "st-mary-2", "--a--": "a", "病院": "", "Ä-b": "b"} {
		if got := Slug(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestOnce(t *testing.T) {
	if got := Once([]string{"b", "a", "b", "c", "a"}); !slices.Equal(got, []string{"b", "a", "c"}) {
		t.Error(got)
	}
	if got := Once(nil); len(got) > 0 {
		t.Error(got)
	}
}
