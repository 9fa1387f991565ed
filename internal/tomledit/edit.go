package tomledit

import (
	"bytes"
	"slices"
	"strings"
)

// set returns the text with the change made.
func (d *document) set(c Change) ([]byte, error) {
	if p, _, ok := d.find(c.Path); ok {
		old, err := Decode(append([]byte("v = "), d.src[p.valStart:p.valEnd]...))
		if err == nil && equal(old["v"], c.Value) {
			return d.src, nil
		}
		return d.splice(p.valStart, p.valEnd, format(c.Value)), nil
	}
	if d.inArray(c.Path) {
		return nil, cannot("set "+dotted(c.Path), "it is in an array of tables", nil)
	}
	if p, ok := d.inlineAbove(c.Path); ok {
		return d.intoInline(p, c), nil
	}
	if out, ok := d.intoTable(c); ok {
		return out, nil
	}
	if out, ok := d.besideDotted(c); ok {
		return out, nil
	}
	return d.newTable(c), nil
}

func (d *document) splice(start, end int, text string) []byte {
	return slices.Concat(d.src[:start], []byte(text), d.src[end:])
}

// intoInline adds a key to an inline table: { a = 1 } becomes { a = 1, b = 2 }.
func (d *document) intoInline(p pair, c Change) []byte {
	text := dotted(c.Path[len(p.path):]) + " = " + format(c.Value)
	if len(p.pairs) == 0 {
		return d.splice(p.valStart, p.valEnd, "{ "+text+" }")
	}
	at := p.pairs[len(p.pairs)-1].valEnd
	return d.splice(at, at, ", "+text)
}

// intoTable adds a key at the end of its table where that has a header (or is the top of the text).
func (d *document) intoTable(c Change) ([]byte, bool) {
	parent := c.Path[:len(c.Path)-1]
	for i, t := range d.tables {
		if t.array || !slices.Equal(t.path, parent) {
			continue
		}
		switch {
		case len(t.pairs) > 0:
			last := t.pairs[len(t.pairs)-1]
			_, at := d.lines(last.keyStart, last.valEnd)
			return d.insert(at, d.pairLines(c, c.Path[len(parent):], d.indent(last.keyStart), at)), true
		case i > 0:
			return d.insert(t.end, d.pairLines(c, c.Path[len(parent):], d.indent(t.start), t.end)), true
		case len(d.tables) > 1: // nothing above the first header yet
			at := d.above(d.tables[1].start)
			return d.insert(at, append(d.pairLines(c, c.Path, "", at), "")), true
		}
		at := len(d.src)
		return d.insert(at, d.pairLines(c, c.Path, "", at)), true
	}
	return nil, false
}

// besideDotted adds a key beside others of its table that are written with dots: a.b = 1.
func (d *document) besideDotted(c Change) ([]byte, bool) {
	parent := c.Path[:len(c.Path)-1]
	for _, t := range d.tables {
		if d.inArray(t.path) || !hasPrefix(parent, t.path) {
			continue
		}
		for _, p := range slices.Backward(t.pairs) {
			if !hasPrefix(p.path, parent) {
				continue
			}
			_, at := d.lines(p.keyStart, p.valEnd)
			return d.insert(at, d.pairLines(c, c.Path[len(t.path):], d.indent(p.keyStart), at)), true
		}
	}
	return nil, false
}

// newTable adds a header and the key: above the first sub-table of the new table, else below the tables
// that share the longest part of its path, else at the end.
func (d *document) newTable(c Change) []byte {
	parent := c.Path[:len(c.Path)-1]
	for _, t := range d.tables[1:] {
		if hasPrefix(t.path, parent) {
			at := d.above(t.start)
			return d.insert(at, append(d.tableLines(c, d.indent(t.start), at), ""))
		}
	}
	next, best, indent := len(d.tables), 0, ""
	for i, t := range d.tables[1:] {
		if n := shared(t.path, parent); n > 0 && n >= best {
			next, best, indent = i+2, n, d.indent(t.start)
		}
	}
	at := len(d.src)
	if next < len(d.tables) {
		at = d.above(d.tables[next].start)
	}
	lines := d.tableLines(c, indent, at)
	if len(bytes.TrimSpace(d.src[:at])) > 0 && !d.blankBefore(at) {
		lines = append([]string{""}, lines...)
	}
	if at < len(d.src) {
		lines = append(lines, "")
	}
	return d.insert(at, lines)
}

