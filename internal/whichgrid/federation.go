package whichgrid

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/invites"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// FindFederation returns the federation of a list with an ID.
func FindFederation(list []flwrexec.Federation, id string) (flwrexec.Federation, bool) {
	for _, f := range list {
		if f.ID == id {
			return f, true
		}
	}
	return flwrexec.Federation{}, false
}

// SetFederation makes a federation the project's.
func SetFederation(s *site.Site, id string) error {
	return s.Change(func(c *project.Choices) error { c.Federation = id; return nil })
}

// CheckFederation reports why a person cannot have meant name as a federation's; nil when they can.
func CheckFederation(name string) error {
	if name == site.Later || name == "" {
		return nil
	}
	if strings.ContainsAny(name, " \t\"'`$\\") {
		return fmt.Errorf("a federation's name has no spaces or quotes: @account/name")
	}
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		if account, fed, ok := strings.Cut(rest, "/"); !ok || account == "" || fed == "" {
			return fmt.Errorf("a name with @ has two parts: @account/name")
		}
	}
	return nil
}

// SettleFederation makes sure, with a login, that the federation wish exists and can hold SuperNodes. Where it does
// not, and always without a wish, the person chooses or creates one: a federation that was named never becomes
// another one without a person's word.
func SettleFederation(ctx context.Context, s *site.Site, to front.Sink, wish string) error {
	f, err := s.Session(ctx)
	if err != nil {
		return err
	}
	list, err := s.Federations(ctx, site.Fresh)
	if err != nil {
		return err
	}
	if wish != "" {
		bad := Unfit(list, wish)
		if bad == nil {
			return nil
		}
		own := account(s, list)
		ours := own == "" || invites.Owner(wish) == "" || invites.Owner(wish) == own
		if bad.Code == problem.FedNotFound && s.Choices().CreateFederation && f.Dialect().Managed && ours {
			return createFederation(ctx, s, f, to, bareName(wish))
		}
		if bad.Code == problem.FedNotFound && invites.Owner(wish) != own && (f.Dialect().Invitations || s.Options.Join == wish) && !s.Rehearsal() {
			in, err := invites.Answer(ctx, s, wish, own, to)
			switch {
			case in, err != nil && s.Options.Join == wish, err != nil && !problem.Is(err, flwrexec.NoInvitation, problem.NotSupported):
				return err
			case err != nil && own != "":
				bad.Fix = "name one of yours with --federation; or " + problem.Of(err).Fix
			}
		} else if s.Options.Join == wish {
			return bad
		}
		to.Event(front.Says{Text: bad.Error()})
		err := pickFederation(ctx, s, f, to, list, true)
		if problem.Is(err, problem.NeedsPerson) {
			return bad
		}
		return err
	}
	if s.Rehearsal() && f.Dialect().Managed {
		return createFederation(ctx, s, f, to, "rehearsal")
	}
	return pickFederation(ctx, s, f, to, list, false)
}

// Unfit says why SuperNodes cannot be put into federation id of the account's list; nil when they can.
func Unfit(list []flwrexec.Federation, id string) *problem.Problem {
	f, ok := FindFederation(list, id)
	if ok && !f.Simulation {
		return nil
	}
	if ok {
		return problem.New(problem.BadInput, "federation "+id+" cannot hold SuperNodes", "it is a simulation federation: its clients are simulated on the grid",
			"name a deployment federation with --federation, or give --create-federation with a new name (flwr 1.27 and later)")
	}
	var have []string
	for _, f := range list {
		if !f.Simulation {
			have = append(have, f.ID)
		}
	}
	why := "it does not exist, is archived, or your account is not a member"
	if len(have) > 0 {
		why += "; your federations are " + strings.Join(have, ", ")
	}
	return problem.New(problem.FedNotFound, "federation "+id+" is not in your list", why,
		"name one of yours with --federation, create it with --create-federation (flwr 1.27 and later), or ask its owner to invite you")
}

// account returns whose login this is, without its @; "" where nobody knows.
func account(s *site.Site, list []flwrexec.Federation) string {
	return cmp.Or(flwrexec.AccountOf(nil, list), s.Ledger.Account(s.Choices().Grid.Connection))
}

func bareName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// createFederation makes a federation of the account; the grid adds the account to the name. Where an
// answer was lost, or it exists already, the list tells.
func createFederation(ctx context.Context, s *site.Site, f site.Flwr, to front.Sink, name string) error {
	to.Event(front.Says{Text: "creating the federation " + name})
	id := ""
	err := site.Surely(ctx, s, to, func() (err error) {
		id, err = f.CreateFederation(ctx, s.Connection(), name, "made by flwrup")
		return err
	})
	if err != nil && ctx.Err() == nil && (problem.Is(err, problem.FedExists) || site.Lost(err)) {
		list, lerr := s.Federations(ctx, 0)
		if lerr != nil {
			return errors.Join(fmt.Errorf("create federation %s: %w", name, err), lerr)
		}
		account := s.Ledger.Account(s.Choices().Grid.Connection)
		for _, have := range list {
			if bareName(have.ID) == name && !have.Simulation && (account == "" || have.ID == "@"+account+"/"+name) {
				id, err = have.ID, nil
			}
		}
	}
	if err != nil {
		return fmt.Errorf("create federation %s: %w", name, err)
	}
	s.Forget(site.ReadFederations)
	return SetFederation(s, id)
}

