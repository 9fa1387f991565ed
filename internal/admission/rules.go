package admission

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/distribution/reference"
	"golang.org/x/crypto/ssh"

	"flwrup/internal/termsafe"
)

const (
	maxNodes   = 64
	maxSite    = 60 // characters
	maxContact = 120
)

var (
	nodeName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`) // as in flwrup.toml
	connection  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	federation  = regexp.MustCompile(`^(@[\p{L}\p{N}_.+-]+/[\p{L}\p{N}_.+-]+|[\p{L}\p{N}_][\p{L}\p{N}_.+-]*)$`)
	flwrVersion = regexp.MustCompile(`^[0-9]{1,6}\.[0-9]{1,6}(\.[0-9]{1,6})?([.+_-]?[0-9A-Za-z]+)*$`)
	platform    = regexp.MustCompile(`^[a-z0-9]{1,16}/[a-z0-9]{1,16}$`)
	requestID   = regexp.MustCompile(`^[0-9a-f]{64}$`)
	digest      = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	hostName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?)*$`)
)

// CheckSite reports why a text cannot be the name of a site. Letters that look alike pass: the words say who it is.
func CheckSite(name string) error {
	if err := checkText("the name of the site", name, maxSite); err != nil {
		return err
	}
	for i, r := range name {
		letter := unicode.IsLetter(r) || unicode.Is(unicode.Nd, r)
		if i == 0 && !letter || !letter && !unicode.IsMark(r) && !strings.ContainsRune(" .,'-&()", r) {
			return fmt.Errorf("the name of the site is %s: it takes letters, digits, space and .,'-&(), a letter or digit first", show(name))
		}
	}
	return nil
}

// CheckContact reports why a text cannot say how to reach a person; "" can.
func CheckContact(contact string) error {
	if contact == "" {
		return nil
	}
	return checkText("the contact", contact, maxContact)
}

// checkText refuses a text that is empty or long, or that a terminal would not show as it is.
func checkText(what, text string, longest int) error {
	switch n := utf8.RuneCountInString(text); {
	case text == "":
		return errors.New(what + " is empty")
	case n > longest:
		return fmt.Errorf("%s has %d characters, more than %d", what, n, longest)
	case !utf8.ValidString(text) || termsafe.Line(text) != text || strings.ContainsFunc(text, unprintable):
		return fmt.Errorf("%s has characters that do not print: %s", what, show(text))
	case strings.TrimSpace(text) != text || strings.Contains(text, "  "):
		return fmt.Errorf("%s has a space too many: %s", what, show(text))
	}
	return nil
}

// unprintable reports whether r shows nothing, or something else than itself. The only blank is the space.
func unprintable(r rune) bool {
	return !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == '\u2800' || unicode.Is(unicode.Co, r) // braille blank
}

// show returns a stranger's text for a sentence. Quote escapes almost all that does not print, and Line drops the rest.
func show(text string) string { return termsafe.Line(termsafe.Quote(text)) }

// check refuses what no flwrup would seal.
func (r Request) check() error {
	if err := CheckSite(r.Site); err != nil {
		return err
	}
	if err := CheckContact(r.Contact); err != nil {
		return err
	}
	if n := len(r.Nodes); n == 0 || n > maxNodes {
		return tooManyNodes(n)
	}
	seen := seen{}
	for _, n := range r.Nodes {
		if err := checkNodeKey(n.Key); err != nil {
			return err
		}
		if err := seen.node(n.Name, n.Fingerprint()); err != nil {
			return err
		}
	}
	if r.Flwr != "" && !isVersion(r.Flwr) {
		return wrong("the version of flwr", r.Flwr)
	}
	if r.Platform != "" && !platform.MatchString(r.Platform) {
		return wrong("the platform", r.Platform)
	}
	return checkMade(r.Made)
}

// check refuses what no flwrup would seal.
func (r Reply) check() error {
	if !requestID.MatchString(r.Request) {
		return wrong("the request's ID", r.Request)
	}
	for _, err := range []error{CheckSite(r.Site), checkText("the name of the coordinator", r.Coordinator, maxSite), CheckContact(r.Contact),
		checkFederation(r.Federation), r.checkNodes(), r.checkImage(), r.checkGrid(), checkMade(r.Made)} {
		if err != nil {
			return err
		}
	}
	return nil
}

func (r Reply) checkNodes() error {
	if n := len(r.Nodes); n == 0 || n > maxNodes {
		return tooManyNodes(n)
	}
	seen := seen{}
	for _, n := range r.Nodes {
		sum, ok := strings.CutPrefix(n.Fingerprint, "SHA256:")
		if raw, err := base64.RawStdEncoding.Strict().DecodeString(sum); !ok || err != nil || len(raw) != 32 || len(sum) != 43 {
			return wrong("a fingerprint", n.Fingerprint)
		}
		id, err := strconv.ParseUint(n.NodeID, 10, 64)
		if err != nil || id == 0 || strconv.FormatUint(id, 10) != n.NodeID {
			return wrong("a node ID", n.NodeID)
		}
		if err := seen.node(n.Name, n.Fingerprint); err != nil {
			return err
		}
		if err := seen.add("the node ID", n.NodeID); err != nil {
			return err
		}
	}
	return nil
}

