package site

import (
	"slices"
	"time"

	"flwrup/internal/ledger"
)

// What a person last asked of a SuperNode: the world cannot tell a node that was stopped on purpose from
// one that ended. It is on disk before the node is touched, so that `flwrup watch` beside us never
// brings back what was just stopped.
const (
	WantedUp   = "up"
	WantedDown = "down"
	wantedWhat = "wanted " // and the SuperNode's name
)

// Want notes what was asked of the named SuperNodes, all in one write.
func Want(s *Site, names []string, detail string) error {
	var news []string
	for _, name := range names {
		if Wanted(s, name) != detail {
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
			d.Attestations = append(d.Attestations, ledger.Attestation{What: wantedWhat + name, Detail: detail, At: time.Now().UTC().Truncate(time.Second)})
		}
		return nil
	})
}

// Wanted gives what was last asked of a SuperNode: "up", "down", or "" when nothing was.
func Wanted(s *Site, name string) string {
	a, _ := s.Ledger.Attestation(wantedWhat + name)
	return a.Detail
}
