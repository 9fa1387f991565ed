package site

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"flwrup/internal/front"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
)

// secrets puts into spec the variables that only the node may see: those of its file, then those that are
// handed on from flwrup's environment or were asked for. Their values are kept nowhere but in memory and
// with the node.
func secrets(s *Site, spec *supernode.Spec, choice project.NodeChoice) error {
	spec.Secrets, spec.EnvNames = map[string]string{}, choice.Env
	if choice.EnvFile != "" {
		spec.EnvFile = s.Path(choice.EnvFile)
		if err := readEnvFile(spec.EnvFile, spec.Secrets); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range choice.Env {
		value, known := s.told[name]
		if !known {
			value, known = os.LookupEnv(name)
		}
		switch {
		case !known:
			spec.Missing = append(spec.Missing, name)
		case strings.ContainsAny(value, "\n\x00"):
			return problem.New(problem.BadInput, "the value of "+name+" has more than one line", "a SuperNode's variables have one line each",
				"put it into a file in a data folder of the node")
		default:
			spec.Secrets[name] = value
		}
	}
	return nil
}

var envLine = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)

// readEnvFile reads lines NAME=VALUE as docker's --env-file does: '#' begins a comment line, and what
// follows the first '=' is the value as it stands, quotes and all.
func readEnvFile(file string, into map[string]string) error {
	bad := func(what, why, fix string, err error) error {
		return &problem.Problem{Code: problem.BadInput, What: what, Why: why, Fix: fix, Err: err}
	}
	text, err := plainfile.Read(file)
	if err != nil {
		return bad("the file of variables "+file+" cannot be read", problem.Cause(err), "put it back, or take env-file out of flwrup.toml", err)
	}
	for i, line := range strings.Split(string(text), "\n") {
		line = strings.TrimSuffix(line, "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if !envLine.MatchString(line) || !utf8.ValidString(line) || strings.Contains(line, "\x00") {
			return bad(fmt.Sprintf("line %d of %s is not NAME=VALUE", i+1, file), "", "write one variable a line, without export", nil)
		}
		name, value, _ := strings.Cut(line, "=")
		into[name] = value
	}
	return nil
}

// AskValues asks the person for the values that a SuperNode cannot do without. Each is asked for once and
// serves all nodes that name it, as one in the environment would.
func AskValues(ctx context.Context, s *Site, spec supernode.Spec, to front.Sink) error {
	s.asking.Lock() // several nodes are started at the same time
	defer s.asking.Unlock()
	for _, name := range spec.Missing {
		s.mu.Lock()
		_, known := s.told[name]
		s.mu.Unlock()
		if known {
			continue
		}
		value, err := to.Ask(ctx, front.Question{ID: "value of " + name, Kind: front.AskSecret, Ask: "Value of " + name + "?",
			Help: "flwrup.toml hands this variable on to " + spec.Name + ", and it is not set here. It goes to the SuperNode alone; no file of flwrup's keeps it.",
			Validate: func(v string) error {
				if strings.ContainsAny(v, "\n\x00") {
					return errors.New("one line, please")
				}
				return nil
			}})
		if err != nil {
			return err
		}
		s.mu.Lock()
		if s.told == nil {
			s.told = map[string]string{}
		}
		s.told[name] = value
		s.mu.Unlock()
	}
	return nil
}
