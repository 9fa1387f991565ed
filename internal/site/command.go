package site

import (
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
)

// Explain gives each flag of argv with what it does, where flwrexec knows.
func Explain(argv []string) []front.Flag {
	var flags []front.Flag
	for _, w := range argv {
		name, _, _ := strings.Cut(w, "=")
		if !strings.HasPrefix(name, "-") {
			continue
		}
		if means := flwr.ExplainFlag(name); means != "" {
			flags = append(flags, front.Flag{Flag: name, Means: means})
		}
	}
	return flags
}

// ShellWords splits a command line that flwrup itself wrote, for its flags only.
func ShellWords(line string) []string { return strings.Fields(line) }
