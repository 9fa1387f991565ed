package steps

import (
	"context"
	"fmt"
	"strings"

	"flwrup/flwrexec"
	"flwrup/internal/problem"
)

// chooseFederation is step 2: which federation the SuperNodes are for. Before the login a name can be
// typed or left for later; after it, the choice is from the account's own list.
type chooseFederation struct{}

func (chooseFederation) Number() int   { return 2 }
func (chooseFederation) Name() string  { return "Federation" }
func (chooseFederation) Title() string { return "Choose the federation" }
func (chooseFederation) Why() string {
	return "A federation is the group that trains together: its members, their SuperNodes, their runs. " +
		"The dashboard at flower.ai/federations shows yours. You may also choose after the login, from a list."
}

var dashboard = Link{"Federations dashboard", "https://flower.ai/federations"}

const later = "later"

func (chooseFederation) Inspect(ctx context.Context, s *Site) (Status, error) {
	st := Status{State: Ready, Links: []Link{dashboard}}
	if s.Rehearsal() {
		st.Links = nil
	}
	if s.Choices.Federation == "" {
		if _, ok := s.Ledger.Attestation(attestLater); ok {
			st.State, st.Short = Done, later
			st.Evidence = []string{"to be chosen after the login (step 9)"}
		}
		return st, nil
	}
	st.State, st.Short = Done, s.Choices.Federation
	st.Evidence = []string{s.Choices.Federation}
	if !s.loggedInBefore() {
		st.Evidence = append(st.Evidence, "not held against the grid yet: that needs the login (step 9)")
		return st, nil
	}
	list, err := s.federations(ctx, fresh*6)
	if err != nil {
		return st, nil // step 9 says what is wrong with the grid
	}
	if f, ok := findFederation(list, s.Choices.Federation); ok {
		st.Evidence = append(st.Evidence, describe(f))
	}
	return st, nil
}

func describe(f flwrexec.Federation) string {
	text := "on the grid"
	if f.Description != "" {
		text += ": " + f.Description
	}
	if f.Simulation {
		text += " (simulation: it cannot hold SuperNodes)"
	}
	return text
}

func findFederation(list []flwrexec.Federation, id string) (flwrexec.Federation, bool) {
	for _, f := range list {
		if f.ID == id {
			return f, true
		}
	}
	return flwrexec.Federation{}, false
}

func (chooseFederation) Plan(ctx context.Context, s *Site) ([]Action, error) {
	a := []Action{{Says: "note the federation in flwrup.toml"}}
	if f, err := s.session(ctx); err == nil {
		a = append(a, s.command("list your federations", f.Dialect().FederationsArgv(s.connection())))
	}
	return a, nil
}

func (c chooseFederation) Apply(ctx context.Context, s *Site, to Sink) error {
	if s.Choices.Federation != "" && !s.loggedInBefore() {
		return nil
	}
	if s.loggedInBefore() {
		return s.settleFederation(ctx, to, true)
	}
	answer, err := to.Ask(ctx, Question{ID: "federation", Kind: AskText, Default: later,
		Ask:      "Which federation are the SuperNodes for?",
		Help:     "Its name as the dashboard shows it, such as @account/name; or \"later\", to choose from a list after the login.",
		Validate: validFederation,
	})
	if err != nil {
		return err
	}
	if answer == later || answer == "" {
		return s.Ledger.Attest(attestLater, "")
	}
	s.Choices.Federation = answer
	return s.save()
}

// Change asks again, from the list when there is a login.
func (c chooseFederation) Change(ctx context.Context, s *Site, to Sink) error {
	before := s.Choices.Federation
	s.Choices.Federation = ""
	if err := c.Apply(ctx, s, to); err != nil {
		s.Choices.Federation = before
		return err
	}
	return nil
}

func validFederation(name string) error {
	if name == later || name == "" {
		return nil
	}
	if strings.ContainsAny(name, " \t\"'`$\\") {
		return fmt.Errorf("a federation's name has no spaces or quotes: @account/name")
	}
	if rest, ok := strings.CutPrefix(name, "@"); ok {
		if account, fed, ok := strings.Cut(rest, "/"); !ok || account == "" || fed == "" {
			return fmt.Errorf("with @ it has two parts: @account/name")
		}
	}
	return nil
}

