package steps

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"flwrup/internal/atomicfile"
	"flwrup/internal/ledger"
	"flwrup/internal/tomledit"
	"flwrup/keys"
)

// count is step 5: how many SuperNodes.
type count struct{}

// maxNodes is flwrup's own limit: a slip of the finger should not make a million keys.
const maxNodes = 1000

func (count) Number() int   { return 5 }
func (count) Name() string  { return "How many" }
func (count) Title() string { return "Number of SuperNodes" }
func (count) Why() string {
	return "Each SuperNode has a key pair of its own and is one participant of the federation: one a site, or one a data set. " +
		"More can be added at any time."
}

func (c count) Inspect(ctx context.Context, s *Site) (Status, error) {
	folder, err := keys.Scan(s.keysDir())
	if err != nil {
		return Status{}, err
	}
	st := Status{State: Ready}
	if n := len(folder.Pairs); n > 0 {
		st.Evidence = append(st.Evidence, fmt.Sprintf("%d key %s in %s", n, plural(n, "pair"), s.rel(folder.Dir)))
	}
	if s.Choices.Nodes > 0 {
		st.State, st.Short = Done, strconv.Itoa(s.Choices.Nodes)
		st.Evidence = append([]string{fmt.Sprintf("%d %s wished", s.Choices.Nodes, plural(s.Choices.Nodes, "SuperNode"))}, st.Evidence...)
		if file, _, line, changed := c.script(s); file != "" && changed {
			st.Hints = []string{fmt.Sprintf("%s line %d has another number; flwrup makes the keys itself", s.rel(file), line)}
		}
		if script, err := os.ReadFile(filepath.Join(s.Dir, scriptName)); err == nil && keys.ScriptDeletesKeys(script) {
			st.Hints = append(st.Hints, scriptName+" deletes the keys that are there before it makes new ones: do not run it")
		}
	}
	return st, nil
}

// OnlyAsks tells that doing step number is no more than a question and a note of its answer.
func OnlyAsks(number int) bool { return number == 5 }

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// scriptName is the script of Flower's authentication example that makes keys.
const scriptName = "generate_auth_keys.sh"

// script finds it, and gives its text now and with the number of SuperNodes.
func (count) script(s *Site) (file string, texts [2][]byte, line int, changed bool) {
	file = filepath.Join(s.Dir, scriptName)
	before, err := os.ReadFile(file)
	if err != nil {
		return "", texts, 0, false
	}
	after, line, changed, err := keys.SetKeyCount(before, s.Choices.Nodes)
	if err != nil {
		return "", texts, 0, false
	}
	return file, [2][]byte{before, after}, line, changed
}

func (count) Plan(ctx context.Context, s *Site) ([]Action, error) {
	return []Action{{Says: "note the number in flwrup.toml"}}, nil
}

func (c count) Apply(ctx context.Context, s *Site, to Sink) error {
	if s.Choices.Nodes > 0 {
		return nil
	}
	return c.Change(ctx, s, to)
}

// Change asks for the number; it may grow at any time, and shrink down to what is registered.
func (c count) Change(ctx context.Context, s *Site, to Sink) error {
	folder, err := keys.Scan(s.keysDir())
	if err != nil {
		return err
	}
	registered := 0
	for _, n := range s.Ledger.Nodes() {
		if n.State == ledger.Registered && n.Connection == s.Choices.Grid.Connection {
			registered++
		}
	}
	suggest := s.Choices.Nodes
	if suggest == 0 {
		suggest = max(len(folder.Pairs), 2)
		if s.Rehearsal() {
			suggest = max(len(folder.Pairs), 3)
		}
	}
	answer, err := to.Ask(ctx, Question{ID: "nodes", Kind: AskNumber, Default: strconv.Itoa(suggest),
		Ask:  "How many SuperNodes?",
		Help: "Each takes about 190 MB of memory. More can be added later.",
		Validate: func(text string) error {
			n, err := strconv.Atoi(text)
			switch {
			case err != nil || n < 1:
				return fmt.Errorf("a whole number, 1 or more")
			case n > maxNodes:
				return fmt.Errorf("at most %d", maxNodes)
			case n < registered:
				return fmt.Errorf("%d are registered: unregister one on the dashboard first", registered)
			}
			return nil
		}})
	if err != nil {
		return err
	}
	if s.Choices.Nodes, err = strconv.Atoi(answer); err != nil {
		return err
	}
	if err := s.save(); err != nil {
		return err
	}
	file, texts, line, changed := c.script(s)
	if !changed {
		return nil
	}
	answer, err = to.Ask(ctx, Question{ID: "script", Kind: AskConfirm, Default: "no",
		Ask:  fmt.Sprintf("Put the number into line %d of %s, too?", line, s.rel(file)),
		Help: "flwrup makes the keys itself and never runs that script, which overwrites keys that are there.",
		Diff: tomledit.Diff(texts[0], texts[1], s.rel(file))})
	if err != nil || answer != "yes" {
		return err
	}
	return atomicfile.Write(file, texts[1], 0o755)
}
