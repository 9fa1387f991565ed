package dockerctl

import (
	"context"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"flwrup/internal/supernode"
)

// Bounds of a container where nobody chose any. ClientApps run in it, with their threads.
const (
	defaultPIDs = 4096    // a large app on many cores stays below; a fork bomb cannot take the machine down
	defaultTmp  = 1 << 30 // Docker's own default is half of the machine's memory, for each container
	appRoom     = 256 << 20
)

// bounds are the limits of one container; pids is -1 for no limit, memory 0.
type bounds struct{ memory, pids, tmp int64 }

func boundsFor(r *Runtime, spec supernode.Spec) bounds {
	r.mu.Lock()
	total := r.memory
	r.mu.Unlock()
	b := bounds{memory: spec.Memory, pids: spec.PIDs, tmp: spec.Tmp}
	switch b.memory {
	case 0:
		b.memory = share(total, spec.Sharers, spec.Takes)
	case supernode.Unlimited:
		b.memory = 0
	}
	if b.pids == 0 {
		b.pids = defaultPIDs
	}
	if b.tmp <= 0 {
		b.tmp = defaultTmp
	}
	return b
}

// share is the memory of one of n SuperNodes on a machine: nine tenths of it, divided. It leaves room for an
// app on top of an idle SuperNode, even when that adds up to more than there is: Preflight says so.
func share(total int64, n int, takes int64) int64 {
	if total <= 0 {
		return 0
	}
	all := total / 10 * 9
	return min(max(all/int64(max(n, 1)), takes+appRoom), all)
}

// measure asks once how much memory the daemon's machine has.
func measure(ctx context.Context, r *Runtime) error {
	r.mu.Lock()
	known := r.memory > 0
	r.mu.Unlock()
	if known {
		return nil
	}
	info, err := r.cli.Info(ctx)
	if err != nil {
		return r.explain(ctx, err, "ask the daemon what it has")
	}
	r.mu.Lock()
	r.memory = info.MemTotal
	r.mu.Unlock()
	return nil
}

// rebound renews the bounds that nobody chose: the number of SuperNodes may have changed since the container
// was made.
func rebound(ctx context.Context, r *Runtime, c container.InspectResponse, spec supernode.Spec) error {
	within := boundsFor(r, spec)
	if spec.Memory != 0 || within.memory == 0 || c.HostConfig == nil || c.HostConfig.Memory == within.memory {
		return nil
	}
	// Docker checks one against the other; twice the memory is its own default.
	_, err := r.cli.ContainerUpdate(ctx, c.ID, container.UpdateConfig{Resources: container.Resources{Memory: within.memory, MemorySwap: 2 * within.memory}})
	if cerrdefs.IsNotFound(err) {
		if _, gone := r.cli.ContainerInspect(ctx, c.ID); gone != nil {
			return err // Start looks again
		}
		return nil // Podman up to 4.3 cannot change a container: it keeps its limit until it is made again
	}
	return r.explain(ctx, err, "renew the memory limit of "+spec.Name)
}
