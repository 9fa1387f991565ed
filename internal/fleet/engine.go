package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flwrup/internal/atomicfile"
	"flwrup/internal/export"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/internal/tomledit"
)

// Differs is the code of a Problem about a file of an earlier export that would be overwritten.
const Differs problem.Code = "file-differs"

// Export is an export that is about to be written.
type Export struct {
	Kind  export.Kind
	Dir   string // absolute
	Names []string
	Files []export.File
	Guide export.Guide
}

// NewExport makes the files from which an engine runs the named SuperNodes, all of them without a name, and those that
// it runs from the same folder already. dir "" is flwrup-export/KIND in the project's folder. It writes nothing.
func NewExport(ctx context.Context, s *site.Site, kind export.Kind, names []string, dir string) (Export, error) {
	if dir == "" {
		dir = defaultDir(s, kind)
	}
	e := Export{Kind: kind, Dir: dir}
	list, keyless, _, err := chosen(s, nil)
	if err != nil {
		return e, err
	}
	here := ledger.Engine{Kind: string(kind), Dir: s.Rel(dir)}
	if len(names) > 0 {
		if err := CheckNames(s, names); err != nil {
			return e, err
		}
		for _, m := range keyless {
			if slices.Contains(names, m.Name) {
				return e, problem.New(problem.BadInput, "cannot export "+m.Name, "its key is not in the folder", "flwrup restore-key "+m.Name+" takes it from the backup")
			}
		}
		list = slices.DeleteFunc(list, func(m site.Member) bool {
			at := s.Ledger.SuperNode(m.Name).Engine
			return !slices.Contains(names, m.Name) && (at.Kind != here.Kind || at.Dir != here.Dir)
		})
	}
	c := s.Choices()
	set := export.Set{Project: c.Name, ID: c.ID, Federation: c.Federation, Rehearsal: s.Rehearsal(), Root: s.Dir, Dir: dir}
	as := project.RuntimeDocker
	if kind.Processes() {
		as = project.RuntimeProcess
	}
	for _, m := range list {
		spec, err := site.Spec(ctx, s, m, as)
		if err != nil {
			return e, err
		}
		if spec.CAFile != "" && set.CA == nil {
			if set.CA, err = plainfile.Read(spec.CAFile); err != nil {
				return e, problem.New(problem.BadInput, "the certificate "+spec.CAFile+" cannot be read", problem.Cause(err), "put it back, or change ca in flwrup.toml")
			}
		}
		set.Nodes = append(set.Nodes, export.Node{Spec: spec, ID: m.Record.NodeID, Digest: digestOf(ctx, s, spec)})
		e.Names = append(e.Names, m.Name)
	}
	if len(list) == 0 {
		return e, problem.New(problem.NeedsPerson, "cannot export SuperNodes", "no SuperNode here has its key", "`flwrup status` lists them")
	}
	e.Files, e.Guide, err = export.Files(kind, set)
	return e, err
}

