package steps

import (
	"context"
	"fmt"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/admission"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/site"
	"flwrup/internal/sites"
	"flwrup/internal/whichgrid"
	"flwrup/internal/wording"
)

// A site whose federation somebody else coordinates goes through the same 16 steps. Those that need an account are the
// coordinator's; in the place of the registration the site sends a request, and takes the reply.
var coordinated = append([]Step{}, checklist...)

// A coordinator without a SuperNode of its own goes through the same 16 steps: those for each SuperNode are the sites'.
var sitesOnly = append([]Step{}, checklist...)

func init() {
	sitesOnly[front.StepCount-1] = noneHere{}
	for _, t := range []theirs{
		{Step: makeKeys{}, why: "all SuperNodes are at other sites, and each site makes its own keys"},
		{Step: backUp{}, why: "no key of a SuperNode is here"},
		{Step: register{}, why: "the keys of a site are registered when you admit it: flwrup admit FILE"},
		{Step: handOver{}, why: "SuperNodes of a site join the federation when you admit it"},
		{Step: confirmation{}, why: "the sites' SuperNodes are confirmed when you admit them"},
		{Step: start{}, why: "each site starts its own SuperNodes"},
	} {
		sitesOnly[t.ID()-1] = t
	}
	for _, t := range []theirs{
		{Step: account{}, why: "the coordinator has the Flower account; this site needs none"},
		{Step: chooseFederation{}, why: "the coordinator's reply names the federation"},
		{Step: configure{}, why: "flwr gives no commands here: SuperNodes get the grid's address when they start"},
		{Step: login{}, why: "this site needs no login: its SuperNodes prove who they are with their keys"},
		{Step: handOver{}, why: "the coordinator adds the SuperNodes to the federation"},
		{Step: confirmation{}, why: "the coordinator's reply confirms the SuperNodes"},
		{Step: runTask{}, why: "the coordinator starts the runs"},
		{Step: monitor{}, why: "the coordinator sees the runs' results; the dashboard has the SuperNodes' logs"},
	} {
		coordinated[t.ID()-1] = t
	}
	coordinated[front.StepTools-1] = toolsOfSite{}
	coordinated[front.StepRegister-1] = askCoordinator{}
}

// noneHere is step 5 of a coordinator without a SuperNode of its own.
type noneHere struct{ count }

func (noneHere) Wants() Wants { return Wants{} }
func (noneHere) Inspect(p Snapshot) (front.Status, error) {
	return front.Status{State: front.Done, Short: "0", Evidence: []string{"no SuperNode here: all are at other sites, which you admit"}}, nil
}

// theirs is a step that another institution does, or that only an account needs.
type theirs struct {
	Step
	why string
}

// Why says who does the step instead.
func (t theirs) Why() string { return strings.ToUpper(t.why[:1]) + t.why[1:] + "." }

func (theirs) Deed() string { return "continue" }
func (theirs) Undo() string { return "nothing changes here" }

func (theirs) Needs() []Need { return nil }
func (theirs) Wants() Wants  { return Wants{} }

func (t theirs) Inspect(p Snapshot) (front.Status, error) {
	st := front.Status{State: front.NotNeeded, Why: t.why}
	if c, ok := p.Ledger.Coordinator(p.Choices.Grid.Connection); ok {
		st.Evidence = []string{"the coordinator is " + c.Name}
		if t.ID() == front.StepFederation {
			st.Evidence, st.Short = append(st.Evidence, p.Choices.Federation), p.Choices.Federation
		}
	}
	return st, nil
}

func (theirs) Plan(Snapshot) ([]front.Action, error) { return nil, nil }

func (theirs) Apply(context.Context, *site.Site, front.Sink) error { return nil }

// toolsOfSite is step 3 of a site: the reply says which flwr the grid speaks to.
type toolsOfSite struct{ tools }

func (t toolsOfSite) Wants() Wants {
	w := t.tools.Wants()
	return Wants{Ready: w.Status, Plan: w.Plan}
}

func (t toolsOfSite) Inspect(p Snapshot) (front.Status, error) {
	if _, joined := p.Ledger.Coordinator(p.Choices.Grid.Connection); !joined {
		return front.Status{State: front.NotNeeded, Why: "the coordinator's reply (step 10) says which flwr the grid needs"}, nil
	}
	if p.Parts&site.ReadFlwr == 0 {
		return front.Status{State: front.Ready}, nil // read on, see Wants
	}
	return t.tools.Inspect(p)
}

// askCoordinator is step 10 of a site without an account: the request goes out, the reply comes in.
type askCoordinator struct{ register }

