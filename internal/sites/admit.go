package sites

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/admission"
	"flwrup/internal/atomicfile"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// Admit registers the SuperNodes of a request, adds them to the federation, and returns the reply. words are those
// that the site has said, "" to ask. To admit the same request twice changes nothing.
func Admit(ctx context.Context, s *site.Site, r admission.SealedRequest, words string, to front.Sink) (Letter, error) {
	if s.Folder().Coordinated() {
		return Letter{}, problem.New(problem.BadInput, "cannot admit anybody here", "this folder is itself a site of a federation that somebody else coordinates", "run it in the folder of your own account")
	}
	key, err := coordinatorKey(s)
	if err != nil {
		return Letter{}, err
	}
	record, err := recordOf(s, r)
	if err != nil {
		return Letter{}, err
	}
	own := admission.ReplyWords(key.PublicKey(), r.ID)
	if err := compare(ctx, s, r, own, words, to); err != nil {
		return Letter{}, err
	}
	f, err := s.Session(ctx)
	if err != nil {
		return Letter{}, err
	}
	if err := s.Ledger.Change(func(d *ledger.Data) error { d.PutSite(record); return nil }); err != nil {
		return Letter{}, err
	}
	if err := registerSite(ctx, s, f, record, to); err != nil {
		return Letter{}, err
	}
	record, _ = s.Ledger.Data().SiteNamed(record.Connection, record.Name)
	var nodes []fleet.NamedNode
	for _, n := range record.Nodes {
		if named(r, n.Key) {
			nodes = append(nodes, fleet.NamedNode{Name: n.Name, ID: n.NodeID})
		}
	}
	if f.Dialect().Managed {
		if err := fleet.AddToFederation(ctx, s, f, nodes, to); err != nil {
			return Letter{}, err
		}
	} else {
		to.Event(front.Says{Text: "flwr " + f.Version().String() + " cannot add nodes to a federation: send their IDs to Flower Labs"})
	}
	letter, err := writeReply(s, f, r, record, key, own)
	if err == nil {
		to.Event(front.Letter{To: r.Site, File: letter.File, Words: letter.Words, Text: string(letter.Text)})
	}
	return letter, err
}

// compare has the person compare the words of a request by telephone, or takes those that were given. own are the
// coordinator's, for the site.
func compare(ctx context.Context, s *site.Site, r admission.SealedRequest, own, words string, to front.Sink) error {
	if known, ok := admittedBefore(s, r.ID); ok {
		to.Event(front.Says{Text: fmt.Sprintf("%s was admitted before, as %s", r.Site, known.Name)})
		return nil
	}
	who := fmt.Sprintf("%s asks for %s%s", r.Site, wording.Count(len(r.Nodes), "SuperNode"), wording.Around("; contact: ", r.Contact, ""))
	for _, n := range r.Nodes {
		to.Event(front.Output{Text: n.Name + "  " + n.Fingerprint()})
	}
	if words != "" {
		to.Event(front.Says{Text: who})
	}
	differ := problem.New(problem.BadInput, "the words differ", "this is not the request that "+r.Site+" has sent, or a word was misheard", "ask them to send it again, and compare the words by telephone")
	return heard(ctx, r.Words(), words, differ, to, r.Site,
		who+".\nCall somebody there whom you know, and have them read their four words to you. Whoever changed the request on its way has other words. "+
			"Then read them yours: "+own+".\nUnattended: --words.")
}

// heard reports by its error, differ, that the words of a letter are not those that its sender reads out: those given,
// else the person at hand compares them.
func heard(ctx context.Context, words, given string, differ error, to front.Sink, sender, help string) error {
	if given != "" {
		if !SameWords(given, words) {
			return differ
		}
		return nil
	}
	answer, err := to.Ask(ctx, front.Question{ID: "words", Kind: front.AskConfirm, Ask: "Does " + sender + " read out \"" + words + "\"?", Help: help})
	if err == nil && answer != "yes" {
		err = differ
	}
	return err
}

// SameWords reports whether a person means the same words.
func SameWords(a, b string) bool {
	return slices.Equal(strings.Fields(strings.ToLower(a)), strings.Fields(strings.ToLower(b)))
}

func named(r admission.SealedRequest, fingerprint string) bool {
	return slices.ContainsFunc(r.Nodes, func(n admission.Node) bool { return n.Fingerprint() == fingerprint })
}

