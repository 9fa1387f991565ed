package termsafe

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"
)

// maxRaw is how much of one raw line a Splitter keeps. It is more than MaxLine, so that a coloured
// line is not cut because of its colours.
const maxRaw = 4 * MaxLine

// Splitter is an io.WriteCloser that cuts a stream into safe lines. Its memory is bounded however long a line
// is. Several goroutines must not use it at once.
type Splitter struct {
	// Each gets every line, cleaned by Line, without its line feed. Its error ends the splitting: Write and Close
	// return it.
	Each func(line string) error
	// Head, if set, sees the raw beginning of each line before Each does. It returns how many bytes are not the
	// line's: the time that a source puts in front. It is called once a line and must not keep raw.
	Head func(raw []byte) int

	buf     []byte
	head    int  // bytes of buf that Head took
	headed  bool // Head was asked for this line
	dropped int  // bytes of this line that did not fit
	cr      bool // the line is too long and its last byte was a carriage return
	some    bool // the line has begun
	err     error
}

// Write takes the next bytes of the stream and calls Each for each line that they complete.
func (s *Splitter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if s.err != nil {
			return n - len(p), s.err
		}
		end := bytes.IndexByte(p, '\n')
		if end < 0 {
			s.add(p)
			return n, nil
		}
		s.add(p[:end])
		p = p[end+1:]
		s.some = true
		s.flush()
	}
	return n, s.err
}

// Close delivers a last line that has no line feed. Writing more after it is no error.
func (s *Splitter) Close() error {
	if s.some && s.err == nil {
		s.flush()
	}
	return s.err
}

// add keeps the part of a piece that fits the present line. Once the line is too long, a carriage return
// starts it again, so that an endless progress bar shows its newest state.
func (s *Splitter) add(p []byte) {
	if len(p) == 0 {
		return
	}
	s.some = true
	for len(p) > 0 {
		if s.cr && p[0] != '\r' {
			s.askHead()
			s.buf, s.dropped, s.cr = s.buf[:s.head], 0, false
		}
		room := maxRaw - len(s.buf)
		if s.dropped == 0 && len(p) <= room {
			s.buf = append(s.buf, p...)
			return
		}
		if s.dropped == 0 && room > 0 {
			s.buf = append(s.buf, p[:room]...)
			s.dropped, p = 0, p[room:]
			// A character is kept whole or not at all.
			if i := lastRune(s.buf); i < len(s.buf) {
				s.dropped += len(s.buf) - i
				s.buf = s.buf[:i]
			}
		}
		i := bytes.IndexByte(p, '\r')
		if i < 0 {
			s.dropped += len(p)
			return
		}
		s.dropped += i + 1
		s.cr = true
		p = p[i+1:]
	}
}

// lastRune returns where an unfinished last character of b begins, or len(b).
func lastRune(b []byte) int {
	for i := len(b) - 1; i >= 0 && i >= len(b)-utf8.UTFMax; i-- {
		if utf8.RuneStart(b[i]) {
			if utf8.FullRune(b[i:]) {
				return len(b)
			}
			return i
		}
	}
	return len(b)
}

func (s *Splitter) askHead() {
	if s.headed || s.Head == nil {
		return
	}
	s.headed = true
	s.head = max(0, min(s.Head(s.buf), len(s.buf)))
}

func (s *Splitter) flush() {
	s.askHead()
	raw := s.buf[s.head:]
	dropped := s.dropped
	if s.cr { // the line feed of a long line that ends in CR LF
		dropped--
	}
	line := string(raw)
	if dropped > 0 || !plain(line) {
		line = capped(clean(line), dropped)
	}
	s.buf, s.head, s.headed, s.dropped, s.cr, s.some = s.buf[:0], 0, false, 0, false, false
	s.err = s.Each(line)
}

// ReadLines reads r to its end and calls each with every line, made safe by Line, without its line feed; a
// last line without one counts as well. Memory is bounded for any r. It returns the first error of each or of
// r; the end of r is none.
func ReadLines(r io.Reader, each func(line string) error) error {
	s := Splitter{Each: each}
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if _, werr := s.Write(buf[:n]); werr != nil {
				return werr
			}
		}
		if err == nil {
			continue
		}
		if cerr := s.Close(); cerr != nil {
			return cerr
		}
		if err == io.EOF {
			return nil
		}
		return err
	}
}

// Lines returns the safe lines of s.
func Lines(s string) []string {
	var lines []string
	_ = ReadLines(strings.NewReader(s), func(line string) error { // neither can fail
		lines = append(lines, line)
		return nil
	})
	return lines
}
