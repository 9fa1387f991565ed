package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"

	"flwrup/flwrexec/config"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/plainfile"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// count is step 5: how many SuperNodes.
type count struct{}

func (count) ID() front.StepID { return front.StepCount }
func (count) Name() string     { return "How many" }
func (count) Title() string    { return "Number of SuperNodes" }
func (count) Why() string {
	return "Each SuperNode has a key pair of its own and is one participant of the federation: one a site, or one a data set. " +
		"More can be added at any time."
}

func (c count) Inspect(ctx context.Context, s *site.Site) (front.Status, error) {
	folder, err := keys.Scan(s.Folder().KeysDir())
	if err != nil {
		return front.Status{}, err
	}
	st := front.Status{State: front.Ready}
	if n := len(folder.Pairs); n > 0 {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d key %s in %s", n, wording.Plural(n, "pair"), s.Rel(folder.Dir)))
	}
	choices := s.Choices()
	if err := site.NoRoom(s, choices.Nodes); err != nil {
		st.Evidence = append(st.Evidence, err.Error())
		return st, nil
	}
	if choices.Nodes > 0 {
		st.State, st.Short = front.Done, strconv.Itoa(choices.Nodes)
		st.Evidence = append([]string{fmt.Sprintf("%d %s wished", choices.Nodes, wording.Plural(choices.Nodes, "SuperNode"))}, st.Evidence...)
		if e, line := c.script(s); e.Changed() {
			st.Hints = []string{fmt.Sprintf("%s line %d has another number; flwrup makes the keys itself", s.Rel(e.File), line)}
		}
		if script, err := plainfile.Read(filepath.Join(s.Dir, scriptName)); err == nil && keys.ScriptDeletesKeys(script) {
			st.Hints = append(st.Hints, scriptName+" deletes the keys that are there before it makes new ones: do not run it")
		}
	}
	return st, nil
}

// scriptName is the script of Flower's authentication example that makes keys.
const scriptName = "generate_auth_keys.sh"

// script plans its edit to the number of SuperNodes, and tells the line; no change where there is none.
func (count) script(s *site.Site) (e config.Edit, line int) {
	e.File = filepath.Join(s.Dir, scriptName)
	before, err := plainfile.Read(e.File)
	if err != nil {
		return e, 0
	}
	after, line, _, err := keys.SetKeyCount(before, s.Choices().Nodes)
	if err != nil {
		return e, 0
	}
	e.Before, e.After = before, after
	return e, line
}

func (count) Plan(ctx context.Context, s *site.Site) ([]front.Action, error) {
	return []front.Action{{Says: "note the number in flwrup.toml"}}, nil
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
	answer, err := to.Ask(ctx, front.Question{ID: "nodes", Kind: front.AskNumber, Default: strconv.Itoa(suggest),
		Ask:  "How many SuperNodes?",
		Help: fmt.Sprintf("Each takes about %d MB of memory. More can be added later.", s.Dialect().NodeMemory>>20),
		Validate: func(text string) error {
			n, err := strconv.Atoi(text)
			switch {
			case err != nil || n < 1:
				return fmt.Errorf("a whole number, 1 or more")
			case n > site.MaxNodes:
				return fmt.Errorf("at most %d", site.MaxNodes)
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
	if err := s.Change(func(c *project.Choices) error { c.Nodes = n; return nil }); err != nil {
		return err
	}
	e, line := c.script(s)
	if !e.Changed() {
		return nil
	}
	_, err = site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "script", Default: "no",
		Ask:  fmt.Sprintf("Put the number into line %d of %s, too?", line, s.Rel(e.File)),
		Help: "flwrup makes the keys itself and never runs that script, which overwrites keys that are there."})
	return err
}
