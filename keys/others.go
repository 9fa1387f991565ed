package keys

import (
	"cmp"
	"regexp"
	"slices"

	"flwrup/internal/problem"
)

// serverName matches names of a SuperLink's own key: Flower's examples make server_credentials along with
// client_credentials_1. A number behind it makes it the name of one of several machines.
var serverName = regexp.MustCompile(`(?i)^(superlink|(server|superlink)[._-]?(auth|private|public)?[._-]?(credentials?|keys?))(\.(key|pem))?$`)

// part removes from Pairs all that are not a SuperNode's own key: a SuperLink's, by its name or as a copy
// under another, and a second file with the same key.
func (f *Folder) part() {
	style := f.style()
	server := map[string]string{} // fingerprint → name
	for _, p := range f.Pairs {
		if serverName.MatchString(p.Name) {
			server[p.Fingerprint] = p.Name
		}
	}
	// Of several files with one key, the file named like most others comes first; the rest are copies of it.
	first := map[string]string{}
	byStyle := slices.SortedStableFunc(slices.Values(f.Pairs), func(a, b Pair) int {
		return cmp.Compare(rank(a.Name, style), rank(b.Name, style))
	})
	for _, p := range byStyle {
		if _, seen := first[p.Fingerprint]; !seen {
			first[p.Fingerprint] = p.Name
		}
	}
	f.Pairs = slices.DeleteFunc(f.Pairs, func(p Pair) bool {
		var what *problem.Problem
		switch name, same := server[p.Fingerprint], first[p.Fingerprint]; {
		case name == p.Name:
			what = problem.New(ServerKey, show(p.Private)+" is a SuperLink's key by its name", "it belongs to whoever runs the grid",
				"nothing, it is left alone; one that is a SuperNode's needs another name")
		case name != "":
			what = problem.New(ServerKey, show(p.Private)+" holds the same key as "+show(name), "that is a SuperLink's key by its name",
				"nothing, it is left alone; a SuperNode needs a key of its own")
		case same != p.Name:
			what = problem.New(SameKey, show(p.Private)+" holds the same key as "+show(same), "a grid lets in one SuperNode with a key",
				"nothing, it is left alone; a SuperNode needs a key of its own")
		default:
			return false
		}
		f.Issues = append(f.Issues, Issue{File: p.Private, Harmless: true, Problem: what})
		f.Others = append(f.Others, p)
		return true
	})
}

// rank orders names of one key: the folder's style, then any number, then the rest.
func rank(name, style string) int {
	prefix, _, numbered := split(name)
	switch {
	case numbered && prefix == style:
		return 0
	case numbered:
		return 1
	}
	return 2
}