// admittedBefore finds the site whose request has an ID.
func admittedBefore(s *site.Site, id string) (ledger.Site, bool) {
	for _, have := range s.Ledger.Data().SitesOn(s.Choices().Grid.Connection) {
		if slices.Contains(have.Requests, id) {
			return have, true
		}
	}
	return ledger.Site{}, false
}

// recordOf returns the ledger's record of the site, with the SuperNodes of the request in it.
func recordOf(s *site.Site, r admission.SealedRequest) (ledger.Site, error) {
	d, connection := s.Ledger.Data(), s.Choices().Grid.Connection
	record := ledger.Site{Connection: connection, Title: r.Site, Contact: r.Contact}
	taken := map[string]bool{}
	for _, have := range d.SitesOn(connection) {
		taken[have.Name] = true
		for _, n := range have.Nodes {
			if !named(r, n.Key) {
				continue
			}
			if record.Name != "" && record.Name != have.Name {
				return record, problem.New(problem.BadInput, "cannot admit "+r.Site, "its keys are those of two sites, "+record.Name+" and "+have.Name, "ask for a request with new keys")
			}
			record.Name = have.Name
		}
	}
	if record.Name == "" { // the same site may ask again, for more SuperNodes
		for _, have := range d.SitesOn(connection) {
			if have.Title == r.Site {
				record.Name = have.Name
			}
		}
	}
	if have, ok := d.SiteNamed(connection, record.Name); ok {
		record.Nodes, record.Requests, record.Replies = have.Nodes, have.Requests, have.Replies
	}
	for i := 1; record.Name == ""; i++ {
		name := shortName(r.Site)
		if i > 1 {
			name = fmt.Sprintf("%s-%d", name, i)
		}
		if !taken[name] {
			record.Name = name
		}
	}
	if !slices.Contains(record.Requests, r.ID) {
		record.Requests = append(record.Requests, r.ID)
	}
	for i, n := range r.Nodes {
		if own, ok := d.NodeOn(connection, n.Fingerprint()); ok {
			return record, problem.New(problem.BadInput, "cannot admit "+r.Site, "its key "+n.Fingerprint()+" is that of "+own.Name+", a SuperNode of this folder", "ask for a request with keys that were made there")
		}
		if slices.ContainsFunc(record.Nodes, func(have ledger.SiteNode) bool { return have.Key == n.Fingerprint() }) {
			continue
		}
		record.Nodes = append(record.Nodes, ledger.SiteNode{Key: n.Fingerprint(), There: n.Name, Name: nodeName(record, n.Name, i+1),
			Public: strings.TrimSpace(string(ssh.MarshalAuthorizedKey(n.Key)))})
	}
	return record, nil
}

// nodeName returns the name that a site's SuperNode is registered under: st-mary.supernode_1.
func nodeName(record ledger.Site, there string, number int) string {
	name := record.Name + "." + there
	if len(name) > 63 {
		name = fmt.Sprintf("%s.supernode_%d", record.Name, number)
	}
	for i := 2; slices.ContainsFunc(record.Nodes, func(n ledger.SiteNode) bool { return n.Name == name }); i++ {
		name = fmt.Sprintf("%s.supernode_%d-%d", record.Name, number, i)
	}
	return name
}

// registerSite registers the keys of a site that are not registered yet.
func registerSite(ctx context.Context, s *site.Site, f site.Flwr, record ledger.Site, to front.Sink) error {
	r := fleet.Registrar{Site: s, Flwr: f, To: to}
	for i, n := range record.Nodes {
		if n.NodeID != "" {
			continue
		}
		file := s.StateDir("sites", record.Name+"."+n.There+".pub")
		if err := os.MkdirAll(s.StateDir("sites"), 0o700); err != nil {
			return err
		}
		if err := atomicfile.Write(file, []byte(n.Public+"\n"), 0o644); err != nil {
			return err
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemWorking, Text: "registering"}})
		id, err := r.Register(ctx, fleet.NewKey{Fingerprint: n.Key, Registration: flwr.Registration{PublicKey: file, Name: n.Name},
			Put: func(d *ledger.Data, id, how string) error {
				now, ok := d.SiteNamed(record.Connection, record.Name)
				if !ok {
					now = record
				}
				for j := range now.Nodes {
					if m := &now.Nodes[j]; m.Key == n.Key {
						m.NodeID, m.How, m.State, m.Registered = id, how, ledger.Registered, time.Now()
					}
				}
				d.PutSite(now)
				return nil
			}})
		if err != nil {
			to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemFailed, Text: problem.Of(err).Error()}})
			if problem.Is(err, problem.KeyInUse) {
				return problem.New(problem.KeyInUse, "cannot register "+n.Name, "the grid knows its key already: it was registered from elsewhere, or unregistered",
					"ask the site for a request with new keys")
			}
			return fmt.Errorf("register %s: %w", n.Name, err)
		}
		to.Event(front.ItemChanged{Item: front.Item{Name: n.Name, State: front.ItemDone, Text: id}})
		to.Event(front.Progress{Label: "registered", Done: int64(i + 1), Total: int64(len(record.Nodes))})
	}
	return nil
}