// settleFederation makes sure, with a login, that the chosen federation exists, or lets the person
// choose or create one. ask: also when one is chosen that the list does not have.
func (s *Site) settleFederation(ctx context.Context, to Sink, ask bool) error {
	f, err := s.session(ctx)
	if err != nil {
		return err
	}
	list, err := s.federations(ctx, fresh)
	if err != nil {
		return err
	}
	wish := s.Choices.Federation
	if wish != "" {
		if _, ok := findFederation(list, wish); ok {
			return nil
		}
		if s.Choices.CreateFederation && f.Dialect().Managed {
			return s.createFederation(ctx, f, to, bareName(wish))
		}
		if !ask {
			return problem.New(problem.FedNotFound, "federation "+wish+" is not in your list",
				"it does not exist, is archived, or this account is no member of it",
				"choose another one in step 2, or ask its owner to invite you")
		}
	}
	if s.Rehearsal() && f.Dialect().Managed && wish == "" {
		return s.createFederation(ctx, f, to, "rehearsal")
	}
	return s.pickFederation(ctx, f, to, list)
}

func bareName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// createFederation makes a federation of the account; the grid adds the account to the name.
func (s *Site) createFederation(ctx context.Context, f Flwr, to Sink, name string) error {
	to.Event(Says{"creating the federation " + name})
	id, err := f.CreateFederation(ctx, s.connection(), name, "made by flwrup")
	if problem.Is(err, problem.FedExists) {
		s.world.list.forget()
		list, lerr := s.federations(ctx, 0)
		if lerr != nil {
			return lerr
		}
		for _, have := range list {
			if bareName(have.ID) == name {
				id, err = have.ID, nil
			}
		}
	}
	if err != nil {
		return fmt.Errorf("create federation %s: %w", name, err)
	}
	s.Choices.Federation = id
	return s.save()
}

const createNew = "create a new one"

func (s *Site) pickFederation(ctx context.Context, f Flwr, to Sink, list []flwrexec.Federation) error {
	q := Question{ID: "federation", Kind: AskChoice, Ask: "Which federation are the SuperNodes for?",
		Help: "Only a deployment federation can hold SuperNodes."}
	for _, have := range list {
		c := Choice{Value: have.ID, Label: have.ID, Note: have.Description}
		if have.Simulation {
			c.Disabled, c.Note = true, "simulation: cannot hold SuperNodes"
		} else if q.Default == "" {
			q.Default = have.ID
		}
		q.Choices = append(q.Choices, c)
	}
	if f.Dialect().Managed {
		q.Choices = append(q.Choices, Choice{Value: createNew, Label: createNew, Note: "you will be its owner"})
	}
	if len(q.Choices) == 0 {
		return problem.New(problem.NeedsPerson, "this account is in no federation", "",
			"ask Flower Labs (hello@flower.ai) to put your account into one, then come back")
	}
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer != createNew {
		s.Choices.Federation = answer
		return s.save()
	}
	name, err := to.Ask(ctx, Question{ID: "federation-name", Kind: AskText, Default: strings.ToLower(suggestName(s.Choices.Name)),
		Ask: "What shall the new federation be called?", Help: "A letter first; letters, digits and hyphens; at most 32 characters.",
		Validate: flwrexec.CheckFederationName})
	if err != nil {
		return err
	}
	return s.createFederation(ctx, f, to, name)
}

// suggestName makes a valid federation name of a project's name.
func suggestName(project string) string {
	var b strings.Builder
	for _, r := range project {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		case b.Len() > 0 && (r >= '0' && r <= '9' || r == '-' || r == '_' || r == ' '):
			if r == '_' || r == ' ' {
				r = '-'
			}
			b.WriteRune(r)
		}
		if b.Len() == 32 {
			break
		}
	}
	if b.Len() == 0 {
		return "federation"
	}
	return strings.TrimRight(b.String(), "-")
}
