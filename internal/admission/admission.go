// Package admission is the letters that a site without an account and a coordinator exchange by mail or chat: the
// site's Request to admit its SuperNodes, and the coordinator's Reply. They hold nothing secret.
//
// A letter is a payload of JSON and the signatures on it, armoured as in PEM. The signatures are OpenSSH's
// (PROTOCOL.sshsig, SHA-512, namespaces flwrup-request and flwrup-reply), without the parts that the payload says
// already: public key, namespace and hash. An altered letter does not open. A forged one does: who it is from, the
// four words say, compared by telephone.
//
// Every letter is hostile until it is open. Its texts are checked by the same rules when it is sealed and when it
// is opened, and hold nothing that a terminal acts on.
package admission

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"golang.org/x/crypto/ssh"
)

// Request asks a coordinator to admit the SuperNodes of a site.
type Request struct {
	Site     string // letters of any language, digits, space and .,'-&(), up to 60
	Contact  string // how to reach a person there: up to 120 characters; may be empty
	Nodes    []Node // 1 to 64; no name and no key twice
	Flwr     string // version of flwr there: 1.42.0; "" where none is installed yet
	Platform string // operating system and processor there: linux/amd64; may be empty
	Made     time.Time
}

// Node is a SuperNode of the site.
type Node struct {
	Name string
	Key  ssh.PublicKey // ECDSA on P-384
}

// Fingerprint returns the fingerprint of the node's key as ssh-keygen -l prints it: SHA256:…
func (n Node) Fingerprint() string { return ssh.FingerprintSHA256(n.Key) }

// SealedRequest is a Request that was signed by each of its keys.
type SealedRequest struct {
	Request
	ID string // SHA-256 of the signed payload, in hexadecimal
}

// Words returns four words of the ID, for the telephone. The first time it takes about a quarter of a second of one core,
// and 64 MiB.
func (r SealedRequest) Words() string { return words(request, r.ID, nil) }

// Reply says what a site needs to start its SuperNodes.
type Reply struct {
	Request     string // ID of the request that it answers
	Site        string
	Coordinator string // name of the coordinator: 1 to 60 characters
	Contact     string // how to reach the coordinator; may be empty
	Federation  string // as the grid writes it; may be empty
	Nodes       []Admitted
	Connection  string // name of the connection in Flower's configuration
	Fleet       string // address that SuperNodes connect to: host:port
	Insecure    bool   // the grid has no TLS
	CA          string // CA certificates of the grid in PEM; "" for a public one
	Flwr        string // version of flwr that the coordinator uses
	Image       string // image of the SuperNode, without a digest; "" for none
	Digest      string // digest of the image: sha256:…; may be empty
	Made        time.Time
	Serial      uint64 // its number among the coordinator's replies to the site: the highest is the newest
}

// Admitted is a SuperNode that the coordinator registered.
type Admitted struct {
	Fingerprint string // of its key: SHA256:…
	Name        string
	NodeID      string // decimal
}

// SealedReply is a Reply that was signed by Signer. The caller compares Request with the ID of its own request and the
// fingerprints with its own keys, and keeps Signer: a later reply has to be by the same.
type SealedReply struct {
	Reply
	Signer ssh.PublicKey // Ed25519, or ECDSA on P-384
}

// Words returns the ReplyWords of Signer and Request.
func (r SealedReply) Words() string { return ReplyWords(r.Signer, r.Request) }

// Seal returns the request in armour, signed by the private key of each of r.Nodes: signers are in their order. Made
// is cut to whole seconds.
func (r Request) Seal(signers []ssh.Signer) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, unsealable(request, err)
	}
	keys := make([]ssh.PublicKey, len(r.Nodes))
	for i, n := range r.Nodes {
		keys[i] = n.Key
	}
	return seal(request, r.payload(), keys, signers)
}

