// Package sites is a federation of several institutions: a site without an account asks a coordinator to admit its
// SuperNodes, and the coordinator registers them. Private keys stay at the site that made them. What travels are the
// letters of internal/admission.
package sites

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/admission"
	"flwrup/internal/atomicfile"
	"flwrup/internal/ledger"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
	"flwrup/keys"
)

// Letter is a letter that this folder has written.
type Letter struct {
	File  string // relative to the project's folder
	Words string // four words for the telephone
	Text  []byte
}

// Request returns the request for the SuperNodes of a site, and writes it where there is none for the same keys. It
// needs the keys and nothing else: neither flwr, nor Docker, nor a network.
func Request(ctx context.Context, s *site.Site) (Letter, error) {
	p := s.Look(ctx, site.Want{Parts: site.ReadKeys | site.ReadFlwrAtHand})
	if p.Keys.Err != nil {
		return Letter{}, p.Keys.Err
	}
	if known, ok := Pending(p); ok {
		if text, err := readOwn(p, known); err == nil {
			return Letter{File: known.File, Words: known.Words, Text: text}, nil
		}
	}
	letter := admission.Request{Site: p.Choices.Site.Name, Contact: p.Choices.Site.Contact, Flwr: p.Flwr,
		Platform: runtime.GOOS + "/" + runtime.GOARCH, Made: time.Now()}
	var signers []ssh.Signer
	record := ledger.Request{Made: letter.Made}
	for _, n := range p.SuperNodes {
		signer, err := keys.Signer(n.Pair)
		if err != nil {
			return Letter{}, err
		}
		signers = append(signers, signer)
		letter.Nodes = append(letter.Nodes, admission.Node{Name: n.Name, Key: signer.PublicKey()})
		record.Keys = append(record.Keys, n.Pair.Fingerprint)
	}
	text, err := letter.Seal(signers)
	if err != nil {
		return Letter{}, err
	}
	sealed, err := admission.OpenRequests(text)
	if err != nil {
		return Letter{}, err
	}
	record.ID, record.Words = sealed[0].ID, sealed[0].Words()
	if record.File, err = keep(s, "request-"+shortName(letter.Site), text); err != nil {
		return Letter{}, err
	}
	return Letter{File: record.File, Words: record.Words, Text: text},
		s.Ledger.Change(func(d *ledger.Data) error { d.PutRequest(record); return nil })
}

// Pending returns the newest request of a folder, where it is for all of its SuperNodes.
func Pending(p site.Snapshot) (ledger.Request, bool) {
	if len(p.Ledger.Requests) == 0 {
		return ledger.Request{}, false
	}
	newest := p.Ledger.Requests[len(p.Ledger.Requests)-1]
	var have []string
	for _, n := range p.SuperNodes {
		have = append(have, n.Pair.Fingerprint)
	}
	return newest, slices.Equal(have, newest.Keys)
}

// readOwn reads a request of this folder's from its file, and checks that it is as it was written.
func readOwn(p site.Snapshot, known ledger.Request) ([]byte, error) {
	text, err := plainfile.Read(p.Path(known.File))
	if err != nil {
		return nil, err
	}
	sealed, err := admission.OpenRequests(text)
	if err == nil && (len(sealed) != 1 || sealed[0].ID != known.ID) {
		err = errors.New("it is another request")
	}
	return text, err
}

// letterHead is how every letter of flwrup begins.
const letterHead = "-----BEGIN FLWRUP "

// LetterLimit is the size in bytes above which a text is no letter.
const LetterLimit = 1 << 20

// ReadLetter reads a file with a letter, or a mail around it.
func ReadLetter(file string) ([]byte, error) {
	text, err := plainfile.ReadAtMost(file, LetterLimit)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, problem.New(problem.BadInput, "cannot read "+file, "there is no such file", "give the file that was sent to you")
	case err != nil:
		return nil, &problem.Problem{Code: problem.BadInput, What: "cannot read " + file, Why: problem.Cause(err), Fix: "give the file that was sent to you", Err: err}
	}
	return text, nil
}

// keep writes a letter into the project's folder and returns its name there. It replaces a letter of flwrup's, and
// nothing else.
func keep(s *site.Site, name string, text []byte) (string, error) {
	file := filepath.Join(s.Dir, name+".txt")
	if err := site.Stays(s, file); err != nil {
		return "", err
	}
	switch before, err := plainfile.Read(file); {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return "", fmt.Errorf("read %s: %w", s.Rel(file), err)
	case !bytes.HasPrefix(before, []byte(letterHead)):
		return "", problem.New(problem.BadInput, "cannot write "+s.Rel(file), "a file that flwrup did not write has that name", "move it away")
	}
	if err := atomicfile.Write(file, text, 0o644); err != nil {
		return "", fmt.Errorf("write %s: %w", s.Rel(file), err)
	}
	return s.Rel(file), nil
}

// shortName makes of a site's name the first part of the names of its SuperNodes: st-marys-hospital.
func shortName(title string) string {
	short := wording.Slug(strings.NewReplacer("'", "", ".", "").Replace(title))
	if short = strings.TrimRight(short[:min(len(short), 24)], "-"); short != "" {
		return short
	}
	return "site"
}
