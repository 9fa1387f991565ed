// Package wording writes numbers of things as people read them.
package wording

import "strconv"

// Plural returns the word for n things: "pair" for one, else "pairs".
func Plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// Count returns the number and its word: "1 line", "12 lines".
func Count(n int, word string) string { return strconv.Itoa(n) + " " + Plural(n, word) }