// Seal returns the reply in armour, signed by the coordinator's key: Ed25519, or ECDSA on P-384. Made is cut to whole
// seconds, and text between the certificates of CA is dropped.
func (r Reply) Seal(signer ssh.Signer) ([]byte, error) {
	key := signer.PublicKey()
	if err := checkCoordinatorKey(key); err != nil {
		return nil, unsealable(reply, err)
	}
	var err error
	if r.CA, err = certificates(r.CA); err == nil {
		err = r.check()
	}
	if err != nil {
		return nil, unsealable(reply, err)
	}
	return seal(reply, r.payload(key), []ssh.PublicKey{key}, []ssh.Signer{signer})
}

// OpenRequests returns the requests in a text, such as a mail with others around them: each once, at most 32. It
// returns all of them or an error.
func OpenRequests(text []byte) ([]SealedRequest, error) { return open(request, text, openRequest) }

// OpenReplies returns the replies in a text, as OpenRequests does.
func OpenReplies(text []byte) ([]SealedReply, error) { return open(reply, text, openReply) }

// open opens all letters of a kind in a text.
func open[L any](k kind, text []byte, one func(frame) (L, error)) ([]L, error) {
	frames, err := unarmour(k, text)
	if err != nil {
		return nil, err
	}
	var opened []L
	seen := map[string]bool{} // a mail may quote a letter of the same mail
	for i, f := range frames {
		letter, err := one(f)
		if err != nil {
			return nil, unopenable(k, i, len(frames), err)
		}
		if !seen[string(f.Payload)] {
			opened = append(opened, letter)
		}
		seen[string(f.Payload)] = true
	}
	return opened, nil
}

func openRequest(f frame) (SealedRequest, error) {
	var w requestWire
	if err := decode(f.Payload, &w, &w.Format); err != nil {
		return SealedRequest{}, err
	}
	r := Request{Site: w.Site, Contact: w.Contact, Flwr: w.Flwr, Platform: w.Platform, Made: time.Unix(w.Made, 0).UTC()}
	if len(w.Nodes) > maxNodes {
		return SealedRequest{}, tooManyNodes(len(w.Nodes))
	}
	var keys []ssh.PublicKey
	for _, n := range w.Nodes {
		key, err := expand(n.Key)
		if err != nil {
			return SealedRequest{}, err
		}
		keys = append(keys, key)
		r.Nodes = append(r.Nodes, Node{Name: n.Name, Key: key})
	}
	if err := verify(request, f, keys); err != nil {
		return SealedRequest{}, err
	}
	if err := r.check(); err != nil {
		return SealedRequest{}, err
	}
	id := sha256.Sum256(f.Payload)
	return SealedRequest{Request: r, ID: hex.EncodeToString(id[:])}, nil
}

func openReply(f frame) (SealedReply, error) {
	var w replyWire
	if err := decode(f.Payload, &w, &w.Format); err != nil {
		return SealedReply{}, err
	}
	key, err := ssh.ParsePublicKey(w.Key)
	if err != nil || !bytes.Equal(key.Marshal(), w.Key) { // the words of err may be a stranger's
		return SealedReply{}, errors.New("its public key is damaged")
	}
	if err := checkCoordinatorKey(key); err != nil {
		return SealedReply{}, err
	}
	if err := verify(reply, f, []ssh.PublicKey{key}); err != nil {
		return SealedReply{}, err
	}
	r := Reply{Request: w.Request, Site: w.Site, Coordinator: w.Coordinator, Contact: w.Contact, Federation: w.Federation,
		Connection: w.Connection, Fleet: w.Fleet, Insecure: w.Insecure, CA: w.CA, Flwr: w.Flwr, Image: w.Image, Digest: w.Digest,
		Made: time.Unix(w.Made, 0).UTC(), Serial: w.Serial}
	for _, n := range w.Nodes {
		r.Nodes = append(r.Nodes, Admitted(n))
	}
	if err := r.check(); err != nil {
		return SealedReply{}, err
	}
	return SealedReply{Reply: r, Signer: key}, nil
}
