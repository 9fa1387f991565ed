package runs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"flwrup/flwrexec/app"
	"flwrup/internal/front"
	"flwrup/internal/memo"
	"flwrup/internal/outgoing"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/shell"
	"flwrup/internal/site"
	"flwrup/internal/tomledit"
)

// parcel is what a run would send to the grid, and through it to every SuperNode.
type parcel struct {
	app     string // its folder, links followed
	files   []outgoing.File
	found   []outgoing.Finding
	limit   int64
	exclude string // the key of pyproject.toml that keeps files out; "" for none
	guess   bool
}

// packParcel asks flwr what it would send, unless that was done less than maxAge ago.
func packParcel(ctx context.Context, s *site.Site, maxAge time.Duration) (parcel, error) {
	p, _, err := site.Kept[memo.Answer[parcel]](s).Get(maxAge, func() (parcel, error) {
		a, err := app.Read(s.AppDir())
		if err != nil {
			return parcel{}, err
		}
		f, err := s.Session(ctx)
		if err != nil {
			return parcel{}, err
		}
		pack, err := app.PackOf(ctx, f.Found().Python, a)
		if err != nil {
			return parcel{}, err
		}
		p := parcel{limit: pack.Limit, exclude: pack.Exclude, guess: pack.Guess}
		if p.app, err = filepath.EvalSymlinks(a.Dir); err != nil {
			return parcel{}, fmt.Errorf("read the app's folder: %w", err)
		}
		for _, x := range pack.Files {
			p.files = append(p.files, outgoing.File{Name: x.Name, Real: x.Real, Packed: x.Packed, Secret: x.Secret, Outside: x.Outside})
		}
		p.found = outgoing.Check(p.app, p.files, private(s, p.app))
		if p.guess { // nobody has read the .gitignore yet
			ignored, _ := plainfile.Read(filepath.Join(p.app, ".gitignore")) // none that can be read: nothing ignored
			p.found = slices.DeleteFunc(p.found, func(f outgoing.Finding) bool { return hasLine(ignored, f.Line) })
		}
		return p, nil
	})
	return p, err
}

// private lists what of this site must not leave it with an app.
func private(s *site.Site, app string) []outgoing.Private {
	var list []outgoing.Private
	add := func(path, what string, never bool) {
		if path == "" {
			return
		}
		if real, err := filepath.EvalSymlinks(path); err == nil {
			list = append(list, outgoing.Private{Path: real, What: what, Never: never})
		}
	}
	add(s.StateDir(), "flwrup's own folder", true)
	add(filepath.Join(s.Dir, project.FileName), "flwrup's choices, with paths and addresses of this machine", false)
	add(project.ExportDir(s.Dir), "files exported for another engine, with paths and addresses of this machine", false)
	add(s.Folder().KeysDir(), "the folder of the keys", true)
	c := s.Choices()
	add(s.Path(c.Backup), "the backup of the keys", true)
	add(s.Path(c.BackupPassphrase), "the passphrase of the backup", true)
	add(s.Options.PassphraseFile, "the passphrase of the backup", true)
	add(s.Path(c.Flwr.Home), "Flower's configuration and login", true)
	add(os.Getenv("FLWR_HOME"), "Flower's configuration and login", true)
	nodes := map[string]project.NodeChoice{"the SuperNodes": c.All}
	maps.Copy(nodes, c.Node)
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		n := nodes[name]
		add(s.Path(n.Key), "the key of "+name, true)
		add(s.Path(n.EnvFile), "the variables of "+name, true)
		for _, d := range n.Data {
			host, _, _ := project.ParseData(d)
			add(s.Path(host), "data of "+name, false)
		}
		for _, m := range nodeConfigValue.FindAllStringSubmatch(n.NodeConfig, -1) {
			value := strings.Trim(m[2], `"'`)
			if !strings.ContainsAny(value, "/\\.") && !pathKey.MatchString(m[1]) || value == "" {
				continue
			}
			if filepath.IsAbs(value) {
				add(value, "data of "+name+", by its node-config", false)
				continue
			}
			for _, from := range []string{s.Dir, app} {
				if file := filepath.Join(from, value); file != from && file != app {
					add(file, "data of "+name+", by its node-config", false)
				}
			}
		}
	}
	return list
}

var (
	nodeConfigValue = regexp.MustCompile(`([\w.-]+)\s*=\s*("[^"]*"|'[^']*'|\S+)`)
	pathKey         = regexp.MustCompile(`(?i)path|dir|folder|file|data`)
)

// CheckSent looks at what would be sent. What belongs to this site is kept out when a person agrees; unattended it
// stops the run, unless --send-all accepts it. Keys, backups and passwords are never sent.
func CheckSent(ctx context.Context, s *site.Site, to front.Sink) error {
	offered := false
	for {
		p, err := packParcel(ctx, s, 0)
		if err != nil {
			return err
		}
		large := outgoing.TooLarge(p.files, p.limit)
		if len(p.found) == 0 && len(large) == 0 {
			if !p.guess {
				to.Event(front.Says{Text: "would be sent: " + outgoing.Summary(p.files)})
			}
			return nil
		}
		if s.Options.Attended && !offered && !p.guess {
			offered = true
			keptOut, err := offerKeepOut(ctx, s, p, large, to)
			if err != nil {
				return err
			}
			if keptOut {
				site.Kept[memo.Answer[parcel]](s).Forget()
				continue
			}
		}
		if len(large) > 0 {
			return tooLarge(s, p, large)
		}
		return acceptSent(ctx, s, p, to)
	}
}

