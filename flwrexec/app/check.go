package app

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"flwrup/flwrexec/config"
	"flwrup/internal/child"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

//go:embed check.py
var appcheckSource string

// checkWait is how long Python may take to read an app: it parses files and imports nothing of it.
const checkWait = 30 * time.Second

// Trap is a statement of the ServerApp that writes a file, or may. SuperGrid runs the ServerApp where only
// the temporary folder is writable. The run fails there, usually at its very end.
type Trap struct {
	File   string `json:"file"` // relative to the app
	Line   int    `json:"line"` // from 1
	End    int    `json:"end"`
	What   string `json:"what"`    // np.savez
	Target string `json:"target"`  // the file as in the source: final.npz, out/{name}; "" when unknown
	Sure   bool   `json:"sure"`    // it writes Target; else the source does not show whether, or where
	Text   string `json:"text"`    // the first line, as written
	WhyNot string `json:"why_not"` // why it cannot simply be commented out; "" when it can
}

// Reach is a call of the ServerApp that reaches out over the network, which a grid may not allow.
type Reach struct {
	File string `json:"file"` // relative to the app
	Line int    `json:"line"` // from 1
	What string `json:"what"` // requests.get
	Text string `json:"text"` // its first line, as written
}

// Findings is the result of reading an app's source.
type Findings struct {
	Traps    []Trap
	Minimums []Minimum
	Reaches  []Reach
}

// Does describes the statement's effect on the grid: "writes final.npz", "may write a file".
func (t Trap) Does() string {
	switch {
	case !t.Sure && t.Target == "":
		return "may write a file"
	case !t.Sure:
		return "may write " + t.Target
	case t.Target == "":
		return "writes a file"
	}
	return "writes " + t.Target
}

// Mendable returns the traps that can be commented out: those that surely write.
func (f Findings) Mendable() []Trap {
	var list []Trap
	for _, t := range f.Traps {
		if t.WhyNot == "" && t.Sure {
			list = append(list, t)
		}
	}
	return list
}

// Check reads the app's ServerApp, or its AgentApp, and those modules of the app that it reaches, with the
// parser of python. It does not run the app's code. Source that Python cannot parse is a Problem with code
// Broken.
func Check(ctx context.Context, python string, a App) (Findings, error) {
	var answer struct {
		Traps    []Trap `json:"traps"`
		Minimums []struct {
			File  string `json:"file"`
			Line  int    `json:"line"`
			What  string `json:"what"`
			Key   string `json:"key"`
			Value int    `json:"value"`
		} `json:"minimums"`
		Reaches []Reach  `json:"reaches"`
		Missing []string `json:"missing"`
	}
	if a.Server == "" && a.Agent == "" {
		return Findings{}, problem.New(Broken, "the app "+a.Name+" names no ServerApp", "its pyproject.toml has neither serverapp nor agentapp",
			"add serverapp under [tool.flwr.app.components]")
	}
	err := appcheck(ctx, python, map[string]any{"do": "scan", "dir": userdirs.Abs(a.Dir), "server": a.Server, "agent": a.Agent, "client": a.Client,
		"config": a.Config}, &answer)
	if err != nil {
		return Findings{}, fmt.Errorf("read the app %s: %w", a.Name, err)
	}
	if len(answer.Missing) > 0 {
		module, part, key := answer.Missing[0], "ServerApp", "serverapp"
		if module == a.Agent {
			part, key = "AgentApp", "agentapp"
		}
		return Findings{}, problem.New(Broken, "the app "+a.Name+" has no module "+module, "its pyproject.toml names it as the "+part,
			"correct "+key+" under [tool.flwr.app.components]")
	}
	f := Findings{Traps: answer.Traps, Reaches: answer.Reaches}
	for _, m := range answer.Minimums {
		f.Minimums = append(f.Minimums, Minimum{File: m.File, Line: m.Line, What: m.What, Key: m.Key, Want: m.Value})
	}
	return f, nil
}

