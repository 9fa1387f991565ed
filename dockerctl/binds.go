package dockerctl

import (
	"github.com/docker/docker/api/types/mount"

	"flwrup/internal/hostpath"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// binds returns the mounts of a spec's folders. No other function makes mounts. It refuses folders that no
// SuperNode may see: the system, container runtimes, the user's credentials, keys and flwrup's records.
func binds(spec supernode.Spec) ([]mount.Mount, error) {
	private := append([]string{spec.KeyFile}, spec.Private...)
	var list []mount.Mount
	for _, d := range spec.Data {
		if why := hostpath.Closed(d.Host, private...); why != "" {
			return nil, problem.New(problem.BadInput, "cannot give a SuperNode the folder "+d.Host, why, "take it out of the data of "+spec.Name+" in flwrup.toml")
		}
		list = append(list, mount.Mount{Type: mount.TypeBind, Source: d.Host, Target: d.Inside, ReadOnly: !d.Write})
	}
	return list, nil
}