func (askCoordinator) Title() string { return "Ask the coordinator to register" }
func (askCoordinator) Deed() string  { return "write the request" }
func (askCoordinator) Undo() string {
	return "nothing is registered from here: the coordinator does that"
}
func (askCoordinator) Why() string {
	return "The coordinator of the federation registers the public keys of this site. flwrup writes them into a request; you send it by mail or chat. " +
		"It holds nothing secret: the private keys stay here. The reply brings the node IDs and the grid's address."
}

// Needs returns the keys: the request is signed with them.
func (askCoordinator) Needs() []Need {
	return []Need{{Step: front.StepKeys, Why: "make the keys first"}}
}

func (askCoordinator) Wants() Wants {
	return Wants{Status: site.ReadKeys | readRequest, Plan: site.ReadKeys}
}

func (a askCoordinator) Inspect(p Snapshot) (front.Status, error) {
	st, err := a.register.Inspect(p)
	if err != nil || st.State != front.Ready && st.State != front.Done {
		return st, err
	}
	if c, ok := p.Ledger.Coordinator(p.Choices.Grid.Connection); ok && st.State == front.Done {
		st.Evidence = []string{fmt.Sprintf("%s admitted %s, %s", c.Name, wording.Count(st.Of, "SuperNode"), c.Taken.Local().Format("2 January 2006, 15:04")),
			"replies are signed with " + c.Key}
		return st, nil
	}
	st.Evidence = nil
	request, ok := sites.Pending(p.Snapshot)
	if !ok {
		st.Evidence = []string{"no request made for these keys"}
		return st, nil
	}
	st.State, st.Person, st.Deed, st.Letter = front.Waiting, true, "take the reply", p.Request
	st.Why = "send " + request.File + " to your coordinator, then take the reply: flwrup join FILE"
	st.Evidence = []string{"request made " + request.Made.Local().Format("2 January 2006, 15:04") + ": " + request.File, "your words, for the telephone: " + request.Words}
	return st, nil
}

func (askCoordinator) Plan(p Snapshot) ([]front.Action, error) {
	if _, ok := sites.Pending(p.Snapshot); ok {
		return []front.Action{{Says: "take the coordinator's reply", Command: "flwrup join FILE"}}, nil
	}
	return []front.Action{{Says: "write a request with the public keys, for you to send", Command: "flwrup request"}}, nil
}

func (askCoordinator) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	return sites.Exchange(ctx, s, to)
}

// Request makes of the folder that of a site, with its keys, and returns its request; see sites.Request.
func Request(ctx context.Context, s *site.Site, to front.Sink) (letter sites.Letter, err error) {
	if err := sites.Become(ctx, s, to); err != nil {
		return letter, err
	}
	for _, id := range []front.StepID{front.StepCount, front.StepKeys} {
		if err := Apply(ctx, s, id, to); err != nil {
			return letter, err
		}
	}
	err = site.InTurn(ctx, s, "writing the request", to, func(front.Sink) error { letter, err = sites.Request(ctx, s); return err })
	return letter, err
}

// Admit admits the SuperNodes of a site, in this flwrup's turn; see sites.Admit.
func Admit(ctx context.Context, s *site.Site, r admission.SealedRequest, words string, to front.Sink) (letter sites.Letter, err error) {
	defer s.Forget()
	err = site.InTurn(ctx, s, "admitting "+r.Site, to, func(to front.Sink) error {
		return loggedIn(ctx, s, to, func() error { letter, err = sites.Admit(ctx, s, r, words, to); return err })
	})
	return letter, err
}

// Join takes a coordinator's reply, in this flwrup's turn; see sites.Join.
func Join(ctx context.Context, s *site.Site, text []byte, words string, to front.Sink) error {
	defer s.Forget()
	return site.InTurn(ctx, s, "taking the coordinator's reply", to, func(to front.Sink) error { return sites.Join(ctx, s, text, words, to) })
}

// Invite invites accounts to the federation, or with revoke takes open invitations back; without accounts it only looks.
// It acts in this flwrup's turn; see invites.
func Invite(ctx context.Context, s *site.Site, accounts []string, revoke bool, to front.Sink) (state invites.State, err error) {
	defer s.Forget()
	do := invites.Invite
	if revoke {
		do = invites.Revoke
	}
	err = site.InTurn(ctx, s, "inviting", to, func(to front.Sink) error {
		return loggedIn(ctx, s, to, func() error { state, err = do(ctx, s, accounts, to); return err })
	})
	return state, err
}

// JoinFederation makes a federation of somebody else's the folder's, and sees that the flwr there knows invitations. Step 9
// accepts the invitation; see site.Options.Join.
func JoinFederation(ctx context.Context, s *site.Site, federation string) error {
	if err := whichgrid.Join(s, federation); err != nil {
		return err
	}
	_, _ = s.Session(ctx) // where none is here, step 3 installs one
	return flwrexec.CheckInvitations(s.Dialect())
}
