package steps

import (
	"strings"
	"testing"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestInvitedWay goes from the first question of an empty folder to the membership: the federation of others is asked
// for, Enter accepts the invitation, and the steps after it find the membership.
func TestInvitedWay(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	g.Open.Received = []flwrexec.Invitation{{Federation: "@eve/lungs", Account: "eve"}}
	s := siteOn(t, g, 1)
	s.Options.Attended = true
	sitetest.Choose(t, s, func(c *project.Choices) { c.Federation = "" })
	to := &sitetest.Scripted{Answers: map[string]string{"account": "invited", "federation-joined": "@eve/lungs"}}
	if err := Apply(t.Context(), s, front.StepAccount, to); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Ledger.Attestation(site.AttestAccount); !ok || s.Choices().Federation != "@eve/lungs" {
		t.Errorf("account noted %v, federation %q", ok, s.Choices().Federation)
	}
	_, _ = s.Federations(t.Context(), 0)
	_, _, _ = s.AllNodes(t.Context(), 0) // logged in
	st, err := Inspect(t.Context(), s, front.StepFederation)
	if err != nil || st.State != front.Ready || st.Deed != "answer the invitation" || !strings.Contains(strings.Join(st.Evidence, "\n"), "@eve invites you to @eve/lungs") {
		t.Errorf("%+v %v", st, err)
	}
	if err := Apply(t.Context(), s, front.StepFederation, to); err != nil || len(g.Joined) != 1 {
		t.Errorf("%v, in %v", err, g.Joined)
	}
	for _, id := range []front.StepID{front.StepFederation, front.StepLogin} {
		if st, err = Inspect(t.Context(), s, id); err != nil || st.State != front.Done || strings.Contains(strings.Join(st.Evidence, "\n"), "invites") {
			t.Errorf("step %d after it: %+v %v", id, st, err)
		}
	}
	if err := Apply(t.Context(), s, front.StepLogin, to); err != nil || len(g.Joined) != 1 || strings.Join(to.Asked, " ") != "account federation-joined invitation" {
		t.Errorf("once more: %v, in %v, asked %q", err, g.Joined, to.Asked)
	}
}

// TestInvitedLater: a person who does not know the federation's name chooses from the invitations after the login.
func TestInvitedLater(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s := siteOn(t, g, 1)
	if err := Apply(t.Context(), s, front.StepAccount, &sitetest.Scripted{Answers: map[string]string{"account": "invited", "federation-joined": site.Later}}); err != nil || s.Choices().Federation != "" {
		t.Errorf("%v, %q", err, s.Choices().Federation)
	}
	if st, err := Inspect(t.Context(), s, front.StepFederation); err != nil || st.State != front.Done {
		t.Errorf("%+v %v", st, err)
	}
	if err := Apply(t.Context(), s, front.StepAccount, &sitetest.Scripted{Answers: map[string]string{"account": "invited", "federation-joined": "lungs"}}); !problem.Is(err, problem.Usage) {
		t.Errorf("a name without an account: %v", err)
	}
}

// TestRunNamesOtherAccounts: step 15 says whose SuperNodes a run reaches before it starts.
func TestRunNamesOtherAccounts(t *testing.T) {
	s, g, _ := inFederation(t, 1)
	g.Accounts = []flwrexec.Member{{Account: "ada", Role: "owner"}, {Account: "bob", Role: "member"}, {Account: "zoe", Role: "member"}}
	g.Members = append(g.Members, flwrexec.Node{ID: 7, Owner: "bob", Status: flwrexec.StatusOnline})
	if err := s.Ledger.SetAccount(s.Choices().Grid.Connection, "ada"); err != nil {
		t.Fatal(err)
	}
	st, err := Inspect(t.Context(), s, front.StepRun)
	if text := strings.Join(st.Evidence, "\n"); err != nil || !strings.Contains(text, "it reaches 1 SuperNode of @bob, 1 online") || !strings.Contains(text, "@zoe is a member and has no SuperNode") {
		t.Errorf("%+v %v", st, err)
	}
}

// TestJoinWithAnOldFlwr says so before anything else is done.
func TestJoinWithAnOldFlwr(t *testing.T) {
	s := siteOn(t, sitetest.NewGrid("1.26.1"), 1)
	err := JoinFederation(t.Context(), s, "@ada/study")
	if !problem.Is(err, problem.NotSupported) || !strings.Contains(err.Error(), "1.27") || !strings.Contains(problem.Of(err).Fix, "flwrup request") {
		t.Errorf("%v", err)
	}
}
