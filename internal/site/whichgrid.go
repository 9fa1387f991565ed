package site

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/wording"
)

// A project belongs to one grid at a time: SuperGrid, or a SuperLink that the person named. What the
// ledger knows goes by the connection's name, so the same keys can have node IDs on several grids.

// superGrid is the name of the connection to SuperGrid that flwr itself writes; people know it as superGridName.
const (
	superGrid     = "supergrid"
	superGridName = "SuperGrid"
)

// gridOffer is a grid that the person can choose.
type gridOffer struct {
	project.GridChoice
	used       bool   // by this project before
	federation string // the one that it used there
	note       string // beside its addresses
	unfit      string // why it cannot be chosen
}

// grids gives SuperGrid, every SuperLink of the person's Flower configuration, those that this project was
// used with before, and the one of c. home is a FLWR_HOME, "" the person's own. A file that cannot be
// read offers nothing; step 8 says what is wrong with it.
func grids(s *Site, c *project.Choices, home string) []gridOffer {
	list := []gridOffer{{GridChoice: project.GridChoice{Connection: superGrid}}}
	add := func(o gridOffer) {
		i := slices.IndexFunc(list, func(have gridOffer) bool { return have.Connection == o.Connection })
		if i < 0 {
			list = append(list, o)
			return
		}
		list[i] = o
	}
	files := []string{filepath.Join(s.AppDir(), "pyproject.toml")} // flwr up to 1.25
	var known []config.Connection
	if dir := filepath.Join(s.Dir, "pyproject.toml"); dir != files[0] {
		files = append(files, dir)
	}
	for _, file := range files {
		_, more, _ := config.LegacyBlock(file)
		known = append(known, more...)
	}
	var more []config.Connection
	if file, err := config.FlowerFile(home); err == nil {
		more, _ = config.ReadFlower(file)
	}
	for _, x := range append(known, more...) {
		if x.Simulation() || x.Name == superGrid && flwr.OfSuperGrid(x.Address) {
			continue
		}
		o := gridOffer{GridChoice: project.GridChoice{Connection: x.Name, Control: x.Address, CA: s.Rel(x.CA)}}
		switch {
		case project.CheckConnection(x.Name) != nil:
			o.unfit = "flwrup takes names of letters, digits, '_', '.' and '-'"
		case project.CheckAddress(x.Address) != nil:
			o.unfit = project.CheckAddress(x.Address).Error()
		case x.Insecure:
			o.unfit = "insecure: a login and SuperNodes with keys need TLS"
		}
		add(o)
	}
	for _, g := range s.Ledger.Data().Grids {
		o := gridOffer{GridChoice: project.GridChoice{Connection: g.Connection, Control: g.Control, Fleet: g.Fleet, CA: g.CA}, used: true, federation: g.Federation}
		if i := slices.IndexFunc(list, func(have gridOffer) bool { return have.Connection == g.Connection && have.Control != "" }); i >= 0 {
			o.Control, o.CA = list[i].Control, list[i].CA // the file is what flwr itself goes by
		}
		add(o)
	}
	if c.Grid.Control != "" || !slices.ContainsFunc(list, func(o gridOffer) bool { return o.Connection == c.Grid.Connection }) {
		add(gridOffer{GridChoice: c.Grid, federation: c.Federation})
	}
	for i, o := range list {
		registered := 0
		for _, n := range s.Ledger.Nodes() {
			if n.Connection == o.Connection && n.State == ledger.Registered {
				registered++
			}
		}
		if registered > 0 {
			list[i].note = fmt.Sprintf("%d %s registered there", registered, wording.Plural(registered, "key"))
		}
	}
	return list
}

// fleetOf and controlOf are the two addresses of a grid: as chosen, else SuperGrid's, else where a
// SuperLink has the SuperNodes' side by itself.
func fleetOf(g project.GridChoice, d flwr.Dialect) string {
	switch {
	case g.Fleet != "":
		return g.Fleet
	case g.Control != "" && !flwr.OfSuperGrid(g.Control):
		return d.FleetBeside(g.Control)
	}
	return d.DefaultFleet
}

func controlOf(g project.GridChoice, d flwr.Dialect) string {
	if g.Control != "" {
		return g.Control
	}
	return d.DefaultControl
}

// gridName is what a person knows a grid by.
func gridName(g project.GridChoice) string {
	if g.Connection == superGrid && (g.Control == "" || flwr.OfSuperGrid(g.Control)) {
		return superGridName
	}
	return g.Connection
}

