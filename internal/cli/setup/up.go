// Package setup is the part of flwrup's command line that sets SuperNodes up and takes them down: the wizard, up, rehearse,
// down, and the ways of a federation of several sites.
package setup

import (
	"context"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/shown"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/steps"
)

// Flags of every command that starts runs.
const (
	MendHelp    = "comment out what writes files in the app's ServerApp; a copy is kept"
	SendAllHelp = "send the app even with files of the SuperNodes' data among it; keys never"
)

// upOptions are the flags of `flwrup up`; each is kept in flwrup.toml once given.
type upOptions struct {
	choices        project.Choices
	nodes          nodeOptions
	passphraseFile string
	until          int
	yes, mend      bool
	sendAll        bool
}

// Up is `flwrup up`.
func Up(p *program.Program) *cobra.Command {
	var o upOptions
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Set up SuperNodes on a SuperGrid without a screen, or go on where it stopped",
		Long: `Goes through the 16 steps against a SuperGrid, or any SuperLink connection, and stops
with exit code 3 where only a person or the grid can go on. Running it again goes on
from there. What you choose is kept in flwrup.toml.`,
		Args: program.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return doUp(cmd.Context(), p, cmd, o) },
	}
	f, c := cmd.Flags(), &o.choices
	f.IntVar(&c.Nodes, "nodes", 0, "`number` of SuperNodes; 0: all are at other sites, which you admit")
	f.StringVar(&c.Federation, "federation", "", "the federation: @account/`name`")
	f.BoolVar(&c.CreateFederation, "create-federation", false, "make the federation when it does not exist (flwr 1.27 and later)")
	gridFlags(f, c)
	f.StringVar(&c.Runtime, "runtime", project.RuntimeAuto, "auto, docker or process")
	f.StringVar(&c.Flwr.Version, "flwr", "", "flwr `version` (default: the installed version, else the newest)")
	f.StringVar(&c.Flwr.Path, "flwr-path", "", "a flwr `program` to use, from the project's folder")
	f.StringVar(&c.Flwr.Home, "flwr-home", "", "Flower's own `folder`, from the project's folder (default: $FLWR_HOME or ~/.flwr)")
	f.StringVar(&c.Keys, "keys", "keys", "`folder` of the key pairs, from the project's folder")
	f.StringVar(&c.Image, "image", "", "SuperNode `image` (default: Flower's own for the flwr version)")
	f.BoolVar(&c.HostNetwork, "host-network", false, "containers share this machine's network")
	f.StringVar(&c.App, "app", "", "`folder` of the Flower app to run, from here; @publisher/name: from Flower's hub; none: runs are started elsewhere")
	f.StringVar(&c.Backup, "backup", "", "`file` for the encrypted backup of the keys, from the project's folder")
	f.StringVar(&c.BackupRecipient, "backup-recipient", "", "age recipient that the backup is encrypted to")
	o.nodes.flags(f)
	f.StringVar(&o.passphraseFile, "passphrase-file", "", "`file`, from here, with the passphrase of the backup; its place is kept in flwrup.toml")
	f.IntVar(&o.until, "until", front.StepTotal, "the `step` after which to stop: 10 registers and starts nothing")
	f.BoolVarP(&o.yes, "yes", "y", false, "answer every question with its default")
	f.BoolVar(&o.mend, "mend", false, MendHelp)
	f.BoolVar(&o.sendAll, "send-all", false, SendAllHelp)
	p.JSONFlag(cmd)
	return cmd
}

// gridFlags are the flags that say for which grid the SuperNodes are.
func gridFlags(f *pflag.FlagSet, c *project.Choices) {
	f.StringVar(&c.Grid.Connection, "connection", "supergrid", "`name` of the connection in Flower's configuration")
	f.StringVar(&c.Grid.Control, "control", "", "`address` that flwr talks to (default: SuperGrid's)")
	f.StringVar(&c.Grid.Fleet, "fleet", "", "`address` that SuperNodes talk to (default: SuperGrid's)")
	f.StringVar(&c.Grid.CA, "ca", "", "CA certificate `file`, from here, of a grid without a public certificate")
}

