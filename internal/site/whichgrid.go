package site

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/wording"
)

// A project belongs to one grid at a time: SuperGrid, or a SuperLink that the person named. What the
// ledger knows goes by the connection's name, so the same keys can have node IDs on several grids.

// SuperGrid is the name of the connection to SuperGrid that flwr itself writes; people know it as SuperGridName.
const (
	SuperGrid     = "supergrid"
	SuperGridName = "SuperGrid"
)

// Offer is a grid that the person can choose.
type Offer struct {
	project.GridChoice
	Used       bool   // by this project before
	Federation string // that the project used there
	Note       string // next to its addresses
	Unfit      string // why it cannot be chosen
}

// grids gives SuperGrid, every SuperLink of the person's Flower configuration, those that this project was
// used with before, and the one of c. home is a FLWR_HOME, "" the person's own. A file that cannot be
// read offers nothing; step 8 says what is wrong with it.
func Grids(s *Site, c *project.Choices, home string) []Offer {
	list := []Offer{{GridChoice: project.GridChoice{Connection: SuperGrid}}}
	add := func(o Offer) {
		i := slices.IndexFunc(list, func(have Offer) bool { return have.Connection == o.Connection })
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
		if x.Simulation() || x.Name == SuperGrid && flwr.OfSuperGrid(x.Address) {
			continue
		}
		o := Offer{GridChoice: project.GridChoice{Connection: x.Name, Control: x.Address, CA: s.Rel(x.CA)}}
		switch {
		case project.CheckConnection(x.Name) != nil:
			o.Unfit = "flwrup takes names of letters, digits, '_', '.' and '-'"
		case project.CheckAddress(x.Address) != nil:
			o.Unfit = project.CheckAddress(x.Address).Error()
		case x.Insecure:
			o.Unfit = "insecure: a login and SuperNodes with keys need TLS"
		}
		add(o)
	}
	for _, g := range s.Ledger.Data().Grids {
		o := Offer{GridChoice: project.GridChoice{Connection: g.Connection, Control: g.Control, Fleet: g.Fleet, CA: g.CA}, Used: true, Federation: g.Federation}
		if i := slices.IndexFunc(list, func(have Offer) bool { return have.Connection == g.Connection && have.Control != "" }); i >= 0 {
			o.Control, o.CA = list[i].Control, list[i].CA // the file is what flwr itself goes by
		}
		add(o)
	}
	if c.Grid.Control != "" || !slices.ContainsFunc(list, func(o Offer) bool { return o.Connection == c.Grid.Connection }) {
		add(Offer{GridChoice: c.Grid, Federation: c.Federation})
	}
	for i, o := range list {
		registered := 0
		for _, n := range s.Ledger.Nodes() {
			if n.Connection == o.Connection && n.State == ledger.Registered {
				registered++
			}
		}
		if registered > 0 {
			list[i].Note = fmt.Sprintf("%d %s registered there", registered, wording.Plural(registered, "key"))
		}
	}
	return list
}

// FleetOf and ControlOf are the two addresses of a grid: as chosen, else SuperGrid's, else where a
// SuperLink has the SuperNodes' side by default.
func FleetOf(g project.GridChoice, d flwr.Dialect) string {
	switch {
	case g.Fleet != "":
		return g.Fleet
	case g.Control != "" && !flwr.OfSuperGrid(g.Control):
		return d.FleetBeside(g.Control)
	}
	return d.DefaultFleet
}

func ControlOf(g project.GridChoice, d flwr.Dialect) string {
	if g.Control != "" {
		return g.Control
	}
	return d.DefaultControl
}

// GridName is what a person knows a grid by.
func GridName(g project.GridChoice) string {
	if g.Connection == SuperGrid && (g.Control == "" || flwr.OfSuperGrid(g.Control)) {
		return SuperGridName
	}
	return g.Connection
}

// GridLines describe a grid for step 2.
func GridLines(g project.GridChoice, d flwr.Dialect) []string {
	lines := []string{GridName(g) + ": flwr's commands at " + ControlOf(g, d), "SuperNodes at " + FleetOf(g, d)}
	if g.CA != "" {
		lines = append(lines, "its own CA: "+g.CA)
	}
	return lines
}

// GoOver makes o the project's grid and keeps in mind what the grid before needs to come back. What the
// SuperNodes were asked to do was asked of them on that grid.
func GoOver(s *Site, o Offer) error {
	if s.Choices().Grid == o.GridChoice {
		return nil
	}
	return s.Change(func(c *project.Choices) error {
		if o.Connection != c.Grid.Connection {
			if err := leaveGridBehind(s, c); err != nil {
				return err
			}
			c.Federation = o.Federation
		}
		c.Grid = o.GridChoice
		return nil
	})
}

// leaveGridBehind notes the grid and the federation of the choices before another grid takes their place.
func leaveGridBehind(s *Site, before *project.Choices) error {
	from, federation := before.Grid, before.Federation
	return s.Ledger.Change(func(d *ledger.Data) error {
		if from == (project.GridChoice{Connection: SuperGrid}) && federation == "" {
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
		for _, o := range Grids(s, c, s.Path(given.Flwr.Home)) {
			switch {
			case o.Connection != given.Grid.Connection:
			case o.Unfit != "" && given.Grid.Control == before.Grid.Control:
				return problem.New(problem.BadInput, "the connection "+o.Connection+" cannot be used", o.Unfit, "correct it in Flower's configuration, or give its addresses with --control, --fleet and --ca")
			default:
				c.Grid, c.Federation = o.GridChoice, o.Federation
			}
		}
	}
	s.Options.Choose(c)
	if s.Options.ReadOnly || c.Grid.Connection == before.Grid.Connection {
		return nil
	}
	return leaveGridBehind(s, before)
}