// GridLines describe a grid for step 2.
func GridLines(g project.GridChoice, d flwr.Dialect) []string {
	lines := []string{gridName(g) + ": flwr's commands at " + controlOf(g, d), "SuperNodes at " + fleetOf(g, d)}
	if g.CA != "" {
		lines = append(lines, "its own CA: "+g.CA)
	}
	return lines
}

// otherAddresses is the answer to "grid" that leads to typing them; no connection has a name with spaces.
const otherAddresses = "other addresses"

// ChooseGrid asks which grid the SuperNodes are for. Where the person did not ask to change it, there is a
// question only as long as nothing was chosen and more than SuperGrid is there to choose from.
func ChooseGrid(ctx context.Context, s *Site, to front.Sink, change bool) error {
	if s.Rehearsal() {
		return nil
	}
	c := s.Choices()
	now, list := c.Grid, grids(s, c, s.FlwrHome())
	others := slices.ContainsFunc(list, func(o gridOffer) bool { return o.unfit == "" && o.Connection != now.Connection })
	if chosen := now != (project.GridChoice{Connection: superGrid}); !change && (chosen || !others) {
		return nil
	}
	d := s.Dialect()
	q := front.Question{ID: "grid", Kind: front.AskChoice, Default: now.Connection, Ask: "Which grid are the SuperNodes for?",
		Help: "Each grid gives node IDs of its own: the same keys can be registered on several, and flwrup keeps them apart."}
	for _, o := range list {
		x := front.Choice{Value: o.Connection, Label: gridName(o.GridChoice), Note: controlOf(o.GridChoice, d), Disabled: o.unfit != ""}
		switch {
		case o.unfit != "":
			x.Note += "; " + o.unfit
		case o.CA != "":
			x.Note += ", its own CA"
		}
		if o.note != "" {
			x.Note += "; " + o.note
		}
		q.Choices = append(q.Choices, x)
	}
	q.Choices = append(q.Choices, front.Choice{Value: otherAddresses, Label: otherAddresses, Note: "type them"})
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer == otherAddresses {
		return typeGrid(ctx, s, to)
	}
	i := slices.IndexFunc(list, func(o gridOffer) bool { return o.Connection == answer })
	if i < 0 {
		return fmt.Errorf("no connection %q", answer)
	}
	o := list[i]
	if o.Control != "" && !o.used && o.Connection != now.Connection {
		if err := askAddresses(ctx, s, to, &o.GridChoice); err != nil {
			return err
		}
	}
	return goOver(s, o)
}

// askAddresses shows both addresses of a grid, to be changed.
func askAddresses(ctx context.Context, s *Site, to front.Sink, g *project.GridChoice) error {
	d := s.Dialect()
	needed := func(text string) error {
		if text == "" {
			return fmt.Errorf("host or host:port, without https://")
		}
		return project.CheckAddress(text)
	}
	control, err := to.Ask(ctx, front.Question{ID: "control", Kind: front.AskText, Default: controlOf(*g, d), Validate: needed,
		Ask:  "At which address does the grid take flwr's commands (control)?",
		Help: "As host:port. flwrup looks at both addresses in step 3 and says which is which."})
	if err != nil {
		return err
	}
	if control != controlOf(*g, d) {
		g.Fleet = "" // what belonged to the other address is no guess for this one
	}
	g.Control = control
	g.Fleet, err = to.Ask(ctx, front.Question{ID: "fleet", Kind: front.AskText, Default: fleetOf(*g, d), Validate: needed,
		Ask:  "And at which address its SuperNodes (fleet)?",
		Help: "As host:port. A SuperLink of flwr 1.40 or later has one address for both by itself, an older one port 9092 for SuperNodes."})
	return err
}

// publicCertificate is the answer to "ca" for a grid whose certificate every machine trusts.
const publicCertificate = "public"

// typeGrid asks for a grid that stands in no configuration, or for new addresses of one that does.
func typeGrid(ctx context.Context, s *Site, to front.Sink) error {
	now := s.Choices().Grid
	o := gridOffer{GridChoice: now}
	if err := askAddresses(ctx, s, to, &o.GridChoice); err != nil {
		return err
	}
	def := now.CA
	if def == "" || flwr.HostOf(o.Control) != flwr.HostOf(controlOf(now, s.Dialect())) {
		def = publicCertificate
	}
	ca, err := to.Ask(ctx, front.Question{ID: "ca", Kind: front.AskText, Default: def, Ask: "Which file has the CA certificate of the grid?",
		Help: "\"" + publicCertificate + "\" where its certificate is one that browsers trust, as SuperGrid's is."})
	if err != nil {
		return err
	}
	if o.CA = ca; ca == publicCertificate {
		o.CA = ""
	} else if info, err := os.Stat(s.Path(ca)); err != nil || !info.Mode().IsRegular() {
		return problem.New(problem.BadInput, "there is no file "+ca, "the CA certificate of the grid was to be there", "ask who runs the grid for it, then choose the grid again")
	}
	name, err := to.Ask(ctx, connectionQuestion(s, o.GridChoice))
	if err != nil {
		return err
	}
	if o.Connection = name; name != now.Connection {
		for _, g := range s.Ledger.Data().Grids {
			if g.Connection == name {
				o.federation = g.Federation
			}
		}
	}
	return goOver(s, o)
}