// Mend returns the edits, one for each file, that comment the traps out and change nothing else: Python
// compares the meaning of the rest before and after.
func Mend(ctx context.Context, python string, a App, traps []Trap) ([]config.Edit, error) {
	lines := map[string][]int{}
	var files []string
	for _, t := range traps {
		if len(lines[t.File]) == 0 {
			files = append(files, t.File)
		}
		lines[t.File] = append(lines[t.File], t.Line)
	}
	var edits []config.Edit
	for _, name := range files {
		file := filepath.Join(a.Dir, filepath.FromSlash(name))
		var answer struct{ Before, After []byte }
		if err := appcheck(ctx, python, map[string]any{"do": "mend", "file": userdirs.Abs(file), "lines": lines[name]}, &answer); err != nil {
			return nil, fmt.Errorf("comment out what writes files in %s: %w", name, err)
		}
		edits = append(edits, config.Edit{File: file, Before: answer.Before, After: answer.After,
			Why: "the grid runs the ServerApp where it cannot write files"})
	}
	return edits, nil
}

// Missing is a requirement of an app that an environment does not meet.
type Missing struct {
	Want string `json:"want"` // as written in the app: torch>=2.4
	Have string `json:"have"` // the installed version; "" for none
}

// PackagesCommand returns the arguments of a Python that lists the requirements it does not meet; ReadMissing
// reads its output. Run it where the SuperNodes are: in their environment or image.
func PackagesCommand(requirements []string) ([]string, error) {
	return appcheckArgs(map[string]any{"do": "packages", "requirements": requirements})
}

// ReadMissing reads the output of PackagesCommand's arguments.
func ReadMissing(out []byte) ([]Missing, error) {
	var answer struct {
		Missing []Missing `json:"missing"`
	}
	err := readAppcheck(out, &answer)
	return answer.Missing, err
}

// MissingPackages asks python itself which of the app's requirements it does not meet.
func MissingPackages(ctx context.Context, python string, a App) ([]Missing, error) {
	var answer struct {
		Missing []Missing `json:"missing"`
	}
	err := appcheck(ctx, python, map[string]any{"do": "packages", "requirements": a.Dependencies}, &answer)
	return answer.Missing, err
}

func appcheckArgs(request map[string]any) ([]string, error) {
	b, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	return []string{"-I", "-X", "utf8", "-c", appcheckSource, string(b)}, nil
}

func appcheck(ctx context.Context, python string, request map[string]any, to any) error {
	if python == "" {
		return problem.New(problem.PythonMissing, "no Python to read the app with", "this flwr does not say which Python it runs on", "")
	}
	args, err := appcheckArgs(request)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	cmd := child.Tool(ctx, python, args...)
	stdout, stderr := child.Bounded{Stop: cancel}, child.NewTail(32<<10)
	cmd.Stdout, cmd.Stderr = &stdout, stderr
	err = cmd.Run()
	if stdout.Over() {
		return problem.New(Broken, "the app is too large to be read", fmt.Sprintf("its findings take more than %d MB", child.MaxOutput>>20), "")
	}
	if ctx.Err() != nil {
		return problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return &problem.Problem{Code: problem.Internal, What: "Python could not read the app", Raw: termsafe.Text(stderr.String()), Err: err}
	}
	if err != nil {
		return err
	}
	return readAppcheck([]byte(stdout.String()), to)
}

// readAppcheck decodes Python's findings and cleans every string of them.
func readAppcheck(out []byte, to any) error {
	var bad struct {
		Error, File string
		Line        int
	}
	if err := json.Unmarshal(out, &bad); err != nil {
		return fmt.Errorf("read what Python found: %w", err)
	}
	if bad.Error != "" {
		p := problem.New(Broken, "Python cannot read the app's source", termsafe.Text(strings.TrimSpace(bad.Error)), "correct it, then run again")
		if bad.Line > 0 {
			p.What = fmt.Sprintf("Python cannot read line %d of the app's source", bad.Line)
		}
		return p
	}
	if err := json.Unmarshal(out, to); err != nil {
		return fmt.Errorf("read what Python found: %w", err)
	}
	termsafe.Value(to)
	return nil
}
