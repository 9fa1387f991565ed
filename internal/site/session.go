package site

import (
	"context"
	"fmt"
	"os"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/problem"
	"flwrup/internal/trust"
	"flwrup/internal/userdirs"
)

// Session returns the flwr of this site, found as chosen. It installs nothing. One that the table of
// dialects does not cover is checked against its own help first, once.
func (s *Site) Session(ctx context.Context) (Flwr, error) {
	s.opening.Lock()
	defer s.opening.Unlock()
	s.mu.Lock()
	have := s.flwr
	s.mu.Unlock()
	if have != nil {
		return have, nil
	}
	if Holds(s, needFlwr...) {
		return nil, Withheld(s)
	}
	found, err := s.findFlwr(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := s.neutralDir()
	if err != nil {
		return nil, err
	}
	f := flwrexec.NewSession(found, flwrexec.SessionOptions{FlwrHome: s.FlwrHome(), Dir: dir, Silent: func(ctx context.Context) error { return SilentGrid(ctx, s) }})
	if !f.Dialect().Known() {
		if err := f.Check(ctx); err != nil {
			f.Close()
			return nil, err
		}
	}
	s.mu.Lock()
	s.flwr = f
	s.mu.Unlock()
	return f, nil
}

// CloseFlwr closes the flwr at hand. The next Session looks for the chosen one again.
func CloseFlwr(s *Site) {
	s.mu.Lock()
	old := s.flwr
	s.flwr = nil
	s.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
}

// Dialect is that of the flwr at hand, else of the chosen one, else of the newest. It looks for none.
func (s *Site) Dialect() flwr.Dialect {
	s.mu.Lock()
	f := s.flwr
	s.mu.Unlock()
	if f != nil {
		return f.Dialect()
	}
	if v, err := flwr.ParseVersion(s.Choices().Flwr.Version); err == nil {
		return flwr.DialectOf(v)
	}
	return flwr.Latest()
}

// neutralDir is a folder without pyproject.toml: a flwr from 1.26 on rewrites a
// pyproject.toml with the guide's block that it finds where it is started.
func (s *Site) neutralDir() (string, error) {
	dir := s.StateDir("cwd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", &problem.Problem{Code: problem.BadInput, What: "cannot make the folder " + dir, Why: problem.Cause(err),
			Fix: "make " + s.Dir + " writable for you", Err: err}
	}
	return dir, nil
}

// findFlwr looks for the chosen flwr, or for the best one that is there. It keeps why others were left
// aside. A flwr that the person named is never replaced by another one.
func (s *Site) findFlwr(ctx context.Context) (install.Found, error) {
	c := s.Choices()
	o := install.FindOptions{Path: s.Path(c.Flwr.Path), ProjectDir: s.Dir, Seen: &s.seen}
	brought := s.store.Missing(c.ID, environments(s, c))
	if len(brought) > 0 {
		o.ProjectDir = ""
	}
	if c.Grid.Rehearsal {
		o.Path, o.OnlyOwn = "", true // a rehearsal leaves the person's own environments alone
	}
	found, errs := install.Find(ctx, o)
	if ctx.Err() != nil {
		return install.Found{}, ctx.Err()
	}
	s.mu.Lock()
	s.aside = errs
	s.mu.Unlock()
	want := c.Flwr.Version
	for _, f := range found {
		if want == "" || f.Version.String() == want || f.Version.Raw == want {
			return f, nil
		}
	}
	if len(brought) > 0 {
		return install.Found{}, trust.Refused(s.Dir, brought)
	}
	what := "no flwr found"
	if want != "" {
		what = "flwr " + want + " is not installed"
	}
	if o.Path != "" {
		if len(found) == 0 && len(errs) > 0 {
			return install.Found{}, errs[0]
		}
		if len(found) > 0 {
			what = fmt.Sprintf("the flwr at %s is %s, and flwr %s is wanted", o.Path, found[0].Version, want)
		}
		return install.Found{}, problem.New(problem.FlwrMissing, what, "", "name that one with --flwr-path, or choose the version with --flwr")
	}
	for _, err := range errs {
		if problem.Is(err, userdirs.NoPlace, userdirs.Unsafe) {
			return install.Found{}, err
		}
	}
	return install.Found{}, problem.New(problem.FlwrMissing, what, "", "step 3 installs it")
}

// LeftAside returns a line for each flwr that is there and was not taken because it does not work.
func (s *Site) LeftAside() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, err := range s.aside {
		if problem.Is(err, problem.FlwrBroken, problem.FlwrDenied) {
			p := problem.Of(err)
			lines = append(lines, p.Error()+"; "+p.Fix)
		}
	}
	return lines
}

// flwrVersion returns the version of the flwr at hand, else the chosen one; "" while there is neither. It looks for
// none.
func flwrVersion(s *Site) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.flwr != nil {
		return s.flwr.Version().String()
	}
	return s.Choices().Flwr.Version
}
