// Package whichgrid asks for which grid the SuperNodes are, and for which federation on it.
package whichgrid

import (
	"context"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
)

// otherAddresses is the answer to "grid" that leads to typing them; no connection has a name with spaces.
const otherAddresses = "other addresses"

// ChooseGrid asks which grid the SuperNodes are for. Where the person did not ask to change it, there is a
// question only as long as nothing was chosen and more than SuperGrid is there to choose from.
func ChooseGrid(ctx context.Context, s *site.Site, to front.Sink, change bool) error {
	if s.Rehearsal() {
		return nil
	}
	c := s.Choices()
	now, list := c.Grid, site.Grids(s, c, s.FlwrHome())
	others := slices.ContainsFunc(list, func(o site.Offer) bool { return o.Unfit == "" && o.Connection != now.Connection })
	if chosen := now != (project.GridChoice{Connection: site.SuperGrid}); !change && (chosen || !others) {
		return nil
	}
	d := s.Dialect()
	q := front.Question{ID: "grid", Kind: front.AskChoice, Default: now.Connection, Ask: "Which grid are the SuperNodes for?",
		Help: "Each grid has its own node IDs: you can register the same keys on several grids, and flwrup keeps them apart."}
	for _, o := range list {
		x := front.Choice{Value: o.Connection, Label: site.GridName(o.GridChoice), Note: site.ControlOf(o.GridChoice, d), Disabled: o.Unfit != ""}
		switch {
		case o.Unfit != "":
			x.Note += "; " + o.Unfit
		case o.CA != "":
			x.Note += ", its own CA"
		}
		if o.Note != "" {
			x.Note += "; " + o.Note
		}
		q.Choices = append(q.Choices, x)
	}
	q.Choices = append(q.Choices, front.Choice{Value: otherAddresses, Label: otherAddresses, Note: "type its addresses"})
	answer, err := to.Ask(ctx, q)
	if err != nil {
		return err
	}
	if answer == otherAddresses {
		return typeGrid(ctx, s, to)
	}
	i := slices.IndexFunc(list, func(o site.Offer) bool { return o.Connection == answer })
	if i < 0 {
		return fmt.Errorf("no connection %q", answer)
	}
	o := list[i]
	if o.Control != "" && !o.Used && o.Connection != now.Connection {
		if err := askAddresses(ctx, s, to, &o.GridChoice); err != nil {
			return err
		}
	}
	return site.GoOver(s, o)
}

// askAddresses shows both addresses of a grid, to be changed.
func askAddresses(ctx context.Context, s *site.Site, to front.Sink, g *project.GridChoice) error {
	d := s.Dialect()
	needed := func(text string) error {
		if text == "" {
			return fmt.Errorf("host or host:port, without https://")
		}
		return project.CheckAddress(text)
	}
	control, err := to.Ask(ctx, front.Question{ID: "control", Kind: front.AskText, Default: site.ControlOf(*g, d), Validate: needed,
		Ask:  "What is the grid's address for flwr (control)?",
		Help: "As host:port. Step 3 checks both addresses and says which is which."})
	if err != nil {
		return err
	}
	if control != site.ControlOf(*g, d) {
		g.Fleet = "" // what belonged to the other address is no guess for this one
	}
	g.Control = control
	g.Fleet, err = to.Ask(ctx, front.Question{ID: "fleet", Kind: front.AskText, Default: site.FleetOf(*g, d), Validate: needed,
		Ask:  "What is its address for SuperNodes (fleet)?",
		Help: "As host:port. A SuperLink of flwr 1.40 or later has one address for both; an older one has port 9092 for SuperNodes."})
	return err
}

// publicCertificate is the answer to "ca" for a grid whose certificate every machine trusts.
const publicCertificate = "public"

// typeGrid asks for a grid that stands in no configuration, or for new addresses of one that does.
func typeGrid(ctx context.Context, s *site.Site, to front.Sink) error {
	now := s.Choices().Grid
	o := site.Offer{GridChoice: now}
	if err := askAddresses(ctx, s, to, &o.GridChoice); err != nil {
		return err
	}
	def := now.CA
	if def == "" || flwr.HostOf(o.Control) != flwr.HostOf(site.ControlOf(now, s.Dialect())) {
		def = publicCertificate
	}
	ca, err := to.Ask(ctx, front.Question{ID: "ca", Kind: front.AskText, Default: def, Ask: "Which file has the grid's CA certificate?",
		Help: "\"" + publicCertificate + "\" if browsers trust its certificate, as with SuperGrid."})
	if err != nil {
		return err
	}
	if o.CA = ca; ca == publicCertificate {
		o.CA = ""
	} else if info, err := os.Stat(s.Path(ca)); err != nil || !info.Mode().IsRegular() {
		return problem.New(problem.BadInput, "there is no file "+ca, "the grid's CA certificate should be there", "get it from the people who run the grid, then choose the grid again")
	}
	name, err := to.Ask(ctx, connectionQuestion(s, o.GridChoice))
	if err != nil {
		return err
	}
	if o.Connection = name; name != now.Connection {
		for _, g := range s.Ledger.Data().Grids {
			if g.Connection == name {
				o.Federation = g.Federation
			}
		}
	}
	return site.GoOver(s, o)
}

// connectionQuestion asks for the name of a grid that was typed. The present name is offered only where it is
// the present grid, or SuperGrid: node IDs of two grids under one name could not be told apart.
func connectionQuestion(s *site.Site, g project.GridChoice) front.Question {
	c := s.Choices()
	q := front.Question{ID: "connection", Kind: front.AskText, Default: c.Grid.Connection, Ask: "What should flwr call this grid?",
		Help: "The name of the connection in Flower's configuration. flwrup keeps the node IDs of each grid under its name: " +
			"reuse a name only if that grid has a new address.",
		Validate: func(name string) error {
			if name == "local" {
				return fmt.Errorf("flwr uses that name for its simulation on this machine")
			}
			return project.CheckConnection(name)
		}}
	switch {
	case flwr.OfSuperGrid(g.Control):
		q.Default = site.SuperGrid
	case g.Control != site.ControlOf(c.Grid, s.Dialect()):
		host := flwr.HostOf(g.Control)
		name, _, _ := strings.Cut(host, ".")
		if net.ParseIP(host) != nil || q.Validate(name) != nil || name == site.SuperGrid {
			name = "grid"
		}
		list := site.Grids(s, c, s.FlwrHome())
		q.Default = name
		for n := 2; slices.ContainsFunc(list, func(o site.Offer) bool { return o.Connection == q.Default }); n++ {
			q.Default = fmt.Sprintf("%s%d", name, n)
		}
	}
	return q
}
