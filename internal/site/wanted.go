package site

import (
	"slices"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
)

// wantedWhat and a SuperNode's name are the attestation of what a person last asked of it. It is on disk before
// the node is touched, so that a `flwrup watch` in the same folder never brings back what was just stopped.
const wantedWhat = "wanted "

// Want notes what was asked of the named SuperNodes, all in one write.
func Want(s *Site, names []string, wish front.Wanted) error {
	var news []string
	for _, name := range names {
		if Wanted(s, name) != wish {
			news = append(news, name)
		}
	}
	if len(news) == 0 || s.Options.ReadOnly {
		return nil
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		d.Attestations = slices.DeleteFunc(d.Attestations, func(a ledger.Attestation) bool {
			return slices.ContainsFunc(news, func(name string) bool { return a.What == wantedWhat+name })
		})
		for _, name := range news {
			d.Attestations = append(d.Attestations, ledger.Attestation{What: wantedWhat + name, Detail: string(wish), At: time.Now().UTC().Truncate(time.Second)})
		}
		return nil
	})
}

// Wanted returns what was last asked of a SuperNode.
func Wanted(s *Site, name string) front.Wanted {
	a, _ := s.Ledger.Attestation(wantedWhat + name)
	return front.Wanted(a.Detail)
}
