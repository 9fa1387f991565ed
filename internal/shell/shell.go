// Package shell writes commands that a person can type into /bin/sh word for word.
package shell

import (
	"strings"

	"flwrup/internal/termsafe"
)

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,"

// Word quotes s as one word, unchanged where that is safe.
func Word(s string) string {
	if s != "" && strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Path quotes a file's path as one word that no program takes for a flag. It drops characters that a terminal
// would act on, as for every shown path.
func Path(p string) string { return Word(Arg(termsafe.Line(p))) }

// Arg returns p, a file's path, so that no program takes it for a flag.
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
