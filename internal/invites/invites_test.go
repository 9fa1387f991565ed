package invites_test

import (
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/invites"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

const lungs = "@eve/lungs"

// owner opens a site whose account owns @ada/study; bob is a member with two SuperNodes there.
func owner(t *testing.T) (*site.Site, *sitetest.Grid) {
	g := sitetest.NewGrid("1.42.0")
	g.Accounts = []flwrexec.Member{{Account: "bob", Role: "member"}, {Account: "ada", Role: "owner"}}
	g.Members = []flwrexec.Node{{ID: 1, Owner: "bob", Status: flwrexec.StatusOnline}, {ID: 2, Owner: "bob", Status: flwrexec.StatusOffline},
		{ID: 3, Owner: "bob", Status: flwrexec.StatusUnregistered}}
	return sitetest.Open(t, g, 1), g
}

func calls(g *sitetest.Grid, op flwr.InviteOp) (n int) {
	for _, c := range g.Calls {
		if c == string(op) {
			n++
		}
	}
	return n
}

// TestInviteTwice: the second time changes nothing, nor does it ask; members are not invited.
func TestInviteTwice(t *testing.T) {
	s, g := owner(t)
	for range 2 {
		to := &sitetest.Scripted{}
		state, err := invites.Invite(t.Context(), s, []string{"eve", "bob", "eve"}, to)
		if err != nil {
			t.Fatal(err)
		}
		if len(state.Open) != 1 || state.Open[0].Account != "eve" || len(state.Members) != 2 || calls(g, flwr.Invite) != 1 {
			t.Errorf("%+v, %v", state, g.Calls)
		}
		if m := state.Members; m[0].Account != "ada" || m[1] != (invites.Member{Account: "bob", Role: "member", SuperNodes: 2, Online: 1}) {
			t.Errorf("members %+v", m)
		}
		if !strings.Contains(to.Said(), "@bob is in @ada/study already") {
			t.Errorf("said %s", to.Said())
		}
		if state.Join != "flwrup join @ada/study" || !strings.Contains(strings.Join(state.Lines(), "\n"), "\n  flwrup join @ada/study") {
			t.Errorf("%q, %q", state.Join, state.Lines())
		}
	}
}

// TestInviteNeedsAYes: without one, nobody is invited.
func TestInviteNeedsAYes(t *testing.T) {
	s, g := owner(t)
	state, err := invites.Invite(t.Context(), s, []string{"eve"}, &sitetest.Scripted{Answers: map[string]string{"invite": "no"}})
	if err != nil || len(state.Open) != 0 || calls(g, flwr.Invite) != 0 {
		t.Errorf("%+v %v %v", state, err, g.Calls)
	}
}

// TestInviteLostAnswers: the grid has invited, and its answer was cut off.
func TestInviteLostAnswers(t *testing.T) {
	s, g := owner(t)
	g.Faults["create"] = []sitetest.Fault{{Err: sitetest.ErrCut, Done: true}}
	state, err := invites.Invite(t.Context(), s, []string{"eve"}, &sitetest.Heard{})
	if err != nil || len(state.Open) != 1 {
		t.Errorf("%+v %v", state, err)
	}
}

// TestInviteRefused: the words of the grid become a person's.
func TestInviteRefused(t *testing.T) {
	for code, says := range map[problem.Code]string{
		flwrexec.NoAccount:  "cannot invite @eve: the grid knows no such account",
		problem.FedNotFound: "only its owner, @ada, can invite",
		problem.NotAllowed:  "no",
	} {
		s, g := owner(t)
		g.Faults["create"] = []sitetest.Fault{{Err: problem.New(code, "no", "", "")}}
		if _, err := invites.Invite(t.Context(), s, []string{"eve"}, &sitetest.Heard{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", code, err)
		}
	}
	s, _ := owner(t)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Federation = "" })
	if _, err := invites.Invite(t.Context(), s, nil, &sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) {
		t.Errorf("without a federation: %v", err)
	}
	old := sitetest.Open(t, sitetest.NewGrid("1.26.1"), 1)
	if _, err := invites.Invite(t.Context(), old, []string{"eve"}, &sitetest.Heard{}); !problem.Is(err, problem.NotSupported) || !strings.Contains(err.Error(), "1.27") {
		t.Errorf("with an old flwr: %v", err)
	}
}

// TestRevoke: an open invitation is taken back once, an accepted one cannot be.
func TestRevoke(t *testing.T) {
	s, g := owner(t)
	g.Open.Sent = []flwrexec.Invitation{{Federation: "@ada/study", Account: "eve"}, {Federation: "@ada/other", Account: "eve"}}
	for range 2 {
		state, err := invites.Revoke(t.Context(), s, []string{"eve"}, &sitetest.Heard{})
		if err != nil || len(state.Open) != 0 || len(g.Open.Sent) != 1 || calls(g, flwr.Revoke) != 1 {
			t.Errorf("%+v %v, left %+v", state, err, g.Open.Sent)
		}
	}
	if _, err := invites.Revoke(t.Context(), s, []string{"bob"}, &sitetest.Heard{}); err == nil || !strings.Contains(err.Error(), "@bob is in @ada/study") {
		t.Errorf("of a member: %v", err)
	}
}

