package fleet

import (
	"context"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// movedImage tells a person that the image's name leads elsewhere now; nil where it does not, or where nobody
// can say.
func movedImage(ctx context.Context, s *site.Site, rt supernode.Runtime, host, name string) (known, now supernode.Image, moved *problem.Problem, err error) {
	r, ok := site.At(rt, host).(site.ImageResolver)
	if !ok {
		return known, now, nil, nil
	}
	if now, err = r.ResolveImage(ctx, name); err != nil {
		if problem.Is(err, problem.ImageMissing) {
			err = nil // Prepare pulls it
		}
		return known, now, nil, err
	}
	known, ok = site.KnownImage(s.Ledger.Data(), host, name)
	if !ok || known.Same(now) {
		return known, now, nil, nil
	}
	return known, now, problem.New(site.ImageChanged, "the image "+name+on(host)+" has changed", "it was "+known.Name()+", and is "+now.Name()+" now",
		"flwrup uses the previous one as long as it is on this machine; `flwrup start` in a terminal asks which to use"), nil
}

// on names a Docker host behind what is there; "" for this machine's own.
func on(host string) string {
	if host == "" {
		return ""
	}
	return " on " + host
}

// settleImage notes where the image's name leads, and asks when that has changed.
func settleImage(ctx context.Context, s *site.Site, rt supernode.Runtime, host, name string, to front.Sink) error {
	known, now, moved, err := movedImage(ctx, s, rt, host, name)
	if err != nil || now.ID == "" {
		return err
	}
	if moved == nil {
		if known == now {
			return nil
		}
		return site.NoteImage(s, host, name, now)
	}
	answer, err := to.Ask(ctx, front.Question{ID: "image-changed", Kind: front.AskChoice, Default: "keep", Ask: "The image " + name + on(host) + " has changed. Which one should SuperNodes use?",
		Help: "It was " + known.Name() + " and is now " + now.Name() + ". Somebody here pulled or built it, or its publisher moved the name.",
		Choices: []front.Choice{
			{Value: "keep", Label: "the previous one", Note: known.Name()},
			{Value: "take", Label: "the new one", Note: now.Name() + "; SuperNodes that run take it when they are restarted"},
		}})
	switch {
	case err != nil:
		return err
	case answer == "take":
		return site.NoteImage(s, host, name, now)
	}
	if _, err := site.At(rt, host).(site.ImageResolver).ResolveImage(ctx, known.ID); problem.Is(err, problem.ImageMissing) {
		return problem.New(problem.NeedsPerson, moved.What, moved.Why+"; the previous one is no longer on this machine",
			"find out where the new one comes from; then run `flwrup start` in a terminal and take it, or write image = \""+now.Name()+"\" into flwrup.toml")
	} else if err != nil {
		return err
	}
	to.Event(front.Says{Text: moved.Error() + ": SuperNodes keep the previous one"})
	return nil
}
