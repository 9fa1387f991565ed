package fleet

import (
	"context"
	"fmt"
	"slices"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
	"flwrup/keys"
)

// Preflight says what would keep the given SuperNodes from starting or from working, before anything is
// started. A container name that somebody else has is only worth a remark where flwrup takes another.
func Preflight(ctx context.Context, s *site.Site, list []site.Member) ([]supernode.Finding, error) {
	rt, err := s.NodesRuntime(ctx)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	var specs []supernode.Spec
	var found []supernode.Finding
	for _, m := range list {
		spec, err := site.Spec(ctx, s, m, "")
		if p := problem.Of(err); p != nil && p.Code != problem.Internal {
			found = append(found, supernode.Finding{Node: m.Name, Problem: p})
			continue
		} else if err != nil {
			return nil, err
		}
		if p := keys.OpenToOthers(spec.EnvFile); spec.EnvFile != "" && p != nil {
			found = append(found, supernode.Finding{Node: m.Name, Warning: true, Problem: p})
		}
		specs = append(specs, spec)
	}
	more, err := rt.Preflight(ctx, specs)
	for _, f := range more {
		f.Warning = f.Warning || f.Problem.Code == problem.NameTaken && rt.Kind() == project.RuntimeDocker ||
			f.Problem.Code == problem.PortTaken // another name, another port is taken at the start
		if f.Problem.Code == supernode.WrongFlwr && s.Choices().Image != "" {
			p := *f.Problem
			p.Fix = "use the image of your flwr: flwrup up --image \"\""
			f.Problem = &p
		}
		found = append(found, f)
	}
	if err == nil && len(specs) > 0 {
		for _, h := range site.HostsOf(s, list) {
			if slices.ContainsFunc(found, func(f supernode.Finding) bool { return f.Problem.Code == problem.DockerDown }) {
				break
			}
			var moved *problem.Problem
			if _, _, moved, err = movedImage(ctx, s, rt, h, specs[0].Image); moved != nil {
				found = append(found, supernode.Finding{Warning: true, Problem: moved})
			}
		}
	}
	return found, err
}

// ShowFindings puts findings into the status of the step that starts SuperNodes.
func ShowFindings(st *front.Status, found []supernode.Finding) {
	for _, f := range found {
		state, text := front.ItemFailed, f.Problem.Error()+site.Fix(f.Problem)
		if f.Warning {
			state = front.ItemWaiting
		}
		named := false
		for i := range st.Items {
			if it := &st.Items[i]; it.Name == f.Node && f.Node != "" {
				it.State, it.Text, named = state, it.Text+"; "+text, true
			}
		}
		if !named {
			st.Hints = append(st.Hints, text)
		}
	}
}

// CheckFirst looks at what would fail before anything is started. What concerns all ends it; a SuperNode
// that cannot start is left out of fit, and unfit says why: the others need not wait for it.
func CheckFirst(ctx context.Context, s *site.Site, list []site.Member, to front.Sink) (fit []site.Member, unfit, err error) {
	states, err := site.States(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	var down []site.Member
	for _, m := range list {
		if st := states[m.Name].State; st != supernode.Running && st != supernode.Restarting {
			down = append(down, m)
		}
	}
	found, err := Preflight(ctx, s, down)
	if err != nil {
		return nil, nil, err
	}
	if own, err := ownImage(ctx, s, found, to); err != nil {
		return nil, nil, err
	} else if own {
		return CheckFirst(ctx, s, list, to)
	}
	for _, f := range found {
		if f.Warning && (f.Problem.Code == problem.BadInput || f.Problem.Code == problem.NotSupported) {
			to.Event(front.Says{Text: f.Problem.Error() + site.Fix(f.Problem)})
		}
	}
	return sift(list, found, to)
}

// sift leaves those out of fit that found keeps from starting, and unfit says why; err is what keeps all
// of them.
func sift(list []site.Member, found []supernode.Finding, to front.Sink) (fit []site.Member, unfit, err error) {
	var all, some []error
	out := map[string]bool{}
	for _, f := range found {
		switch {
		case f.Warning:
		case f.Node == "":
			all = append(all, f.Problem)
		default:
			some = append(some, fmt.Errorf("%s: %w", f.Node, f.Problem))
			out[f.Node] = true
			to.Event(front.ItemChanged{Item: front.Item{Name: f.Node, State: front.ItemFailed, Text: f.Problem.Error()}})
		}
	}
	for _, m := range list {
		if !out[m.Name] {
			fit = append(fit, m)
		}
	}
	return fit, problem.Join(some...), problem.Join(all...)
}

// ownImage asks, where the image that the person chose holds another flwr, whether to take the one of the flwr
// at hand.
func ownImage(ctx context.Context, s *site.Site, found []supernode.Finding, to front.Sink) (bool, error) {
	i := slices.IndexFunc(found, func(f supernode.Finding) bool { return f.Problem.Code == supernode.WrongFlwr })
	if i < 0 || s.Choices().Image == "" {
		return false, nil
	}
	f, err := s.Session(ctx)
	if err != nil {
		return false, err
	}
	answer, err := to.Ask(ctx, front.Question{ID: "own-image", Kind: front.AskConfirm, Default: "no",
		Ask: "Start them with " + site.OfficialImage(f.Version().String()) + " instead?", Help: found[i].Problem.Error() + "."})
	if err != nil || answer != "yes" {
		return false, err
	}
	return true, s.Change(func(c *project.Choices) error { c.Image = ""; return nil })
}
