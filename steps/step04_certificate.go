package steps

import (
	"context"
	"os"
	"path/filepath"

	"flwrup/internal/atomicfile"
	"flwrup/internal/tomledit"
	"flwrup/keys"
)

// certificate is step 4: the DNS line in certificate.conf of Flower's authentication example. It
// matters only to somebody who runs a SuperLink of his own with that example's certificates.
type certificate struct{}

const fleetName = "fleet-supergrid.flower.ai"

func (certificate) Number() int   { return 4 }
func (certificate) Name() string  { return "Certificate line" }
func (certificate) Title() string { return "certificate.conf" }
func (certificate) Why() string {
	return "The guide adds a line for the SuperGrid to certificate.conf of Flower's authentication example. " +
		"That file makes certificates for a SuperLink of your own. A SuperGrid has a public certificate, and its SuperNodes need none of yours, " +
		"so the line is needed only where you keep that example."
}

func (certificate) file(s *Site) string {
	for _, dir := range []string{s.Dir, filepath.Dir(s.keysDir())} {
		file := filepath.Join(dir, "certificate.conf")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

func (c certificate) edit(s *Site) (file string, before, after []byte, err error) {
	if file = c.file(s); file == "" {
		return "", nil, nil, nil
	}
	if before, err = os.ReadFile(file); err != nil {
		return file, nil, nil, err
	}
	after, _, err = keys.SetDNS(before, fleetName)
	return file, before, after, err
}

func (c certificate) Inspect(ctx context.Context, s *Site) (Status, error) {
	file, before, after, err := c.edit(s)
	switch {
	case file == "":
		return Status{State: NotNeeded, Why: "the grid's certificate is not made from a certificate.conf here",
			Evidence: []string{"no certificate.conf in this folder"}}, nil
	case err != nil:
		return Status{}, err
	case string(before) == string(after):
		return Status{State: Done, Evidence: []string{s.rel(file) + " names " + fleetName}}, nil
	}
	return Status{State: Ready, Evidence: []string{s.rel(file) + " does not name " + fleetName}}, nil
}

func (c certificate) Plan(ctx context.Context, s *Site) ([]Action, error) {
	file, before, after, err := c.edit(s)
	if err != nil || file == "" {
		return nil, err
	}
	return []Action{{Says: "add the DNS line under [alt_names] of " + s.rel(file), Diff: tomledit.Diff(before, after, s.rel(file))}}, nil
}

func (c certificate) Apply(ctx context.Context, s *Site, to Sink) error {
	file, before, after, err := c.edit(s)
	if err != nil || file == "" || string(before) == string(after) {
		return err
	}
	answer, err := to.Ask(ctx, Question{ID: "certificate", Kind: AskConfirm, Default: "yes",
		Ask: "Change " + s.rel(file) + " like this?", Diff: tomledit.Diff(before, after, s.rel(file))})
	if err != nil || answer != "yes" {
		return err
	}
	undo := file + ".before-flwrup"
	if _, err := os.Stat(undo); os.IsNotExist(err) {
		if err := atomicfile.Write(undo, before, 0o600); err != nil {
			return err
		}
	}
	return atomicfile.Write(file, after, 0o644)
}

// Change writes a complete certificate.conf for somebody who runs a SuperLink of his own and has none.
func (c certificate) Change(ctx context.Context, s *Site, to Sink) error {
	if c.file(s) != "" {
		return c.Apply(ctx, s, to)
	}
	file, conf := filepath.Join(s.Dir, "certificate.conf"), keys.NewCertificateConf(fleetName)
	answer, err := to.Ask(ctx, Question{ID: "certificate", Kind: AskConfirm, Default: "no",
		Ask:  "Write a certificate.conf for a SuperLink of your own?",
		Help: "A SuperGrid does not need it.", Diff: tomledit.Diff(nil, conf, s.rel(file))})
	if err != nil || answer != "yes" {
		return err
	}
	return atomicfile.Write(file, conf, 0o644)
}
