package sites

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/admission"
	"flwrup/internal/atomicfile"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// caFile is where a site keeps the certificates of its coordinator's grid.
const caFile = "grid-ca.pem"

// Join takes a coordinator's reply: from then on the site's SuperNodes have node IDs, and know their grid. words are
// those that the coordinator has said, "" to ask. The same reply twice changes nothing.
func Join(ctx context.Context, s *site.Site, text []byte, words string, to front.Sink) error {
	letters, err := admission.OpenReplies(text)
	if err != nil {
		return err
	}
	if len(letters) > 1 {
		return problem.New(problem.BadInput, "cannot take the reply", fmt.Sprintf("the text has %d replies", len(letters)), "give the newest one alone")
	}
	r := letters[0]
	d := s.Ledger.Data()
	if err := ours(d, r); err != nil {
		return err
	}
	if known, ok := d.Coordinator(r.Connection); ok {
		if known.Request == r.Request && known.Key == ssh.FingerprintSHA256(r.Signer) && older(r, known) {
			return problem.New(problem.BadInput, "cannot take the reply", "it is older than the one taken on "+known.Taken.Local().Format("2 January 2006, 15:04"), "give the newest reply")
		}
	}
	if err := trusted(ctx, d, r, words, to); err != nil {
		return err
	}
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	if err := s.Change(func(c *project.Choices) error { return take(s, c, r) }); err != nil {
		return err
	}
	return s.Ledger.Change(func(d *ledger.Data) error {
		for _, n := range r.Nodes {
			i := slices.IndexFunc(list, func(m site.Member) bool { return m.Pair.Fingerprint == n.Fingerprint })
			if i < 0 {
				return problem.New(problem.BadInput, "cannot take the reply", "the key "+n.Fingerprint+" is not in "+s.Rel(s.Folder().KeysDir()), "put it back, or restore it from the backup")
			}
			if err := d.PutNode(ledger.Node{Key: n.Fingerprint, KeyFile: s.Rel(list[i].Pair.Private), Name: list[i].Name, NodeID: n.NodeID, State: ledger.Registered,
				Registered: r.Made, Account: r.Coordinator, Connection: r.Connection, Federation: r.Federation, How: "reply"}); err != nil {
				return err
			}
		}
		d.PutCoordinator(ledger.Coordinator{Connection: r.Connection, Key: ssh.FingerprintSHA256(r.Signer), Name: r.Coordinator, Contact: r.Contact,
			Request: r.Request, Made: r.Made, Serial: r.Serial, Taken: time.Now()})
		return nil
	})
}

// older reports whether a reply is older than the reply that was taken.
func older(r admission.SealedReply, taken ledger.Coordinator) bool {
	return r.Serial < taken.Serial || r.Serial == taken.Serial && r.Made.Before(taken.Made)
}

// ours says why a reply does not answer this folder's request.
func ours(d ledger.Data, r admission.SealedReply) error {
	refuse := func(why, fix string) error {
		return problem.New(problem.BadInput, "cannot take the reply", why, fix)
	}
	i := slices.IndexFunc(d.Requests, func(q ledger.Request) bool { return q.ID == r.Request })
	switch {
	case len(d.Requests) == 0:
		return refuse("this folder has sent no request", "`flwrup request` makes one; or name the folder that did, with --dir")
	case i < 0:
		return refuse("it answers the request of "+r.Site+", which is not of this folder", "ask your coordinator for the reply to your request")
	case i < len(d.Requests)-1:
		return refuse("it answers a request of "+d.Requests[i].Made.Local().Format("2 January 2006, 15:04")+", and you have made a newer one", "ask your coordinator for the reply to "+d.Requests[len(d.Requests)-1].File)
	}
	var have []string
	for _, n := range r.Nodes {
		have = append(have, n.Fingerprint)
	}
	slices.Sort(have)
	if want := slices.Sorted(slices.Values(d.Requests[i].Keys)); !slices.Equal(have, want) {
		return refuse("it names other keys than the request", "ask your coordinator to admit "+d.Requests[i].File+" again")
	}
	return nil
}

// trusted has the person compare the coordinator's words, once for each key that signs.
func trusted(ctx context.Context, d ledger.Data, r admission.SealedReply, words string, to front.Sink) error {
	who := fmt.Sprintf("%s%s admits %s to %s", r.Coordinator, wording.Around(", ", r.Contact, ","), wording.Count(len(r.Nodes), "SuperNode"), r.Federation)
	if words != "" {
		to.Event(front.Says{Text: who})
	}
	fingerprint := ssh.FingerprintSHA256(r.Signer)
	changed := ""
	for _, known := range d.Coordinators {
		if known.Key == fingerprint {
			return nil
		}
		changed = known.Name
	}
	differ := problem.New(problem.BadInput, "the words differ", "this is not the reply that your coordinator has sent, or a word was misheard", "ask them to send it again, and compare the words by telephone")
	help := "Call your coordinator on a number that you know, and have them read their four words to you. Whoever changed the reply on its way has other words. Unattended: --words."
	if changed != "" {
		help = "The replies so far were signed with another key, that of " + changed + ". " + help
	}
	return heard(ctx, r.Words(), words, differ, to, "your coordinator", who+".\n"+help)
}

// take puts into the choices what the reply says.
func take(s *site.Site, c *project.Choices, r admission.SealedReply) error {
	if r.Insecure {
		return problem.New(problem.BadInput, "cannot take the reply", "its grid has no TLS: keys and models would travel in the clear", "ask your coordinator for a grid with TLS")
	}
	c.Grid = project.GridChoice{Connection: r.Connection, Fleet: r.Fleet}
	c.Federation, c.Flwr.Version = r.Federation, r.Flwr
	switch {
	case r.Digest != "":
		c.Image = r.Image + "@" + r.Digest
	case r.Image != site.OfficialImage(r.Flwr):
		c.Image = r.Image
	}
	if r.CA != "" {
		file := filepath.Join(s.Dir, caFile)
		if err := site.Stays(s, file); err != nil {
			return err
		}
		if err := atomicfile.Write(file, []byte(r.CA), 0o644); err != nil {
			return fmt.Errorf("write %s: %w", caFile, err)
		}
		c.Grid.CA = caFile
	}
	return nil
}
