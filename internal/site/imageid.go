package site

import (
	"context"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// An image's name can lead to another image tomorrow. So the ledger keeps to which one it led when SuperNodes
// were first made from it; containers are made from that one until a person says otherwise.

// ImageChanged says that an image's name leads to another image than when SuperNodes were first made from it.
const ImageChanged problem.Code = "image-changed"

// ImageResolver says where an image's name leads; dockerctl's runtime can.
type ImageResolver interface {
	ResolveImage(ctx context.Context, name string) (supernode.Image, error)
}

// knownImage is the image that the ledger has for a name.
func knownImage(d ledger.Data, name string) (supernode.Image, bool) {
	a, ok := d.Attestation(attestImage + name)
	if !ok {
		return supernode.Image{}, false
	}
	id, digest, _ := strings.Cut(a.Detail, " ")
	return supernode.Image{ID: id, Digest: digest}, id != ""
}

// NoteImage keeps to which image a name leads.
func NoteImage(s *Site, name string, i supernode.Image) error {
	return s.Ledger.Attest(attestImage+name, strings.TrimSpace(i.ID+" "+i.Digest))
}

// DigestOf is what is shown of the image that a container was made from.
func DigestOf(d ledger.Data, st supernode.Status) string {
	if i, ok := knownImage(d, st.Image); ok && i.ID == st.ImageID {
		return i.Name()
	}
	return st.ImageID
}

// MovedImage tells a person that the image's name leads elsewhere now; nil where it does not, or where nobody
// can say.
func MovedImage(ctx context.Context, s *Site, rt supernode.Runtime, name string) (known, now supernode.Image, moved *problem.Problem, err error) {
	r, ok := Inner(rt).(ImageResolver)
	if !ok {
		return known, now, nil, nil
	}
	if now, err = r.ResolveImage(ctx, name); err != nil {
		if problem.Is(err, problem.ImageMissing) {
			err = nil // Prepare pulls it
		}
		return known, now, nil, err
	}
	known, ok = knownImage(s.Ledger.Data(), name)
	if !ok || known.Same(now) {
		return known, now, nil, nil
	}
	return known, now, problem.New(ImageChanged, "the image "+name+" has changed", "it was "+known.Name()+", and is "+now.Name()+" now",
		"flwrup uses the previous one as long as it is on this machine; `flwrup start` in a terminal asks which to use"), nil
}

// SettleImage notes where the image's name leads, and asks when that has changed.
func SettleImage(ctx context.Context, s *Site, rt supernode.Runtime, name string, to front.Sink) error {
	known, now, moved, err := MovedImage(ctx, s, rt, name)
	if err != nil || now.ID == "" {
		return err
	}
	if moved == nil {
		if known == now {
			return nil
		}
		return NoteImage(s, name, now)
	}
	answer, err := to.Ask(ctx, front.Question{ID: "image-changed", Kind: front.AskChoice, Default: "keep", Ask: "The image " + name + " has changed. Which one should SuperNodes use?",
		Help: "It was " + known.Name() + " and is now " + now.Name() + ". Somebody here pulled or built it, or its publisher moved the name.",
		Choices: []front.Choice{
			{Value: "keep", Label: "the previous one", Note: known.Name()},
			{Value: "take", Label: "the new one", Note: now.Name() + "; SuperNodes that run take it when they are restarted"},
		}})
	switch {
	case err != nil:
		return err
	case answer == "take":
		return NoteImage(s, name, now)
	}
	if _, err := Inner(rt).(ImageResolver).ResolveImage(ctx, known.ID); problem.Is(err, problem.ImageMissing) {
		return problem.New(problem.NeedsPerson, moved.What, moved.Why+"; the previous one is no longer on this machine",
			"find out where the new one comes from; then run `flwrup start` in a terminal and take it, or write image = \""+now.Name()+"\" into flwrup.toml")
	} else if err != nil {
		return err
	}
	to.Event(front.Says{Text: moved.Error() + ": SuperNodes keep the previous one"})
	return nil
}