// connectionQuestion asks for the name of a grid that was typed. The present name is offered only where it is
// the present grid, or SuperGrid: node IDs of two grids under one name could not be told apart.
func connectionQuestion(s *Site, g project.GridChoice) front.Question {
	c := s.Choices()
	q := front.Question{ID: "connection", Kind: front.AskText, Default: c.Grid.Connection, Ask: "What shall flwr call this grid?",
		Help: "The name of the connection in Flower's configuration. Under one name flwrup keeps one grid's node IDs: " +
			"take a name that is there only where the same grid has moved to another address.",
		Validate: func(name string) error {
			if name == "local" {
				return fmt.Errorf("that is flwr's own simulation on this machine")
			}
			return project.CheckConnection(name)
		}}
	switch {
	case flwr.OfSuperGrid(g.Control):
		q.Default = superGrid
	case g.Control != controlOf(c.Grid, s.Dialect()):
		host := flwr.HostOf(g.Control)
		name, _, _ := strings.Cut(host, ".")
		if net.ParseIP(host) != nil || q.Validate(name) != nil || name == superGrid {
			name = "grid"
		}
		list := grids(s, c, s.FlwrHome())
		q.Default = name
		for n := 2; slices.ContainsFunc(list, func(o gridOffer) bool { return o.Connection == q.Default }); n++ {
			q.Default = fmt.Sprintf("%s%d", name, n)
		}
	}
	return q
}

// goOver makes o the project's grid and keeps in mind what the grid before needs to come back. What the
// SuperNodes were asked to do was asked of them on that grid.
func goOver(s *Site, o gridOffer) error {
	if s.Choices().Grid == o.GridChoice {
		return nil
	}
	return s.Change(func(c *project.Choices) error {
		if o.Connection != c.Grid.Connection {
			if err := leaveGridBehind(s, c); err != nil {
				return err
			}
			c.Federation = o.federation
		}
		c.Grid = o.GridChoice
		return nil
	})
}

// leaveGridBehind notes the grid and the federation of the choices before another grid takes their place.
func leaveGridBehind(s *Site, before *project.Choices) error {
	from, federation := before.Grid, before.Federation
	return s.Ledger.Change(func(d *ledger.Data) error {
		if from == (project.GridChoice{Connection: superGrid}) && federation == "" {
			return nil // it was never used
		}
		d.PutGrid(ledger.Grid{Connection: from.Connection, Control: from.Control, Fleet: from.Fleet, CA: from.CA, Federation: federation, Left: time.Now()})
		for i := range d.SuperNodes { // a wish concerns the grid before
			d.SuperNodes[i].Wanted, d.SuperNodes[i].Asked = "", time.Time{}
		}
		return nil
	})
}

// takeFlags puts into c the values that were given on the command line. With another connection come its own
// addresses, CA and federation, as far as they are known and not given, too.
func takeFlags(s *Site, c *project.Choices) error {
	if s.Options.Choose == nil {
		return nil
	}
	given := project.Defaults(s.Dir)
	given.Grid, given.Flwr = c.Grid, c.Flwr
	s.Options.Choose(given)
	before := c.Clone()
	if given.Grid.Connection != before.Grid.Connection && !before.Grid.Rehearsal {
		c.Grid, c.Federation = project.GridChoice{Connection: given.Grid.Connection}, ""
		for _, o := range grids(s, c, s.Path(given.Flwr.Home)) {
			switch {
			case o.Connection != given.Grid.Connection:
			case o.unfit != "" && given.Grid.Control == before.Grid.Control:
				return problem.New(problem.BadInput, "the connection "+o.Connection+" cannot be used", o.unfit, "correct it in Flower's configuration, or give its addresses with --control, --fleet and --ca")
			default:
				c.Grid, c.Federation = o.GridChoice, o.federation
			}
		}
	}
	s.Options.Choose(c)
	if s.Options.ReadOnly || c.Grid.Connection == before.Grid.Connection {
		return nil
	}
	return leaveGridBehind(s, before)
}
