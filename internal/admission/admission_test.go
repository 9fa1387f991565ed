package admission

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/hiddeco/sshsig"
	"github.com/sethvargo/go-diceware/diceware"
	"golang.org/x/crypto/ssh"
	"rsc.io/qr"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/termsafe"
)

// nodeKey returns the private key of SuperNode i, always the same.
func nodeKey(t testing.TB, i byte) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P384(), bytes.Repeat([]byte{i}, 48))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func signer(t testing.TB, key any) ssh.Signer {
	t.Helper()
	s, err := ssh.NewSignerFromKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func coordinator(t testing.TB) ssh.Signer {
	return signer(t, ed25519.NewKeyFromSeed(bytes.Repeat([]byte{9}, 32)))
}

func aRequest(t testing.TB) (Request, []ssh.Signer) {
	signers := []ssh.Signer{signer(t, nodeKey(t, 1)), signer(t, nodeKey(t, 2))}
	return Request{Site: "St. Mary's (Köln)", Contact: "Ada <it@st-mary.example>",
		Nodes: []Node{{"supernode_1", signers[0].PublicKey()}, {"supernode_2", signers[1].PublicKey()}},
		Flwr:  "1.42.0", Platform: "linux/amd64", Made: time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)}, signers
}

func aReply(t testing.TB) Reply {
	r, _ := aRequest(t)
	return Reply{Request: strings.Repeat("0a", 32), Site: r.Site, Coordinator: "ada", Contact: "ada@example.org", Federation: "@ada/study",
		Nodes:      []Admitted{{r.Nodes[0].Fingerprint(), "st-mary-1", "18446744073709551615"}, {r.Nodes[1].Fingerprint(), "st-mary-2", "7"}},
		Connection: "supergrid", Fleet: "fleet.example.org:9092", CA: certificate(t), Flwr: "1.42.0",
		Image: "flwr/supernode:1.42.0", Digest: "sha256:" + strings.Repeat("ab", 32), Made: r.Made, Serial: 7}
}

func certificate(t testing.TB) string {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, 32)) // its signatures are always the same
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ca"}, NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func sealed(t testing.TB) (text []byte, r Request) {
	t.Helper()
	r, signers := aRequest(t)
	text, err := r.Seal(signers)
	if err != nil {
		t.Fatal(err)
	}
	return text, r
}

