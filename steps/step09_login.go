package steps

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/weblink"
	"flwrup/internal/whichgrid"
)

// login is step 9: flwr's device flow, approved in a browser on any machine.
type login struct{}

func (login) ID() front.StepID { return front.StepLogin }
func (login) Name() string     { return "Log in" }
func (login) Title() string    { return "Log in to the grid" }
func (login) Why() string {
	return "flwr shows a link. Open it in a browser, on this machine or any other, and choose \"Yes\" there. flwr then keeps a token, which it renews for some days."
}

// Needs returns the configuration: without it flwr does not know which grid to ask.
func (login) Needs() []Need {
	return []Need{{Step: front.StepConfigure, Why: "flwr does not know the grid yet"}}
}

// Wants returns the account, and its federations where it may change them.
func (login) Wants() Wants {
	return Wants{Status: site.ReadFlwr | site.ReadAccount | site.ReadFederationsNow, Plan: site.ReadFlwr}
}

func (login) Inspect(p Snapshot) (front.Status, error) {
	if problem.Is(p.Nodes.Err, problem.NotLoggedIn) {
		return front.Status{State: front.Ready, Evidence: []string{"not logged in"}}, nil
	}
	if p.Nodes.Err != nil {
		return front.Status{}, p.Nodes.Err
	}
	st := front.Status{State: front.Done, Short: p.Account, Evidence: []string{"the grid accepts the login"}}
	if p.Account != "" {
		st.Evidence = []string{"logged in as " + p.Account}
	}
	c := p.Choices
	switch {
	case c.Federation == "":
		st.State, st.Evidence = front.Ready, append(st.Evidence, "no federation chosen yet")
		return st, nil
	case p.Tool.Err != nil:
		return st, p.Tool.Err
	case !p.Dialect.Managed: // nothing can be made or changed from here
		return st, nil
	case p.Federations.Err != nil:
		return st, p.Federations.Err
	}
	if bad := whichgrid.Unfit(p.Federations.Value, c.Federation); bad != nil {
		st.State = front.Ready
		if bad.Code == problem.FedNotFound && c.CreateFederation {
			st.Evidence = append(st.Evidence, "federation "+c.Federation+" does not exist yet: flwrup creates it")
		} else {
			st.Evidence = append(st.Evidence, bad.Error())
		}
	}
	return st, nil
}

func (login) Plan(p Snapshot) ([]front.Action, error) {
	if p.Tool.Err != nil {
		return nil, p.Tool.Err
	}
	return []front.Action{
		p.Command("log in", p.Dialect.LoginArgv(p.Connection())),
		p.Command("check that it worked", p.Dialect.NodesArgv(p.Connection())),
	}, nil
}

func (l login) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	if _, _, err := s.GridNodes(ctx, 0); problem.Is(err, problem.NotLoggedIn) {
		// A login that the grid cut short begins again, with a new link.
		if err := site.Patiently(ctx, s, to, func() error { return l.signIn(ctx, s, f, to) }); err != nil {
			return err
		}
		s.Forget()
		if _, _, err := s.GridNodes(ctx, 0); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return whichgrid.SettleFederation(ctx, s, to, s.Choices().Federation)
}

// browserTalk is what flwr says about a browser, which flwrup keeps it from opening: LoginOpen says it better.
var browserTalk = regexp.MustCompile(`A browser window has been opened|If it did not open automatically|^\s*https?://\S+$`)

func (l login) signIn(ctx context.Context, s *site.Site, f site.Flwr, to front.Sink) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	asked := make(chan struct{})
	open := false
	err := f.Login(ctx, s.Connection(), func(p flwrexec.LoginPrompt) {
		now := time.Now()
		e := front.LoginOpen{URL: p.URL, Code: p.Code, Warn: linkWarning(s, f, p.URL), Since: now}
		if p.Expires > 0 {
			e.Expires = now.Add(p.Expires)
		}
		g, rehearses := site.GridRunning(s)
		if rehearses = rehearses && s.Rehearsal(); rehearses {
			l, err := g.LoginAt(ctx, p.URL)
			if err != nil {
				cancel(err)
			}
			e.Code, e.Typed = l.UserCode, true
		}
		to.Event(e)
		if open {
			return // flwr said more; the person is already being asked
		}
		open = true
		if rehearses {
			safego.Go("check whether the login is denied", func(error) {}, func() {
				if denied(ctx, g, e.Code) {
					cancel(problem.New(problem.LoginTimeout, "the login was denied", "somebody chose No in the browser, or typed a wrong code too often", "log in again, and choose Yes in the browser"))
				}
			})
			safego.Go("approve the rehearsal's login", func(err error) { cancel(err); close(asked) }, func() {
				if err := approve(ctx, s, g, e.Code, to); err != nil && ctx.Err() == nil {
					cancel(err)
				}
				close(asked)
			})
		} else {
			close(asked)
		}
	}, func(line string) {
		if !browserTalk.MatchString(line) {
			to.Event(front.Output{Text: line})
		}
	})
	if open {
		to.Event(front.LoginClosed{Approved: err == nil})
		cancel(context.Cause(ctx))
		<-asked
	}
	if cause := context.Cause(ctx); err != nil && cause != nil && cause != context.Canceled {
		return cause
	}
	return err
}

// linkWarning says why a login page is not opened without a further look.
func linkWarning(s *site.Site, f site.Flwr, link string) string {
	portal := ""
	if g, ok := site.GridRunning(s); ok && s.Rehearsal() {
		portal = g.Ready.Portal
	}
	return weblink.Foreign(link, s.Folder().ControlAddress(f.Dialect()), portal)
}

// denied waits until the login with a user code is denied, or ctx ends. Only a rehearsal's grid tells: a
// SuperLink answers flwr in the same way before the approval and after a denial.
func denied(ctx context.Context, g *grid.Grid, code string) bool {
	for safego.Sleep(ctx, 500*time.Millisecond) == nil {
		state, err := g.State(ctx)
		if err == nil && slices.ContainsFunc(state.Logins, func(l grid.Login) bool { return l.UserCode == code && l.Denied }) {
			return true
		}
	}
	return false
}

// approver is the rehearsal's grid at the login page.
type approver interface {
	Approve(ctx context.Context, code, account string) error
}

// approve does what a person does in the browser: in a rehearsal that nobody attends, at once; else
// when they say so, or never, if they went to the page themselves.
func approve(ctx context.Context, s *site.Site, g approver, code string, to front.Sink) error {
	if s.Options.Attended {
		answer, err := to.Ask(ctx, front.Question{ID: "approve", Kind: front.AskConfirm, Default: "yes",
			Ask:  "Approve this login as " + site.RehearsalAccount + " for the rehearsal?",
			Help: "On a real grid you open the link and choose \"Yes\". Here you can do the same, with the code; or let flwrup do it."})
		if err != nil || answer != "yes" {
			return err
		}
	}
	if err := g.Approve(ctx, code, site.RehearsalAccount); err != nil {
		return fmt.Errorf("approve the login: %w", err)
	}
	return nil
}