// offerKeepOut offers to write the lines that keep files out into the app's .gitignore.
func offerKeepOut(ctx context.Context, s *site.Site, p parcel, large []outgoing.File, to front.Sink) (bool, error) {
	file := filepath.Join(s.AppDir(), ".gitignore")
	before, err := plainfile.Read(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read %s: %w", s.Rel(file), err)
	}
	lines := keepOutLines(p.found, large)
	added := ignoreLines(before, lines)
	answer, err := to.Ask(ctx, front.Question{ID: "keep-out", Kind: front.AskConfirm, Default: "yes", Ask: "Keep " + strings.Join(lines, ", ") + " out of the app?",
		Help: strings.Join(sentReasons(p, large), "; ") + ". flwr would send them to the grid, and the grid to every SuperNode.",
		Diff: tomledit.Diff(before, append(slices.Clone(before), added...), s.Rel(file))})
	if err != nil || answer != "yes" {
		return false, err
	}
	if err := appendTo(s, file, added); err != nil {
		return false, err
	}
	to.Event(front.Says{Text: s.Rel(file) + " now names " + strings.Join(lines, ", ")})
	return true, nil
}

// acceptSent lets the run go on with what was found, when a person or --send-all says so.
func acceptSent(ctx context.Context, s *site.Site, p parcel, to front.Sink) error {
	never := slices.ContainsFunc(p.found, func(f outgoing.Finding) bool { return f.Never }) && !p.guess
	reasons := strings.Join(sentReasons(p, nil), "; ")
	stop := problem.New(problem.NeedsPerson, "private files would be sent with the app", reasons,
		"keep them out: "+keepOutWords(s, p, keepOutLines(p.found, nil)))
	switch {
	case never:
		return stop
	case s.Options.SendAll:
		to.Event(front.Says{Text: "sent because of --send-all: " + reasons})
		return nil
	case !s.Options.Attended:
		stop.Fix += "; or send them with --send-all"
		return stop
	}
	answer, err := to.Ask(ctx, front.Question{ID: "send-all", Kind: front.AskConfirm, Default: "no", Ask: "Send these files to the grid and to every SuperNode?", Help: reasons + "."})
	if err != nil || answer == "yes" {
		return err
	}
	return stop
}

// tooLarge is said before flwr refuses the bundle.
func tooLarge(s *site.Site, p parcel, large []outgoing.File) error {
	return problem.New(problem.NeedsPerson, fmt.Sprintf("the app is too large to send: %s packed, and the grid takes %s", megabytes(outgoing.Size(p.files)), megabytes(p.limit)),
		strings.Join(sentReasons(p, large), "; "), "leave out what the run does not need: "+keepOutWords(s, p, keepOutLines(p.found, large)))
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }

func sentReasons(p parcel, large []outgoing.File) []string {
	var list []string
	for _, f := range p.found {
		list = append(list, f.String())
	}
	for i, f := range large {
		if i == 3 {
			list = append(list, fmt.Sprintf("%d more large files", len(large)-3))
			break
		}
		list = append(list, f.Name+" ("+megabytes(f.Packed)+" packed)")
	}
	return list
}

func keepOutLines(found []outgoing.Finding, large []outgoing.File) []string {
	var lines []string
	for _, f := range found {
		lines = append(lines, f.Line)
	}
	for _, f := range large {
		if line := outgoing.Line(f.Name, false); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// keepOutWords says which lines keep files out, for this flwr: .gitignore on all, fab-exclude from 1.28 on.
// fab-exclude alone makes flwr stumble over the app's own .gitignore.
func keepOutWords(s *site.Site, p parcel, lines []string) string {
	words := "add " + strings.Join(lines, " and ") + " to " + s.Rel(filepath.Join(s.AppDir(), ".gitignore"))
	if p.exclude == "" {
		return words
	}
	patterns := slices.Clone(lines)
	if _, err := os.Stat(filepath.Join(p.app, ".gitignore")); err == nil {
		patterns = append(patterns, "/.gitignore")
	}
	for i, x := range patterns {
		patterns[i] = fmt.Sprintf("%q", x)
	}
	return words + ", or " + p.exclude + " = [" + strings.Join(patterns, ", ") + "] below [tool.flwr.app] in its pyproject.toml"
}

// SentActions returns, for a plan, the files that a run would keep out or stop at.
func SentActions(ctx context.Context, s *site.Site) []front.Action {
	file, own, err := leaking(s)
	if err != nil {
		return nil // step 15 says it when it comes to that
	}
	var actions []front.Action
	if len(own) > 0 {
		actions = append(actions, keepOutAction(s, file, own))
	}
	p, err := packParcel(ctx, s, site.Fresh)
	if err != nil {
		return actions
	}
	for _, f := range p.found {
		if !slices.Contains(own, f.Line) {
			actions = append(actions, front.Action{Says: "leave out of the app, if you agree: " + f.String(),
				Command: "printf '\\n%s\\n' " + shell.Word(f.Line) + " >> " + shell.Path(s.Rel(filepath.Join(s.AppDir(), ".gitignore")))})
		}
	}
	for _, f := range outgoing.TooLarge(p.files, p.limit) {
		actions = append(actions, front.Action{Says: fmt.Sprintf("leave out of the app, if you agree: %s (%s packed; the grid takes %s in all)",
			f.Name, megabytes(f.Packed), megabytes(p.limit))})
	}
	return actions
}
