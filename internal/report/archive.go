package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"os"
	"time"
)

// File is a file of a report.
type File struct {
	Name string // in the archive
	Says string // in words, for the list that a person sees before
	Text string // through the Redactor
}

// ErrSecret says that a text has something that must not leave the machine. Nothing was written.
var ErrSecret = errors.New("a secret would be in the report")

// Write writes the files as a tar.gz into a new file, for its owner alone. Each is checked by r once more.
func Write(path string, files []File, r *Redactor, at time.Time) error {
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for _, f := range files {
		if r.Leaks(f.Text) != "" {
			return ErrSecret
		}
		if err := w.WriteHeader(&tar.Header{Name: "flwrup-report/" + f.Name, Mode: 0o600, Size: int64(len(f.Text)), ModTime: at.UTC().Truncate(time.Second), Format: tar.FormatPAX}); err != nil {
			return err
		}
		if _, err := w.Write([]byte(f.Text)); err != nil {
			return err
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b.Bytes())
	if err := errors.Join(err, f.Close()); err != nil {
		os.Remove(path) // made a moment ago
		return err
	}
	return nil
}