// digestOf returns the digest under which registries know the image of a spec: from the ledger, else from the daemon
// at hand; "" where neither knows one.
func digestOf(ctx context.Context, s *site.Site, spec supernode.Spec) string {
	name := site.DigestOf(s.Ledger.Data(), supernode.Status{Host: spec.Host, Image: spec.Image, ImageID: spec.ImageID})
	if strings.Contains(name, "@") {
		return name
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil || spec.ImageID != "" { // the ledger knows the image, and no digest of it
		return ""
	}
	if r, ok := site.At(rt, spec.Host).(site.ImageResolver); ok {
		if i, err := r.ResolveImage(ctx, spec.Image); err == nil {
			return i.Digest
		}
	}
	return ""
}

// Write writes the files. One that is there and differs is shown as a diff, and overwritten after a yes alone.
func (e Export) Write(ctx context.Context, s *site.Site, overwrite bool, to front.Sink) error {
	if err := site.Stays(s, e.Dir); err != nil { // a link of the repository's
		return err
	}
	if err := os.MkdirAll(e.Dir, 0o755); err != nil { // #nosec G301 -- no secret is in it, and the umask decides
		return &problem.Problem{Code: problem.BadInput, What: "cannot make the folder " + e.Dir, Why: problem.Cause(err), Fix: "name another folder with --out", Err: err}
	}
	var write []export.File
	for _, f := range e.Files {
		path := filepath.Join(e.Dir, f.Name)
		if err := site.Stays(s, path); err != nil {
			return err
		}
		have, err := plainfile.Read(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return &problem.Problem{Code: problem.BadInput, What: "cannot read " + path, Why: problem.Cause(err), Fix: "name another folder with --out", Err: err}
		case bytes.Equal(have, f.Data):
			continue
		case !overwrite:
			name := s.Rel(path)
			answer, err := to.Ask(ctx, front.Question{ID: "overwrite", Kind: front.AskConfirm, Default: "no", Ask: "Overwrite " + name + "?",
				Help: "It is there, and differs from what flwrup would write now.", Diff: tomledit.Diff(have, f.Data, name)})
			if err != nil {
				return err
			}
			if answer != "yes" {
				return problem.New(Differs, name+" is there and differs", "you may have changed it, or the SuperNodes have changed since", "compare it with a new export (--out FOLDER), or overwrite it: --overwrite")
			}
		}
		write = append(write, f)
	}
	for _, f := range write {
		path := filepath.Join(e.Dir, f.Name)
		if err := atomicfile.Write(path, f.Data, 0o644); err != nil {
			return &problem.Problem{Code: problem.BadInput, What: "cannot write " + path, Why: problem.Cause(err), Fix: "name another folder with --out", Err: err}
		}
		to.Event(front.Says{Text: "wrote " + s.Rel(path)})
	}
	return nil
}

// Stale is an export that an engine runs SuperNodes from, and that flwrup would write otherwise now.
type Stale struct {
	Export
	Differ []string // names of the files that differ or are not there
}

// Outdated returns those exports from which engines run some of list, and of which flwrup would change files that an
// engine reads.
func Outdated(ctx context.Context, s *site.Site, list []site.Member) ([]Stale, error) {
	at := map[export.Where][]string{}
	d, f := s.Ledger.Data(), s.Folder()
	for _, m := range list {
		if w, is := health.RunBy(d, f, m.Name); is {
			w.Name = ""
			at[w] = append(at[w], m.Name)
		}
	}
	var all []Stale
	for w, names := range at {
		e, err := NewExport(ctx, s, w.Kind, names, w.Dir)
		if err != nil {
			return nil, err
		}
		e.Names = names
		one := Stale{Export: e}
		for _, file := range e.Files {
			if file.Name == "README.md" { // no engine reads it
				continue
			}
			if have, err := plainfile.Read(filepath.Join(e.Dir, file.Name)); err != nil || !bytes.Equal(have, file.Data) {
				one.Differ = append(one.Differ, file.Name)
			}
		}
		if len(one.Differ) > 0 {
			all = append(all, one)
		}
	}
	slices.SortFunc(all, func(a, b Stale) int { return strings.Compare(a.Dir, b.Dir) })
	return all, nil
}

// Remedy says how the engine gets the new files. The command comes first: the dashboard has one line for it.
func (e Stale) Remedy(s *site.Site) string {
	command := "flwrup export " + string(e.Kind)
	if e.Dir != defaultDir(s, e.Kind) {
		command += " --out " + shell.Path(e.Dir)
	}
	return fmt.Sprintf("export again (%s), then type there %s: %s runs %s from files that are older now (%s)",
		command, e.Again(), e.Kind, strings.Join(e.Names, ", "), strings.Join(e.Differ, ", "))
}

// Again is what a person types in the folder after an export, on one line.
func (e Stale) Again() string { return strings.ReplaceAll(e.Guide.Again.Command, "\n", "; ") }

// Diff returns what an export would change of the files, unified.
func (e Stale) Diff(s *site.Site) string {
	var text strings.Builder
	for _, file := range e.Files {
		if slices.Contains(e.Differ, file.Name) {
			path := filepath.Join(e.Dir, file.Name)
			have, _ := plainfile.Read(path) // one that is not there is new
			text.WriteString(tomledit.Diff(have, file.Data, s.Rel(path)))
		}
	}
	return text.String()
}

// behind says of each engine that runs some of list which of its files an export would change now, with the command
// that shows the change; "" where all are as an export would write them.
func behind(ctx context.Context, s *site.Site, list []site.Member) (string, error) {
	all, err := Outdated(ctx, s, list)
	var says []string
	for _, e := range all {
		says = append(says, e.Remedy(s))
	}
	slices.Sort(says)
	return strings.Join(says, "\n"), err
}

func defaultDir(s *site.Site, kind export.Kind) string {
	return filepath.Join(project.ExportDir(s.Dir), string(kind))
}

// Move hands the exported SuperNodes to their engine: flwrup stops its own, removes their containers, waits until the
// grid takes their keys from elsewhere, and notes who runs them. It starts none there.
func Move(ctx context.Context, s *site.Site, e Export, to front.Sink) error {
	list, _, _, err := chosen(s, e.Names)
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(m site.Member) bool { return s.Ledger.SuperNode(m.Name).Engine.Kind == string(e.Kind) })
	for _, m := range list {
		if w, is := health.RunBy(s.Ledger.Data(), s.Folder(), m.Name); is {
			return runElsewhere(w, "cannot move "+m.Name)
		}
	}
	if len(list) == 0 {
		return nil
	}
	// A watch leaves alone what is to be down.
	if err := site.NoteWanted(s, namesOf(list), front.WantedDown); err != nil {
		return err
	}
	if err := stop(ctx, s, list, to); err != nil {
		return err
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	for _, m := range list {
		if st := states[m.Name]; st.ByHand != "" {
			return problem.New(problem.Busy, "cannot move "+m.Name, "it was started by hand as "+st.ByHand, "end it: "+st.EndWith)
		}
		if err := rt.Remove(ctx, m.Name); err != nil { // its name, its volumes and the copy of its key
			return err
		}
	}
	if err := waitOffline(ctx, s, list, to); err != nil {
		return err
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		for _, m := range list {
			n := d.SuperNode(m.Name)
			n.Engine, n.Wanted = ledger.Engine{Kind: string(e.Kind), Dir: s.Rel(e.Dir), At: time.Now()}, "" // nothing is wanted of flwrup
			d.PutSuperNode(n)
		}
		return nil
	})
}

