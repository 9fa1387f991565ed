package site

import (
	"context"
	"net"
	"slices"
	"time"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/hostpath"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/trust"
	"flwrup/keys"
)

// takeoverWithin bounds the search for SuperNodes of a folder that nobody accepted.
const takeoverWithin = 3 * time.Second

// takeOver moves from v.open to s.proven the values that need no question: the records, where a SuperNode runs with a
// private key that lies in the folder. A flwrup from before acceptance was kept started it; the author of a
// repository has no key of a SuperNode that runs on this machine. The rehearsal, the runtime and the image need none
// where it runs for them. Every other value is asked about as before: flwrup.toml may have changed since.
func takeOver(s *Site, v *survey) {
	known := hashes(s.proven) // by the look before the lock was taken
	v.open = slices.DeleteFunc(v.open, func(x trust.Value) bool { return known[x.Hash()] })
	if s.Options.Trust || !s.store.Blank() || !slices.ContainsFunc(v.open, func(x trust.Value) bool { return x.Key == recordsKey }) {
		return
	}
	running := findRunning(s, v.choices)
	shows := map[string]func(runningHere) bool{
		recordsKey:       func(runningHere) bool { return true },
		"grid.rehearsal": func(r runningHere) bool { return isLoopback(v.choices.Grid.Fleet) && r.fleet == v.choices.Grid.Fleet },
		"runtime":        func(r runningHere) bool { return v.choices.Runtime == project.RuntimeProcess && r.image == "" },
		"image":          func(r runningHere) bool { return r.image == v.choices.Image },
	}
	v.open = slices.DeleteFunc(v.open, func(x trust.Value) bool {
		by := shows[x.Key]
		if by == nil || !slices.ContainsFunc(running, by) {
			return false
		}
		s.proven = append(s.proven, x)
		return true
	})
}

// runningHere is a SuperNode that runs with a private key of the folder.
type runningHere struct {
	fleet string // the address that it runs for; "" where that is not seen
	image string // "" for a process
}

// findRunning asks the process table and Docker. Nothing that the folder itself says about processes is believed:
// records can be forged. Docker's labels cannot.
func findRunning(s *Site, c *project.Choices) []runningHere {
	own := ownKeys(s, c)
	if len(own) == 0 || c.ID == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), takeoverWithin)
	defer cancel()
	var found []runningHere
	processes, _ := procctl.RunningWith(ctx, own)
	for _, st := range processes {
		found = append(found, runningHere{fleet: st.Fleet})
	}
	if c.Runtime != project.RuntimeProcess {
		if docker, err := dockerHere(s, c.ID); err == nil {
			all, _ := docker.List(ctx)
			docker.Close()
			for _, st := range all {
				if st.State == supernode.Running && own[NodeLabel(st, "fingerprint")] != "" {
					found = append(found, runningHere{fleet: NodeLabel(st, FleetLabel), image: st.Image})
				}
			}
		}
	}
	return found
}

// ownKeys returns the private keys that lie in the folder themselves, by fingerprint: a link proves nothing, for
// what it leads to may be anybody's.
func ownKeys(s *Site, c *project.Choices) map[string]string {
	folder, err := keys.Scan(s.Path(c.Keys))
	if err != nil {
		return nil
	}
	own := map[string]string{}
	for _, p := range folder.Pairs {
		if hostpath.Within(hostpath.Real(p.Private), hostpath.Real(s.Dir)) {
			own[p.Fingerprint] = p.Private
		}
	}
	return own
}

// isLoopback reports whether an address leads to this machine alone.
func isLoopback(address string) bool {
	ip := net.ParseIP(flwr.HostOf(address))
	return ip != nil && ip.IsLoopback()
}
