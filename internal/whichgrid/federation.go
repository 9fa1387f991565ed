package whichgrid

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/front"
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
		if bad.Code == problem.FedNotFound && s.Choices().CreateFederation && f.Dialect().Managed {
			return createFederation(ctx, s, f, to, bareName(wish))
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
