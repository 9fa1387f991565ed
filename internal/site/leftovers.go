package site

import (
	"context"
	"errors"
	"slices"
	"strings"

	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
)

// attestImage begins what the ledger notes of a container image: to what its name led when it was first used.
const attestImage = "image "

// onHost stands between the image's name and the Docker host, for images of other hosts: the IDs of one image differ
// between Docker's ways to store it.
const onHost = " on "

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
		rt, err := s.openRuntime(other)
		if err == nil {
			err = errors.Join(do(rt), rt.Close())
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// hadContainers reports whether the ledger notes an image, or a Docker host.
func hadContainers(s *Site) bool {
	d := s.Ledger.Data()
	return slices.ContainsFunc(d.Attestations, func(a ledger.Attestation) bool { return strings.HasPrefix(a.What, attestImage) }) ||
		slices.ContainsFunc(d.SuperNodes, func(n ledger.SuperNode) bool { return len(n.Hosts) > 0 })
}

// hadContainersHere reports whether the ledger notes an image of this machine's own Docker.
func hadContainersHere(s *Site) bool {
	return slices.ContainsFunc(s.Ledger.Data().Attestations, func(a ledger.Attestation) bool {
		return strings.HasPrefix(a.What, attestImage) && !strings.Contains(a.What, onHost)
	})
}
