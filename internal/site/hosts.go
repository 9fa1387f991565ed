package site

import (
	"context"
	"slices"

	"flwrup/internal/byhand"
	"flwrup/internal/dockerhosts"
	"flwrup/internal/ledger"
	"flwrup/internal/project"
	"flwrup/internal/supernode"
)

// hosts keeps in the ledger on which Docker hosts the SuperNodes' containers may be.
type hosts struct{ s *Site }

// Hosts returns the Docker hosts that are chosen for SuperNodes, and those that may still hold a container of one;
// "" is this machine's own.
func Hosts(s *Site) []string { return hosts{s}.Hosts() }

func (h hosts) Hosts() []string {
	c := h.s.Choices()
	var all []string
	for i := range c.Nodes {
		all = append(all, c.ForNode(i+1).Host)
	}
	if c.Nodes == 0 {
		all = append(all, c.All.Host)
	}
	for _, n := range h.s.Ledger.Data().SuperNodes {
		all = append(all, n.Hosts...)
	}
	if hadContainersHere(h.s) {
		all = append(all, "")
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (h hosts) Of(node string) []string {
	if noted := h.s.Ledger.SuperNode(node).Hosts; len(noted) > 0 {
		return noted
	}
	list := []string{chosenHost(h.s.Choices(), node)}
	if list[0] != "" && hadContainersHere(h.s) { // an earlier flwrup noted no host
		list = append(list, "")
	}
	return list
}

func (h hosts) Nodes(host string) []string {
	var names []string
	for _, n := range h.s.Ledger.Data().SuperNodes {
		if slices.Contains(n.Hosts, host) || len(n.Hosts) == 0 && n.Wanted != "" && slices.Contains(h.Of(n.Name), host) {
			names = append(names, n.Name)
		}
	}
	return names
}

func (h hosts) Begin(node, host string) error {
	if slices.Contains(h.s.Ledger.SuperNode(node).Hosts, host) {
		return nil
	}
	return h.change(node, func(list []string) []string { return append([]string{host}, list...) })
}

func (h hosts) End(node, host string) error {
	if !slices.Contains(h.s.Ledger.SuperNode(node).Hosts, host) {
		return nil
	}
	return h.change(node, func(list []string) []string {
		return slices.DeleteFunc(slices.Clone(list), func(have string) bool { return have == host })
	})
}

func (h hosts) change(node string, to func([]string) []string) error {
	return h.s.Ledger.Change(func(d *ledger.Data) error {
		n := d.SuperNode(node)
		n.Hosts = to(n.Hosts)
		d.PutSuperNode(n)
		return nil
	})
}

// chosenHost returns the Docker host that flwrup.toml names for a SuperNode.
func chosenHost(c *project.Choices, node string) string {
	for i := range c.Nodes {
		if c.NodeName(i+1) == node {
			return c.ForNode(i + 1).Host
		}
	}
	return c.All.Host
}

// LeaveHost forgets that a SuperNode may still be on a Docker host that is gone for good.
func LeaveHost(s *Site, node string) error {
	return hosts{s}.change(node, func([]string) []string { return nil })
}

// OpenDocker prepares connections to the Docker hosts of a site. The caller closes it.
func OpenDocker(s *Site) *dockerhosts.Runtime {
	return dockerhosts.New(dockerhosts.Options{Project: s.Choices().ID, Dir: s.StateDir("starter"), Places: hosts{s}})
}

// At returns the runtime of one Docker host alone, for what only one kind of runtime can do; any other runtime as it is.
func At(rt supernode.Runtime, host string) supernode.Runtime {
	if e, ok := rt.(*byhand.EveryNode); ok {
		rt = e.Runtime
	}
	if all, ok := rt.(*dockerhosts.Runtime); ok {
		if one, err := all.On(host); err == nil {
			return one
		}
	}
	return rt
}

// HostsOf returns the Docker hosts of the given SuperNodes as flwrup.toml has them, each once, "" first.
func HostsOf(s *Site, list []Member) []string {
	c := s.Choices()
	var all []string
	for _, m := range list {
		all = append(all, c.ForNode(m.Number).Host)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// onHosts calls do with the runtime of each of the site's hosts.
func onHosts(ctx context.Context, s *Site, do func(host string, rt supernode.Runtime) error) error {
	rt, err := s.NodesRuntime(ctx)
	if err != nil {
		return err
	}
	for _, h := range Hosts(s) {
		if err := do(h, At(rt, h)); err != nil {
			return err
		}
	}
	return nil
}
