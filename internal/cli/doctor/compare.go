package doctor

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/flwrexec/releases"
	"flwrup/internal/cli/program"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
	"flwrup/internal/wording"
)

// compare installs the flwr that text names where it is not here, and shows how it differs from what flwrup uses of it.
func compare(ctx context.Context, p *program.Program, text string) error {
	say := func(line string) { fmt.Fprintln(p.Err, program.Folded("    "+line)) }
	found, release, err := install.Scratch(ctx, text, releases.Nightly, say)
	if err != nil {
		return err
	}
	defer release()
	work, err := userdirs.Work()
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp(work, "doctor-") // flwr writes there when it is asked for help
	if err != nil {
		return &problem.Problem{Code: problem.BadInput, What: "cannot make a folder for flwr", Why: problem.Cause(err), Fix: "make the folder for temporary files writable", Err: err}
	}
	defer os.RemoveAll(home) //nolint:errcheck // nothing of value is in it
	s := flwrexec.NewSession(found, flwrexec.SessionOptions{FlwrHome: home, Dir: home})
	defer s.Close() //nolint:errcheck // it ends a worker
	c, err := s.Compare(ctx)
	if err != nil {
		return err
	}
	list, wrong := findings(c)
	list = append([]Finding{{What: "flwr " + c.Version.String(), State: front.Done.String(), Severity: front.OK.String(), Says: []string{found.Program, s.Dialect().HowKnown()}}}, list...)
	if p.JSON {
		program.WriteJSON(p.Out, list, wrong)
	} else {
		showTable(p, list, wrong)
	}
	if wrong != nil {
		return program.AlreadySaid(wrong)
	}
	return nil
}

// findings returns a finding for each command of a comparison, and the Problem of all that is missing; nil where nothing
// is.
func findings(c flwr.Comparison) ([]Finding, error) {
	var list []Finding
	missing := 0
	for _, i := range c.Items {
		n := len(list) - 1
		if n < 0 || list[n].What != i.Command {
			list = append(list, Finding{What: i.Command, State: front.Done.String(), Severity: front.OK.String(), Says: []string{}})
			n++
		}
		f := &list[n]
		says := i.What
		if i.Standing != flwr.There {
			says = strings.TrimPrefix(i.What+": "+string(i.Standing), ": ")
		}
		if says != "" {
			f.Says = append(f.Says, says)
		}
		switch i.Standing {
		case flwr.Without:
			missing++
			if f.Problem == nil {
				f.State, f.Severity = front.Ready.String(), front.Warning.String()
			}
		case flwr.Missing:
			missing++
			f.State, f.Severity = front.Ready.String(), front.Failing.String()
			f.Problem = program.Shape(problem.New(problem.NotSupported, strings.TrimSpace(i.Command+" "+i.What)+" is missing", "", ""))
		}
	}
	switch {
	case c.Problem != nil:
		return list, c.Problem
	case missing > 0:
		return list, problem.New(problem.NotSupported, fmt.Sprintf("flwr %s lacks %s that flwrup uses", c.Version, wording.Count(missing, "thing")), "",
			"use an older flwr, or a newer flwrup")
	}
	return list, nil
}

// showTable writes findings as a line each.
func showTable(p *program.Program, list []Finding, wrong error) {
	width := 0
	for _, f := range list[1:] {
		width = max(width, len(f.What))
	}
	for _, line := range append([]string{list[0].What}, list[0].Says...) {
		p.Say("%s", program.Folded(line))
	}
	for _, f := range list[1:] {
		severity := front.OK
		for _, s := range []front.Severity{front.Warning, front.Failing} {
			if f.Severity == s.String() {
				severity = s
			}
		}
		says := strings.Join(f.Says, ", ")
		if program.Spoken() { // the word says it all
			p.Say("%s: %s", f.What, cmp.Or(says, string(flwr.There)))
		} else {
			p.Say("%s %-*s  %s", severity.Sign(false), width, f.What, cmp.Or(says, string(flwr.There)))
		}
	}
	if wrong == nil {
		p.Say("\nall that flwrup uses is there")
		return
	}
	w := problem.Of(wrong)
	p.Say("\n%s", program.Folded("! "+w.Error()))
	p.Say("  %s", w.Fix)
}