// Kept are the flags that flwrup.toml keeps, in the order of the help; each has an environment variable.
var Kept = []string{"nodes", "federation", "create-federation", "connection", "control", "fleet", "ca", "runtime", "flwr", "flwr-path", "flwr-home",
	"keys", "image", "host-network", "app", "backup", "backup-recipient", "passphrase-file",
	"node-config", "data", "env", "env-file", "cpus", "memory", "pids", "tmp", "gpus", "host", "location", "install-packages", "lasting"}

// choose keeps the flags that were given, for a project in dir.
func (o upOptions) choose(cmd *cobra.Command, dir string) func(*project.Choices) {
	return func(c *project.Choices) {
		o.nodes.choose(cmd, &c.All)
		for name, set := range o.keep(c, dir) {
			if cmd.Flags().Changed(name) {
				set()
			}
		}
	}
}

// keep returns by flag how its value gets into c.
func (o upOptions) keep(c *project.Choices, dir string) map[string]func() {
	from := o.choices
	return map[string]func(){
		"nodes":             func() { c.Nodes, c.SitesOnly = from.Nodes, from.Nodes == 0 },
		"federation":        func() { c.Federation = from.Federation },
		"create-federation": func() { c.CreateFederation = from.CreateFederation },
		"connection":        func() { c.Grid.Connection = from.Grid.Connection },
		"control":           func() { c.Grid.Control = from.Grid.Control },
		"fleet":             func() { c.Grid.Fleet = from.Grid.Fleet },
		"ca":                func() { c.Grid.CA = placeFrom(dir, from.Grid.CA) },
		"runtime":           func() { c.Runtime = from.Runtime },
		"flwr":              func() { c.Flwr.Version = from.Flwr.Version },
		"flwr-path":         func() { c.Flwr.Path = from.Flwr.Path },
		"flwr-home":         func() { c.Flwr.Home = from.Flwr.Home },
		"keys":              func() { c.Keys = from.Keys },
		"image":             func() { c.Image = from.Image },
		"host-network":      func() { c.HostNetwork = from.HostNetwork },
		"app":               func() { c.App = AppFrom(dir, from.App) },
		"backup":            func() { c.Backup = from.Backup },
		"passphrase-file":   func() { c.BackupPassphrase = placeFrom(dir, o.passphraseFile) },
		"backup-recipient":  func() { c.BackupRecipient = from.BackupRecipient },
	}
}

// placeFrom writes a file as it is found again from dir: relative where it lies below it.
func placeFrom(dir, file string) string {
	abs, err := filepath.Abs(file)
	if err != nil {
		return file
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return abs
	}
	if rel, err := filepath.Rel(dir, abs); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return abs
}

// AppFrom is placeFrom for the folder of an app; "none" and an app of Flower's hub are no folders.
func AppFrom(dir, app string) string {
	if app == site.NoApp || flwr.IsAppID(app) {
		return app
	}
	return placeFrom(dir, app)
}

func doUp(ctx context.Context, p *program.Program, cmd *cobra.Command, o upOptions) error {
	o.yes = o.yes || p.JSON
	dir := p.FindDir()
	s, err := p.Open(ctx, site.Options{Dir: dir, Create: true, Attended: !o.yes, Mend: o.mend, SendAll: o.sendAll, PassphraseFile: o.passphraseFile, Choose: o.choose(cmd, dir)}, o.yes)
	if err != nil {
		return err
	}
	defer s.Close()
	return walk(ctx, p, s, p.Front(o.yes), front.StepID(o.until))
}

// walk goes through the steps up to last, and shows how the SuperNodes stand then.
func walk(ctx context.Context, p *program.Program, s *site.Site, to front.Sink, last front.StepID) error {
	if err := steps.WalkTo(ctx, s, to, last); err != nil {
		return p.Left(ctx, s, err)
	}
	overview := health.Overview(ctx, s, 0)
	if p.JSON {
		program.WriteJSON(p.Out, shown.StatusOf(p, s.Title(), overview, time.Time{}), nil)
		return nil
	}
	p.Say("")
	shown.ShowStatus(p, s.Title(), overview, time.Time{})
	return nil
}
