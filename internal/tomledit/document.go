package tomledit

import (
	"bytes"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// document is a text without byte order mark, and where its statements stand in it.
type document struct {
	src    []byte
	tables []table // tables[0] is the nameless one at the top
	arrays [][]string
}

// table is one header, or the top of the text, with the key-value pairs that follow it.
type table struct {
	path       []string
	array      bool // [[…]]
	start, end int  // the lines of the header, with their newline; both 0 for the top
	pairs      []pair
}

// pair is one key-value pair, at the top level or inside an inline table.
type pair struct {
	path             []string // absolute
	keyStart         int
	valStart, valEnd int
	inline           bool   // the value is an inline table
	pairs            []pair // of the inline table
}

// parse finds the statements of a text that Decode took.
func parse(src []byte) (*document, error) {
	d := &document{src: src, tables: []table{{}}}
	p := &unstable.Parser{}
	p.Reset(src)
	for p.NextExpression() {
		n := p.Expression()
		switch n.Kind {
		case unstable.Table, unstable.ArrayTable:
			path, start, end := keyOf(n)
			t := table{path: path, array: n.Kind == unstable.ArrayTable}
			t.start, t.end = d.lines(start, end)
			if t.array {
				d.arrays = append(d.arrays, path)
			}
			d.tables = append(d.tables, t)
		case unstable.KeyValue:
			t := &d.tables[len(d.tables)-1]
			t.pairs = append(t.pairs, d.pair(n, t.path))
		}
	}
	if err := p.Error(); err != nil {
		return nil, cannot("edit", "the two TOML readers do not agree about it: "+err.Error(), err)
	}
	return d, nil
}

func (d *document) pair(n *unstable.Node, above []string) pair {
	path, start, keyEnd := keyOf(n)
	p := pair{
		path:     append(slices.Clip(slices.Clone(above)), path...),
		keyStart: start,
		valEnd:   int(n.Raw.Offset + n.Raw.Length),
		inline:   n.Value().Kind == unstable.InlineTable,
	}
	p.valStart = keyEnd + bytes.IndexByte(d.src[keyEnd:], '=') + 1
	for d.src[p.valStart] == ' ' || d.src[p.valStart] == '\t' {
		p.valStart++
	}
	if p.inline {
		for it := n.Value().Children(); it.Next(); {
			if it.Node().Kind == unstable.KeyValue {
				p.pairs = append(p.pairs, d.pair(it.Node(), p.path))
			}
		}
	}
	return p
}

// keyOf returns the parts of a header's or a pair's key and the bytes from its first to its last part.
func keyOf(n *unstable.Node) (path []string, start, end int) {
	start = -1
	for it := n.Key(); it.Next(); {
		k := it.Node()
		path = append(path, string(k.Data))
		if start < 0 {
			start = int(k.Raw.Offset)
		}
		end = int(k.Raw.Offset + k.Raw.Length)
	}
	return path, start, end
}

// lines widens a range of bytes to whole lines, the last newline included.
func (d *document) lines(start, end int) (int, int) {
	start = bytes.LastIndexByte(d.src[:start], '\n') + 1
	if i := bytes.IndexByte(d.src[end:], '\n'); i >= 0 {
		return start, end + i + 1
	}
	return start, len(d.src)
}

// find returns the pair at path, wherever it is written, unless it is in an array of tables.
func (d *document) find(path []string) (p pair, in *pair, ok bool) {
	for i := range d.tables {
		if d.inArray(d.tables[i].path) {
			continue
		}
		if p, in, ok := find(d.tables[i].pairs, nil, path); ok {
			return p, in, true
		}
	}
	return pair{}, nil, false
}

func find(pairs []pair, in *pair, path []string) (pair, *pair, bool) {
	for i := range pairs {
		p := &pairs[i]
		if slices.Equal(p.path, path) {
			return *p, in, true
		}
		if p.inline && hasPrefix(path, p.path) {
			if q, in, ok := find(p.pairs, p, path); ok {
				return q, in, true
			}
		}
	}
	return pair{}, nil, false
}

// inArray reports whether path is, or leads through, an array of tables.
func (d *document) inArray(path []string) bool {
	return slices.ContainsFunc(d.arrays, func(a []string) bool { return hasPrefix(path, a) })
}

// inlineAbove returns the innermost inline table that path leads into.
func (d *document) inlineAbove(path []string) (pair, bool) {
	for n := len(path) - 1; n > 0; n-- {
		if p, _, ok := d.find(path[:n]); ok {
			return p, p.inline
		}
	}
	return pair{}, false
}

func hasPrefix(path, prefix []string) bool {
	return len(path) >= len(prefix) && slices.Equal(path[:len(prefix)], prefix)
}

// indent returns the white space at the beginning of the line that at is in.
func (d *document) indent(at int) string {
	start := bytes.LastIndexByte(d.src[:at], '\n') + 1
	end := start
	for end < len(d.src) && (d.src[end] == ' ' || d.src[end] == '\t') {
		end++
	}
	return string(d.src[start:end])
}

// newline returns the line ending in use just before at, else the first one of the text, else "\n".
func (d *document) newline(at int) string {
	i := bytes.LastIndexByte(d.src[:at], '\n')
	if i < 0 {
		i = bytes.IndexByte(d.src, '\n')
	}
	if i > 0 && d.src[i-1] == '\r' {
		return "\r\n"
	}
	return "\n"
}
