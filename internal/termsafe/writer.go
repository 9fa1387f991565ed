package termsafe

import (
	"io"
	"strings"
	"sync"
	"unicode/utf8"
)

// Writer passes text on to a terminal, a pipe or a file, cleaned like Line except for the length of its
// lines. It is the last door: below every output of flwrup that draws nothing. Text reaches Out at once, so
// that a question is visible before its answer. Only the bytes of an unfinished character and a carriage
// return at the end wait for the next Write. Line endings stay as they are. It is safe for several
// goroutines.
type Writer struct {
	Out io.Writer

	mu   sync.Mutex
	held []byte
}

// Write cleans p. It reports all of p as written when Out accepted the rest.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	b := p
	if len(w.held) > 0 {
		b = append(w.held, p...)
	}
	end := lastRune(b)
	if end == len(b) && end > 0 && b[end-1] == '\r' {
		end--
	}
	text := string(b[:end])
	w.held = append([]byte(nil), b[end:]...)
	if _, err := io.WriteString(w.Out, printable(text)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// printable cleans every line of text, and cuts none.
func printable(text string) string {
	if _, bad := Unsafe(text); !bad {
		return text
	}
	lines := strings.SplitAfter(text, "\n")
	for i, line := range lines {
		body := strings.TrimRight(line, "\r\n")
		feed := line[len(body):]
		if strings.HasSuffix(feed, "\r\n") {
			feed = "\r\n"
		} else {
			feed = strings.TrimLeft(feed, "\r")
		}
		lines[i] = clean(body) + feed
	}
	return strings.Join(lines, "")
}

// Unsafe returns the first character of text that a terminal may act on or that hides, and reports whether
// there is one. Line feeds, with or without a carriage return before them, and tabs are safe. So are piles of
// marks: Line thins them out, but they only look bad.
func Unsafe(text string) (rune, bool) {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		i += size
		switch {
		case r == utf8.RuneError && size == 1:
			return rune(text[i-1]), true
		case r == '\r' && i < len(text) && text[i] == '\n', r == '\n', safe(r):
		default:
			return r, true
		}
	}
	return 0, false
}

// safe reports whether Line keeps r as it is.
func safe(r rune) bool {
	switch {
	case r >= 0x20 && r < 0x7f || r == '\t':
		return true
	case r < 0x20 || r <= 0x9f || r == 0x2028 || r == 0x2029:
		return false
	}
	return !Hidden(r)
}
