// Package invites is the way into a federation with an account: its owner invites accounts, and they accept. Only names
// travel.
package invites

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// Member is an account of a federation.
type Member struct {
	Account    string `json:"account"` // without its @
	Role       string `json:"role"`    // owner, member
	SuperNodes int    `json:"supernodes"`
	Online     int    `json:"online"`
}

// State is who is in a federation, and who is invited to it.
type State struct {
	Federation string                `json:"federation"`
	Members    []Member              `json:"members"`
	Open       []flwrexec.Invitation `json:"invited"` // and have not answered
	Join       string                `json:"join"`    // the command for those invited
}

// Parse reads accounts as a person writes them, and returns them without their @.
func Parse(words []string) (accounts []string, err error) {
	for _, w := range words {
		name, err := flwrexec.ParseAccount(w)
		if err != nil {
			return nil, err
		}
		accounts = append(accounts, name)
	}
	return accounts, nil
}

// Lines says for a person who is in and who is invited.
func (s State) Lines() []string {
	lines := []string{s.Federation}
	for _, m := range s.Members {
		lines = append(lines, fmt.Sprintf("  @%s  %s, %s, %d online", m.Account, cmp.Or(m.Role, "no member any more"), wording.Count(m.SuperNodes, "SuperNode"), m.Online))
	}
	for _, i := range s.Open {
		lines = append(lines, "  @"+i.Account+"  invited"+wording.Around(" ", Since(i), "")+", no answer so far")
	}
	if len(s.Open) == 0 {
		return append(lines, "No invitation is open. flwrup invite @ACCOUNT sends one.")
	}
	return append(lines, "", "Send this to those invited; it holds nothing secret:", "", "  "+s.Join)
}

func (s State) owner() string {
	for _, m := range s.Members {
		if m.Role == "owner" {
			return m.Account
		}
	}
	return Owner(s.Federation)
}

func (s State) has(account string) bool {
	return slices.ContainsFunc(s.Members, func(m Member) bool { return m.Account == account })
}

func (s State) invited(account string) bool {
	return slices.ContainsFunc(s.Open, func(i flwrexec.Invitation) bool { return i.Account == account })
}

// Owner returns the account in the ID of a federation, without its @; "" where the ID names none.
func Owner(federation string) string {
	account, _, err := flwrexec.ParseFederation(federation)
	if err != nil {
		return ""
	}
	return account
}

// Members joins the members of a federation with the SuperNodes there that the grid still knows. The owner comes first,
// then by name.
func Members(d flwrexec.FederationDetails) []Member {
	var list []Member
	at := func(account string) *Member {
		i := slices.IndexFunc(list, func(m Member) bool { return m.Account == account })
		if i < 0 {
			list = append(list, Member{Account: account})
			i = len(list) - 1
		}
		return &list[i]
	}
	for _, m := range d.Members {
		at(strings.TrimPrefix(m.Account, "@")).Role = m.Role
	}
	for _, n := range d.Nodes {
		if n.Status == flwrexec.StatusUnregistered || n.Owner == "" {
			continue
		}
		m := at(strings.TrimPrefix(n.Owner, "@"))
		if m.SuperNodes++; n.Status == flwrexec.StatusOnline {
			m.Online++
		}
	}
	slices.SortStableFunc(list, func(a, b Member) int {
		if a.Role != b.Role && (a.Role == "owner" || b.Role == "owner") {
			return cmp.Compare(b.Role, a.Role) // owner after member in the alphabet
		}
		return cmp.Compare(a.Account, b.Account)
	})
	return list
}

// Reach says of each account but own what a run in the federation reaches, or that it reaches nothing there.
func Reach(d flwrexec.FederationDetails, own string) (lines []string) {
	for _, m := range Members(d) {
		switch {
		case m.Account == own:
		case m.SuperNodes > 0:
			lines = append(lines, fmt.Sprintf("it reaches %s of @%s, %d online", wording.Count(m.SuperNodes, "SuperNode"), m.Account, m.Online))
		default:
			lines = append(lines, fmt.Sprintf("@%s is a %s and has no SuperNode in the federation", m.Account, cmp.Or(m.Role, "member")))
		}
	}
	return lines
}

// SayReach says before a run starts whom else it reaches. A grid that does not answer is left to the run.
func SayReach(ctx context.Context, s *site.Site, d flwr.Dialect, to front.Sink) {
	if !d.Managed {
		return
	}
	if details, err := s.Federation(ctx, site.Fresh); err == nil {
		for _, line := range Reach(details, s.Ledger.Account(s.Choices().Grid.Connection)) {
			to.Event(front.Says{Text: line})
		}
	}
}