// runElsewhere is the Problem about what flwrup leaves to an engine.
func runElsewhere(w export.Where, what string) *problem.Problem {
	return problem.New(health.NodeEngine, what, w.Says()+" runs it", "end it there: "+w.End())
}

// leftToEngines splits off the SuperNodes that engines run, and says of each what a person types there. A person who
// named one gets the Problem about it.
func leftToEngines(s *site.Site, list []site.Member, named []string, typed func(export.Where) string, to front.Sink) (own []site.Member, left error) {
	var all []error
	d, f := s.Ledger.Data(), s.Folder()
	for _, m := range list {
		w, is := health.RunBy(d, f, m.Name)
		if !is {
			own = append(own, m)
			continue
		}
		state := front.ItemDone
		if slices.Contains(named, m.Name) {
			state = front.ItemFailed
			all = append(all, problem.New(health.NodeEngine, m.Name+" is left alone", w.Says()+" runs it", "type there: "+typed(w)))
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: m.Name, State: state, Text: "left alone, " + string(w.Kind) + " runs it: " + typed(w)}})
	}
	return own, problem.Join(all...)
}

// takeBack has flwrup run those of the named SuperNodes again that engines ran and that have ended there. They keep
// their keys and node IDs.
func takeBack(ctx context.Context, s *site.Site, names []string, to front.Sink) error {
	list, _, _, err := chosen(s, names)
	if err != nil {
		return err
	}
	var back []site.Member
	where := map[string]export.Where{}
	d, f := s.Ledger.Data(), s.Folder()
	for _, m := range list {
		if w, is := health.RunBy(d, f, m.Name); is {
			back = append(back, m)
			where[m.Name] = w
		}
	}
	if len(back) == 0 {
		return nil
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	for _, m := range back {
		w := where[m.Name]
		if st := states[m.Name]; w.Kind.OnDocker() && st.State != supernode.Absent && st.State != "" {
			return runElsewhere(w, "cannot start "+m.Name+" here")
		}
	}
	if err := waitOffline(ctx, s, back, to); err != nil {
		return err
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		for _, m := range back {
			n := d.SuperNode(m.Name)
			n.Engine = ledger.Engine{}
			d.PutSuperNode(n)
		}
		return nil
	})
}
