package termsafe

import (
	"strings"
	"testing"
)

func TestQuote(t *testing.T) {
	for v, want := range map[string]string{
		"supernode_1":           "supernode_1",
		"Größe":                 "Größe",
		"":                      `""`,
		"two words":             `"two words"`,
		"a\nb":                  `"a\nb"`,
		"\x1b[31mred":           `"\x1b[31mred"`,
		"\u202elive":            `"\u202elive"`,
		"a\xffb":                `"a\xffb"`,
		strings.Repeat("x", 80): strings.Repeat("x", 80),
		strings.Repeat("x", 81): strings.Repeat("x", 79) + "…",
	} {
		if got := Quote(v); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
}
