package upgrade

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/fit"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Releases that upgrades have left. The last one stays at hand for a way back; those before it can go.

// AsksOld is the ID of the question whether an old release can go.
const AsksOld = "remove-old"

// Old is a release that nothing here needs any more, and that is on this machine still.
type Old struct {
	Version flwr.Version
	Env     int64 // bytes of its environment; 0: it has none
	Images  []OldImage
}

// OldImage is an image with an old release.
type OldImage struct {
	Host, Name string
	Size       int64 // bytes, with the layers that other images have as well
}

// String is what would go, with sizes.
func (o Old) String() string { return "flwr " + o.Version.String() + ": " + o.parts() }

func (o Old) parts() string {
	var parts []string
	if o.Env > 0 {
		parts = append(parts, "its environment ("+megabytes(o.Env)+")")
	}
	for _, i := range o.Images {
		text := "the image " + i.Name
		if i.Host != "" {
			text += " on " + i.Host
		}
		parts = append(parts, text+" ("+megabytes(i.Size)+")")
	}
	return strings.Join(parts, ", ")
}

func megabytes(n int64) string { return fmt.Sprintf("up to %d MB", max(1, n/1e6)) }

// imageKeeper is a runtime that has images; *dockerctl.Runtime is one.
type imageKeeper interface {
	ImageSize(ctx context.Context, name string) (int64, error)
	RemoveImage(ctx context.Context, name string) error
}

// olds returns the releases that upgrades left, and that no SuperNode of the set-up has, running or not. needed are those
// that stay anyway; without them it is the last one that was left.
func olds(ctx context.Context, s *site.Site, needed ...flwr.Version) (list []Old) {
	d := s.Ledger.Data()
	if n := len(d.Kept); n > 0 && len(needed) == 0 {
		last, _ := flwr.ParseVersion(d.Kept[n-1].From)
		needed = append(needed, last)
	} else if n == 0 {
		return nil
	}
	c := s.Choices()
	now, _ := flwr.ParseVersion(c.Flwr.Version)
	needed = append(needed, now)
	states, err := site.States(ctx, s)
	if err != nil {
		return nil // who runs what is not known
	}
	for _, st := range states {
		if st.State == supernode.Unknown {
			return nil
		}
		if v, ok := fit.VersionOf(st); ok {
			needed = append(needed, v)
		}
	}
	byVersion := map[flwr.Version][]string{} // own images
	var order []flwr.Version
	for _, k := range d.Kept {
		v, err := flwr.ParseVersion(k.From)
		if err != nil || slices.Contains(needed, v) {
			continue
		}
		if byVersion[v] == nil {
			order = append(order, v)
			byVersion[v] = []string{site.OfficialImage(v.String())}
		}
		// An image that somebody else made is theirs to remove.
		if own := strings.HasPrefix(k.Image, "flwrup/") && strings.HasSuffix(k.Image, ":"+c.ID); own && k.Image != c.Image && !slices.Contains(byVersion[v], k.Image) {
			byVersion[v] = append(byVersion[v], k.Image)
		}
	}
	for _, v := range order {
		o := Old{Version: v}
		if env, there := install.OwnFolder("", v); there {
			o.Env = install.Size(env)
		}
		for _, host := range site.Hosts(s) {
			keeper, ok := imagesAt(ctx, s, host)
			if !ok {
				continue
			}
			for _, name := range byVersion[v] {
				if size, err := keeper.ImageSize(ctx, name); err == nil && size > 0 {
					o.Images = append(o.Images, OldImage{host, name, size})
				}
			}
		}
		if o.Env > 0 || len(o.Images) > 0 {
			list = append(list, o)
		}
	}
	return list
}

func imagesAt(ctx context.Context, s *site.Site, host string) (imageKeeper, bool) {
	if s.RuntimeKind() != project.RuntimeDocker {
		return nil, false
	}
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return nil, false
	}
	keeper, ok := site.At(rt, host).(imageKeeper)
	return keeper, ok
}

// clearOld removes the releases that upgrades left before the last one, each after a yes: environments belong to all folders
// of a user, and images to all users of a Docker. What is in use stays, which is no error. yes: the person has agreed.
func clearOld(ctx context.Context, s *site.Site, yes bool, to front.Sink) error {
	var gone []flwr.Version
	for _, o := range olds(ctx, s) {
		answer := "yes"
		if !yes {
			var err error
			answer, err = to.Ask(ctx, front.Question{ID: AsksOld, Kind: front.AskConfirm, Default: "no", Ask: "Remove flwr " + o.Version.String() + ", which an earlier upgrade left?",
				Help: o.String() + ".\nOther folders that use flwr " + o.Version.String() + " install it again when they need it."})
			if err != nil {
				return err
			}
		}
		if answer != "yes" {
			to.Event(front.Says{Text: "kept " + o.String() + " (flwrup upgrade --remove-old removes it)"})
			continue
		}
		if stays := remove(ctx, s, o); stays != nil {
			to.Event(front.Says{Text: stays.Error() + site.Fix(problem.Of(stays))})
			continue
		}
		to.Event(front.Says{Text: "removed " + o.String()})
		gone = append(gone, o.Version)
	}
	if len(gone) == 0 {
		return nil
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		d.Kept = slices.DeleteFunc(d.Kept, func(k ledger.Kept) bool {
			v, err := flwr.ParseVersion(k.From)
			return err == nil && slices.Contains(gone, v)
		})
		return nil
	})
}

// remove removes an old release, the environment first: of it alone it is known at once whether it is in use.
func remove(ctx context.Context, s *site.Site, o Old) error {
	if env, there := install.OwnFolder("", o.Version); there {
		if pids := procctl.Using(env); len(pids) > 0 {
			return problem.New(problem.Busy, env+" stays", fmt.Sprintf("process %d uses it", pids[0]), "")
		}
		if err := install.Remove(ctx, "", o.Version); err != nil {
			return err
		}
	}
	var stay []error
	for _, i := range o.Images {
		if keeper, ok := imagesAt(ctx, s, i.Host); ok {
			stay = append(stay, keeper.RemoveImage(ctx, i.Name))
		}
	}
	return problem.Join(stay...)
}
