package site

import (
	"os/exec"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/shell"
)

// Command makes an Action of a flwr command, written so that it can be typed into /bin/sh in the
// project folder to the same effect: with FLWR_HOME where the site has its own, and with flwr's whole
// path where a plain `flwr` would be another one.
func Command(s *Site, says string, argv []string) front.Action {
	return front.Action{Says: says, Command: typed(s, argv), Flags: Explain(argv)}
}

func typed(s *Site, argv []string) string {
	words := make([]string, 0, len(argv)+1)
	if home := s.FlwrHome(); home != "" {
		words = append(words, "FLWR_HOME="+shell.Path(home))
	}
	for i, w := range argv {
		if i == 0 && w == "flwr" {
			w = program(s)
		}
		words = append(words, shell.Word(w))
	}
	return strings.Join(words, " ")
}

// program is how a person's shell reaches this site's flwr.
func program(s *Site) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flwr == nil {
		return "flwr"
	}
	own := s.flwr.Found().Program
	if p, err := exec.LookPath("flwr"); err == nil && p == own {
		return "flwr"
	}
	return own
}

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
