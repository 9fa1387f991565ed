package ledger

import (
	"bytes"
	"testing"
)

// FuzzLedger reads a ledger that somebody else wrote: what is taken is written again without a loss.
func FuzzLedger(f *testing.F) {
	for _, s := range []string{`{"format":1}`, `{"format":1,"nodes":[{"key":"SHA256:a","name":"supernode_1","node-id":"18446744073709551615","state":"registered","mine":1}],"other":[1,{"a":2}]}`,
		`{"format":1,"runs":[{"id":"7","x":"\u001b"}],"intents":[{"id":"1","op":"register","before":["1"]}]}`, `{"format":1,"attestations":[{"what":"port a","detail":"1"},{"what":"wanted a","detail":"up","at":"2026-11-26T23:09:36.5Z","x":1}],"supernodes":[{"name":"b","port":2,"x":1},{"name":"a"}]}`, `{"format":2}`, `{"format":1,"nodes":{}}`, `[`, `{"format":1e3}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		d, u, err := decode(in)
		if err != nil {
			return
		}
		once, err := encode(d, u)
		if err != nil {
			t.Skip("a time that JSON does not have")
		}
		d2, u2, err := decode(once)
		if err != nil {
			t.Fatalf("%q became %q: %v", in, once, err)
		}
		twice, err := encode(d2, u2)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q, then %q: %v", in, once, twice, err)
		}
	})
}