func (r Reply) checkGrid() error {
	switch plain, err := certificates(r.CA); {
	case !connection.MatchString(r.Connection):
		return wrong("the name of the connection", r.Connection)
	case !isAddress(r.Fleet):
		return wrong("the fleet address", r.Fleet)
	case err != nil:
		return err
	case plain != r.CA:
		return errors.New("there is more than certificates in its CA")
	case r.Insecure && r.CA != "":
		return errors.New("a grid without TLS has no CA")
	}
	return nil
}

func (r Reply) checkImage() error {
	switch {
	case !isVersion(r.Flwr):
		return wrong("the version of flwr", r.Flwr)
	case r.Image == "" && r.Digest != "":
		return errors.New("it has a digest without an image")
	case r.Image != "" && !isImage(r.Image):
		return wrong("the image", r.Image)
	case r.Digest != "" && !digest.MatchString(r.Digest):
		return wrong("the digest of the image", r.Digest)
	}
	return nil
}

func isVersion(v string) bool { return len(v) <= 40 && flwrVersion.MatchString(v) }

// isImage reports whether ref names an image as flwrup.toml does, without a digest.
func isImage(ref string) bool {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil || len(ref) > 255 || ref[0] == '-' {
		return false
	}
	_, pinned := named.(reference.Digested)
	return !pinned
}

// isAddress reports whether a text is host:port, the host a name or an IP address.
func isAddress(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || len(host) > 253 {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 || strconv.FormatUint(n, 10) != port {
		return false
	}
	if strings.HasPrefix(address, "[") {
		ip, err := netip.ParseAddr(host)
		return err == nil && ip.Is6() && ip.Zone() == ""
	}
	if last := host[strings.LastIndexByte(host, '.')+1:]; strings.Trim(last, "0123456789") == "" { // no domain ends in a number
		_, err := netip.ParseAddr(host)
		return err == nil
	}
	return hostName.MatchString(host)
}

func checkFederation(name string) error {
	if name == "" {
		return nil
	}
	if err := checkText("the federation", name, 200); err != nil {
		return err
	}
	if !federation.MatchString(name) {
		return wrong("the federation", name)
	}
	return nil
}

// clocks may be wrong by this much.
const clocks = 48 * time.Hour

func checkMade(made time.Time) error {
	switch seconds := made.Unix(); { // a date may be so far away that time.Time counts round
	case seconds < time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Unix():
		return errors.New("it is dated before 2020")
	case seconds > time.Now().Add(clocks).Unix():
		return fmt.Errorf("it is dated %s, in the future: compare the clocks", made.UTC().Format("2006-01-02"))
	}
	return nil
}

func checkNodeKey(key ssh.PublicKey) error {
	if key == nil || key.Type() != ssh.KeyAlgoECDSA384 {
		return errors.New("the key of a SuperNode has to be ECDSA on P-384 (ecdsa-sha2-nistp384)")
	}
	return nil
}

func checkCoordinatorKey(key ssh.PublicKey) error {
	if t := key.Type(); t != ssh.KeyAlgoED25519 && t != ssh.KeyAlgoECDSA384 {
		return errors.New("the key of a coordinator has to be Ed25519 or ECDSA on P-384, not " + show(t))
	}
	return nil
}

// certificates returns the certificates of a PEM file without the text around them; "" for "".
func certificates(file string) (string, error) {
	if strings.TrimSpace(file) == "" {
		return "", nil
	}
	if holdsSecret(unwrap([]byte(file))) {
		return "", errors.New("the file of its CA has a private key in it, which is never sent")
	}
	var plain strings.Builder
	blocks := 0
	for rest := []byte(file); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		blocks++
		if block.Type != "CERTIFICATE" {
			return "", errors.New("its CA is not a certificate but " + show(block.Type))
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", errors.New("its CA is not a certificate that can be read")
		}
		plain.Write(pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}))
	}
	if blocks == 0 || blocks != strings.Count(file, "-----BEGIN ") { // pem.Decode leaves out blocks that are damaged
		return "", errors.New("its CA is not a file of whole certificates in PEM")
	}
	return plain.String(), nil
}

// seen holds what may occur once only.
type seen map[string]bool

func (s seen) node(name, fingerprint string) error {
	if !nodeName.MatchString(name) {
		return wrong("the name of a SuperNode", name)
	}
	if err := s.add("the name", strings.ToLower(name)); err != nil {
		return err
	}
	return s.add("the key", fingerprint)
}

func (s seen) add(what, value string) error {
	if s[what+value] {
		return fmt.Errorf("%s %s occurs twice", what, show(value))
	}
	s[what+value] = true
	return nil
}

func wrong(what, value string) error { return fmt.Errorf("%s is not valid: %s", what, show(value)) }

func tooManyNodes(n int) error {
	if n == 0 {
		return errors.New("it names no SuperNode")
	}
	return fmt.Errorf("it names %d SuperNodes, more than %d", n, maxNodes)
}
