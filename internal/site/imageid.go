package site

import (
	"context"
	"strings"

	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// An image's name can lead to another image tomorrow. So the ledger keeps to which one it led when SuperNodes
// were first made from it; containers are made from that one until a person says otherwise.

// ImageChanged says that an image's name leads to another image than when SuperNodes were first made from it.
const ImageChanged problem.Code = "image-changed"

// ImageResolver says where an image's name leads; dockerctl's runtime can.
type ImageResolver interface {
	ResolveImage(ctx context.Context, name string) (supernode.Image, error)
}

// imageOn is the name in the ledger for an image of a Docker host.
func imageOn(host, name string) string {
	if host == "" {
		return attestImage + name
	}
	return attestImage + name + onHost + host
}

// KnownImage returns the image that the ledger has for a name on a Docker host.
func KnownImage(d ledger.Data, host, name string) (supernode.Image, bool) {
	a, ok := d.Attestation(imageOn(host, name))
	if !ok {
		return supernode.Image{}, false
	}
	id, digest, _ := strings.Cut(a.Detail, " ")
	return supernode.Image{ID: id, Digest: digest}, id != ""
}

// NoteImage keeps to which image a name leads on a Docker host.
func NoteImage(s *Site, host, name string, i supernode.Image) error {
	return s.Ledger.Attest(imageOn(host, name), strings.TrimSpace(i.ID+" "+i.Digest))
}

// ForgetImage forgets to which image a name leads on a Docker host: the next one that SuperNodes are made from is taken.
func ForgetImage(s *Site, host, name string) error { return s.Ledger.Retract(imageOn(host, name)) }

// DigestOf is what is shown of the image that a container was made from.
func DigestOf(d ledger.Data, st supernode.Status) string {
	if i, ok := KnownImage(d, st.Host, st.Image); ok && i.ID == st.ImageID {
		return i.Name()
	}
	return st.ImageID
}
