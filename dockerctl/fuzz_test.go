package dockerctl

import (
	"bytes"
	"testing"
	"time"
)

// FuzzLogStream reads the streams in which a daemon sends a container's log. Lines are bounded, whatever
// lengths the stream claims.
func FuzzLogStream(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x00\x00\x232026-01-01T00:00:00.000000000Z hello\n"))
	f.Add([]byte("\x02\x00\x00\x00\xff\xff\xff\xffx"))
	f.Add([]byte("2026-01-01T00:00:00.0Z a\r\nb"))
	f.Fuzz(func(t *testing.T, in []byte) {
		total := 0
		each := func(_ time.Time, text string) error {
			if total += len(text); len(text) > maxKept || total > len(in) {
				t.Fatalf("%d bytes of a line, %d in all, from %d", len(text), total, len(in))
			}
			return nil
		}
		_ = readFrames(bytes.NewReader(in), each)
		total = 0
		if err := readRaw(bytes.NewReader(in), each); err != nil {
			t.Fatal(err)
		}
	})
}
