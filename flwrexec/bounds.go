package flwrexec

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"sync"

	"flwrup/internal/problem"
)

// maxAnswer is the longest text that a short command may print: a list of 20,000 SuperNodes needs less.
// worker.py has the same bound.
const maxAnswer = 8 << 20

// maxLine is the longest line of the worker: an answer as JSON, whose escapes take more than a byte.
const maxLine = 4 * maxAnswer

// errTooLong says that a program printed more than maxAnswer.
var errTooLong = errors.New("its answer is too long")

func tooLong(err error) error {
	p := problem.New(problem.FlwrFailed, fmt.Sprintf("flwr's answer is longer than %d MB", maxAnswer>>20),
		"no list of a SuperGrid is that long: something is wrong with this grid or this flwr",
		"check the address of the grid, and which flwr this is")
	p.Err = err
	return p
}

// bounded keeps what a program prints, up to maxAnswer bytes. A program that prints more is stopped.
type bounded struct {
	stop func() // called once, when it is too much

	mu   sync.Mutex // stdout and stderr may share one
	b    bytes.Buffer
	over bool
}

func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return 0, errTooLong
	}
	if w.b.Len()+len(p) > maxAnswer {
		w.over = true
		w.stop()
		return 0, errTooLong
	}
	return w.b.Write(p)
}

func (w *bounded) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// boundedLine reads a line with its line feed, at most max bytes of it; a longer one is errTooLong.
func boundedLine(r *bufio.Reader, max int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > max {
			return nil, errTooLong
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}
