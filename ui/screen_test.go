package ui

import "testing"

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"":                         "",
		"the grid does not answer": "The grid does not answer",
		"stopped.":                 "Stopped.",
		"flwrup.toml was changed":  "flwrup.toml was changed",
		"supernode_1 ended":        "supernode_1 ended",
		"keys/a is missing":        "keys/a is missing",
	} {
		if got := sentence(text); got != want {
			t.Errorf("%q became %q, not %q", text, got, want)
		}
	}
}
