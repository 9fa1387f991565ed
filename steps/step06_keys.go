package steps

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/keys"
)

// makeKeys is step 6: a key pair for each SuperNode.
type makeKeys struct{ free }

func (makeKeys) ID() front.StepID { return front.StepKeys }
func (makeKeys) Name() string     { return "Keys" }
func (makeKeys) Title() string    { return "Generate keys" }
func (makeKeys) Why() string {
	return "A SuperNode proves its identity with its private key; the grid gets the public key. flwrup makes ECDSA P-384 pairs, as ssh-keygen does, and never overwrites an existing one."
}

// Wants returns the folder of keys.
func (makeKeys) Wants() Wants { return Wants{Status: site.ReadKeys, Plan: site.ReadKeys} }

func (makeKeys) Inspect(p Snapshot) (front.Status, error) {
	c, list, folder := p.Choices, p.SuperNodes, p.Keys.Value
	if c.Nodes == 0 {
		return front.Status{State: front.Blocked, By: front.StepCount, Why: "the number of SuperNodes is not chosen yet"}, nil
	}
	if p.Keys.Err != nil {
		return front.Status{}, p.Keys.Err
	}
	st := front.Status{State: front.Ready, Done: len(list), Of: c.Nodes, Short: fmt.Sprintf("%d/%d", len(list), c.Nodes), Change: len(list) == 0}
	for _, m := range list {
		st.Items = append(st.Items, front.Item{Name: m.Name, State: front.ItemDone, Text: m.Pair.Fingerprint + "  " + p.Rel(m.Pair.Private)})
	}
	for _, issue := range folder.Issues {
		st.Hints = append(st.Hints, issue.Problem.Error()+site.Fix(issue.Problem))
	}
	if len(list) > 0 {
		st.Evidence = []string{fmt.Sprintf("%d of %d key pairs in %s", len(list), c.Nodes, p.Rel(folder.Dir))}
	}
	if len(list) >= c.Nodes && !loose(folder) {
		st.State, st.Short = front.Done, fmt.Sprint(len(list))
		st.Evidence = append(st.Evidence, "all matching ECDSA P-384 pairs, private keys readable only by you")
	}
	return st, nil
}

// loose reports whether a private key, or its folder, can be read by others.
func loose(folder keys.Folder) bool {
	for _, issue := range folder.Issues {
		if issue.Problem.Code == keys.LooseMode {
			return true
		}
	}
	return false
}

// complete writes the public halves that are missing: they follow from the private ones. A flwrup that
// was killed between the two files leaves such a pair.
func (makeKeys) complete(s *site.Site, to front.Sink) error {
	folder, err := keys.Scan(s.Folder().KeysDir())
	if err != nil {
		return err
	}
	for _, issue := range folder.Issues {
		if issue.Problem.Code != keys.HalfPair {
			continue
		}
		p, err := keys.Complete(folder.Dir, filepath.Base(issue.File))
		if err != nil {
			return err
		}
		to.Event(front.Says{Text: "wrote the public key " + s.Rel(p.Public)})
	}
	return nil
}

func (makeKeys) Plan(p Snapshot) ([]front.Action, error) {
	if p.Keys.Err != nil {
		return nil, p.Keys.Err
	}
	names, folder := p.MissingKeys(), p.Keys.Value
	var actions []front.Action
	dir := shell.Path(p.Rel(folder.Dir))
	if len(names) > 0 {
		actions = append(actions, front.Action{Says: "make the folder for the keys, private to you",
			Command: "mkdir -p " + dir + " && chmod 700 " + dir})
	}
	for _, name := range names {
		file := shell.Path(p.Rel(folder.Dir) + "/" + name)
		actions = append(actions, front.Action{Says: "make the key pair " + name,
			Command: `ssh-keygen -q -t ecdsa -b 384 -N "" -C "" -f ` + file,
			Flags:   site.Explain([]string{"-t", "-b", "-N", "-C", "-f"})})
	}
	if loose(folder) {
		actions = append(actions, front.Action{Says: "make the private keys readable only by you", Command: "chmod 700 " + dir + " && chmod go= " + dir + "/*"})
	}
	return actions, nil
}

// Change asks for the folder of the keys, as long as there are none.
func (makeKeys) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	folder, err := keys.Scan(s.Folder().KeysDir())
	if err != nil {
		return err
	}
	if n := len(folder.Pairs); n > 0 || len(s.Ledger.Nodes()) > 0 {
		return problem.New(problem.BadInput, "cannot change the folder of the keys: "+s.Rel(folder.Dir)+" is in use", "the SuperNodes' keys are there",
			"keep it, or set up another project folder")
	}
	answer, err := to.Ask(ctx, front.Question{ID: "keys-folder", Kind: front.AskText, Default: s.Choices().Keys,
		Ask:  "Which folder are the keys for?",
		Help: "flwrup makes it if it is missing, readable for you alone. Keys that are there already are used.",
		Validate: func(text string) error {
			if strings.TrimSpace(text) == "" {
				return fmt.Errorf("a folder")
			}
			return nil
		}})
	if err != nil || answer == s.Choices().Keys {
		return err
	}
	return s.Change(func(c *project.Choices) error { c.Keys = answer; return nil })
}

func (k makeKeys) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	if err := k.complete(s, to); err != nil {
		return err
	}
	p := s.Look(ctx, site.Want{Parts: site.ReadKeys})
	if p.Keys.Err != nil {
		return p.Keys.Err
	}
	names := p.MissingKeys()
	if loose(p.Keys.Value) {
		files, err := keys.FixModes(p.Keys.Value.Dir)
		if err != nil {
			return err
		}
		for _, f := range files {
			to.Event(front.Says{Text: "now readable only by you: " + s.Rel(f)})
		}
		shutOut(ctx, s, p.SuperNodes, files, to)
	}
	made := 0
	_, err := keys.Generate(ctx, s.Folder().KeysDir(), names, func(p keys.Pair) {
		made++
		to.Event(front.ItemChanged{Item: front.Item{Name: p.Name, State: front.ItemDone, Text: p.Fingerprint}})
		to.Event(front.Progress{Label: "keys", Done: int64(made), Total: int64(len(names))})
	})
	return err
}

// shutOut says which containers that were started by hand may miss the keys whose modes were changed: the user of their
// image need not be the person. A container that runs has read its key.
func shutOut(ctx context.Context, s *site.Site, list []site.SuperNode, changed []string, to front.Sink) {
	states, err := site.States(ctx, s)
	if err != nil {
		return // step 13 says why
	}
	for _, m := range list {
		at := states[m.Name].ByHand
		private := m.Pair.Private
		if strings.HasPrefix(at, "container ") && (slices.Contains(changed, private) || slices.Contains(changed, filepath.Dir(private))) {
			to.Event(front.Says{Text: at + " was started by hand and runs on. It cannot start again if it reads " + s.Rel(private) +
				" as another user: `flwrup restart " + m.Name + " --replace` replaces it"})
		}
	}
}
