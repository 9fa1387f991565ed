package site

import (
	"time"

	"flwrup/internal/front"
	"flwrup/internal/ledger"
)

// NoteWanted notes the state that the person asks for of the named SuperNodes, all in one write. It is on disk before
// a node is touched, so that a `flwrup watch` in the same folder never brings back a node that was just stopped.
func NoteWanted(s *Site, names []string, wish front.Wanted) error {
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
		for _, name := range news {
			n := d.SuperNode(name)
			n.Wanted, n.Asked = string(wish), time.Now()
			d.PutSuperNode(n)
		}
		return nil
	})
}

// Wanted returns the state that the person last asked for of a SuperNode.
func Wanted(s *Site, name string) front.Wanted {
	return front.Wanted(s.Ledger.SuperNode(name).Wanted)
}
