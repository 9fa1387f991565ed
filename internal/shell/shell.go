// Package shell writes commands that a person can type into /bin/sh word for word.
package shell

import (
	"strings"

	"flwrup/internal/termsafe"
)

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"

// Word makes one word of s, unchanged where that is safe.
func Word(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Path makes one word of a file's path that no program takes for a flag. What a terminal would act on is
// dropped, as everywhere that a path is shown.
func Path(p string) string { return Word(Arg(termsafe.Line(p))) }

// Arg returns p, a file's path, such that no program takes it for a flag.
func Arg(p string) string {
	if strings.HasPrefix(p, "-") {
		return "./" + p
	}
	return p
}

// Line joins args to one command.
func Line(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = Word(a)
	}
	return strings.Join(words, " ")
}
