package admission

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

const (
	maxText    = 64 << 10 // bytes of a text with letters in it
	maxLetters = 32       // in one text: the words of each take a while
)

// kind is one of the two kinds of letters.
type kind struct {
	name      string
	label     string // in the lines around it
	namespace string // of its signatures
	again     string // how to get another
}

var (
	request = kind{"request", "FLWRUP REQUEST", "flwrup-request", "ask the site to send the request again"}
	reply   = kind{"reply", "FLWRUP REPLY", "flwrup-reply", "ask the coordinator to send the reply again"}
)

func armour(k kind, f frame) ([]byte, error) {
	text := pem.EncodeToMemory(&pem.Block{Type: k.label, Bytes: ssh.Marshal(f)})
	if len(text) > maxText {
		return nil, unsealable(k, fmt.Errorf("it would have %d bytes, more than %d", len(text), maxText))
	}
	return text, nil
}

// marker matches the line before or after a letter in a text without its wrapping.
var marker = regexp.MustCompile(`-[- ]*(BEGIN|END) +(FLWRUP +(?:REQUEST|REPLY)) *-+`)

// unarmour returns the letters of kind k in a text. Mail and chat may have wrapped and quoted it.
func unarmour(k kind, text []byte) ([]frame, error) {
	if len(text) > maxText {
		return nil, problem.New(problem.BadInput, "cannot read the "+k.name, fmt.Sprintf("the text has %d bytes, more than %d", len(text), maxText),
			"pass only the lines from -----BEGIN "+k.label+"----- to -----END "+k.label+"-----")
	}
	plain := unwrap(text)
	if holdsSecret(plain) {
		return nil, problem.New(problem.BadInput, "the text has a private key in it", "a "+k.name+" has none; flwrup read no further",
			"never send a private key; if this one was sent, make a new pair and a new request")
	}
	bodies, others, err := cut(k, plain)
	if err != nil {
		return nil, err
	}
	if len(bodies) == 0 {
		return nil, noLetter(k, others, plain)
	}
	if len(bodies) > maxLetters {
		return nil, problem.New(problem.BadInput, "cannot read the "+k.name, fmt.Sprintf("the text has %d of them, more than %d", len(bodies), maxLetters),
			"pass fewer at once")
	}
	var frames []frame
	for i, body := range bodies {
		f, err := unframe(body)
		if err != nil {
			return nil, unopenable(k, i, len(bodies), err)
		}
		frames = append(frames, f)
	}
	return frames, nil
}

// Unfinished reports whether a text has the beginning of a letter, and not its end: more lines follow.
func Unfinished(text string) bool {
	begun := false
	for _, m := range marker.FindAllStringSubmatch(unwrap([]byte(text)), -1) {
		begun = m[1] == "BEGIN"
	}
	return begun
}

// IsLetter reports whether a text is a letter, or one with a mail around it, and not the path of a file.
func IsLetter(text string) bool { return marker.MatchString(unwrap([]byte(text))) }

// unwrap undoes what mail and chat do to a text: all kinds of blanks and the marks of quotes become spaces, all kinds
// of dashes hyphens, and invisible characters disappear. Windows writes files in UTF-16.
func unwrap(text []byte) string {
	s := string(text)
	for mark, order := range map[string]binary.ByteOrder{"\xff\xfe": binary.LittleEndian, "\xfe\xff": binary.BigEndian} {
		if wide, found := strings.CutPrefix(s, mark); found {
			units := make([]uint16, 0, len(wide)/2)
			for b := []byte(wide); len(b) >= 2; b = b[2:] {
				units = append(units, order.Uint16(b))
			}
			s = string(utf16.Decode(units))
			break
		}
	}
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), r == '>', r == '|', r == unicode.ReplacementChar:
			return ' '
		case unicode.Is(unicode.Pd, r), r == '\u2212': // minus
			return '-'
		case termsafe.Hidden(r):
			return -1
		}
		return r
	}, s)
}

// secret matches private keys in the usual formats, with or without the line before them.
var secret = regexp.MustCompile(`(BEGIN|END) +([A-Z0-9]+ +)*PRIVATE +KEY|PuTTY-User-Key-File|AGE-SECRET-KEY-1`)

// opensshKey is the beginning of an OpenSSH private key in base64: "openssh-key-v1", and a zero byte.
const opensshKey = "b3BlbnNzaC1rZXktdjEA"

func holdsSecret(plain string) bool {
	return secret.MatchString(plain) || strings.Contains(strings.ReplaceAll(plain, " ", ""), opensshKey)
}

// cut returns the texts between the markers of kind k, and counts the markers of the other kind. A reply by mail often
// quotes the request.
func cut(k kind, plain string) (bodies []string, others int, err error) {
	var open, label string // of the marker before
	from := 0              // where it ends
	for _, m := range marker.FindAllStringSubmatchIndex(plain, -1) {
		before, beforeLabel, begin := open, label, from
		open, label, from = plain[m[2]:m[3]], strings.Join(strings.Fields(plain[m[4]:m[5]]), " "), m[1]
		if before == "BEGIN" && beforeLabel == k.label && (open == "BEGIN" || label != k.label) {
			return nil, 0, cutOff(k, "end")
		}
		switch {
		case label != k.label:
			others++
		case open == "END" && (before != "BEGIN" || beforeLabel != k.label):
			return nil, 0, cutOff(k, "beginning")
		case open == "END":
			bodies = append(bodies, plain[begin:m[0]])
		}
	}
	if open == "BEGIN" && label == k.label {
		return nil, 0, cutOff(k, "end")
	}
	return bodies, others, nil
}

var errBody = errors.New("it was cut off or changed on the way")

// unframe decodes what is between two markers. The text of a mail as it travels has =3D for an equals sign.
func unframe(body string) (f frame, err error) {
	body = strings.TrimRight(strings.ReplaceAll(strings.ReplaceAll(body, " ", ""), "=3D", "="), "=")
	raw, err := base64.RawStdEncoding.Strict().DecodeString(body)
	if err == nil {
		err = ssh.Unmarshal(raw, &f)
	}
	if err != nil {
		return frame{}, errBody
	}
	return f, nil
}

func cutOff(k kind, part string) error {
	return problem.New(problem.BadInput, "cannot read the "+k.name, "its "+part+" is missing", k.again)
}

// noLetter says why a text has no letter of kind k.
func noLetter(k kind, others int, plain string) error {
	switch {
	case others > 0 && k == request:
		return problem.New(problem.BadInput, "cannot read the request", "this is a reply, which is for the site",
			"at the site: flwrup join FILE")
	case others > 0:
		return problem.New(problem.BadInput, "cannot read the reply", "this is a request, which is for the coordinator",
			"at the coordinator: flwrup admit FILE")
	case strings.Contains(plain, "FLWRUP"):
		return cutOff(k, "beginning or end")
	}
	return problem.New(problem.BadInput, "cannot find a "+k.name, "the text has no line -----BEGIN "+k.label+"-----", k.again)
}

// unopenable is the Problem of letter i of n.
func unopenable(k kind, i, n int, err error) error {
	what, fix := "cannot read the "+k.name, k.again
	if n > 1 {
		what = fmt.Sprintf("cannot read %s %d of %d", k.name, i+1, n)
	}
	if errors.Is(err, errNewer) {
		fix = "update flwrup here"
	}
	return &problem.Problem{Code: problem.BadInput, What: what, Why: err.Error(), Fix: fix, Err: err}
}

func unsealable(k kind, err error) error {
	return &problem.Problem{Code: problem.BadInput, What: "cannot write the " + k.name, Why: err.Error(), Fix: "correct it, and try again", Err: err}
}
