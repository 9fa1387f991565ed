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
		if err == nil && !isAccount(one.Account) {
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
	d := s.Dialect()
	if err := CheckInvitations(d); err != nil {
		return Invitations{}, err
	}
	if err := s.ask(ctx, c, d.InvitationsArgv(s.absolute(c)), &a); err != nil {
		return Invitations{}, fmt.Errorf("list the invitations: %w", err)
	}
	var i Invitations
	var err error
	if i.Sent, err = open(a.Created); err == nil {
		i.Received, err = open(a.Received)
	}
	return i, err
}

// Invite does op to an invitation; see flwr.InvitationArgv. Codes of the owner's calls: Invited and AccountIn when there is
// nothing to do, NoAccount, FedNotFound also for a federation of another account. Of the others, and of Revoke:
// NoInvitation when none is open, also after it was accepted.
func (s *Session) Invite(ctx context.Context, c flwr.Connection, op flwr.InviteOp, account, federation string) error {
	d := s.Dialect()
	err := CheckInvitations(d)
	if err == nil {
		err = s.ask(ctx, c, d.InvitationArgv(s.absolute(c), op, account, federation), nil)
	}
	if err != nil {
		return fmt.Errorf("%s the invitation to %s: %w", op, federation, err)
	}
	return nil
}

// CheckInvitations is a Problem (not-supported) where a flwr has no invitations.
func CheckInvitations(d flwr.Dialect) error {
	if d.Invitations {
		return nil
	}
	return problem.New(problem.NotSupported, "flwr "+d.Version.String()+" has no invitations", "they came with flwr 1.27",
		"use flwr 1.27 or newer where the grid speaks it: flwrup up --flwr VERSION; or go the way without an account: flwrup request, flwrup admit")
}
