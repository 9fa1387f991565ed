package flwrexec

import (
	"context"
	"fmt"
	"strings"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// Invitation is one to a federation. Accounts are without their @.
type Invitation struct {
	Federation string    `json:"federation"` // @account/name
	Account    string    `json:"account"`    // the other one: who was invited, or who invites
	Made       time.Time `json:"made,omitzero"`
}

// Invitations are the open ones of an account, as flwr lists them.
type Invitations struct {
	Sent     []Invitation `json:"sent"`
	Received []Invitation `json:"received"`
}

// From returns the received invitation to a federation; false when there is none.
func (i Invitations) From(federation string) (Invitation, bool) {
	for _, have := range i.Received {
		if have.Federation == federation {
			return have, true
		}
	}
	return Invitation{}, false
}

// invitationsAnswer reads flwr's list. Up to 1.29 federation-id is called federation-name.
type invitationsAnswer struct {
	Created  []oneInvitation `json:"created-invitations"`
	Received []oneInvitation `json:"received-invitations"`
}

type oneInvitation struct {
	ID      string `json:"federation-id"`
	Name    string `json:"federation-name"`
	Invited string `json:"invited"`
	By      string `json:"invited-by"`
	Status  string `json:"status"`
	Created string `json:"created-at"`
}

// open returns the pending ones of a list. Names of accounts and federations go into command lines and sentences, so
// what cannot be one is an error.
func open(list []oneInvitation) ([]Invitation, error) {
	found := []Invitation{}
	for _, i := range list {
		one := Invitation{Federation: i.ID, Account: strings.TrimPrefix(i.Invited+i.By, "@"), Made: timeOf(i.Created)}
		if one.Federation == "" {
			one.Federation = i.Name
		}
		err := checkForeignFederation(one.Federation)
		if err == nil && !accountName.MatchString(one.Account) {
			err = fmt.Errorf("%q is no account", one.Account)
		}
		switch {
		case err != nil:
			return nil, problem.New(problem.FlwrFailed, "flwr lists an invitation that flwrup cannot read", err.Error(), "this flwr may be newer than flwrup; try another version of flwr")
		case i.Status == "pending":
			found = append(found, one)
		}
	}
	return found, nil
}

// Invitations lists the open invitations that the account has sent and received.
func (s *Session) Invitations(ctx context.Context, c flwr.Connection) (Invitations, error) {
	var a invitationsAnswer
	d, err := s.inviting()
	if err != nil {
		return Invitations{}, err
	}
	if err := s.ask(ctx, c, d.InvitationsArgv(s.absolute(c)), &a); err != nil {
		return Invitations{}, fmt.Errorf("list the invitations: %w", err)
	}
	var i Invitations
	if i.Sent, err = open(a.Created); err == nil {
		i.Received, err = open(a.Received)
	}
	return i, err
}

// Invite invites an account to a federation of one's own. Codes: Invited and AccountIn when there is nothing to do,
// NoAccount, FedNotFound also when the federation is another account's.
func (s *Session) Invite(ctx context.Context, c flwr.Connection, account, federation string) error {
	return s.invitation(ctx, c, "invite @"+account+" to "+federation, func(d flwr.Dialect) []string { return d.InviteArgv(s.absolute(c), account, federation) })
}

// Accept accepts the open invitation to a federation; NoInvitation when there is none, also after it was accepted.
func (s *Session) Accept(ctx context.Context, c flwr.Connection, federation string) error {
	return s.invitation(ctx, c, "accept the invitation to "+federation, func(d flwr.Dialect) []string { return d.AcceptArgv(s.absolute(c), federation) })
}

// Reject rejects the open invitation to a federation; NoInvitation when there is none.
func (s *Session) Reject(ctx context.Context, c flwr.Connection, federation string) error {
	return s.invitation(ctx, c, "decline the invitation to "+federation, func(d flwr.Dialect) []string { return d.RejectArgv(s.absolute(c), federation) })
}

// Revoke takes an open invitation back; NoInvitation when there is none.
func (s *Session) Revoke(ctx context.Context, c flwr.Connection, account, federation string) error {
	return s.invitation(ctx, c, "revoke the invitation of @"+account+" to "+federation, func(d flwr.Dialect) []string { return d.RevokeArgv(s.absolute(c), account, federation) })
}

func (s *Session) invitation(ctx context.Context, c flwr.Connection, what string, argv func(flwr.Dialect) []string) error {
	d, err := s.inviting()
	if err == nil {
		err = s.ask(ctx, c, argv(d), nil)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// inviting returns the dialect of a flwr that has invitations.
func (s *Session) inviting() (flwr.Dialect, error) {
	d := s.Dialect()
	if d.Invitations {
		return d, nil
	}
	return d, problem.New(problem.NotSupported, "flwr "+d.Version.String()+" has no invitations", "they came with flwr 1.27",
		"use flwr 1.27 or newer where the grid speaks it: flwrup up --flwr VERSION; or admit the site without an account: flwrup request, flwrup admit")
}
