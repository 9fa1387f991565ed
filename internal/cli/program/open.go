package program

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/internal/trust"
)

// OpenToLook opens a site for reading only: another flwrup may be at work in it.
func (p *Program) OpenToLook() (*site.Site, error) {
	if p.TrustAll {
		if err := acceptAll(p.FindDir()); err != nil {
			return nil, err
		}
	}
	s, err := site.Open(site.Options{Dir: p.FindDir(), ReadOnly: true})
	if err == nil {
		tellWithheld(p, s)
	}
	return s, err
}

// LookingAt looks at one run: that of args, else the last one started here.
func (p *Program) LookingAt(args []string, do func(s *site.Site, id string) error) error {
	return p.Looking(func(s *site.Site) error {
		id, _ := runs.GoingRun(s)
		if len(args) > 0 {
			id = args[0]
		}
		if id == "" {
			return problem.New(problem.RunNotFound, "no run was started here yet", "", "flwrup run starts one; flwrup runs lists those of the account")
		}
		return do(s, id)
	})
}

// Looking opens the site for reading only and hands it to do.
func (p *Program) Looking(do func(*site.Site) error) error {
	s, err := p.OpenToLook()
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

// Open opens a site to act in. Where the folder asks for something that nobody accepted, a person at the
// terminal is asked once; --trust accepts it, and without either it is an error.
func (p *Program) Open(ctx context.Context, o site.Options, yes bool) (*site.Site, error) {
	o.Trust, o.Ctx, o.To = p.TrustAll, ctx, p.Front(yes)
	s, err := site.Open(o)
	var left *site.Unaccepted
	if !errors.As(err, &left) || yes || p.JSON || !p.Attended() {
		return s, err
	}
	if err := AskTrust(ctx, p, left); err != nil {
		return nil, err
	}
	o.Accept = left.Values
	return site.Open(o)
}

// AskTrust shows what a folder asks for, and asks whether the person accepts it.
func AskTrust(ctx context.Context, p *Program, left *site.Unaccepted) error {
	to := p.Front(false)
	answer, err := to.Ask(ctx, front.Question{ID: "trust", Kind: front.AskConfirm, Default: "no",
		Ask:  "Accept this for " + left.Dir + "?",
		Help: "This came with the folder, or was written into flwrup.toml by hand:\n  " + strings.Join(trust.Lines(left.Values), "\n  ")})
	if err == nil && answer != "yes" {
		return problem.New(problem.NotAccepted, "nothing was done", "you did not accept what "+left.Dir+" asks for",
			"take it out of flwrup.toml, or accept it with `flwrup trust`")
	}
	return err
}

// Gate is open's question for commands that open sites themselves.
func Gate(ctx context.Context, p *Program, dir string) error {
	t, err := site.Trust(dir, nil)
	if err != nil || len(t.Open) == 0 {
		return err
	}
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	left := &site.Unaccepted{Dir: dir, Values: t.Open}
	switch {
	case p.TrustAll:
	case p.JSON || !p.Attended():
		return left
	default:
		if err := AskTrust(ctx, p, left); err != nil {
			return err
		}
	}
	_, err = site.Trust(dir, t.Open)
	return err
}

// acceptAll accepts what the folder asks for, for commands that only look: --trust.
func acceptAll(dir string) error {
	t, err := site.Trust(dir, nil)
	if err == nil && len(t.Open) > 0 {
		_, err = site.Trust(dir, t.Open)
	}
	return err
}

// tellWithheld says on the standard error what a command that only looks leaves out.
func tellWithheld(p *Program, s *site.Site) {
	left := site.LeftOut(s)
	if len(left) == 0 {
		return
	}
	fmt.Fprintf(p.Err, "flwrup leaves out what you have not accepted:\n  %s\n  what to do: %s\n",
		strings.Join(trust.Lines(left), "\n  "), trust.Refused(s.Dir, left).Fix)
}
