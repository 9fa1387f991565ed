package site

import (
	"context"
	"net"
	"slices"
	"time"

	"flwrup/dockerctl"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/procctl"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
	"flwrup/internal/trust"
	"flwrup/keys"
)

// takeoverWithin bounds the search for SuperNodes of a folder that nobody accepted.
const takeoverWithin = 3 * time.Second

// takenOver splits v.open: the records need no question where a SuperNode of this project runs with a private key
// that lies in the folder. A flwrup from before acceptance was kept started it; the author of a repository has no
// key of a SuperNode that runs on this machine. The rehearsal, the runtime and the image need none where it runs
// for them. Every other value is asked about as before: flwrup.toml may have changed since.
func takenOver(s *Site, v survey) (proven, open []trust.Value) {
	records := func(x trust.Value) bool { return x.Key == recordsKey }
	keysAsked := func(x trust.Value) bool { return x.Key == "keys" }
	if !slices.ContainsFunc(v.open, records) || slices.ContainsFunc(v.open, keysAsked) {
		return nil, v.open
	}
	running := runningFromHere(s, v.choices)
	if len(running) == 0 {
		return nil, v.open
	}
	shown := map[string]func(supernode.Status) bool{
		recordsKey: func(supernode.Status) bool { return true },
		"grid.rehearsal": func(st supernode.Status) bool {
			return isLoopback(v.choices.Grid.Fleet) && NodeLabel(st, FleetLabel) == v.choices.Grid.Fleet
		},
		"runtime": func(st supernode.Status) bool { return v.choices.Runtime == project.RuntimeProcess && st.Image == "" },
		"image":   func(st supernode.Status) bool { return st.Image == v.choices.Image },
	}
	for _, x := range v.open {
		if by := shown[x.Key]; by != nil && slices.ContainsFunc(running, by) {
			proven = append(proven, x)
		} else {
			open = append(open, x)
		}
	}
	return proven, open
}

// runningFromHere returns the SuperNodes of the project that run with a private key of the folder.
func runningFromHere(s *Site, c *project.Choices) []supernode.Status {
	folder, err := keys.Scan(s.Path(c.Keys))
	if err != nil || c.ID == "" {
		return nil
	}
	own := map[string]bool{}
	for _, p := range folder.Pairs {
		own[p.Fingerprint] = true
	}
	if len(own) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), takeoverWithin)
	defer cancel()
	var list []supernode.Status
	if processes, err := procctl.New(procctl.Options{Dir: s.StateDir("nodes"), Project: c.ID}); err == nil {
		found, _ := processes.List(ctx)
		list = append(list, found...)
	}
	if c.Runtime != project.RuntimeProcess {
		if docker, err := dockerctl.New(ctx, dockerctl.Options{Project: c.ID, Dir: s.StateDir("starter")}); err == nil {
			found, _ := docker.List(ctx)
			list = append(list, found...)
			docker.Close()
		}
	}
	return slices.DeleteFunc(list, func(st supernode.Status) bool {
		return st.State != supernode.Running || !own[NodeLabel(st, "fingerprint")]
	})
}

// isLoopback reports whether an address leads to this machine alone.
func isLoopback(address string) bool {
	ip := net.ParseIP(flwr.HostOf(address))
	return ip != nil && ip.IsLoopback()
}
