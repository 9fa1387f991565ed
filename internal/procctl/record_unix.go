//go:build linux || darwin

package procctl

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// node is the content of node.json. It holds only the path of the key.
type node struct {
	Name    string            `json:"name"`
	Project string            `json:"project"`
	Flwr    string            `json:"flwr,omitempty"`
	Program string            `json:"program"`
	Args    []string          `json:"args"`
	Port    int               `json:"port,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	Made    time.Time         `json:"made"`
}

// stopping is stop.json: the process that got SIGTERM, and when.
type stopping struct {
	Pid   int       `json:"pid"`
	Ident string    `json:"ident"`
	At    time.Time `json:"at"`
	Kill  bool      `json:"killed,omitempty"`
}

// exited is exit.json: how this process ended, and when that was seen.
type exited struct {
	Pid    int       `json:"pid"`
	Ident  string    `json:"ident"`
	Code   int       `json:"code"`
	Signal string    `json:"signal,omitempty"`
	At     time.Time `json:"at"`
}

// record is the note that a node's process left about itself.
type record struct {
	pid   int
	ident string    // which of all processes that ever had this pid; "" when it was noted by hand
	inode uint64    // of the note itself: a copied folder must not claim the original's nodes
	own   uint64    // inode that the note has now
	at    time.Time // when the note was written: the start
}

func known(dir string) bool {
	for _, f := range []string{nodeFile, pidFile} {
		if _, err := os.Lstat(filepath.Join(dir, f)); err == nil {
			return true
		}
	}
	return false
}

// readRecord reads the note: the pid, the process's identity as identityScript writes it, the note's inode.
// Commands writes only the pid.
func readRecord(dir string) (record, bool) {
	f, err := os.Open(filepath.Join(dir, pidFile))
	if err != nil {
		return record{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return record{}, false
	}
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return record{}, false
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	rec := record{at: info.ModTime()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		rec.own = uint64(st.Ino)
	}
	if rec.pid, err = strconv.Atoi(strings.TrimSpace(lines[0])); err != nil || rec.pid <= 1 {
		return record{}, false
	}
	if len(lines) == 1 {
		return rec, true
	}
	inode, _, _ := strings.Cut(strings.TrimSpace(lines[len(lines)-1]), " ")
	if rec.inode, err = strconv.ParseUint(inode, 10, 64); err != nil {
		return record{}, false
	}
	rec.ident = identity(lines[1 : len(lines)-1])
	return rec, rec.ident != ""
}

func (rec record) byHand() bool { return rec.ident == "" }

// is reports whether p is the process that the note is about. A note made by hand holds only a pid. It means
// the process that has the pid now, if that process began before the note.
func (rec record) is(p process) bool {
	if rec.byHand() {
		return !p.began().After(rec.at.Add(2*time.Second)) && strings.Contains(commandLine(p.pid), "flower-supernode")
	}
	return p.ident == rec.ident && rec.inode == rec.own
}

// alive finds the node's process. It collects a child of ours that has ended, and notes the exit.
func (rec record) alive(dir string) (process, bool) {
	p, ok := inspect(rec.pid)
	if !ok || !p.zombie && !rec.is(p) {
		return process{}, false
	}
	if !p.zombie {
		return p, true
	}
	if p.ppid == os.Getpid() && (rec.byHand() || p.ident == rec.ident) {
		rec.collect(dir)
	}
	return process{}, false
}

func (rec record) collect(dir string) (exited, bool) {
	var ws unix.WaitStatus
	if pid, err := unix.Wait4(rec.pid, &ws, unix.WNOHANG, nil); err != nil || pid != rec.pid {
		return exited{}, false
	}
	e := exited{Pid: rec.pid, Ident: rec.ident, Code: ws.ExitStatus(), At: time.Now().UTC()}
	if ws.Signaled() {
		e.Code, e.Signal = 128+int(ws.Signal()), unix.SignalName(ws.Signal())
	}
	_ = writeJSON(filepath.Join(dir, exitFile), e) // without it only the code is unknown
	return e, true
}

func readStop(dir string, rec record) (stopping, bool) {
	var s stopping
	ok := readJSON(filepath.Join(dir, stopFile), &s) && s.Pid == rec.pid && s.Ident == rec.ident && !(rec.byHand() && s.At.Before(rec.at))
	return s, ok
}

// status reads one node. A node without a folder is Absent.
func (r *Runtime) status(name string) supernode.Status {
	dir := filepath.Join(r.opts.Dir, name)
	s := supernode.Status{Name: name, Project: r.opts.Project, State: supernode.Absent, LogKeptFor: filepath.Join(dir, logFile)}
	var n node
	if readJSON(filepath.Join(dir, nodeFile), &n) {
		s.Project, s.Labels, s.Ours = n.Project, n.Labels, true
	}
	rec, ok := readRecord(dir)
	if !ok {
		return s
	}
	s.ID, s.Since, s.Ours = strconv.Itoa(rec.pid), rec.at, !rec.byHand()
	stop, stopped := readStop(dir, rec)
	if p, alive := rec.alive(dir); alive {
		s.State = supernode.Running
		switch {
		case p.suspended:
			s.Reason = supernode.Suspended
		case stopped:
			s.Reason = "stopping"
		}
		return s
	}
	s.State, s.ExitCode = supernode.Stopped, ExitUnknown
	last := lastWords(dir)
	if info, err := os.Stat(filepath.Join(dir, logFile)); err == nil && info.ModTime().After(rec.at) {
		s.Since = info.ModTime()
	}
	var e exited
	switch {
	case readJSON(filepath.Join(dir, exitFile), &e) && e.Pid == rec.pid && e.Ident == rec.ident && !(rec.byHand() && e.At.Before(rec.at)):
		s.Since, s.ExitCode = e.At, e.Code
		if e.Signal != "" {
			s.Reason = "killed by " + e.Signal
		}
	case last.graceful: // status 0 in every version
		s.ExitCode = 0
	case rec.otherBoot():
		s.Reason = "ended when this machine was shut down"
	}
	switch {
	case stopped && stop.Kill:
		s.Reason = "killed: it did not end in time"
	case stopped:
		s.Reason = "stopped"
	case s.Reason == "":
		s.Reason = last.text
	case e.Signal != "" && last.text != "":
		s.Reason += "; last line: " + last.text
	}
	return s
}

// words are the lines at the end of a log about the end of the node.
type words struct {
	graceful bool   // it ended gracefully
	text     string // the most telling line, "" when there is none
}

// lastWords reads the end of the log of the last start. It knows which lines count from recorded sessions of
// flwr 1.24 to 1.42.
func lastWords(dir string) words {
	f, err := os.Open(filepath.Join(dir, logFile))
	if err != nil {
		return words{}
	}
	defer f.Close()
	const tail = 16 << 10
	if info, err := f.Stat(); err == nil && info.Size() > tail {
		_, _ = f.Seek(-tail, io.SeekEnd)
	}
	var lines []string
	_ = termsafe.ReadLines(f, func(line string) error {
		if !markTime(line).IsZero() {
			if strings.Contains(line, startWord) {
				lines = lines[:0]
			}
			return nil
		}
		lines = append(lines, line)
		return nil
	})
	var w words
	for i, line := range lines {
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.Contains(line, "Exit Code:"):
			w.text = afterLevel(line)
			if i+1 < len(lines) && strings.TrimSpace(lines[i+1]) != "" {
				w.text += ": " + strings.TrimSpace(lines[i+1])
			}
			if i+2 < len(lines) && strings.HasPrefix(lines[i+2], "[code:") {
				w.text += " " + lines[i+2]
			}
			return w
		case strings.Contains(line, "SuperNode terminated gracefully"):
			w.graceful = true
			w.text = afterLevel(line)
		case !w.graceful:
			w.text = afterLevel(line)
		}
	}
	return w
}

// afterLevel drops the logger's "INFO :      ".
func afterLevel(line string) string {
	if level, rest, ok := strings.Cut(line, ":"); ok {
		switch strings.TrimSpace(level) {
		case "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL":
			return strings.TrimSpace(rest)
		}
	}
	return line
}

// readJSON reads a note and cleans its strings: a folder from another person may hold foreign notes.
func readJSON(path string, into any) bool {
	data, err := plainfile.Read(path)
	if err != nil || json.Unmarshal(data, into) != nil {
		return false
	}
	termsafe.Value(into)
	return true
}

func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.Write(path, append(data, '\n'), 0o600)
}

func removeFiles(dir string, names ...string) error {
	for _, n := range names {
		if err := os.Remove(filepath.Join(dir, n)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("remove an old note: %w", err)
		}
	}
	return nil
}
