package flwrexec

import (
	"strings"
	"testing"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// TestInvitationsOfEachRelease reads the lists of flwr 1.42 (recorded) and of 1.27 to 1.29, which call the federation's
// ID its name. Those that are not open are left out.
func TestInvitationsOfEachRelease(t *testing.T) {
	const now = `{"success": true,
 "created-invitations": [{"federation-id": "@ada/study", "invited": "bob", "status": "pending", "created-at": "2026-11-27 19:14:02Z", "status-changed-at": "2026-11-27 19:14:02Z"},
  {"federation-id": "@ada/study", "invited": "eve", "status": "revoked", "created-at": "2026-11-27 19:14:02Z", "status-changed-at": "N/A"}],
 "received-invitations": [{"federation-id": "@eve/lungs", "invited-by": "eve", "status": "pending", "created-at": "N/A", "status-changed-at": "N/A"}]}`
	for _, text := range []string{now, strings.ReplaceAll(now, "federation-id", "federation-name")} {
		var a invitationsAnswer
		if err := decode(output{stdout: text}, &a); err != nil {
			t.Fatal(err)
		}
		sent, err := open(a.Created)
		if err != nil || len(sent) != 1 || sent[0].Federation != "@ada/study" || sent[0].Account != "bob" || sent[0].Made.IsZero() {
			t.Errorf("%+v %v", sent, err)
		}
		received, err := open(a.Received)
		if err != nil || len(received) != 1 || received[0].Account != "eve" || !received[0].Made.IsZero() {
			t.Errorf("%+v %v", received, err)
		}
		if i, ok := (Invitations{Received: received}).From("@eve/lungs"); !ok || i.Account != "eve" {
			t.Errorf("%+v %v", i, ok)
		}
		if _, ok := (Invitations{Received: received}).From("@ada/study"); ok {
			t.Error("an invitation that was not received")
		}
	}
	for _, bad := range []oneInvitation{{ID: "--help", By: "eve", Status: "pending"}, {ID: "@a/b", By: "--yes", Status: "pending"}, {ID: "@a/b", By: "eve\nroot", Status: "pending"},
		{ID: "@a/b", Status: "pending"}, {By: "eve", Status: "pending"}} {
		if got, err := open([]oneInvitation{bad}); err == nil {
			t.Errorf("%+v was read as %+v", bad, got)
		}
	}
}

// TestInvitationErrors classifies the words of flwr 1.42, seen on a SuperLink.
func TestInvitationErrors(t *testing.T) {
	for text, want := range map[string]problem.Code{
		"[code: 3] Account is already a member of the federation.":                                    AccountIn,
		"[code: 5] A pending invitation already exists for this account in the federation.":           Invited,
		"[code: 6] One or more specified accounts were not found.":                                    NoAccount,
		"[code: 7] Federation does not exist, has been archived, or no pending invitation was found.": NoInvitation,
		"[code: 2] Federation not found, archived, or you cannot perform this action.":                problem.FedNotFound,
		"[code: 1] SuperLink does not support federation management.":                                 problem.NotSupported,
		"[code: 13] Entitlement error.":                                                               problem.NotAllowed,
	} {
		if got := classify(text, 0); got.Code != want {
			t.Errorf("%s: %s, want %s", text, got.Code, want)
		}
	}
}

func TestOldFlwrHasNoInvitations(t *testing.T) {
	s := &Session{dialect: flwr.DialectOf(flwr.Version{Major: 1, Minor: 26})}
	_, err := s.Invitations(t.Context(), flwr.Connection{Name: "supergrid"})
	if !problem.Is(err, problem.NotSupported) || !strings.Contains(problem.Of(err).Fix, "flwrup request") {
		t.Errorf("%v", err)
	}
	if err := s.Invite(t.Context(), flwr.Connection{Name: "supergrid"}, flwr.Accept, "", "@ada/study"); !problem.Is(err, problem.NotSupported) {
		t.Errorf("%v", err)
	}
}

func TestParseAccountAndFederation(t *testing.T) {
	for _, good := range []string{"@st-mary", "st-mary", "@Zoë_1.x"} {
		if name, err := ParseAccount(good); err != nil || name != strings.TrimPrefix(good, "@") {
			t.Errorf("%s: %q %v", good, name, err)
		}
	}
	for _, bad := range []string{"", "@", "@@x", "--yes", "@-x", "@ada/study", "a b", "a\nb", "@x;y", strings.Repeat("x", 101)} {
		if name, err := ParseAccount(bad); err == nil {
			t.Errorf("%q is an account: %q", bad, name)
		}
	}
	if account, name, err := ParseFederation("@ada/study"); err != nil || account != "ada" || name != "study" {
		t.Errorf("%q %q %v", account, name, err)
	}
	for _, bad := range []string{"", "@ada", "ada/study", "@/x", "@ada/", "@ada/-x", "@ada/x/y", "@a b/c", "@ada/$(x)", "@ada/x\x1b[1m"} {
		if _, _, err := ParseFederation(bad); err == nil {
			t.Errorf("%q is a federation", bad)
		}
	}
}
