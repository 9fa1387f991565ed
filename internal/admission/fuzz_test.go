package admission

import (
	"reflect"
	"testing"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// FuzzOpen opens texts of strangers: each is refused in clean words, or holds only what flwrup would seal.
func FuzzOpen(f *testing.F) {
	text, _ := sealed(f)
	f.Add(text)
	f.Add(sealedReply(f))
	f.Add(append(text, sealedReply(f)...))
	f.Add([]byte("\xff\xfe-\x00-\x00"))
	f.Add([]byte("> -----BEGIN FLWRUP REQUEST-----\n> AAAA\n> -----END FLWRUP REQUEST-----"))
	f.Fuzz(func(t *testing.T, text []byte) {
		asked, err := requests(text)
		clean(t, err)
		for _, r := range asked {
			if err := r.check(); err != nil {
				t.Fatal(err)
			}
		}
		answered, err := replies(text)
		clean(t, err)
		for _, r := range answered {
			if err := r.check(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// FuzzPayload opens payloads of a stranger who signs them well. A payload that opens says the same when its fields
// are sealed again, and holds nothing that a terminal acts on.
func FuzzPayload(f *testing.F) {
	r, signers := aRequest(f)
	keys := []ssh.Signer{coordinator(f)}
	for _, w := range []any{r.payload(), aReply(f).payload(keys[0].PublicKey())} {
		payload, err := encode(w)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(payload)
	}
	f.Add([]byte(`{"format":1,"site":"x","nodes":[{"n":"a","k":""}],"made":1}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > maxText/2 {
			return
		}
		asked, err := requests(signed(t, request, string(payload), signers))
		clean(t, err)
		for _, r := range asked {
			text, err := r.Seal(signers)
			if err != nil {
				t.Fatal(err)
			}
			again, err := requests(text)
			if err != nil || len(again) != 1 || !reflect.DeepEqual(again[0], r) {
				t.Fatalf("%+v became %+v, %v", r, again, err)
			}
			printable(t, r.Site, r.Contact, r.Flwr, r.Platform)
			for _, n := range r.Nodes {
				printable(t, n.Name)
			}
		}
		answered, err := replies(signed(t, reply, string(payload), keys))
		clean(t, err)
		for _, r := range answered {
			text, err := r.Seal(keys[0])
			if err != nil {
				t.Fatal(err)
			}
			again, err := replies(text)
			if err != nil || len(again) != 1 || !reflect.DeepEqual(again[0], r) {
				t.Fatalf("%+v became %+v, %v", r, again, err)
			}
			printable(t, r.Request, r.Site, r.Coordinator, r.Contact, r.Federation, r.Connection, r.Fleet, r.Flwr, r.Image, r.Digest)
			for _, n := range r.Nodes {
				printable(t, n.Fingerprint, n.Name, n.NodeID)
			}
		}
	})
}

func clean(t *testing.T, err error) {
	if err == nil {
		return
	}
	p := problem.Of(err)
	if r, bad := termsafe.Unsafe(p.Error() + p.Fix); bad || p.Code != problem.BadInput || p.Fix == "" {
		t.Fatalf("%q holds %U (%s)", p.Error(), r, p.Code)
	}
}

func printable(t *testing.T, texts ...string) {
	for _, text := range texts {
		if termsafe.Line(text) != text {
			t.Fatalf("%q is not for a terminal", text)
		}
	}
}
