//go:build linux || darwin

package procctl

import (
	"context"
	"runtime"
	"slices"
	"strings"

	"flwrup/internal/machine"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// Preflight reports obstacles to processes that do not run yet, and settings that only apply to containers.
func (r *Runtime) Preflight(ctx context.Context, specs []supernode.Spec) ([]supernode.Finding, error) {
	var found []supernode.Finding
	for _, spec := range specs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.ready(spec); err != nil {
			found = append(found, supernode.Finding{Node: spec.Name, Warning: problem.Is(err, supernode.ValueMissing), Problem: problem.Of(err)})
		}
		var none []string
		for what, set := range map[string]bool{"data": len(spec.Data) > 0, "cpus": spec.CPUs > 0, "memory": spec.Memory > 0, "pids": spec.PIDs > 0, "tmp": spec.Tmp > 0, "gpus": spec.GPUs != ""} {
			if set {
				none = append(none, what)
			}
		}
		if len(none) > 0 {
			slices.Sort(none)
			found = append(found, supernode.Finding{Node: spec.Name, Warning: true, Problem: problem.New(problem.NotSupported,
				strings.Join(none, ", ")+" in flwrup.toml does nothing for "+spec.Name, "a plain process sees what you see, without limits", "use containers, or leave it")})
		}
	}
	if len(specs) == 0 {
		return nil, nil
	}
	free, ok := machine.MemoryFree()
	if !ok {
		free = -1
	}
	return append(found, supernode.LoadOf(specs).Short(free, runtime.NumCPU())...), nil
}
