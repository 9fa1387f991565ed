package termsafe

import (
	"strconv"
	"strings"
	"unicode"
)

const quoted = 80 // characters of a value at most

// Quote returns a value as it stands in a sentence on one line: as it is, or in quotes and with escapes where it
// is empty or has blanks or characters that do not print. A long one is cut.
func Quote(v string) string {
	if r := []rune(v); len(r) > quoted {
		v = string(r[:quoted-1]) + "…"
	}
	if v == "" || strings.ContainsFunc(v, func(r rune) bool { return r == unicode.ReplacementChar || r == ' ' || !unicode.IsPrint(r) }) {
		return strconv.Quote(v)
	}
	return v
}
