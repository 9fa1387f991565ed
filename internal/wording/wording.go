// Package wording writes numbers of things, and parts of sentences, as people read them.
package wording

import (
	"slices"
	"strconv"
	"strings"
)

// Plural returns the word for n things: "pair" for one, else "pairs".
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// Count returns the number and its word: "1 line", "12 lines".
func Count(n int, word string) string { return strconv.Itoa(n) + " " + Plural(n, word) }

// Around returns text with before and after around it; "" stays "".
func Around(before, text, after string) string {
	if text == "" {
		return ""
	}
	return before + text + after
}

// Slug returns the lower-case ASCII letters and digits of text with single hyphens in the place of all else: st-mary.
// It is "" where text has none.
func Slug(text string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(text) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	return strings.TrimRight(b.String(), "-")
}

// Once returns list without repetition, in its order.
func Once(list []string) (once []string) {
	for _, text := range list {
		if !slices.Contains(once, text) {
			once = append(once, text)
		}
	}
	return once
}
