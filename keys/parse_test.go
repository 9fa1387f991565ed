package keys

import (
	"bytes"
	"encoding/pem"
	"os"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

// One flipped bit anywhere in a private key is too many. ssh-keygen or flwr would refuse most of these files,
// and the rest could not sign for the registered public key.
func TestAPrivateKeyWithOneBitChangedIsRefused(t *testing.T) {
	data, err := os.ReadFile(generate(t, keyDir(t), "client_credentials_1")[0].Private)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(data)
	for i := range block.Bytes {
		bad := pem.Block{Type: block.Type, Bytes: bytes.Clone(block.Bytes)}
		bad.Bytes[i] ^= 1
		if public, p := parsePrivate(pem.EncodeToMemory(&bad), "key"); public != nil || p == nil || p.Fix == "" {
			t.Errorf("byte %d of %d: taken, or nothing to do about it: %v", i, len(block.Bytes), p)
		}
	}
	if _, p := parsePrivate(data, "key"); p != nil {
		t.Errorf("the whole key: %v", p)
	}
}

func FuzzParse(f *testing.F) {
	pair := generate(f, keyDir(f), "client_credentials_1")[0]
	for _, path := range []string{pair.Private, pair.Public} {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQ= \x1b]52;c;AAAA\a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		safe := func(p *problem.Problem) {
			if p != nil && strings.ContainsAny(p.Error()+p.Fix, "\x1b\a\n") {
				t.Errorf("not safe for a terminal: %q", p.Error())
			}
		}
		private, p := parsePrivate(data, "key")
		if safe(p); (private == nil) == (p == nil) {
			t.Errorf("private: key %v and problem %v", private, p)
		}
		public, _, p := parsePublic(data, "key.pub")
		if safe(p); (public == nil) == (p == nil) {
			t.Errorf("public: key %v and problem %v", public, p)
		}
	})
}
