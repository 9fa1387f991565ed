//go:build linux || darwin

package procctl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

const logPoll = 150 * time.Millisecond

// Logs reads the node's log file, the part that was set aside first. flwr's lines carry no time. A line that
// arrives while the file is followed gets the time it was seen (150 ms exact), flwrup's own marks the time
// they state, others none. Following goes on across stops and starts until ctx ends (its error is returned)
// or the node is removed (nil). Problem node-not-found for a node that was never started.
func (r *Runtime) Logs(ctx context.Context, name string, o supernode.LogOptions, each func(supernode.Line) error) error {
	if err := checkName(name); err != nil {
		return err
	}
	dir := filepath.Join(r.opts.Dir, name)
	if !known(dir) {
		return problem.New(problem.NodeNotFound, name+" has no log", "it was never started on this machine as a process", "start it")
	}
	path := filepath.Join(dir, logFile)
	live := false
	lines := splitLines(ctx, name, &live, each)

	cur, err := openExisting(path)
	if err != nil {
		return err
	}
	defer func() {
		if cur != nil {
			cur.Close()
		}
	}()
	if err := backlog(lines, path+".1", cur, o.Tail); err != nil {
		return err
	}
	if !o.Follow {
		return lines.Close()
	}
	live = true
	for {
		if cur != nil {
			if _, err := io.Copy(lines, cur); err != nil {
				return err
			}
		}
		if err := safego.Sleep(ctx, logPoll); err != nil {
			return err
		}
		there, err := os.Stat(path)
		if errors.Is(err, os.ErrNotExist) {
			if !known(dir) {
				return lines.Close()
			}
			continue // between setting aside and opening again
		} else if err != nil {
			return fmt.Errorf("read the log of %s: %w", name, err)
		}
		if cur != nil {
			mine, err := cur.Stat()
			if err == nil && os.SameFile(mine, there) {
				if at, _ := cur.Seek(0, io.SeekCurrent); there.Size() < at { // another process emptied it
					_, _ = cur.Seek(0, io.SeekStart)
				}
				continue
			}
			if _, err := io.Copy(lines, cur); err != nil { // earlier lines were set aside
				return err
			}
			if err := lines.Close(); err != nil {
				return err
			}
			cur.Close()
		}
		if cur, err = openExisting(path); err != nil {
			return err
		}
	}
}

// splitLines returns a writer that splits its input into lines; lines that come while live is set get the
// present time.
func splitLines(ctx context.Context, name string, live *bool, each func(supernode.Line) error) *termsafe.Splitter {
	return &termsafe.Splitter{Each: func(text string) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		l := supernode.Line{Node: name, Text: text, Time: markTime(text)}
		if *live && l.Time.IsZero() {
			l.Time = time.Now()
		}
		return each(l)
	}}
}

func openExisting(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the log: %w", err)
	}
	return f, nil
}

// backlog returns the last tail lines of the two files (all when tail is negative) and leaves cur at its end.
func backlog(to io.Writer, older string, cur *os.File, tail int) error {
	old, err := openExisting(older)
	if err != nil {
		return err
	}
	if old != nil {
		defer old.Close()
	}
	left := tail
	if cur != nil && tail >= 0 {
		if left, err = seekTail(cur, tail); err != nil {
			return err
		}
	}
	if old != nil && left != 0 {
		if tail >= 0 {
			if _, err := seekTail(old, left); err != nil {
				return err
			}
		}
		if _, err := io.Copy(to, old); err != nil {
			return err
		}
	}
	if cur != nil {
		if _, err := io.Copy(to, cur); err != nil {
			return err
		}
	}
	return nil
}

// seekTail moves f to the beginning of its last n lines, and returns how many of n it lacks.
func seekTail(f *os.File, n int) (int, error) {
	at, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for end := at; at > 0; {
		size := min(at, int64(len(buf)))
		at -= size
		if _, err := f.ReadAt(buf[:size], at); err != nil && err != io.EOF {
			return 0, err
		}
		for i := size; ; {
			j := bytes.LastIndexByte(buf[:i], '\n')
			if j < 0 {
				break
			}
			i = int64(j)
			if at+i == end-1 {
				continue // ends the last line
			}
			if n--; n == 0 {
				_, err := f.Seek(at+i+1, io.SeekStart)
				return 0, err
			}
		}
	}
	if end, _ := f.Seek(0, io.SeekEnd); end > 0 {
		n-- // the first line has no line feed before it
	}
	_, err = f.Seek(0, io.SeekStart)
	return n, err
}
