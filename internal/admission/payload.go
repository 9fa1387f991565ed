package admission

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

// format is the number of the payload's format. A letter of a higher one was made by a newer flwrup.
const format = 1

type requestWire struct {
	Format   int        `json:"format"`
	Site     string     `json:"site"`
	Contact  string     `json:"contact,omitempty"`
	Nodes    []nodeWire `json:"nodes"`
	Flwr     string     `json:"flwr,omitempty"`
	Platform string     `json:"platform,omitempty"`
	Made     int64      `json:"made"` // seconds since 1970
}

type nodeWire struct {
	Name string `json:"n"`
	Key  []byte `json:"k"` // the point, compressed
}

type replyWire struct {
	Format      int            `json:"format"`
	Request     string         `json:"request"`
	Site        string         `json:"site"`
	Key         []byte         `json:"key"` // the coordinator's, as SSH sends it
	Coordinator string         `json:"coordinator"`
	Contact     string         `json:"contact,omitempty"`
	Federation  string         `json:"federation,omitempty"`
	Nodes       []admittedWire `json:"nodes"`
	Connection  string         `json:"connection"`
	Fleet       string         `json:"fleet"`
	Insecure    bool           `json:"insecure,omitempty"`
	CA          string         `json:"ca,omitempty"`
	Flwr        string         `json:"flwr"`
	Image       string         `json:"image,omitempty"`
	Digest      string         `json:"digest,omitempty"`
	Made        int64          `json:"made"`
	Serial      uint64         `json:"serial,omitempty"`
}

type admittedWire struct {
	Fingerprint string `json:"f"`
	Name        string `json:"n"`
	NodeID      string `json:"id"`
}

func (r Request) payload() any {
	w := requestWire{Format: format, Site: r.Site, Contact: r.Contact, Flwr: r.Flwr, Platform: r.Platform, Made: r.Made.Unix()}
	for _, n := range r.Nodes {
		w.Nodes = append(w.Nodes, nodeWire{n.Name, compress(n.Key)})
	}
	return w
}

func (r Reply) payload(signer ssh.PublicKey) any {
	w := replyWire{Format: format, Request: r.Request, Site: r.Site, Key: signer.Marshal(), Coordinator: r.Coordinator,
		Contact: r.Contact, Federation: r.Federation, Connection: r.Connection, Fleet: r.Fleet, Insecure: r.Insecure, CA: r.CA,
		Flwr: r.Flwr, Image: r.Image, Digest: r.Digest, Made: r.Made.Unix(), Serial: r.Serial}
	for _, n := range r.Nodes {
		w.Nodes = append(w.Nodes, admittedWire(n))
	}
	return w
}

func encode(w any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(w)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

var (
	errNewer  = errors.New("a newer flwrup made it")
	errStrict = errors.New("it was changed on the way, or another program wrote it")
)

// decode reads a payload into w, a pointer to a wire struct whose Format is at got. There is one way to write a
// payload: one that would be encoded to other bytes is refused. So names that are unknown, that occur twice or differ
// in case only, and bytes behind the end, need no checks of their own.
func decode(payload []byte, w any, got *int) error {
	var head struct {
		Format int `json:"format"`
	}
	if json.Unmarshal(payload, &head) == nil && head.Format > format {
		return errNewer
	}
	if err := json.Unmarshal(payload, w); err != nil || *got != format {
		return errStrict
	}
	if again, err := encode(w); err != nil || !bytes.Equal(again, payload) {
		return errStrict
	}
	return nil
}

// frame is a letter without its armour. Signatures are the signature blobs, each as an SSH string, in the order of
// the keys.
type frame struct {
	Payload    []byte
	Signatures []byte `ssh:"rest"`
}

type signatureWire struct {
	Blob []byte
	Rest []byte `ssh:"rest"`
}

// seal signs a payload with every signer; keys are what the payload says about them.
func seal(k kind, w any, keys []ssh.PublicKey, signers []ssh.Signer) ([]byte, error) {
	payload, err := encode(w)
	if err != nil {
		return nil, unsealable(k, err)
	}
	if len(signers) != len(keys) {
		return nil, unsealable(k, fmt.Errorf("it needs %d private keys, not %d", len(keys), len(signers)))
	}
	f := frame{Payload: payload}
	for i, signer := range signers {
		if !bytes.Equal(signer.PublicKey().Marshal(), keys[i].Marshal()) {
			return nil, unsealable(k, fmt.Errorf("private key %d belongs to another public key", i+1))
		}
		signed, err := sshsig.Sign(bytes.NewReader(payload), signer, sshsig.HashSHA512, k.namespace)
		if err != nil {
			return nil, unsealable(k, fmt.Errorf("private key %d does not sign: %w", i+1, err))
		}
		f.Signatures = append(f.Signatures, ssh.Marshal(signatureWire{Blob: signed.Signature.Blob})...)
	}
	if err := verify(k, f, keys); err != nil { // a signer may be an agent
		return nil, unsealable(k, err)
	}
	return armour(k, f)
}

// verify checks that each of keys signed the frame's payload, and that no other signature is there.
func verify(k kind, f frame, keys []ssh.PublicKey) error {
	if len(f.Signatures) == 0 {
		return errors.New("it is not signed")
	}
	rest := f.Signatures
	for i, key := range keys {
		var next signatureWire
		if err := ssh.Unmarshal(rest, &next); err != nil {
			return fmt.Errorf("signature %d of %d is missing or damaged", i+1, len(keys))
		}
		signed := &sshsig.Signature{Version: 1, PublicKey: key, Namespace: k.namespace, HashAlgorithm: sshsig.HashSHA512,
			Signature: &ssh.Signature{Format: key.Type(), Blob: next.Blob}}
		if err := sshsig.Verify(bytes.NewReader(f.Payload), signed, key, sshsig.HashSHA512, k.namespace); err != nil {
			return errors.New("it was changed on the way, or signed with another key")
		}
		rest = next.Rest
	}
	if len(rest) > 0 {
		return errors.New("it has more signatures than keys")
	}
	return nil
}

// p384 is a public key of a SuperNode as SSH sends it (RFC 5656).
type p384 struct {
	Type, Curve string
	Point       []byte
}

const coordinate = 384 / 8 // bytes

// compress returns the point of a SuperNode's key as sign and x (SEC 1): 49 bytes in place of 136.
func compress(key ssh.PublicKey) []byte {
	var w p384
	if err := ssh.Unmarshal(key.Marshal(), &w); err != nil || len(w.Point) != 1+2*coordinate {
		return nil // checkNodeKey refused it
	}
	return append([]byte{2 + w.Point[2*coordinate]&1}, w.Point[1:1+coordinate]...)
}

// expand is the inverse of compress.
func expand(point []byte) (ssh.PublicKey, error) {
	var x, y *big.Int
	if len(point) == 1+coordinate {
		x, y = elliptic.UnmarshalCompressed(elliptic.P384(), point)
	}
	if x == nil {
		return nil, errors.New("a public key in it is damaged")
	}
	whole := make([]byte, 1+2*coordinate)
	whole[0] = 4
	x.FillBytes(whole[1 : 1+coordinate])
	y.FillBytes(whole[1+coordinate:])
	return ssh.ParsePublicKey(ssh.Marshal(p384{ssh.KeyAlgoECDSA384, "nistp384", whole}))
}
