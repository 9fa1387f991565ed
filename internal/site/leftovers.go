package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
)

// attestImage begins what the ledger notes of a container image: to what its name led when it was first used.
const attestImage = "image "

// EachUsed calls do for every runtime that may hold something of this site: the chosen runtime, and the
// previous one. Docker is left alone where this site never made anything with it; it may not be there.
func EachUsed(ctx context.Context, s *Site, do func(supernode.Runtime) error) error {
	kind := s.RuntimeKind()
	var errs []error
	if kind != "" {
		rt, err := s.NodesRuntime(ctx)
		if err != nil {
			return err
		}
		errs = append(errs, do(rt))
	}
	for _, other := range []string{project.RuntimeDocker, project.RuntimeProcess} {
		if other == kind || other == project.RuntimeDocker && !hadContainers(s) {
			continue
		}
		rt, err := s.openRuntime(ctx, other)
		if err == nil {
			err = errors.Join(do(rt), rt.Close())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// hadContainers reports whether the ledger notes an image.
func hadContainers(s *Site) bool {
	return slices.ContainsFunc(s.Ledger.Data().Attestations, func(a ledger.Attestation) bool { return strings.HasPrefix(a.What, attestImage) })
}

// clearLeftovers removes what any SuperNode of this site has on this machine besides its key files: also
// volumes whose container somebody removed by hand. It fails while any of it is left.
func clearLeftovers(ctx context.Context, s *Site) error {
	return EachUsed(ctx, s, func(rt supernode.Runtime) error {
		names, err := rt.Leftovers(ctx)
		if err != nil {
			return err
		}
		err = Each(ctx, names, func(ctx context.Context, name string) error {
			if err := rt.Stop(ctx, name, StopGrace); err != nil && !problem.Is(err, procctl.Killed) {
				return err
			}
			return rt.Remove(ctx, name)
		})
		if err != nil {
			return err
		}
		if names, err = rt.Leftovers(ctx); err == nil && len(names) > 0 {
			err = fmt.Errorf("still left: %s", strings.Join(names, ", "))
		}
		return err
	})
}
