package site

import (
	"errors"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/flwrexec/app"
	"flwrup/flwrexec/config"
	"flwrup/flwrexec/install"
	"flwrup/internal/hostpath"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/trust"
	"flwrup/keys"
)

// flwrup acts on a value of flwrup.toml or of the folder only after the person accepted it, or chose it through
// flwrup. A site that acts is not opened before that. A site that only looks leaves out values that were not
// accepted. So Choices never holds a value that somebody else put there.

// Unaccepted is the error of Open, a Problem (not-accepted): front ends show the values, ask, and open again.
type Unaccepted struct {
	Dir    string
	Values []trust.Value
}

func (u *Unaccepted) Error() string { return u.Unwrap().Error() }

// Unwrap returns the Problem.
func (u *Unaccepted) Unwrap() error { return trust.Refused(u.Dir, u.Values) }

// recordsKey stands for .flwrup in a list of values: containers, processes and node IDs are known by it.
const recordsKey = ".flwrup"

// needFlwr are the values without which flwr is not asked anything by a site that only looks.
var needFlwr = []string{recordsKey, "flwr.path", "flwr.home", "grid.control", "grid.fleet", "grid.ca", "grid.rehearsal"}

// NeedRuntime are the values without which a site that only looks does not know where SuperNodes run.
var NeedRuntime = []string{recordsKey, "runtime", hostKey}

// hostKey stands for the key host in any of the [node.…] tables.
const hostKey = "node.*.host"

// survey is what a site finds when it is opened.
type survey struct {
	choices *project.Choices // of the file, else the defaults
	made    bool             // there was no flwrup.toml
	fresh   bool             // there was no .flwrup
	open    []trust.Value    // nobody accepted them
}

// surveyFolder reads flwrup.toml and says which values nobody accepted. The values that this call's flags set are
// the person's own. It writes nothing.
func surveyFolder(s *Site) (v survey, err error) {
	if v.fresh, err = project.Fresh(s.Dir); err != nil {
		return v, err
	}
	v.choices, err = project.Load(s.Dir)
	if err != nil && s.Options.Instead != nil {
		return instead(s, v), nil
	}
	switch {
	case err == nil:
	case errors.Is(err, os.ErrNotExist) && s.Options.Create:
		v.choices, v.made = project.Defaults(s.Dir), true
		v.choices.Grid.Rehearsal = s.Options.Rehearsal
	case errors.Is(err, os.ErrNotExist):
		return v, problem.New(problem.BadInput, "no flwrup.toml in "+s.Dir, "nothing was set up here yet",
			"start with `flwrup`, or name the folder with --dir")
	default:
		return v, err
	}
	then, given := *v.choices, project.Defaults(s.Dir)
	if s.Options.Choose != nil {
		s.Options.Choose(&then)
		s.Options.Choose(given)
	}
	at := ground(s, &then)
	plain := project.Defaults(s.Dir) // a default may lead out of the folder by a link: nobody chose that
	byItself := hashes(plain.Values(at))
	// A flag may make a value of the file matter that was harmless without it: the value is still the file's.
	inFile := hashes(v.choices.Values(at))
	if v.made {
		inFile = byItself
	}
	fromFlags := hashes(given.Values(at))
	for h := range byItself {
		delete(fromFlags, h)
	}
	var asks []trust.Value
	for _, value := range then.Sensitive(at) {
		if inFile[value.Hash()] && !fromFlags[value.Hash()] {
			asks = append(asks, value)
		}
	}
	asks = append(asks, brought(s, &then, v)...)
	if v.open = s.store.Missing(v.choices.ID, asks); len(v.open) > 0 && s.Options.Instead != nil && s.store.Known(v.choices.ID) {
		return instead(s, v), nil
	}
	takeOver(s, &v)
	return v, nil
}

// instead goes on with the choices from before an edit.
func instead(s *Site, v survey) survey {
	before := *s.Options.Instead
	v.choices, v.open, s.instead = &before, nil, true
	return v
}

func hashes(values []trust.Value) map[string]bool {
	set := map[string]bool{}
	for _, v := range values {
		set[v.Hash()] = true
	}
	return set
}

// ground is what project needs to know about the folder.
func ground(s *Site, c *project.Choices) project.Ground {
	at := project.Ground{Dir: s.Dir, Rehearsal: c.Grid.Rehearsal}
	if folder, err := keys.Scan(s.Path(c.Keys)); err == nil {
		at.Keys = len(folder.Pairs) > 0
	}
	return at
}

