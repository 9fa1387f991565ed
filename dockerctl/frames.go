package dockerctl

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"flwrup/internal/termsafe"
)

// errCut says that the daemon stopped in the middle of a stream, or that it is not one.
var errCut = errors.New("the log stream broke off")

// maxKept is how much of a line is kept: more than termsafe shows, so that termsafe can mark the cut.
const maxKept = 4 * termsafe.MaxLine

// pieceSize is the length at which Docker cuts a line.
const pieceSize = 16 << 10

// maxStamp is the longest time that Docker writes before a line, with the space.
const maxStamp = len(time.RFC3339Nano) + 1

// partial is a line that has not ended yet.
type partial struct {
	at   time.Time
	text []byte
	open bool
}

func (p *partial) add(b []byte) {
	p.text = append(p.text, b[:min(len(b), maxKept-len(p.text))]...)
}

func (p *partial) end(send func(time.Time, string) error) error {
	text := p.text
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	err := send(p.at, string(text))
	*p = partial{text: p.text[:0]}
	return err
}

// readFrames reads the multiplexed stream of a container without a terminal: frames of eight bytes header
// (stream, three zeros, length) and a message that begins with its time. Docker cuts lines of more than
// pieceSize into several frames, each with a time of its own. readFrames joins them into one line again and
// keeps at most maxKept bytes of it; stdcopy would leave those times in the middle of the text. A shorter
// frame without a line feed is the last output of a program that has ended.
// https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach
func readFrames(r io.Reader, send func(time.Time, string) error) error {
	br := bufio.NewReaderSize(r, 32<<10)
	var streams [4]partial // stdin, stdout, stderr, the daemon's own errors
	buf := make([]byte, 0, maxKept+maxStamp)
	for {
		var head [8]byte
		if _, err := io.ReadFull(br, head[:]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		if head[0] > 3 || head[1]|head[2]|head[3] != 0 {
			return fmt.Errorf("%w: not a stream of frames", errCut)
		}
		size := int(binary.BigEndian.Uint32(head[4:]))
		buf = buf[:min(size, cap(buf))]
		if _, err := io.ReadFull(br, buf); err != nil {
			return fmt.Errorf("%w: %w", errCut, err)
		}
		ended := size > 0 && buf[len(buf)-1] == '\n'
		for rest := size - len(buf); rest > 0; { // only the last byte matters
			n, err := br.Discard(min(rest-1, 1<<20))
			if rest -= n; err != nil {
				return fmt.Errorf("%w: %w", errCut, err)
			}
			if rest == 1 {
				last, err := br.ReadByte()
				if err != nil {
					return fmt.Errorf("%w: %w", errCut, err)
				}
				ended, rest = last == '\n', 0
			}
		}
		at, text := cutTime(buf)
		if head[0] == 3 {
			return fmt.Errorf("%w: %s", errCut, termsafe.Line(string(text)))
		}
		p := &streams[head[0]]
		if !p.open {
			p.open, p.at = true, at
		}
		p.add(text)
		if ended || size-(len(buf)-len(text)) < pieceSize {
			if err := p.end(send); err != nil {
				return err
			}
		}
	}
	for i := range streams {
		if streams[i].open {
			if err := streams[i].end(send); err != nil {
				return err
			}
		}
	}
	return nil
}

// readRaw reads the plain stream of a container with a terminal: a time and text on every line.
func readRaw(r io.Reader, send func(time.Time, string) error) error {
	br := bufio.NewReaderSize(r, 32<<10)
	var p partial
	for {
		chunk, err := br.ReadSlice('\n')
		if len(chunk) > 0 {
			if !p.open {
				p.open = true
				p.at, chunk = cutTime(chunk)
			}
			p.add(chunk)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err != nil:
			if p.open {
				if err := p.end(send); err != nil {
					return err
				}
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("%w: %w", errCut, err)
		}
		if err := p.end(send); err != nil {
			return err
		}
	}
}

// cutTime cuts the time off the front of a line; a line without one stays whole.
func cutTime(line []byte) (time.Time, []byte) {
	for i := 0; i < len(line) && i < maxStamp; i++ {
		if line[i] != ' ' {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, string(line[:i]))
		if err != nil {
			break
		}
		return at, line[i+1:]
	}
	return time.Time{}, line
}