// Look asks the grid who is in the chosen federation, and who is invited.
func Look(ctx context.Context, s *site.Site, to front.Sink) (State, error) {
	c := s.Choices()
	state := State{Federation: c.Federation, Join: message(s, c.Federation)}
	switch {
	case s.Folder().Coordinated():
		return state, problem.New(problem.BadInput, "cannot invite from here", "this site has no account: its coordinator has the federation", "ask the coordinator to invite them")
	case c.Federation == "":
		return state, problem.New(problem.NeedsPerson, "cannot invite", "no federation is chosen in this folder", "`flwrup` chooses or creates one (step 2)")
	}
	err := site.Patiently(ctx, s, to, func() error {
		all, err := site.Invitations(ctx, s, 0)
		if err != nil {
			return err
		}
		state.Open = slices.DeleteFunc(all.Sent, func(i flwrexec.Invitation) bool { return i.Federation != c.Federation })
		d, err := s.Federation(ctx, 0)
		state.Members = Members(d)
		return err
	})
	return state, err
}

// Invite invites accounts to the chosen federation, after a question. Who is a member or invited already is left as
// they are. It returns the state after that.
func Invite(ctx context.Context, s *site.Site, accounts []string, to front.Sink) (State, error) {
	state, err := Look(ctx, s, to)
	if err != nil {
		return state, err
	}
	var due []string
	for _, a := range slices.Compact(slices.Sorted(slices.Values(accounts))) {
		switch {
		case state.has(a):
			to.Event(front.Says{Text: "@" + a + " is in " + state.Federation + " already"})
		case state.invited(a):
			to.Event(front.Says{Text: "@" + a + " is invited already, and has not answered"})
		default:
			due = append(due, a)
		}
	}
	if len(due) == 0 {
		return state, nil
	}
	answer, err := to.Ask(ctx, front.Question{ID: "invite", Kind: front.AskConfirm, Default: "yes",
		Ask:  "Invite " + strings.Join(at(due), ", ") + " to " + state.Federation + "?",
		Help: "Who accepts sees the members and runs of the federation, and its runs reach their SuperNodes. flwrup invite --revoke takes an open invitation back."})
	if err != nil || answer != "yes" {
		return state, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return state, err
	}
	for _, a := range due {
		err := site.Surely(ctx, s, to, func() error { return f.Invite(ctx, s.Connection(), flwr.Invite, a, state.Federation) })
		switch {
		case problem.Is(err, flwrexec.Invited, flwrexec.AccountIn): // an answer was lost, or they were quicker
		case problem.Is(err, problem.FedNotFound):
			return state, problem.New(problem.NotAllowed, "cannot invite @"+a+" to "+state.Federation, "only its owner, @"+state.owner()+", can invite",
				"ask @"+state.owner()+" to invite them")
		case problem.Is(err, flwrexec.NoAccount):
			return state, problem.New(problem.BadInput, "cannot invite @"+a, "the grid knows no such account", "ask them for its name: flower.ai shows it, top right")
		case err != nil:
			return state, err
		}
		to.Event(front.Says{Text: "invited @" + a + " to " + state.Federation})
	}
	return Look(ctx, s, to)
}

// Revoke takes open invitations of accounts to the chosen federation back. Where there is none, nothing changes. It
// returns the state after that.
func Revoke(ctx context.Context, s *site.Site, accounts []string, to front.Sink) (State, error) {
	state, err := Look(ctx, s, to)
	if err != nil {
		return state, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return state, err
	}
	for _, a := range slices.Compact(slices.Sorted(slices.Values(accounts))) {
		switch {
		case state.has(a):
			return state, problem.New(problem.BadInput, "cannot take the invitation of @"+a+" back", "they have accepted it: @"+a+" is in "+state.Federation,
				"remove the account with flwr: flwr federation remove-account (flwr 1.28 and later)")
		case !state.invited(a):
			to.Event(front.Says{Text: "@" + a + " has no open invitation to " + state.Federation})
			continue
		}
		err := site.Surely(ctx, s, to, func() error { return f.Invite(ctx, s.Connection(), flwr.Revoke, a, state.Federation) })
		if err != nil && !problem.Is(err, flwrexec.NoInvitation) { // the next look tells what became of it
			return state, err
		}
		to.Event(front.Says{Text: "took the invitation of @" + a + " back"})
	}
	return Look(ctx, s, to)
}

// message is the command that the coordinator sends to those invited. On a grid with a certificate of its own they need
// that file, too.
func message(s *site.Site, federation string) string {
	g := s.Choices().Grid
	text := "flwrup join " + federation
	if g.Control == "" || flwr.OfSuperGrid(g.Control) {
		return text
	}
	text += " --connection " + shell.Word(g.Connection) + " --control " + shell.Word(g.Control) + " --fleet " + shell.Word(site.FleetOf(g, s.Dialect()))
	if g.CA != "" {
		text += " --ca " + shell.Word(filepath.Base(g.CA))
	}
	return text
}

