package steps

import (
	"context"
	"os"
	"path/filepath"

	"flwrup/flwrexec/config"
	"flwrup/internal/front"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/keys"
)

// certificate is step 4: the DNS line in certificate.conf of Flower's authentication example. It
// matters only to somebody who runs a SuperLink of his own with that example's certificates.
type certificate struct{ free }

const fleetName = "fleet-supergrid.flower.ai"

func (certificate) ID() front.StepID { return front.StepCertificate }
func (certificate) Name() string     { return "Certificate line" }
func (certificate) Title() string    { return "certificate.conf" }
func (certificate) Why() string {
	return "Flower's guide adds a line for the SuperGrid to the authentication example's certificate.conf. " +
		"That file makes certificates for a SuperLink of your own. A SuperGrid has a public certificate and needs none of yours, " +
		"so you need the line only if you use that example."
}

// Wants returns certificate.conf.
func (certificate) Wants() Wants { return Wants{Status: readCertificate, Plan: readCertificate} }

// certificateFile returns certificate.conf; "" where there is none.
func certificateFile(f site.Folder) string {
	for _, dir := range []string{f.Dir, filepath.Dir(f.KeysDir())} {
		file := filepath.Join(dir, "certificate.conf")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// attestLine is what the ledger keeps of a person who wants certificate.conf left as it is.
const attestLine = "certificate line left out"

// confLimit is the size in bytes above which a file is no certificate.conf.
const confLimit = 1 << 20

// certificateEdit plans the line; nothing where there is no file, and a file that has the line is no change.
func certificateEdit(f site.Folder) (config.Edit, error) {
	e := config.Edit{File: certificateFile(f), Why: "add the DNS name to the certificate's names"}
	if e.File == "" {
		return e, nil
	}
	info, err := os.Stat(e.File)
	switch {
	case err != nil:
		return e, err
	case !info.Mode().IsRegular() || info.Size() > confLimit:
		return e, problem.New(problem.BadInput, f.Rel(e.File)+" is not a certificate configuration", "it is a folder, a device, or far too large", "")
	}
	if e.Before, err = plainfile.Read(e.File); err != nil {
		return e, err
	}
	e.After, _, err = keys.SetDNS(e.Before, fleetName)
	return e, err
}

func (certificate) Inspect(p Snapshot) (front.Status, error) {
	e, err := p.Certificate.Value, p.Certificate.Err
	switch {
	case e.File == "":
		return front.Status{State: front.NotNeeded, Why: "the grid's certificate is not made from a certificate.conf here",
			Evidence: []string{"no certificate.conf in this folder"}}, nil
	case err != nil: // no SuperGrid needs the file: it does not end the way
		return leftAlone(p.Rel(e.File)+" stays as it is", problem.Of(err).Error()), nil
	case !e.Changed():
		return front.Status{State: front.Done, Evidence: []string{p.Rel(e.File) + " has " + fleetName}}, nil
	}
	if _, no := p.Ledger.Attestation(attestLine); no {
		return leftAlone(p.Rel(e.File)+" stays as it is", "as you chose"), nil
	}
	if p.Unwritable != nil {
		return leftAlone(p.Rel(e.File)+" does not have "+fleetName, problem.Of(p.Unwritable).Error()), nil
	}
	return front.Status{State: front.Ready, Evidence: []string{p.Rel(e.File) + " does not have " + fleetName}}, nil
}

// leftAlone is the status of a file that flwrup cannot, or is not to, change.
func leftAlone(says, why string) front.Status {
	return front.Status{State: front.NotNeeded, Why: "a SuperGrid does not need your certificate.conf", Evidence: []string{says + ": " + why}}
}

func (certificate) Plan(p Snapshot) ([]front.Action, error) {
	e := p.Certificate.Value
	if p.Certificate.Err != nil || e.File == "" {
		return nil, p.Certificate.Err
	}
	return []front.Action{{Says: e.Why + " of " + p.Rel(e.File), Diff: p.Diff(e)}}, nil
}

func (c certificate) Apply(ctx context.Context, s *site.Site, to front.Sink) error {
	e, err := certificateEdit(s.Folder())
	if err != nil || !e.Changed() {
		return err
	}
	done, err := site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "certificate", Default: "yes", Ask: "Change " + s.Rel(e.File) + " like this?"})
	if err != nil || done {
		return err
	}
	return s.Ledger.Attest(attestLine, "no")
}

// Change writes a complete certificate.conf for somebody who runs a SuperLink of his own and has none.
func (c certificate) Change(ctx context.Context, s *site.Site, to front.Sink) error {
	if certificateFile(s.Folder()) != "" {
		return c.Apply(ctx, s, to)
	}
	e := config.Edit{File: filepath.Join(s.Dir, "certificate.conf"), After: keys.NewCertificateConf(fleetName)}
	_, err := site.Edit(ctx, s, to, c.ID(), e, front.Question{ID: "certificate", Default: "no",
		Ask: "Write a certificate.conf for a SuperLink of your own?", Help: "A SuperGrid does not need it."})
	return err
}