func guest(t *testing.T) (*site.Site, *sitetest.Grid) {
	g := sitetest.NewGrid("1.42.0")
	g.Open.Received = []flwrexec.Invitation{{Federation: lungs, Account: "eve"}}
	s := sitetest.Open(t, g, 1)
	s.Options.Attended = true
	return s, g
}

// TestAnswer: Enter accepts, and the next time nothing is left to answer; a person may decline, or wait.
func TestAnswer(t *testing.T) {
	s, g := guest(t)
	for range 2 {
		if in, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Heard{}); err != nil || !in || calls(g, flwr.Accept) != 1 {
			t.Errorf("accepted: %v %v %v", in, err, g.Calls)
		}
	}
	s, g = guest(t)
	if in, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Scripted{Answers: map[string]string{"invitation": site.Later}}); err != nil || in || len(g.Open.Received) != 1 {
		t.Errorf("later: %v %v", in, err)
	}
	if in, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Scripted{Answers: map[string]string{"invitation": "decline"}}); err != nil || in || len(g.Open.Received) != 0 {
		t.Errorf("declined: %v %v", in, err)
	}
	_, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Heard{})
	if p := problem.Of(err); !problem.Is(err, flwrexec.NoInvitation) || !strings.Contains(p.Why, "@bob") || !strings.Contains(p.Fix, "ask @eve to run: flwrup invite @bob") {
		t.Errorf("none is open: %v", err)
	}
}

// TestNobodyAcceptsUnasked: unattended, only the federation named in flwrup join is come into.
func TestNobodyAcceptsUnasked(t *testing.T) {
	s, g := guest(t)
	s.Options.Attended = false
	if in, err := invites.Answer(t.Context(), s, lungs, "", &sitetest.Heard{}); !problem.Is(err, problem.NeedsPerson) || in || calls(g, flwr.Accept) != 0 {
		t.Errorf("%v %v %v", in, err, g.Calls)
	}
	s.Options.Join = lungs
	if in, err := invites.Answer(t.Context(), s, lungs, "", &sitetest.Heard{}); err != nil || !in {
		t.Errorf("named: %v %v", in, err)
	}
}

// TestAcceptLostAnswers: the account is in, and the answer was cut off; the second call finds no invitation.
func TestAcceptLostAnswers(t *testing.T) {
	s, g := guest(t)
	g.Faults["accept"] = []sitetest.Fault{{Err: sitetest.ErrCut, Done: true}}
	if in, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Heard{}); err != nil || !in || len(g.Joined) != 1 {
		t.Errorf("%v %v, in %v", in, err, g.Joined)
	}
	s, g = guest(t)
	g.Faults["accept"] = []sitetest.Fault{{Err: problem.New(flwrexec.NoInvitation, "none", "", "")}} // taken back meanwhile
	if in, err := invites.Answer(t.Context(), s, lungs, "bob", &sitetest.Heard{}); !problem.Is(err, flwrexec.NoInvitation) {
		t.Errorf("taken back: %v %v", in, err)
	}
}

// TestReach names the others that a run reaches, and the members that it does not.
func TestReach(t *testing.T) {
	d := flwrexec.FederationDetails{Members: []flwrexec.Member{{Account: "ada", Role: "owner"}, {Account: "zoe", Role: "member"}, {Account: "bob", Role: "member"}},
		Nodes: []flwrexec.Node{{ID: 1, Owner: "ada", Status: "online"}, {ID: 2, Owner: "bob", Status: "online"}, {ID: 3, Owner: "bob", Status: "offline"}}}
	got := strings.Join(invites.Reach(d, "ada"), "; ")
	if want := "it reaches 2 SuperNodes of @bob, 1 online; @zoe is a member and has no SuperNode in the federation"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestMessageOfAnotherGrid names its addresses: the site does not know them.
func TestMessageOfAnotherGrid(t *testing.T) {
	s, _ := owner(t)
	sitetest.Choose(t, s, func(c *project.Choices) {
		c.Grid = project.GridChoice{Connection: "lungs", Control: "grid.example:443", CA: "/etc/lungs/ca.crt"}
	})
	state, err := invites.Look(t.Context(), s, &sitetest.Heard{})
	if want := "flwrup join @ada/study --connection lungs --control grid.example:443 --fleet grid.example:443 --ca ca.crt"; err != nil || state.Join != want {
		t.Errorf("%q %v, want %q", state.Join, err, want)
	}
}