// Answer has the person answer the open invitation to a federation, and does it: the account becomes a member, declines,
// or leaves it open. It reports whether the account is in the federation then. Who has named the federation in `flwrup
// join` is not asked again. Of a federation where the account is in, nothing changes. account is whose login this is,
// "" where nobody knows.
func Answer(ctx context.Context, s *site.Site, federation, account string, to front.Sink) (bool, error) {
	if in, err := member(ctx, s, federation); err != nil || in {
		return in, err
	}
	all, err := site.Invitations(ctx, s, 0)
	if err != nil {
		return false, err
	}
	i, ok := all.From(federation)
	if !ok {
		return false, Missing(federation, account)
	}
	answer := accept
	if s.Options.Join != federation {
		if !s.Options.Attended { // nobody comes into a federation of others unasked
			return false, problem.New(problem.NeedsPerson, "@"+i.Account+" invites this account to "+federation, "a person has to accept that", "flwrup join "+federation+" accepts it")
		}
		answer, err = to.Ask(ctx, front.Question{ID: "invitation", Kind: front.AskChoice, Default: accept, Ask: "Accept the invitation of @" + i.Account + " to " + federation + "?", Help: Care,
			Choices: []front.Choice{{Value: accept, Label: "accept it", Note: "runs of the federation reach your SuperNodes there"},
				{Value: decline, Label: "decline it", Note: "@" + i.Account + " can invite you again"}, {Value: site.Later, Label: "neither, now"}}})
		if err != nil || answer == site.Later {
			return false, err
		}
	}
	if answer == decline {
		return false, do(ctx, s, flwr.Reject, i, account, to)
	}
	return true, do(ctx, s, flwr.Accept, i, account, to)
}

// The answers to an invitation.
const (
	accept  = "accept"
	decline = "decline"
)

// Care is for the person who is invited.
const Care = "Whoever is in a federation can start runs that reach its SuperNodes. Accept only what you expect, from people that you know."

// Accept accepts an open invitation.
func Accept(ctx context.Context, s *site.Site, i flwrexec.Invitation, account string, to front.Sink) error {
	return do(ctx, s, flwr.Accept, i, account, to)
}

// do accepts or rejects an invitation. Where the answer of the grid was lost, the account's federations tell.
func do(ctx context.Context, s *site.Site, op flwr.InviteOp, i flwrexec.Invitation, account string, to front.Sink) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	err = site.Surely(ctx, s, to, func() error { return f.Invite(ctx, s.Connection(), op, "", i.Federation) })
	s.Forget()
	if problem.Is(err, flwrexec.NoInvitation) {
		in, lerr := member(ctx, s, i.Federation)
		switch {
		case lerr != nil:
			return lerr
		case in == (op == flwr.Accept):
			err = nil // the first answer was lost
		case op == flwr.Accept:
			return Missing(i.Federation, account)
		}
	}
	if err == nil {
		said := map[flwr.InviteOp]string{flwr.Accept: "accepted", flwr.Reject: "declined"}
		to.Event(front.Says{Text: said[op] + " the invitation of @" + i.Account + " to " + i.Federation})
	}
	return err
}

func member(ctx context.Context, s *site.Site, federation string) (bool, error) {
	list, err := s.Federations(ctx, 0)
	return slices.ContainsFunc(list, func(f flwrexec.Federation) bool { return f.ID == federation }), err
}

// Missing is the Problem of an account that nobody has invited to a federation.
func Missing(federation, account string) *problem.Problem {
	who, say := "your account", "flwrup invite @ACCOUNT, with the name of your account"
	if account != "" {
		who, say = "@"+account, "flwrup invite @"+account
	}
	return problem.New(flwrexec.NoInvitation, "cannot join "+federation, who+" is no member, and has no open invitation to it",
		"ask @"+Owner(federation)+" to run: "+say+"; then the same command continues here")
}

// Sentence says who invites to what.
func Sentence(i flwrexec.Invitation) string {
	return "@" + i.Account + " invites you to " + i.Federation
}

// Since says when an invitation was sent; "" where flwr does not tell.
func Since(i flwrexec.Invitation) string {
	if i.Made.IsZero() {
		return ""
	}
	return i.Made.Local().Format("2 January 2006, 15:04")
}

// at puts the @ before accounts.
func at(accounts []string) (list []string) {
	for _, a := range accounts {
		list = append(list, "@"+a)
	}
	return list
}