// writeReply seals the reply to a request and keeps it in the project's folder. words are its words.
func writeReply(s *site.Site, f site.Flwr, r admission.SealedRequest, record ledger.Site, key ssh.Signer, words string) (Letter, error) {
	serial := uint64(0)
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		now, ok := d.SiteNamed(record.Connection, record.Name)
		if !ok {
			return problem.New(problem.BadInput, "cannot write the reply", record.Name+" was removed meanwhile", "ask the site for a request with new keys")
		}
		now.Replies++
		serial = now.Replies
		d.PutSite(now)
		return nil
	}); err != nil {
		return Letter{}, err
	}
	c := s.Choices()
	version := f.Version().String()
	letter := admission.Reply{Request: r.ID, Site: r.Site, Coordinator: cmp.Or(s.Ledger.Account(c.Grid.Connection), c.Name), Contact: c.Site.Contact,
		Federation: c.Federation, Connection: c.Grid.Connection, Fleet: site.FleetOf(c.Grid, f.Dialect()), Flwr: version, Image: site.Image(c, version), Made: time.Now(), Serial: serial}
	if c.Grid.CA != "" {
		pem, err := plainfile.Read(s.Path(c.Grid.CA))
		if err != nil {
			return Letter{}, fmt.Errorf("read %s: %w", c.Grid.CA, err)
		}
		letter.CA = string(pem)
	}
	for _, h := range site.Hosts(s) {
		if image, ok := site.KnownImage(s.Ledger.Data(), h, letter.Image); ok && letter.Digest == "" {
			letter.Digest = digestIn(image.Digest)
		}
	}
	for _, n := range record.Nodes {
		if named(r, n.Key) {
			letter.Nodes = append(letter.Nodes, admission.Admitted{Fingerprint: n.Key, Name: n.Name, NodeID: n.NodeID})
		}
	}
	text, err := letter.Seal(key)
	if err != nil {
		return Letter{}, err
	}
	file, err := keep(s, "reply-"+record.Name, text)
	return Letter{File: file, Words: words, Text: text}, err
}

// digestIn returns the digest of a reference name@sha256:…; "" where it has none.
func digestIn(reference string) string {
	i := strings.Index(reference, "sha256:")
	if i < 0 {
		return ""
	}
	return reference[i:]
}

// coordinatorKey returns the key that signs this folder's replies, and makes it the first time.
func coordinatorKey(s *site.Site) (ssh.Signer, error) {
	file := s.StateDir("coordinator-key")
	data, err := plainfile.Read(file)
	if errors.Is(err, os.ErrNotExist) {
		_, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return nil, err
		}
		block, err := ssh.MarshalPrivateKey(private, "")
		if err != nil {
			return nil, err
		}
		if err := os.MkdirAll(s.StateDir(), 0o700); err != nil {
			return nil, err
		}
		data = pem.EncodeToMemory(block)
		if err := atomicfile.Write(file, data, 0o600); err != nil {
			return nil, err
		}
	} else if err != nil {
		return nil, fmt.Errorf("read %s: %w", s.Rel(file), err)
	}
	key, err := ssh.ParsePrivateKey(data)
	if err != nil {
		return nil, &problem.Problem{Code: problem.BadInput, What: "cannot read " + s.Rel(file), Why: "it is damaged", Err: err,
			Fix: "move it away; flwrup makes another key, and the sites compare the words again"}
	}
	return key, nil
}