// AskInvited asks which federation of others the account is invited to. Without an answer the person chooses from the
// open invitations after the login.
func AskInvited(ctx context.Context, s *site.Site, to front.Sink) error {
	now := cmp.Or(s.Choices().Federation, site.Later)
	answer, err := to.Ask(ctx, front.Question{ID: "federation-joined", Kind: front.AskText, Default: now, Ask: "Which federation are you invited to?",
		Help: "Its coordinator tells you: @account/name. Type \"" + site.Later + "\" to choose from your invitations after the login.",
		Validate: func(name string) error {
			if name == site.Later {
				return nil
			}
			_, _, err := flwrexec.ParseFederation(name)
			return err
		}})
	switch {
	case err != nil:
		return err
	case answer == site.Later:
		return errors.Join(s.Ledger.Attest(site.AttestLater, ""), SetFederation(s, ""))
	}
	return Join(s, answer)
}

// Join makes a federation of somebody else's the project's; the invitation is accepted after the login. SuperNodes that
// are in another federation stay there.
func Join(s *site.Site, federation string) error {
	if _, _, err := flwrexec.ParseFederation(federation); err != nil {
		return err
	}
	cannot := func(why string) error {
		return problem.New(problem.BadInput, "cannot join "+federation+" here", why, "use a folder of its own: flwrup join "+federation+" --dir FOLDER")
	}
	if s.Folder().Coordinated() {
		return cannot("this folder is that of a site without an account")
	}
	if s.Rehearsal() {
		return cannot("this folder is a rehearsal, whose grid nobody else reaches")
	}
	if now := s.Choices().Federation; now != "" && now != federation {
		for _, n := range s.Ledger.Nodes() {
			if n.State == ledger.Registered && n.Connection == s.Choices().Grid.Connection {
				return cannot("its SuperNodes are in " + now)
			}
		}
	}
	return s.Change(func(c *project.Choices) error { c.Federation, c.CreateFederation = federation, false; return nil })
}

// offers returns the open invitations to federations that are not in list. A grid that does not tell has none.
func offers(ctx context.Context, s *site.Site, f site.Flwr, list []flwrexec.Federation) []flwrexec.Invitation {
	if !f.Dialect().Invitations || s.Rehearsal() {
		return nil
	}
	all, err := site.Invitations(ctx, s, site.Fresh)
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all.Received), func(i flwrexec.Invitation) bool {
		_, in := FindFederation(list, i.Federation)
		return in
	})
}

const createNew = "create a new one"

// pickFederation lets the person choose from list. Where they named another federation before, none is the default.
func pickFederation(ctx context.Context, s *site.Site, f site.Flwr, to front.Sink, list []flwrexec.Federation, named bool) error {
	q := front.Question{ID: "federation", Kind: front.AskChoice, Ask: "Which federation are the SuperNodes for?",
		Help: "Only a deployment federation can hold SuperNodes."}
	for _, have := range list {
		c := front.Choice{Value: have.ID, Label: have.ID, Note: have.Description}
		if have.Simulation {
			c.Disabled, c.Note = true, "simulation: cannot hold SuperNodes"
		} else if q.Default == "" && !named {
			q.Default = have.ID
		}
		q.Choices = append(q.Choices, c)
	}
	offered := offers(ctx, s, f, list)
	for i, o := range offered {
		q.Choices = slices.Insert(q.Choices, i, front.Choice{Value: o.Federation, Label: o.Federation, Note: "@" + o.Account + " invites you: to choose it accepts"})
		q.Help = "Only a deployment federation can hold SuperNodes. " + invites.Care
	}
	if q.Default == "" && len(offered) > 0 && s.Options.Attended { // nobody comes into a stranger's federation unasked
		q.Default = offered[0].Federation
	}
	if f.Dialect().Managed {
		q.Choices = append(q.Choices, front.Choice{Value: createNew, Label: createNew, Note: "you will own it"})
	}
	if len(q.Choices) == 0 {
		return problem.New(problem.NeedsPerson, "your account is in no federation", "",
			"ask Flower Labs (hello@flower.ai) to add your account to one, then come back")
	}
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	for _, o := range offered {
		if o.Federation == answer {
			if err := invites.Accept(ctx, s, o, account(s, list), to); err != nil {
				return err
			}
		}
	}
	if answer != createNew {
		return SetFederation(s, answer)
	}
	name, err := to.Ask(ctx, front.Question{ID: "federation-name", Kind: front.AskText, Default: strings.ToLower(site.SuggestName(s.Choices().Name)),
		Ask: "What should the new federation be called?", Help: "Starts with a letter; letters, digits and hyphens; at most 32 characters.",
		Validate: flwrexec.CheckFederationName})
	if err != nil {
		return err
	}
	return createFederation(ctx, s, f, to, name)
}
