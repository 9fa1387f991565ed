package logs

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

type exportedMsg struct {
	model *Model
	Exported
}

// export returns the command that writes the pane's lines, all of them and not only the visible ones, to a
// new file: plain text, each line with its time and, when there are several, its node.
func (m *Model) export(p *pane) tea.Cmd {
	// A copy that the command may read while Update goes on: headers, not lines.
	frozen := &kept{nodes: m.nodes, query: &query{}, rings: make([]*ring, len(m.nodes)), raw: true}
	for i := range m.nodes {
		r := *m.rings[i]
		r.blocks = r.snapshot(r.head())
		frozen.rings[i] = &r
	}
	nodes, q := p.nodes, *m.query
	q.raw = true
	return func() tea.Msg {
		path, n, err := write(frozen, &pane{nodes: nodes, raw: true}, &q, time.Now())
		return exportedMsg{model: m, Exported: Exported{Path: path, Lines: n, Err: err}}
	}
}

func write(k *kept, p *pane, q *query, now time.Time) (path string, lines int, err error) {
	name := "flwrup-logs"
	if len(p.nodes) == 1 {
		name = fileName(k.nodes[p.nodes[0]])
	}
	f, err := create(name + "-" + now.Format("20060102-150405"))
	if err != nil {
		return "", 0, fmt.Errorf("save the log: %w", err)
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			os.Remove(f.Name()) // ours, made a moment ago
			err = fmt.Errorf("save the log: %w", err)
		}
	}()
	w := bufio.NewWriter(f)
	c := k.begin(p)
	for {
		r, ok := c.next()
		if !ok {
			break
		}
		b, i := k.rings[r.node].at(r.seq)
		e := b.entries[i]
		if q.filters() && !q.passes(b, i) {
			continue
		}
		if e.kind&untimed == 0 {
			w.WriteString(when(e.time).UTC().Format("2006-01-02T15:04:05.000Z "))
		}
		if len(p.nodes) > 1 {
			w.WriteString(k.nodes[r.node] + " ")
		}
		w.Write(b.text(i))
		w.WriteByte('\n') // bufio keeps the first error for Flush
		lines++
	}
	return f.Name(), lines, w.Flush()
}

// create makes a new file in the present folder and never takes one that exists.
func create(name string) (*os.File, error) {
	for n := 1; ; n++ {
		path := name + ".log"
		if n > 1 {
			path = fmt.Sprintf("%s-%d.log", name, n)
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 100 {
			continue
		}
		return f, err
	}
}

// fileName keeps characters that any file system accepts.
func fileName(node string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, node)
}

func (m *Model) exported(e Exported) tea.Cmd {
	m.stale = true
	m.bad = e.Err != nil
	if m.bad {
		m.message = e.Err.Error()
	} else {
		m.message = count(e.Lines, "line") + " saved to " + e.Path
	}
	return func() tea.Msg { return e }
}
