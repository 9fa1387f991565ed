package past

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/history"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/report"
	"flwrup/internal/runs"
	"flwrup/internal/site"
	"flwrup/steps"
)

// Bounds of a report.
const (
	reportLines = 300 // of each SuperNode's log
	reportDays  = 30  // of the history
)

// ReportData is what `flwrup report --json` carries.
type ReportData struct {
	File  string   `json:"file"`  // the archive
	Files []string `json:"files"` // in it
}

// Report is `flwrup report`.
func Report(h Host) *cobra.Command {
	yes, out := false, ""
	cmd := &cobra.Command{
		Use: "report", Short: "Make an archive for people who help, without secrets; lists it and asks first", Args: h.NoArgs,
		Long: `Makes one tar.gz with versions, the findings of flwrup doctor, the history, the last lines of
the logs and the settings, for your own IT or for Flower's people. Keys, passwords, tokens, paths,
e-mail addresses, names and contents of data files, and values of variables are left out, of logs,
too. Read it before you send it: what an app writes into its log in words of its own, no rule can
know. It is sent to nobody.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if h.JSON() && !yes {
				return problem.New(problem.Usage, "cannot ask with --json", "the report is listed and asked about first", "give --yes as well")
			}
			s, err := h.Look()
			if err != nil {
				return err
			}
			defer s.Close()
			return makeReport(cmd.Context(), h, s, out, yes, time.Now())
		},
	}
	h.JSONFlag(cmd)
	cmd.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	cmd.Flags().StringVar(&out, "out", out, "the `folder`, from here, to put it in (default: the project's)")
	return cmd
}

func makeReport(ctx context.Context, h Host, s *site.Site, out string, yes bool, now time.Time) error {
	r := health.Redactor(s, true)
	files := gather(ctx, h, s, r, now)
	if ctx.Err() != nil {
		return problem.Stopped(nil, "stopped", "")
	}
	h.Say("the report has:")
	for _, f := range files {
		h.Say("  %-28s %7d bytes  %s", f.Name, len(f.Text), f.Says)
	}
	path := filepath.Join(cmp.Or(out, s.Dir), "flwrup-report-"+now.UTC().Format("20060102-150405")+".tar.gz")
	if !yes {
		answer, err := h.Ask(ctx, front.Question{ID: "report", Kind: front.AskConfirm, Default: "no", Ask: "Write it to " + path + "?",
			Help: "Nothing is sent. Keys, passwords, paths and data are left out; read it before you send it."})
		if err != nil || answer != "yes" {
			return err
		}
	}
	err := report.Write(path, files, r, now)
	switch {
	case errors.Is(err, report.ErrSecret):
		return problem.New(problem.Internal, "the report is not written", "a secret would be in it, which the rules should have left out", "send nothing; report this bug without the file")
	case errors.Is(err, fs.ErrExist):
		return problem.New(problem.BadInput, path+" is there already", "", "run it again in a second, or name another folder with --out")
	case err != nil:
		return &problem.Problem{Code: problem.BadInput, What: "cannot write " + path, Why: problem.Cause(err), Fix: "name another folder with --out", Err: err}
	}
	if h.JSON() {
		d := ReportData{File: path}
		for _, f := range files {
			d.Files = append(d.Files, f.Name)
		}
		h.WriteJSON(d)
	}
	h.Say("wrote %s; read it before you send it", path)
	return nil
}

// gather makes the files of a report. What cannot be had is said in its place.
func gather(ctx context.Context, h Host, s *site.Site, r *report.Redactor, now time.Time) (files []report.File) {
	add := func(name, says, text string) {
		files = append(files, report.File{Name: name, Says: says, Text: r.Text(text)})
	}
	var list []front.RunView
	if all, err := runs.Runs(ctx, s, time.Minute); err == nil {
		list = all
	}
	for _, run := range list {
		app, _, _ := strings.Cut(run.App, " ")
		r.Keep(strings.TrimPrefix(app, "@"))
	}
	t := s.Title()
	r.Keep(runtime.GOOS + "/" + runtime.GOARCH)
	add("versions.txt", "flwrup, Go, system, flwr, runtime", strings.Join([]string{"flwrup " + h.Version, "go " + runtime.Version(),
		"system " + runtime.GOOS + "/" + runtime.GOARCH, "flwr " + cmp.Or(t.Flwr, "none"), "runtime " + cmp.Or(s.RuntimeKind(), "none"), "made " + now.UTC().Format(time.RFC3339)}, "\n")+"\n")
	add("settings.txt", "flwrup.toml without paths, variables and comments", settings(s))
	add("doctor.txt", "the findings of flwrup doctor", findings(ctx, s))
	var b strings.Builder
	for _, run := range list {
		fmt.Fprintf(&b, "%s  %s  %s  %s\n", run.ID, run.App, run.Status, run.Elapsed.Round(time.Second))
	}
	add("runs.txt", "the runs of the account", b.String())
	if l, err := history.Read(s.StateDir()); err != nil {
		add("history.csv", "what happened", "cannot be read: "+problem.Cause(err)+"\n")
	} else {
		d := dataOf(l, now.AddDate(0, 0, -reportDays), now, "")
		add("history.csv", fmt.Sprintf("what happened in %d days", reportDays), strings.ReplaceAll(eventsCSV(d.Events), "\r\n", "\n"))
		b.Reset()
		for _, n := range d.Nodes {
			fmt.Fprintf(&b, "%s  online %d s, down %d s, stopped %d s, not known %d s, looked at %.2f %% of the time\n", n.Name, n.Online, n.Down, n.Stopped, n.Unknown, n.LookedAt*100)
		}
		add("availability.txt", "how long each SuperNode was online", b.String())
	}
	names, _ := site.Names(s) // without keys there are no logs
	for _, name := range names {
		b.Reset()
		for _, l := range site.LastLines(ctx, s, name, reportLines) {
			if !l.Time.IsZero() {
				b.WriteString(l.Time.UTC().Format(time.RFC3339) + " ")
			}
			b.WriteString(l.Text + "\n")
		}
		add("logs/"+name+".log", fmt.Sprintf("its last %d lines", reportLines), b.String())
	}
	return files
}

// settings writes the settings that say nothing about persons and places; of others that they are set.
func settings(s *site.Site) string {
	c := s.Choices()
	var b strings.Builder
	say := func(key string, v any) { fmt.Fprintf(&b, "%s = %v\n", key, v) }
	say("nodes", c.Nodes)
	say("federation", c.Federation)
	say("runtime", cmp.Or(c.Runtime, "auto"))
	say("image", cmp.Or(c.Image, "the official one"))
	say("host-network", c.HostNetwork)
	say("flwr.version", cmp.Or(c.Flwr.Version, "any"))
	say("grid.connection", c.Grid.Connection)
	say("grid.rehearsal", c.Grid.Rehearsal)
	for key, v := range map[string]string{"grid.control": c.Grid.Control, "grid.fleet": c.Grid.Fleet} {
		if v != "" {
			say(key, report.Address(v))
		}
	}
	set := func(key string, is bool) {
		if is {
			say(key, report.Gone)
		}
	}
	set("app", c.App != "" && c.App != site.NoApp)
	set("grid.ca", c.Grid.CA != "")
	set("backup-recipient", c.BackupRecipient != "")
	set("backup-passphrase-file", c.BackupPassphrase != "")
	set("flwr.path", c.Flwr.Path != "")
	set("flwr.home", c.Flwr.Home != "")
	set("site", c.Site.Name != "")
	node := func(table string, n project.NodeChoice) {
		for _, f := range []struct{ key, v string }{{"cpus", n.CPUs}, {"memory", n.Memory}, {"pids", n.PIDs}, {"tmp", n.Tmp}, {"gpus", n.GPUs}} {
			if f.v != "" {
				say(table+f.key, f.v)
			}
		}
		set(table+"node-config", n.NodeConfig != "")
		set(table+"args", len(n.Args) > 0)
		set(table+"env", len(n.Env) > 0)
		set(table+"env-file", n.EnvFile != "")
		set(table+"data", len(n.Data) > 0)
		set(table+"location", n.Location != "")
		set(table+"host", n.Host != "")
	}
	node("node.all.", c.All)
	for _, key := range slices.Sorted(maps.Keys(c.Node)) {
		node("node."+key+".", c.Node[key])
	}
	return b.String()
}

// findings writes what flwrup doctor finds.
func findings(ctx context.Context, s *site.Site) string {
	var b strings.Builder
	steps.Doctor(ctx, s, func(f steps.Finding) {
		fmt.Fprintf(&b, "%s: %s, %s\n", f.What, f.State, f.Stands)
		for _, says := range f.Says {
			fmt.Fprintf(&b, "    %s\n", says)
		}
		if f.Problem != nil {
			fmt.Fprintf(&b, "    ! %s: %s\n      %s\n", f.Problem.Code, f.Problem.Error(), f.Problem.Fix)
		}
	})
	return b.String()
}