// brought are the things beside flwrup.toml that came with the folder: flwrup's records, environments with
// a flwr, and an app that a new rehearsal would run.
//
// Records of an earlier flwrup, from before acceptance was kept, are asked about once, unless takeOver finds that
// their SuperNodes run here. Nothing in the folder alone tells them from records that the author of a repository
// committed: modes, dates and contents can all be copied, and the records name processes, logs and addresses that
// flwrup acts on.
func brought(s *Site, c *project.Choices, v survey) []trust.Value {
	var list []trust.Value
	if !v.fresh && !s.store.Known(v.choices.ID) {
		list = append(list, trust.Value{Key: recordsKey, Text: v.choices.ID,
			Says: "holds records of keys, SuperNodes and runs that flwrup acts on; accept them only if you set up this folder yourself, such as with an earlier flwrup"})
	}
	if at := ground(s, c); at.Keys && v.fresh && !v.made {
		list = append(list, trust.Value{Key: "keys", Text: c.Keys + "\x00" + fingerprints(s, c),
			Says: "the keys in " + c.Keys + " came with this folder: whoever made them can act as your SuperNodes"})
	}
	if c.Grid.Rehearsal && v.made && app.Exists(s.Dir) {
		list = append(list, trust.Value{Key: "pyproject.toml", Text: hostpath.Real(s.Dir), Says: "a rehearsal runs the app in this folder with your rights"})
	}
	return append(append(list, connections(s, c)...), environments(s, c)...)
}

// connections are those of a pyproject.toml that lead elsewhere, and that the person has neither chosen nor in
// Flower's own configuration. A file that cannot be read has none; step 8 says what is wrong with it.
func connections(s *Site, c *project.Choices) []trust.Value {
	if c.Grid.Rehearsal {
		return nil
	}
	files := []string{filepath.Join(s.Dir, "pyproject.toml")}
	if c.App != "" && c.App != NoApp {
		files = append(files, filepath.Join(s.Path(c.App), "pyproject.toml"))
	}
	own := map[string]bool{}
	if file, err := config.FlowerFile(s.Path(c.Flwr.Home)); err == nil {
		mine, _ := config.ReadFlower(file)
		for _, x := range mine {
			own[x.Name] = true
		}
	}
	var list []trust.Value
	for _, file := range files {
		brought, _ := config.BroughtConnections(file)
		for _, b := range brought {
			chosen := b.Connection.Name == c.Grid.Connection && b.Connection.Address == c.Grid.Control && b.Connection.CA == s.Path(c.Grid.CA)
			if v := (trust.Value{Key: s.Rel(file), Text: b.Text, Says: b.Says}); !chosen && !own[b.Connection.Name] && !hashes(list)[v.Hash()] {
				list = append(list, v)
			}
		}
	}
	return list
}

// fingerprints names the keys in the folder of keys.
func fingerprints(s *Site, c *project.Choices) string {
	folder, err := keys.Scan(s.Path(c.Keys))
	if err != nil {
		return ""
	}
	var all []string
	for _, p := range folder.Pairs {
		all = append(all, p.Fingerprint)
	}
	return strings.Join(all, " ")
}

// environments are those inside the folder that flwr would be taken from.
func environments(s *Site, c *project.Choices) []trust.Value {
	if c.Flwr.Path != "" || c.Grid.Rehearsal {
		return nil
	}
	var list []trust.Value
	for _, program := range install.ProjectPrograms(s.Dir) {
		list = append(list, trust.Value{Key: s.Rel(filepath.Dir(filepath.Dir(program))), Text: program + "\x00" + hostpath.Real(program),
			Says: "an environment in this folder: runs its flwr, " + s.Rel(program)})
	}
	return list
}

// settle accepts what the person accepts with this call, and makes the records' ID known. It runs with the
// lock in hand.
func settle(s *Site, v survey) error {
	if len(declined(s, v.open)) > 0 {
		return &Unaccepted{s.Dir, v.open}
	}
	if v.fresh || len(v.open)+len(s.proven) > 0 {
		if err := s.store.Accept(v.choices.ID, slices.Concat(v.open, s.proven)); err != nil {
			return err
		}
	}
	if err := v.choices.KeepID(s.Dir); err != nil {
		return err
	}
	if s.made && (s.Options.Rehearsal || s.Options.Rehearsed) { // only a folder that flwrup made itself may ever be removed
		return project.Mark(s.Dir, "rehearsal")
	}
	return nil
}

// declined returns the values that this call does not accept either.
func declined(s *Site, open []trust.Value) []trust.Value {
	if s.Options.Trust {
		return nil
	}
	accepts := hashes(s.Options.Accept)
	return slices.DeleteFunc(slices.Clone(open), func(v trust.Value) bool { return accepts[v.Hash()] })
}