func sealedReply(t testing.TB) []byte {
	t.Helper()
	text, err := aReply(t).Seal(coordinator(t))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// requests opens requests without the words, which take a while.
func requests(text []byte) ([]SealedRequest, error) { return open(request, text, openRequest) }
func replies(text []byte) ([]SealedReply, error)    { return open(reply, text, openReply) }

func TestRoundTrip(t *testing.T) {
	text, r := sealed(t)
	opened, err := OpenRequests(text)
	if err != nil || len(opened) != 1 {
		t.Fatal(len(opened), err)
	}
	if got := opened[0]; !reflect.DeepEqual(got.Request, r) || len(got.ID) != 64 || len(strings.Fields(got.Words())) != 4 {
		t.Errorf("%+v\nwant %+v", got, r)
	}
	answer := aReply(t)
	back, err := OpenReplies(sealedReply(t))
	if err != nil || len(back) != 1 {
		t.Fatal(len(back), err)
	}
	if got := back[0]; !reflect.DeepEqual(got.Reply, answer) || !bytes.Equal(got.Signer.Marshal(), coordinator(t).PublicKey().Marshal()) ||
		got.Words() != ReplyWords(coordinator(t).PublicKey(), answer.Request) {
		t.Errorf("%+v\nwant %+v", got, answer)
	}
	code, err := qr.Encode(string(text), qr.L)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("a request of two has %d bytes, a QR code of %d squares a side; a reply with a CA %d", len(text), code.Size, len(sealedReply(t)))
}

// refused reports that a text does not open, in clean words that contain says.
func refused[L any](t *testing.T, name string, openAll func([]byte) ([]L, error), text []byte, says string) {
	t.Helper()
	opened, err := openAll(text)
	if err == nil || len(opened) != 0 {
		t.Errorf("%s: %d are open", name, len(opened))
		return
	}
	p := problem.Of(err)
	whole := p.Error() + "; " + p.Fix
	if r, bad := termsafe.Unsafe(whole); bad || p.Code != problem.BadInput || p.What == "" || p.Fix == "" || !strings.Contains(whole, says) {
		t.Errorf("%s: %s: %q, %U", name, p.Code, whole, r)
	}
}

// TestAlteredByte: with any one byte changed, a letter does not open, or says the same.
func TestAlteredByte(t *testing.T) {
	text, r := sealed(t)
	answer, sealedAnswer := aReply(t), sealedReply(t)
	for _, with := range []byte{'A', '-', ' ', 0x80} {
		for i := range text {
			altered := bytes.Clone(text)
			altered[i] = with
			if got, err := requests(altered); err == nil && (len(got) != 1 || !reflect.DeepEqual(got[0].Request, r)) {
				t.Fatalf("request: byte %d as %q opens: %+v", i, with, got)
			}
		}
		for i := range sealedAnswer {
			altered := bytes.Clone(sealedAnswer)
			altered[i] = with
			if got, err := replies(altered); err == nil && (len(got) != 1 || !reflect.DeepEqual(got[0].Reply, answer)) {
				t.Fatalf("reply: byte %d as %q opens: %+v", i, with, got)
			}
		}
	}
	body, _ := pem.Decode(text)
	for i := range body.Bytes { // and below the armour, where every byte counts
		altered := bytes.Clone(body.Bytes)
		altered[i] ^= 1 << (i % 8)
		if got, err := requests(pem.EncodeToMemory(&pem.Block{Type: body.Type, Bytes: altered})); err == nil {
			t.Fatalf("byte %d opens: %+v", i, got)
		}
	}
}

// TestSwappedReply: a reply to another site's request opens, and says whose it is.
func TestSwappedReply(t *testing.T) {
	other := aReply(t)
	other.Request = strings.Repeat("0b", 32)
	text, err := other.Seal(coordinator(t))
	if err != nil {
		t.Fatal(err)
	}
	got, err := replies(append(sealedReply(t), text...))
	if err != nil || len(got) != 2 || got[0].Request != aReply(t).Request || got[1].Request != other.Request {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestManglings: what mail and chat do to a text.
func TestManglings(t *testing.T) {
	text, r := sealed(t)
	s := string(text)
	body := strings.TrimSuffix(strings.TrimPrefix(s, "-----BEGIN FLWRUP REQUEST-----\n"), "-----END FLWRUP REQUEST-----\n")
	flat := strings.ReplaceAll(body, "\n", "")
	rewrapped := "-----BEGIN FLWRUP REQUEST-----\n"
	for i := 0; i < len(flat); i += 37 {
		rewrapped += flat[i:min(i+37, len(flat))] + "\n"
	}
	rewrapped += "-----END FLWRUP REQUEST-----"
	wide := func(s string, high, low int) string {
		b := []byte{}
		for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
			pair := [2]byte{}
			pair[high], pair[low] = byte(u>>8), byte(u)
			b = append(b, pair[:]...)
		}
		return string(b)
	}
	lines := func(before, after string) string {
		return before + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", after+"\n"+before) + after
	}
	for name, mangled := range map[string]string{
		"as it is":          s,
		"CRLF":              strings.ReplaceAll(s, "\n", "\r\n"),
		"no line feed":      strings.TrimSuffix(s, "\n"),
		"quoted":            lines("> ", ""),
		"quoted twice":      lines("> >", ""),
		"quoted with bars":  lines("| ", ""),
		"indented":          lines("\t    ", ""),
		"blanks behind":     lines("", "  \t"),
		"no-break spaces":   lines("\u00a0", "\u00a0\u202f"),
		"Latin-1 spaces":    lines("\xa0", "\xa0"),
		"zero-width spaces": lines("\u200b", "\ufeff"),
		"byte-order mark":   "\ufeff" + s,
		"empty lines":       strings.ReplaceAll(s, "\n", "\n\n"),
		"one line":          strings.ReplaceAll(s, "\n", " "),
		"no line at all":    strings.ReplaceAll(s, "\n", ""),
		"wrapped again":     rewrapped,
		"cut markers":       strings.ReplaceAll(s, "FLWRUP REQUEST", "FLWRUP\n> REQUEST"),
		"long dashes":       strings.ReplaceAll(s, "-----", "—–"),
		"OpenPGP":           "- " + strings.ReplaceAll(s, "\n-----", "\n- -----"),
		"fenced":            "```\n" + s + "```",
		"a mail":            "Hi Ada,\n\nthis is ours -- see below:\n\n" + s + "\n-- \nBob\nSt. Mary's | IT -> 3rd floor = left\n",
		"about keys":        "a private key - never sent\n" + s + "PRIVATE KEY -- no\n",
		"quoted-printable":  strings.ReplaceAll(s, "=", "=3D"),
		"UTF-16":            wide(s, 1, 0),
		"UTF-16, big":       wide(s, 0, 1),
		"twice":             s + "\n" + lines("> ", ""),
		"around a reply":    s + string(sealedReply(t)),
		"behind a cut one":  "-----BEGIN FLWRUP REPLY-----\nAAAA\n" + s,
	} {
		if got, err := requests([]byte(mangled)); err != nil || len(got) != 1 || !reflect.DeepEqual(got[0].Request, r) {
			t.Errorf("%s: %d, %v", name, len(got), err)
		}
	}
}

func TestRefused(t *testing.T) {
	text, _ := sealed(t)
	s, answer := string(text), string(sealedReply(t))
	body, _ := pem.Decode(text)
	var whole frame
	if err := ssh.Unmarshal(body.Bytes, &whole); err != nil {
		t.Fatal(err)
	}
	framed := func(payload string, signatures []byte) string {
		b, err := armour(request, frame{[]byte(payload), signatures})
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	payload := string(whole.Payload)
	with := func(old, new string) string {
		if !strings.Contains(payload, old) {
			t.Fatalf("no %s in %s", old, payload)
		}
		return resigned(t, strings.Replace(payload, old, new, 1))
	}
	r, signers := aRequest(t)
	first := r
	first.Nodes = r.Nodes[:1]
	one, err := first.Seal(signers[:1])
	if err != nil {
		t.Fatal(err)
	}
	oneBody, _ := pem.Decode(one)
	var of1 frame
	if err := ssh.Unmarshal(oneBody.Bytes, &of1); err != nil {
		t.Fatal(err)
	}
	private, err := ssh.MarshalPrivateKey(nodeKey(t, 1), "")
	if err != nil {
		t.Fatal(err)
	}
	key := string(pem.EncodeToMemory(private))
	for name, c := range map[string]struct{ text, says string }{
		"nothing":                {"", "no line -----BEGIN FLWRUP REQUEST"},
		"something else":         {"Hi Ada", "no line -----BEGIN FLWRUP REQUEST"},
		"no end":                 {s[:len(s)-40], "its end is missing"},
		"no beginning":           {s[40:], "its beginning is missing"},
		"half a marker":          {"-----BEGIN FLWRUP REQ", "beginning or end"},
		"a line lost":            {s[:100] + s[165:], "changed on the way"},
		"one in another":         {s[:100] + s, "its end is missing"},
		"the end of a reply":     {s[:100] + answer, "its end is missing"},
		"a reply":                {answer, "this is a reply"},
		"a reply as a request":   {strings.ReplaceAll(answer, "FLWRUP REPLY", "FLWRUP REQUEST"), "another program wrote it"},
		"large":                  {s + strings.Repeat(" ", maxText), "bytes, more than 65536"},
		"many":                   {strings.Repeat(s, maxLetters+1), "33 of them"},
		"one of two":             {s + "-----BEGIN FLWRUP REQUEST-----\nAAAA\n-----END FLWRUP REQUEST-----\n", "request 2 of 2"},
		"empty":                  {"-----BEGIN FLWRUP REQUEST-----\n-----END FLWRUP REQUEST-----\n", "cut off or changed"},
		"not signed":             {framed(payload, nil), "not signed"},
		"signed for another":     {framed(payload, of1.Signatures), "changed on the way, or signed with another key"},
		"half of the signatures": {string(signed(t, request, payload, signers[:1])), "signature 2 of 2 is missing"},
		"one signature too many": {framed(string(of1.Payload), append(bytes.Clone(of1.Signatures), of1.Signatures...)), "more signatures than keys"},
		"another's signature":    {framed(strings.Replace(payload, "St. Mary", "St. Jane", 1), whole.Signatures), "changed on the way, or signed with another key"},
		"a private key":          {s + key, "never send a private key"},
		"a quoted private key":   {"> " + strings.ReplaceAll(key, "\n", "\n> ") + s, "never send a private key"},
		"without its first line": {s + key[len("-----BEGIN OPENSSH PRIVATE KEY-----\n"):60] + "\n" + key[60:200], "never send a private key"},
		"PuTTY's":                {s + "PuTTY-User-Key-File-3: ecdsa-sha2-nistp384\n", "never send a private key"},
		"OpenPGP's":              {s + "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "never send a private key"},
		"its last line":          {s + "-----END EC PRIVATE KEY-----\n", "never send a private key"},
		"a key within":           {s[:100] + "\n" + key + s[100:], "never send a private key"},
		"newer":                  {with(`"format":1`, `"format":2`), "update flwrup"},
		"newer, and unknown":     {framed(`{"format":7,"new":{}}`, nil), "update flwrup"},
		"no format":              {with(`"format":1,`, ``), "another program wrote it"},
		"older":                  {with(`"format":1`, `"format":0`), "another program wrote it"},
		"a name twice":           {with(`"site":`, `"site":"a","site":`), "another program wrote it"},
		"a name in capitals":     {with(`"site":`, `"Site":`), "another program wrote it"},
		"both":                   {with(`"site":`, `"SITE":"a","site":`), "another program wrote it"},
		"an unknown name":        {with(`"site":`, `"x":1,"site":`), "another program wrote it"},
		"an unknown name deeper": {with(`"n":`, `"x":1,"n":`), "another program wrote it"},
		"blanks":                 {with(`"site":`, `"site": `), "another program wrote it"},
		"bytes behind":           {resigned(t, payload+" {}"), "another program wrote it"},
		"null":                   {with(`"flwr":"1.42.0"`, `"flwr":null`), "another program wrote it"},
		"no JSON":                {resigned(t, "\x00"), "another program wrote it"},
		"a fraction":             {with(`"made":1777863721`, `"made":1777863721.0`), "another program wrote it"},
		"too large a time":       {with(`"made":1777863721`, `"made":9223372036854775807`), "in the future"},
		"before 2020":            {with(`"made":1777863721`, `"made":-1`), "before 2020"},
		"an escape":              {with("St. Mary's", `\u001b[31mx`), "characters that do not print"},
		"a bidi override":        {with("St. Mary's", "a\u202eb"), "characters that do not print"},
		"a space behind":         {with("St. Mary's (Köln)", "St. Mary "), "a space too many"},
		"a filler":               {with("St. Mary's", "a\u3164b"), "characters that do not print"},
		"invalid UTF-8":          {with("St. Mary's", "a\xffb"), "another program wrote it"},
		"a path":                 {with(`"supernode_1"`, `"../x"`), "name of a SuperNode"},
		"a flag":                 {with(`"supernode_1"`, `"-x"`), "name of a SuperNode"},
		"one name":               {with(`"supernode_2"`, `"SuperNode_1"`), "occurs twice"},
		"no name":                {with(`"supernode_1"`, `""`), "name of a SuperNode"},
		"no version":             {with(`1.42.0`, `1.42.0;x`), "version of flwr"},
		"no platform":            {with(`linux/amd64`, `linux`), "the platform"},
	} {
		refused(t, name, requests, []byte(c.text), c.says)
	}
	refused(t, "a request", replies, text, "this is a request")
	refused(t, "no reply", replies, nil, "no line -----BEGIN FLWRUP REPLY")
}

// resigned signs a payload with the keys of aRequest, whatever it says.
func resigned(t testing.TB, payload string) string {
	t.Helper()
	_, signers := aRequest(t)
	return string(signed(t, request, payload, signers))
}

func signed(t testing.TB, k kind, payload string, signers []ssh.Signer) []byte {
	t.Helper()
	f := frame{Payload: []byte(payload)}
	for _, s := range signers {
		sig, err := sshsig.Sign(strings.NewReader(payload), s, sshsig.HashSHA512, k.namespace)
		if err != nil {
			t.Fatal(err)
		}
		f.Signatures = append(f.Signatures, ssh.Marshal(signatureWire{Blob: sig.Signature.Blob})...)
	}
	return pem.EncodeToMemory(&pem.Block{Type: k.label, Bytes: ssh.Marshal(f)})
}

// TestRequestRules: each is refused when it is sealed, and when another program sealed it.
func TestRequestRules(t *testing.T) {
	_, signers := aRequest(t)
	for name, change := range map[string]func(*Request){
		"no site":             func(r *Request) { r.Site = "" },
		"a long site":         func(r *Request) { r.Site = strings.Repeat("ä", 61) },
		"a tab":               func(r *Request) { r.Site = "a\tb" },
		"a line feed":         func(r *Request) { r.Site = "a\nb" },
		"two spaces":          func(r *Request) { r.Site = "a  b" },
		"a hyphen first":      func(r *Request) { r.Site = "-a" },
		"a mark first":        func(r *Request) { r.Site = "\u0301a" },
		"a pile of marks":     func(r *Request) { r.Site = "a" + strings.Repeat("\u0301", 9) },
		"a slash":             func(r *Request) { r.Site = "a/b" },
		"markup":              func(r *Request) { r.Site = "a<b>" },
		"a quotation mark":    func(r *Request) { r.Site = `a"b` },
		"a braille blank":     func(r *Request) { r.Contact = "a\u2800b" },
		"a private character": func(r *Request) { r.Contact = "a\ue000b" },
		"no-break space":      func(r *Request) { r.Contact = "a\u00a0b" },
		"a long contact":      func(r *Request) { r.Contact = strings.Repeat("x", 121) },
		"tags":                func(r *Request) { r.Contact = "a\U000e0041" },
		"no nodes":            func(r *Request) { r.Nodes = nil },
		"many nodes": func(r *Request) {
			for range 64 {
				r.Nodes = append(r.Nodes, r.Nodes[0])
			}
		},
		"one key":     func(r *Request) { r.Nodes[1].Key = r.Nodes[0].Key },
		"a long name": func(r *Request) { r.Nodes[1].Name = strings.Repeat("x", 64) },
		"the future":  func(r *Request) { r.Made = time.Now().Add(49 * time.Hour) },
		"no time":     func(r *Request) { r.Made = time.Time{} },
		"v1.42":       func(r *Request) { r.Flwr = "v1.42.0" },
	} {
		r, _ := aRequest(t)
		change(&r)
		if text, err := r.Seal(signers); err == nil || problem.Of(err).Code != problem.BadInput {
			t.Errorf("%s: sealed as %s, %v", name, text, err)
		}
		raw, err := encode(r.payload())
		if err != nil {
			t.Fatal(err)
		}
		refused(t, name, requests, []byte(resigned(t, string(raw))), "")
	}
	for name, change := range map[string]func(*Request){
		"other letters": func(r *Request) { r.Site = "Универ 北京大学 हिन्दी 3" },
		"all signs":     func(r *Request) { r.Site = "A. B, 'C' (D) & E-F" },
		"60 letters":    func(r *Request) { r.Site = strings.Repeat("ä", 60) },
		"no contact":    func(r *Request) { r.Contact = "" },
		"no flwr yet":   func(r *Request) { r.Flwr = "" },
		"a nightly":     func(r *Request) { r.Flwr = "1.43.0.dev20261101" },
		"no platform":   func(r *Request) { r.Platform = "" },
	} {
		r, _ := aRequest(t)
		change(&r)
		text, err := r.Seal(signers)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := requests(text); err != nil || !reflect.DeepEqual(got[0].Request, r) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestReplyRules: each is refused when it is sealed, and when another program sealed it.
func TestReplyRules(t *testing.T) {
	private, err := ssh.MarshalPrivateKey(nodeKey(t, 1), "")
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Reply){
		"no request":        func(r *Reply) { r.Request = "" },
		"capitals":          func(r *Reply) { r.Request = strings.ToUpper(r.Request) },
		"no coordinator":    func(r *Reply) { r.Coordinator = "" },
		"an escape":         func(r *Reply) { r.Coordinator = "\x1b[31m" },
		"a flag":            func(r *Reply) { r.Federation = "--x" },
		"two parts":         func(r *Reply) { r.Federation = "@a/b/c" },
		"a blank":           func(r *Reply) { r.Federation = "a b" },
		"no nodes":          func(r *Reply) { r.Nodes = nil },
		"a short print":     func(r *Reply) { r.Nodes[0].Fingerprint = "SHA256:AAAA" },
		"MD5":               func(r *Reply) { r.Nodes[0].Fingerprint = "MD5:00" },
		"one print":         func(r *Reply) { r.Nodes[0].Fingerprint = r.Nodes[1].Fingerprint },
		"one ID":            func(r *Reply) { r.Nodes[0].NodeID = r.Nodes[1].NodeID },
		"one name":          func(r *Reply) { r.Nodes[0].Name = strings.ToUpper(r.Nodes[1].Name) },
		"a zero before":     func(r *Reply) { r.Nodes[0].NodeID = "07" },
		"zero":              func(r *Reply) { r.Nodes[0].NodeID = "0" },
		"a sign":            func(r *Reply) { r.Nodes[0].NodeID = "+7" },
		"65 bits":           func(r *Reply) { r.Nodes[0].NodeID = "18446744073709551616" },
		"no connection":     func(r *Reply) { r.Connection = "" },
		"a toml connection": func(r *Reply) { r.Connection = "a.b]\n[x" },
		"no fleet":          func(r *Reply) { r.Fleet = "" },
		"no port":           func(r *Reply) { r.Fleet = "example.org" },
		"port 0":            func(r *Reply) { r.Fleet = "example.org:0" },
		"port 70000":        func(r *Reply) { r.Fleet = "example.org:70000" },
		"port 080":          func(r *Reply) { r.Fleet = "example.org:080" },
		"a URL":             func(r *Reply) { r.Fleet = "https://example.org:443" },
		"a flag as host":    func(r *Reply) { r.Fleet = "-x:1" },
		"a zone":            func(r *Reply) { r.Fleet = "[fe80::1%eth0]:1" },
		"a name in []":      func(r *Reply) { r.Fleet = "[example.org]:1" },
		"two dots":          func(r *Reply) { r.Fleet = "a..b:1" },
		"insecure, a CA":    func(r *Reply) { r.Insecure = true },
		"no CA":             func(r *Reply) { r.CA = "ca.pem" },
		"a damaged CA":      func(r *Reply) { r.CA = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")})) },
		"a cut CA":          func(r *Reply) { r.CA += r.CA[:len(r.CA)/2] },
		"a CA cut first":    func(r *Reply) { r.CA = r.CA[:len(r.CA)/2] + "\n" + r.CA },
		"a substitution":    func(r *Reply) { r.Federation = "@ada/$(x)" },
		"no IPv4":           func(r *Reply) { r.Fleet = "192.0.2.256:1" },
		"another block":     func(r *Reply) { r.CA += string(pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: []byte("x")})) },
		"a private key":     func(r *Reply) { r.CA += string(pem.EncodeToMemory(private)) },
		"no flwr":           func(r *Reply) { r.Flwr = "" },
		"an image, @":       func(r *Reply) { r.Image += "@" + r.Digest },
		"a flag, an image":  func(r *Reply) { r.Image = "-v" },
		"a capital image":   func(r *Reply) { r.Image = "Flwr/SuperNode" },
		"no image":          func(r *Reply) { r.Image = "" },
		"a short digest":    func(r *Reply) { r.Digest = "sha256:00" },
		"the future":        func(r *Reply) { r.Made = time.Now().Add(49 * time.Hour) },
	} {
		r := aReply(t)
		change(&r)
		if text, err := r.Seal(coordinator(t)); err == nil || problem.Of(err).Code != problem.BadInput {
			t.Errorf("%s: sealed as %s, %v", name, text, err)
		}
		raw, err := encode(r.payload(coordinator(t).PublicKey()))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, name, replies, signed(t, reply, string(raw), []ssh.Signer{coordinator(t)}), "")
	}
	commented := aReply(t)
	commented.CA = "# the CA of the house\r\n" + strings.ReplaceAll(commented.CA, "\n", "\r\n")
	text, err := commented.Seal(coordinator(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := replies(text); err != nil || strings.Contains(got[0].CA, "#") || got[0].CA+"x" == "x" {
		t.Errorf("%+v, %v", got, err)
	}
	raw, err := encode(commented.payload(coordinator(t).PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "text in a CA", replies, signed(t, reply, string(raw), []ssh.Signer{coordinator(t)}), "more than certificates")
	for name, change := range map[string]func(*Reply){
		"no TLS":          func(r *Reply) { r.Insecure, r.CA = true, "" },
		"IPv4":            func(r *Reply) { r.Fleet = "192.0.2.1:9092" },
		"IPv6":            func(r *Reply) { r.Fleet = "[2001:db8::1]:9092" },
		"bare federation": func(r *Reply) { r.Federation = "default" },
		"no federation":   func(r *Reply) { r.Federation = "" },
		"a registry":      func(r *Reply) { r.Image = "registry.example.org:5000/flwr/supernode:1.42.0-py3.11" },
		"no image":        func(r *Reply) { r.Image, r.Digest = "", "" },
	} {
		r := aReply(t)
		change(&r)
		text, err := r.Seal(coordinator(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, err := replies(text); err != nil || !reflect.DeepEqual(got[0].Reply, r) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestHostileKey: the name of a key's type is a stranger's text as well.
func TestHostileKey(t *testing.T) {
	for _, name := range []string{"\x1b[31mx", "ssh-ed25519\x07", ssh.KeyAlgoRSA} {
		w := aReply(t).payload(coordinator(t).PublicKey()).(replyWire)
		w.Key = ssh.Marshal(struct{ Type, Rest string }{name, "x"})
		payload, err := encode(w)
		if err != nil {
			t.Fatal(err)
		}
		refused(t, name, replies, signed(t, reply, string(payload), []ssh.Signer{coordinator(t)}), "public key")
	}
}

// TestLargest: the largest letters are small enough to be opened.
func TestLargest(t *testing.T) {
	r := Request{Site: strings.Repeat("北", 60), Contact: strings.Repeat("北", 120), Flwr: "1.42.0", Platform: "linux/amd64", Made: time.Unix(1777863721, 0).UTC()}
	answer := aReply(t)
	answer.Nodes = nil
	var signers []ssh.Signer
	for i := range maxNodes {
		signers = append(signers, signer(t, nodeKey(t, byte(i+1))))
		n := Node{fmt.Sprintf("n%062d", i), signers[i].PublicKey()}
		r.Nodes = append(r.Nodes, n)
		answer.Nodes = append(answer.Nodes, Admitted{n.Fingerprint(), n.Name, fmt.Sprint(uint64(1<<63) + uint64(i))})
	}
	answer.CA = strings.Repeat(answer.CA, 20)
	text, err := r.Seal(signers)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := requests(text); err != nil || !reflect.DeepEqual(got[0].Request, r) {
		t.Error(err)
	}
	if text, err = answer.Seal(coordinator(t)); err != nil {
		t.Fatal(err)
	}
	if got, err := replies(text); err != nil || !reflect.DeepEqual(got[0].Reply, answer) {
		t.Error(err)
	}
	answer.CA = strings.Repeat(answer.CA, 10)
	if text, err = answer.Seal(coordinator(t)); err == nil {
		t.Errorf("sealed %d bytes", len(text))
	}
}

// TestKeys: only keys that a SuperNode can have, each with its own private key.
func TestKeys(t *testing.T) {
	r, signers := aRequest(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, with := range map[string][]ssh.Signer{
		"none": nil, "one": signers[:1], "swapped": {signers[1], signers[0]}, "three": append(signers[:2:2], signers[0]), "another's": {signers[0], coordinator(t)},
	} {
		if _, err := r.Seal(with); err == nil {
			t.Errorf("%s: sealed", name)
		}
	}
	for _, other := range []ssh.Signer{coordinator(t), signer(t, p256)} {
		r, _ := aRequest(t)
		r.Nodes[0].Key = other.PublicKey()
		if _, err := r.Seal([]ssh.Signer{other, signers[1]}); err == nil {
			t.Errorf("a request with a key of type %s is sealed", other.PublicKey().Type())
		}
	}
	if _, err := aReply(t).Seal(signer(t, p256)); err == nil {
		t.Error("a reply of a P-256 key is sealed")
	}
	if _, err := aReply(t).Seal(signers[0]); err != nil {
		t.Error(err)
	}
	for range 50 { // both signs of y, and coordinates that begin with zeros
		key, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		public := signer(t, key).PublicKey()
		if back, err := expand(compress(public)); err != nil || !bytes.Equal(back.Marshal(), public.Marshal()) {
			t.Errorf("%x, %v", public.Marshal(), err)
		}
	}
	for name, point := range map[string][]byte{"none": nil, "infinity": {0}, "not on the curve": append([]byte{2}, bytes.Repeat([]byte{0xff}, 48)...), "uncompressed": append([]byte{4}, make([]byte, 48)...)} {
		if _, err := expand(point); err == nil {
			t.Errorf("%s: a point", name)
		}
	}
}

// TestWords: they are the same for ever, on both sides, and differ from letter to letter.
func TestWords(t *testing.T) {
	a, b := strings.Repeat("0a", 32), strings.Repeat("0b", 32)
	_, signers := aRequest(t)
	got := []string{SealedRequest{ID: a}.Words(), SealedRequest{ID: b}.Words(), ReplyWords(coordinator(t).PublicKey(), a), ReplyWords(coordinator(t).PublicKey(), b), ReplyWords(signers[0].PublicKey(), a)}
	want := []string{"spookily spoken swimsuit rancidity", "plethora scavenger moodiness lens", "luckless snoring spotty unclasp",
		"truth feast gecko alumni", "shaking charcoal buffoon convent"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
	sum := sha256.New() // of the whole list
	for i := range 7776 {
		rolls := 0
		for _, scale := range []int{1296, 216, 36, 6, 1} {
			rolls = rolls*10 + i/scale%6 + 1
		}
		fmt.Fprintln(sum, diceware.WordListEffLarge().WordAt(rolls))
	}
	if got := fmt.Sprintf("%x", sum.Sum(nil)); got != "6d557f0693958fb5e650b68b5bee585eb82cf4da32965505c789e924743bc522" {
		t.Errorf("another list: %s", got)
	}
}

// TestSSHKeygen: OpenSSH accepts the signatures, with the namespace and the hash that the package names.
func TestSSHKeygen(t *testing.T) {
	program := require.Tool(t, "flwr", "ssh-keygen")
	text, r := sealed(t)
	for _, c := range []struct {
		k    kind
		text []byte
		keys []ssh.PublicKey
	}{
		{request, text, []ssh.PublicKey{r.Nodes[0].Key, r.Nodes[1].Key}},
		{reply, sealedReply(t), []ssh.PublicKey{coordinator(t).PublicKey()}},
	} {
		frames, err := unarmour(c.k, c.text)
		if err != nil {
			t.Fatal(err)
		}
		rest := frames[0].Signatures
		for i, key := range c.keys {
			var next signatureWire
			if err := ssh.Unmarshal(rest, &next); err != nil {
				t.Fatal(err)
			}
			rest = next.Rest
			dir := t.TempDir()
			sig := sshsig.Armor(&sshsig.Signature{Version: 1, PublicKey: key, Namespace: c.k.namespace, HashAlgorithm: sshsig.HashSHA512,
				Signature: &ssh.Signature{Format: key.Type(), Blob: next.Blob}})
			allowed := "them namespaces=\"" + c.k.namespace + "\" " + string(ssh.MarshalAuthorizedKey(key))
			for name, data := range map[string]string{"sig": string(sig), "allowed": allowed} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			verify := func(payload []byte) error {
				cmd := exec.Command(program, "-Y", "verify", "-f", filepath.Join(dir, "allowed"), "-I", "them", "-n", c.k.namespace, "-s", filepath.Join(dir, "sig"))
				cmd.Stdin = bytes.NewReader(payload)
				out, err := cmd.CombinedOutput()
				t.Logf("%s %d: %s", c.k.name, i+1, out)
				return err
			}
			if err := verify(frames[0].Payload); err != nil {
				t.Errorf("%s, key %d: %v", c.k.name, i+1, err)
			}
			if err := verify(append([]byte(" "), frames[0].Payload...)); err == nil {
				t.Error("it accepts anything")
			}
		}
	}
}

// TestUnfinished: a letter that comes line by line ends with its last line.
func TestUnfinished(t *testing.T) {
	text := "-----BEGIN FLWRUP REQUEST-----\nAAAA\n-----END FLWRUP REQUEST-----\n"
	for _, c := range []struct {
		text             string
		unfinished, isIt bool
	}{
		{"", false, false}, {"/home/ada/request-st-mary.txt", false, false}, {"Hello Ada,", false, false},
		{text, false, true}, {text[:40], true, true}, {text[:len(text)-10], true, true},
		{text + text[:40], true, true}, {"> " + text[:40], true, true},
	} {
		if Unfinished(c.text) != c.unfinished || IsLetter(c.text) != c.isIt {
			t.Errorf("%q: unfinished %v, a letter %v", c.text, Unfinished(c.text), IsLetter(c.text))
		}
	}
}
