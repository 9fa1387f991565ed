// Package upgrading is the part of flwrup's command line that moves to another release of flwr: flwrup upgrade.
package upgrading

import (
	"context"

	"github.com/spf13/cobra"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/cli/program"
	"flwrup/internal/fit"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/upgrade"
	"flwrup/steps"
)

// Data is what `flwrup upgrade --json` carries.
type Data struct {
	From        string     `json:"from,omitempty"` // release of flwr at hand
	To          string     `json:"to,omitempty"`   // release to move to; not there where none is known
	Why         string     `json:"why,omitempty"`
	ToDo        bool       `json:"to_do"`              // something changes
	Needed      bool       `json:"needed"`             // something cannot talk to the grid as it is
	Unfinished  bool       `json:"unfinished"`         // an upgrade to it was cut short, or SuperNodes stayed behind
	Nodes       []NodeData `json:"nodes,omitempty"`    // that change their release now
	Later       []NodeData `json:"later,omitempty"`    // that do not run, and change it when they are started
	Elsewhere   []string   `json:"exported,omitempty"` // that other engines run
	Environment bool       `json:"environment"`        // one with the release has to be made
	Image       string     `json:"image,omitempty"`    // that containers get
	Files       []string   `json:"files,omitempty"`    // configuration of flwr's that changes
	Grid        bool       `json:"grid"`               // the rehearsal's grid moves, too
	Runs        []string   `json:"runs,omitempty"`     // IDs of those that go on
	Old         []OldData  `json:"old,omitempty"`      // releases that earlier upgrades left, and that can go
}

// OldData is a release that nothing here needs any more.
type OldData struct {
	Flwr        string   `json:"flwr"`
	Environment int64    `json:"environment,omitempty"` // bytes at most
	Images      []string `json:"images,omitempty"`
	ImageBytes  int64    `json:"image_bytes,omitempty"` // bytes at most, of all images
}

// NodeData is a SuperNode and the release that it was started with.
type NodeData struct {
	Name string `json:"name"`
	Flwr string `json:"flwr,omitempty"`
}

// Upgrade is `flwrup upgrade`.
func Upgrade(p *program.Program) *cobra.Command {
	check := false
	o := upgrade.Options{}
	cmd := &cobra.Command{
		Use: "upgrade [VERSION]", Short: "Move to another release of flwr, one SuperNode first",
		Long: `Shows the plan and asks. Environment and image are there before anything stops. One SuperNode goes
first: it has to come online and to stay so. The others follow, five at a time. If the first does
not, all is taken back. Keys and node IDs stay.

Without VERSION it is the release that fits the grid best. An older one is a downgrade, which goes
the same way. flwrup waits until runs have ended; --now does not.

Environment and image of the release before stay until the next upgrade, which asks whether they
can go and says their size.

If it was cut short, the same command goes on, and flwrup upgrade with the release before goes back.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return problem.New(problem.Usage, "cannot upgrade to several releases", "", "name one")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				if _, err := flwr.ParseVersion(args[0]); err != nil {
					return problem.New(problem.Usage, "cannot upgrade", err.Error(), "give a release such as "+flwr.Latest().Version.String())
				}
				o.Target = args[0]
			}
			if check {
				return doCheck(cmd.Context(), p, o.Target)
			}
			unattended := o.Agreed || p.JSON || !p.Attended()
			s, err := p.Open(cmd.Context(), site.Options{Dir: p.FindDir(), Attended: !unattended}, unattended)
			if err != nil {
				return err
			}
			defer s.Close()
			if o.Target == "" {
				fit.AskNow(cmd.Context(), s)
			}
			plan, err := steps.Upgrade(cmd.Context(), s, o, p.Front(unattended))
			if err == nil && p.JSON {
				program.WriteJSON(p.Out, DataOf(s.Folder(), plan), nil)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "change nothing: exit code 0 when there is nothing to do, 4 when there is a release to move to, 5 when it is needed to reach the grid")
	cmd.Flags().BoolVar(&o.Now, "now", false, "wait for no run: SuperNodes leave it one after the other")
	cmd.Flags().BoolVar(&o.RemoveOld, "remove-old", false, "remove releases that upgrades before the last one left, with their environments and images, without asking")
	cmd.Flags().BoolVar(&o.Agreed, "yes", false, "ask nothing")
	p.JSONFlag(cmd)
	return cmd
}

// doCheck says what an upgrade would do.
func doCheck(ctx context.Context, p *program.Program, target string) error {
	return p.Looking(func(s *site.Site) error {
		if target == "" {
			fit.AskNow(ctx, s)
		}
		plan, err := upgrade.Make(ctx, s, target)
		if err != nil {
			return err
		}
		switch {
		case plan.Nothing():
			p.Say("%s", plan.Summary())
		default:
			for _, line := range plan.Lines(s.Folder()) {
				p.Say("%s", line)
			}
			err = &problem.Problem{Code: upgrade.Available, What: plan.Summary(), Fix: "flwrup upgrade"}
			if plan.Needed {
				err = &problem.Problem{Code: upgrade.Needed, What: plan.Summary(), Fix: "flwrup upgrade"}
			}
		}
		if p.JSON {
			program.WriteJSON(p.Out, DataOf(s.Folder(), plan), err)
		}
		if err != nil {
			return program.AlreadySaid(err)
		}
		return nil
	})
}

// DataOf is a plan for JSON.
func DataOf(at site.Folder, plan upgrade.Plan) Data {
	d := Data{Why: plan.Why, ToDo: !plan.Nothing(), Needed: plan.Needed, Unfinished: plan.Open, Elsewhere: plan.Elsewhere, Environment: plan.Installs, Image: plan.Image, Grid: plan.Grid}
	if plan.From != (flwr.Version{}) {
		d.From = plan.From.String()
	}
	if plan.To != (flwr.Version{}) {
		d.To = plan.To.String()
	}
	for _, list := range []struct {
		from []upgrade.Node
		to   *[]NodeData
	}{{plan.Nodes, &d.Nodes}, {plan.Later, &d.Later}} {
		for _, n := range list.from {
			one := NodeData{Name: n.Name}
			if n.Version != (flwr.Version{}) {
				one.Flwr = n.Version.String()
			}
			*list.to = append(*list.to, one)
		}
	}
	for _, e := range plan.Edits {
		d.Files = append(d.Files, at.Rel(e.File))
	}
	for _, r := range plan.Runs {
		d.Runs = append(d.Runs, r.ID)
	}
	for _, o := range plan.Old {
		one := OldData{Flwr: o.Version.String(), Environment: o.Env}
		for _, i := range o.Images {
			one.Images = append(one.Images, i.Name)
			one.ImageBytes += i.Size
		}
		d.Old = append(d.Old, one)
	}
	return d
}