// refused is the error for a call that does not accept all of v.open; nil where it does, or leaves it out.
func refused(s *Site, v survey) error {
	if s.Options.ReadOnly || s.Options.Trust {
		return nil
	}
	left := slices.DeleteFunc(declined(s, v.open), func(x trust.Value) bool { return s.Options.Ending && x.Key != recordsKey })
	if len(left) == 0 {
		return nil
	}
	return &Unaccepted{s.Dir, v.open}
}

// leaveOut returns c without the values that nobody accepted.
func leaveOut(s *Site, c *project.Choices, open []trust.Value) *project.Choices {
	s.leftOut = slices.DeleteFunc(slices.Clone(open), func(v trust.Value) bool {
		return s.Options.Ending && (v.Key == "grid.rehearsal" || v.Key == "runtime") // they say where to find what is ended
	})
	if len(s.leftOut) == 0 {
		return c
	}
	c = c.Without(s.leftOut, ground(s, c))
	if !s.Options.Ending { // one value may have been harmless only together with another
		c = c.Without(s.store.Missing(c.ID, c.Sensitive(ground(s, c))), ground(s, c))
	}
	if Holds(s, recordsKey) {
		s.state = s.store.Nowhere()
	}
	return c
}

// Holds reports whether one of the keys has a value that is left out.
func Holds(s *Site, keys ...string) bool {
	return slices.ContainsFunc(s.leftOut, func(v trust.Value) bool {
		anyHost, _ := path.Match(hostKey, v.Key)
		return slices.Contains(keys, v.Key) || anyHost && slices.Contains(keys, hostKey)
	})
}

// FileProblem says why flwrup.toml as it lies there now is not what this site goes by; nil where it is, or will
// be taken over with the next action.
func FileProblem(s *Site) error {
	_, err := s.edited()
	if errors.Is(err, os.ErrNotExist) {
		return problem.New(problem.BadInput, project.File(s.Dir)+" is gone", "", "put it back, or leave and start flwrup again")
	}
	return err
}

// Withheld is the Problem (not-accepted) of a site that left out values; nil when it left out none. It gives
// their places alone: several steps may say it, and LeftOut has the rest.
func Withheld(s *Site) error {
	if len(s.leftOut) == 0 {
		return nil
	}
	p := trust.Refused(s.Dir, s.leftOut)
	var places []string
	for _, v := range s.leftOut {
		places = append(places, v.Place())
	}
	p.Why = strings.Join(slices.Compact(places), ", ")
	return p
}

// LeftOut are the values that this site, which only looks, leaves out.
func LeftOut(s *Site) []trust.Value { return s.leftOut }

// accept remembers the values of c: flwrup itself puts them there.
func accept(s *Site, c *project.Choices) error {
	return s.store.Accept(c.ID, c.Sensitive(ground(s, c)))
}

// AcceptConnections remembers the connections that flwrup has just written into a pyproject.toml.
func AcceptConnections(s *Site) error {
	c := s.Choices()
	return s.store.Accept(c.ID, connections(s, c))
}

// Trusted is what `flwrup trust` shows of a folder.
type Trusted struct {
	Open     []trust.Value // nobody accepted them
	Accepted []trust.Value
}

// Trust lists what the folder asks for. With accept, the open values that it names are accepted.
func Trust(dir string, accept []trust.Value) (Trusted, error) {
	s, v, err := openTrust(dir)
	if err != nil {
		return Trusted{}, err
	}
	if len(accept) > 0 {
		wanted := hashes(accept)
		given := slices.DeleteFunc(slices.Clone(v.open), func(x trust.Value) bool { return !wanted[x.Hash()] })
		if err := v.choices.KeepID(s.Dir); err != nil {
			return Trusted{}, err
		}
		if err := s.store.Accept(v.choices.ID, given); err != nil {
			return Trusted{}, err
		}
		if v, err = surveyFolder(s); err != nil {
			return Trusted{}, err
		}
	}
	t := Trusted{Open: v.open}
	open := hashes(v.open)
	for _, x := range slices.Concat(v.choices.Sensitive(ground(s, v.choices)), connections(s, v.choices), environments(s, v.choices)) {
		if !open[x.Hash()] {
			t.Accepted = append(t.Accepted, x)
		}
	}
	return t, nil
}

// Distrust takes back all that was accepted in the folder.
func Distrust(dir string) error {
	s, _, err := openTrust(dir)
	if err != nil {
		return err
	}
	return s.store.Revoke()
}

func openTrust(dir string) (*Site, survey, error) {
	s, err := siteIn(Options{Dir: dir})
	if err != nil {
		return nil, survey{}, err
	}
	v, err := surveyFolder(s)
	return s, v, err
}
