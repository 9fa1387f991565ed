package steps

import (
	"os/exec"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/shell"
)

// command makes an Action of a flwr command, written so that it can be typed into /bin/sh in the
// project folder to the same effect: with FLWR_HOME where the site has its own, and with flwr's whole
// path where a plain `flwr` would be another one.
func (s *Site) command(says string, argv []string) front.Action {
	return front.Action{Says: says, Command: s.shell(argv), Flags: explain(argv)}
}

func (s *Site) shell(argv []string) string {
	words := make([]string, 0, len(argv)+1)
	if home := s.flwrHome(); home != "" {
		words = append(words, "FLWR_HOME="+shell.Path(home))
	}
	for i, w := range argv {
		if i == 0 && w == "flwr" {
			w = s.program()
		}
		words = append(words, shell.Word(w))
	}
	return strings.Join(words, " ")
}

// program is how a person's shell reaches this site's flwr.
func (s *Site) program() string {
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

// explain gives each flag of argv with what it does, where flwrexec knows.
func explain(argv []string) []front.Flag {
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

// shellWords splits a command line that flwrup itself wrote, for its flags only.
func shellWords(line string) []string { return strings.Fields(line) }