// remove returns the text without the key. A comment behind it stays, on a line of its own.
func (d *document) remove(path []string) ([]byte, error) {
	p, in, ok := d.find(path)
	switch {
	case !ok:
		return d.src, nil
	case in != nil:
		return d.outOfInline(p, in), nil
	}
	start, end := d.lines(p.keyStart, p.valEnd)
	if rest := bytes.TrimLeft(d.src[p.valEnd:end], " \t"); bytes.HasPrefix(rest, []byte("#")) {
		return d.splice(p.keyStart, end-len(rest), ""), nil
	}
	return d.splice(start, end, ""), nil
}

func (d *document) outOfInline(p pair, in *pair) []byte {
	i := slices.IndexFunc(in.pairs, func(q pair) bool { return q.keyStart == p.keyStart })
	switch {
	case len(in.pairs) == 1:
		return d.splice(in.valStart, in.valEnd, "{}")
	case i == len(in.pairs)-1:
		return d.splice(in.pairs[i-1].valEnd, p.valEnd, "")
	}
	return d.splice(p.keyStart, in.pairs[i+1].keyStart, "")
}

// commentOut returns the text with the lines of a table turned into comments.
func (d *document) commentOut(path []string) ([]byte, error) {
	var starts []int // of the lines that get a '#'
	mark := func(start, end int) {
		for start, end = d.lines(start, end); start < end; {
			_, next := d.lines(start, start)
			if len(bytes.TrimSpace(d.src[start:next])) > 0 {
				starts = append(starts, start)
			}
			start = next
		}
	}
	for i, t := range d.tables {
		whole := i > 0 && hasPrefix(t.path, path)
		if whole {
			mark(t.start, max(t.start, t.end-1))
		}
		for _, p := range t.pairs {
			if whole || !d.inArray(t.path) && hasPrefix(p.path, path) {
				mark(p.keyStart, p.valEnd)
			}
		}
	}
	out := bytes.Clone(d.src)
	for _, at := range slices.Backward(starts) {
		out = slices.Insert(out, at, '#', ' ')
	}
	if len(starts) == 0 {
		return nil, cannot("comment out "+dotted(path), "it is part of an inline table or of an array of tables", nil)
	}
	return out, nil
}

// pairLines are the lines of a new key: its comment, and the key as it is written below its header.
func (d *document) pairLines(c Change, as []string, indent string, at int) []string {
	var lines []string
	if c.Comment != "" {
		for l := range strings.SplitSeq(c.Comment, "\n") {
			lines = append(lines, strings.TrimRight(indent+"# "+l, " "))
		}
	}
	return append(lines, indent+dotted(as)+" = "+format(c.Value))
}

func (d *document) tableLines(c Change, indent string, at int) []string {
	parent := c.Path[:len(c.Path)-1]
	return append([]string{indent + "[" + dotted(parent) + "]"}, d.pairLines(c, c.Path[len(parent):], indent, at)...)
}

// insert puts whole lines at the beginning of a line, or at the end of a text that may lack its newline.
func (d *document) insert(at int, lines []string) []byte {
	eol := d.newline(at)
	text := strings.Join(lines, eol)
	if at == len(d.src) && at > 0 && d.src[at-1] != '\n' {
		return d.splice(at, at, eol+text)
	}
	return d.splice(at, at, text+eol)
}

// above goes from a header up over the comments that stand directly on it.
func (d *document) above(start int) int {
	for start > 0 {
		before := bytes.LastIndexByte(d.src[:start-1], '\n') + 1
		if !bytes.HasPrefix(bytes.TrimLeft(d.src[before:start], " \t"), []byte("#")) || d.insidePair(before) {
			return start
		}
		start = before
	}
	return start
}

// insidePair reports whether at is inside a value that runs over several lines.
func (d *document) insidePair(at int) bool {
	for _, t := range d.tables {
		for _, p := range t.pairs {
			if p.keyStart < at && at < p.valEnd {
				return true
			}
		}
	}
	return false
}

func (d *document) blankBefore(at int) bool {
	if at == 0 || d.src[at-1] != '\n' {
		return false
	}
	before := bytes.LastIndexByte(d.src[:at-1], '\n') + 1
	return len(bytes.TrimSpace(d.src[before:at])) == 0
}

// shared counts the leading parts that two paths have in common.
func shared(a, b []string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
