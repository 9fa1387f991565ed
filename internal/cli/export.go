package cli

import (
	"context"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"flwrup/internal/cli/program"
	"flwrup/internal/export"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// exportOptions are the flags of export.
type exportOptions struct {
	nodes           []string
	out             string
	move, overwrite bool
}

func exportKinds() (names []string) {
	for _, k := range export.Kinds {
		names = append(names, string(k))
	}
	return names
}

func exportCommand(p *program.Program) *cobra.Command {
	var o exportOptions
	cmd := &cobra.Command{
		Use: "export " + strings.Join(exportKinds(), "|"), Short: "Write files with which Compose, Swarm, Kubernetes, Helm or systemd runs the SuperNodes",
		Long: `Writes files from which another engine runs SuperNodes as flwrup does: image, user, rights,
limits, settings. They go into flwrup-export/KIND in the project's folder, with a README that has
the commands. No private key is in them. A file that is there and differs is not overwritten
without a yes. helm writes values for Flower's own SuperNode chart, which Flower Enterprise has.

With --move flwrup stops its own SuperNodes, waits until the grid has let go of them, and leaves
them to the engine from then on: it shows them and starts, stops and watches none. They keep their
keys and node IDs. To take one back, end it there and start it here: flwrup start NODE.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return problem.New(problem.Usage, "cannot export", "no engine named, or more than one", "name one of "+strings.Join(exportKinds(), ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if why := oneOf(args[0], exportKinds()); why != "" {
				return problem.New(problem.Usage, "cannot export to "+termsafe.Quote(args[0]), why, "flwrup export --help explains them")
			}
			return doExport(cmd.Context(), p, export.Kind(args[0]), o)
		},
	}
	cmd.Flags().StringArrayVar(&o.nodes, "node", nil, "only this `SuperNode`, and those that the folder's files have already; several times for more")
	cmd.Flags().StringVar(&o.out, "out", "", "`folder` for the files, from here (default: flwrup-export/KIND in the project's folder)")
	cmd.Flags().BoolVar(&o.move, "move", false, "stop the SuperNodes here, and leave them to the engine")
	cmd.Flags().BoolVar(&o.overwrite, "overwrite", false, "overwrite files that differ without asking")
	p.JSONFlag(cmd)
	return cmd
}

// exportData is what `flwrup export --json` carries.
type exportData struct {
	Kind   string   `json:"kind"`
	Dir    string   `json:"dir"`
	Files  []string `json:"files"`
	Nodes  []string `json:"nodes"`
	Before []string `json:"before,omitempty"` // commands to type in dir before the first start
	Start  string   `json:"start"`
	Moved  bool     `json:"moved"` // flwrup has stopped its own
}

func doExport(ctx context.Context, p *program.Program, kind export.Kind, o exportOptions) error {
	names, err := known(p, o.nodes)
	if err != nil {
		return err
	}
	out := o.out
	if out != "" {
		if out, err = filepath.Abs(out); err != nil {
			return err
		}
	}
	unattended := !p.Attended() || p.JSON
	s, err := p.Open(ctx, site.Options{Dir: p.FindDir(), Attended: !unattended}, unattended)
	if err != nil {
		return err
	}
	defer s.Close()
	var e fleet.Export
	err = site.InTurn(ctx, s, "exporting SuperNodes", p.Front(unattended), func(to front.Sink) error {
		if e, err = fleet.NewExport(ctx, s, kind, names, out); err != nil {
			return err
		}
		if err := e.Write(ctx, s, o.overwrite, to); err != nil || !o.move {
			return err
		}
		return fleet.Move(ctx, s, e, to)
	})
	if err != nil {
		return err
	}
	if p.JSON {
		d := exportData{Kind: string(kind), Dir: e.Dir, Files: []string{}, Nodes: e.Names, Start: e.Guide.Start.Command, Moved: o.move}
		for _, f := range e.Files {
			d.Files = append(d.Files, f.Name)
		}
		for _, st := range e.Guide.Before {
			d.Before = append(d.Before, st.Command)
		}
		program.WriteJSON(p.Out, d, nil)
		return nil
	}
	p.Say("%s in %s: %s", strings.Join(e.Names, ", "), e.Dir, "README.md has the commands")
	if !o.move {
		var here, there []string
		for _, name := range e.Names {
			switch at := s.Ledger.SuperNode(name).Engine; {
			case at.Kind == "":
				here = append(here, name)
			case at.Kind == string(kind) && s.Path(at.Dir) == e.Dir:
				there = append(there, name)
			}
		}
		if len(there) > 0 {
			p.Say("%s runs %s, and takes the files when you type in that folder:", kind, strings.Join(there, ", "))
			for line := range strings.SplitSeq(e.Guide.Again.Command, "\n") {
				p.Say("  %s", line)
			}
		}
		if len(here) > 0 {
			p.Say("flwrup still runs %s. It hands over with: %s", strings.Join(here, ", "), p.Command([]string{"export", string(kind), "--move"}))
		}
		return nil
	}
	p.Say("flwrup leaves them to %s from now on. Type in that folder:", kind)
	for _, st := range append(e.Guide.Before, e.Guide.Start) {
		p.Say("  %s", st.Command)
	}
	return nil
}
