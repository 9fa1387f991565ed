package steps

import (
	"context"
	"fmt"
	"strconv"

	"flwrup/internal/byguide"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// count is step 5: how many SuperNodes.
type count struct{ free }

func (count) ID() front.StepID { return front.StepCount }
func (count) Name() string     { return "How many" }
func (count) Title() string    { return "Number of SuperNodes" }
func (count) Why() string {
	return "Each SuperNode has its own key pair and is one participant in the federation: usually one per site or data set. You can add more at any time."
}

// Wants returns the keys that are there, the machine's memory, and the script of Flower's example.
func (count) Wants() Wants {
	return Wants{Status: site.ReadKeys | site.ReadMachine | readScript}
}

func (count) Inspect(p Snapshot) (front.Status, error) {
	folder := p.Keys.Value
	if p.Keys.Err != nil && !problem.Is(p.Keys.Err, problem.NotAccepted) {
		return front.Status{}, p.Keys.Err
	}
	st := front.Status{State: front.Ready}
	if n := len(folder.Pairs); n > 0 {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d key %s in %s", n, wording.Plural(n, "pair"), p.Rel(folder.Dir)))
	}
	if p.Crowded != nil {
		st.Evidence = append(st.Evidence, p.Crowded.Error())
		return st, nil
	}
	if n := p.Choices.Nodes; n > 0 {
		st.State, st.Short = front.Done, strconv.Itoa(n)
		st.Evidence = append([]string{fmt.Sprintf("%d %s planned", n, wording.Plural(n, "SuperNode"))}, st.Evidence...)
		if e := p.Script.Edit; e.Changed() {
			st.Hints = []string{fmt.Sprintf("%s line %d has another number; that does not matter: flwrup makes the keys", p.Rel(e.File), p.Script.Line)}
		}
		if p.Script.DeletesKeys {
			st.Hints = append(st.Hints, byguide.ScriptName+" deletes existing keys before it makes new ones: do not run it")
		}
	}
	return st, nil
}

func (count) Plan(Snapshot) ([]front.Action, error) {
	return []front.Action{{Says: "save the number in flwrup.toml"}}, nil
}

func (c count) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if s.Choices().Nodes > 0 {
		if err := site.NoRoom(s, s.Choices().Nodes); err == nil || !s.Options.Attended {
			return err
		}
	}
	return c.Change(ctx, s, to)
}

// Change asks for the number; it may grow at any time, and shrink down to what is registered.
func (c count) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	folder, err := keys.Scan(s.Folder().KeysDir())
	if err != nil {
		return err
	}
	registered := 0
	for _, n := range s.Ledger.Nodes() {
		if n.State == ledger.Registered && n.Connection == s.Choices().Grid.Connection {
			registered++
		}
	}
	suggest := s.Choices().Nodes
	if suggest == 0 {
		suggest = max(len(folder.Pairs), 2)
		if s.Rehearsal() {
			suggest = max(len(folder.Pairs), 3)
		}
	}
	none, mayBeNone := "", !s.Folder().Coordinated() && (!s.Rehearsal() || s.Choices().SitesOnly)
	if mayBeNone {
		none = " 0: all are at other sites, which you admit."
	}
	answer, err := to.Ask(ctx, front.Question{ID: "nodes", Kind: front.AskNumber, Default: strconv.Itoa(suggest),
		Ask:  "How many SuperNodes?",
		Help: fmt.Sprintf("Each takes about %d MB of memory. You can add more later.%s", s.Dialect().NodeMemory>>20, none),
		Validate: func(text string) error {
			n, err := strconv.Atoi(text)
			switch {
			case err != nil || n < 0:
				return fmt.Errorf("a whole number")
			case n == 0 && !mayBeNone:
				return fmt.Errorf("need at least 1 SuperNode")
			case n > site.MaxNodes:
				return fmt.Errorf("at most %d SuperNodes", site.MaxNodes)
			case n < registered:
				return fmt.Errorf("%d are registered: unregister one on the dashboard first", registered)
			}
			return site.NoRoom(s, n)
		}})
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(answer)
	if err != nil {
		return err
	}
	if err := s.Change(func(c *project.Choices) error { c.Nodes, c.SitesOnly = n, n == 0; return nil }); err != nil {
		return err
	}
	script := byguide.ReadScript(s.Folder())
	e := script.Edit
	if !e.Changed() {
		return nil
	}
	_, err = site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "script", Default: "no",
		Ask:  fmt.Sprintf("Also put the number into line %d of %s?", script.Line, s.Rel(e.File)),
		Help: "flwrup makes the keys and never runs that script, which overwrites existing keys."})
	return err
}
