package ui

import (
	"os"
	"testing"
)

// newPipe is an input that a test types into; the pipe's buffer holds unread keys.
func newPipe(t *testing.T) (*os.File, func(string)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, func(k string) {
		if _, err := w.WriteString(k); err != nil {
			t.Error(err)
		}
	}
}
