package logs

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
)

// A filter or a search over 100,000 lines takes tens of milliseconds. A command does it over a snapshot, one
// slice of time after the other, and continues with lines that come later.

// scanSlice is how long one scan goes on before it reports its matches.
const scanSlice = 25 * time.Millisecond

// matcher finds a text (upper and lower case alike, unless it has an upper-case letter) or a regular
// expression written as /expression/.
type matcher struct {
	needle string
	folded bool // needle is lower-case ASCII
	re     *regexp.Regexp
}

// newMatcher reads the typed text. It returns nil for "".
func newMatcher(typed string) (*matcher, error) {
	if typed == "" {
		return nil, nil
	}
	if isRegex(typed) {
		expr := typed[1 : len(typed)-1]
		if strings.ToLower(expr) == expr {
			expr = "(?i)" + expr
		}
		re, err := regexp.Compile(expr)
		if err != nil {
			return nil, err
		}
		return &matcher{re: re}, nil
	}
	if strings.ToLower(typed) != typed {
		return &matcher{needle: typed}, nil
	}
	if ascii(typed) {
		return &matcher{needle: typed, folded: true}, nil
	}
	return &matcher{re: regexp.MustCompile("(?i)" + regexp.QuoteMeta(typed))}, nil
}

func (m *matcher) match(text []byte) bool {
	switch {
	case m == nil:
		return true
	case m.re != nil:
		return m.re.Match(text)
	case m.folded:
		return fold(text, m.needle) >= 0
	}
	return bytes.Contains(text, []byte(m.needle))
}

func (m *matcher) matches(text string) bool {
	_, _, ok := m.find(text, 0)
	return ok
}

// find returns the first match in text at or after from, as byte offsets; ok is false if there is none.
func (m *matcher) find(text string, from int) (start, end int, ok bool) {
	if m == nil || from >= len(text) {
		return 0, 0, false
	}
	if m.re != nil {
		loc := m.re.FindStringIndex(text[from:])
		if loc == nil || loc[0] == loc[1] {
			return 0, 0, false
		}
		return from + loc[0], from + loc[1], true
	}
	i := 0
	if m.folded {
		i = fold([]byte(text[from:]), m.needle)
	} else {
		i = strings.Index(text[from:], m.needle)
	}
	if i < 0 {
		return 0, 0, false
	}
	return from + i, from + i + len(m.needle), true
}

// query is a filter and a search; it does not change once made.
type query struct {
	gen    int
	filter *matcher
	level  Level
	search *matcher
	raw    bool
}

func (q *query) filters() bool { return q.filter != nil || q.level > None }
func (q *query) any() bool     { return q.filters() || q.search != nil }

// passes reports whether the filter lets line i of b through. flwrup's own remarks always pass.
func (q *query) passes(b *block, i int) bool {
	k := b.entries[i].kind
	if k.mark() == markNote || k.mark() == markRule {
		return true
	}
	if q.filter == nil && !q.raw && k.mark().folded() {
		return false
	}
	return k.level() >= q.level && q.filter.match(b.told(i))
}

// index holds the matches of a query among one node's lines.
type index struct {
	shown   []uint64 // lines that pass the filter, if there is one
	hits    []uint64 // of those, the matches of the search
	scanned uint64   // lines before this one have been searched
}

// foundMsg is the result of one slice of a scan, one index a node.
type foundMsg struct {
	model *Model
	gen   int
	nodes []int
	found []index
	whole bool // every line that was there has been searched
}

type job struct {
	node   int
	from   uint64
	blocks []block
}

// scan returns the command that searches the lines that the query has not seen; nil if there are none or a
// scan is in progress.
func (m *Model) scan() tea.Cmd {
	if m.scanning || !m.query.any() {
		return nil
	}
	var jobs []job
	for i := range m.nodes {
		r, ix := m.rings[i], &m.index[i]
		ix.scanned = max(ix.scanned, r.head())
		if ix.scanned < r.next {
			jobs = append(jobs, job{node: i, from: ix.scanned, blocks: r.snapshot(ix.scanned)})
		}
	}
	if jobs == nil {
		return nil
	}
	m.scanning = true
	q := m.query
	return func() tea.Msg {
		msg := foundMsg{model: m, gen: q.gen, whole: true}
		until := time.Now().Add(scanSlice)
		for n, j := range jobs {
			if n > 0 && time.Now().After(until) {
				msg.whole = false
				break
			}
			ix, whole := q.look(j, until)
			msg.nodes, msg.found = append(msg.nodes, j.node), append(msg.found, ix)
			msg.whole = msg.whole && whole
		}
		return msg
	}
}

// look scans one job's lines until the time is over; whole reports that it got to the end.
func (q *query) look(j job, until time.Time) (found index, whole bool) {
	ix := index{scanned: j.from}
	for n := range j.blocks {
		b := &j.blocks[n]
		if n > 0 && time.Now().After(until) {
			return ix, false
		}
		for i := range b.entries {
			seq := b.first + uint64(i)
			if seq < j.from {
				continue
			}
			if q.filters() {
				if !q.passes(b, i) {
					continue
				}
				ix.shown = append(ix.shown, seq)
			}
			if q.search != nil && q.search.match(b.told(i)) {
				ix.hits = append(ix.hits, seq)
			}
		}
		ix.scanned = b.first + uint64(len(b.entries))
	}
	return ix, true
}

// take takes over the result of a scan. It ignores the answer to an old query.
func (m *Model) take(msg foundMsg) tea.Cmd {
	if msg.gen != m.query.gen {
		return nil
	}
	m.scanning = false
	for n, node := range msg.nodes {
		ix, got := &m.index[node], msg.found[n]
		ix.scanned = got.scanned
		ix.shown = joined(ix.shown, got.shown)
		ix.hits = joined(ix.hits, got.hits)
		m.trim(node)
	}
	if msg.whole {
		m.seek()
	}
	return m.scan()
}

func joined(a, b []uint64) []uint64 {
	if len(a) == 0 {
		return b
	}
	return append(a, b...)
}

// trim forgets the index of lines that are gone.
func (k *kept) trim(node int) {
	ix, head := &k.index[node], k.rings[node].head()
	ix.shown, ix.hits = since(ix.shown, head), since(ix.hits, head)
	k.marks[node] = since(k.marks[node], head)
}

// ask starts a new query.
func (m *Model) ask(filter, search *matcher, level Level) tea.Cmd {
	m.query = &query{gen: m.query.gen + 1, filter: filter, search: search, level: level, raw: m.raw}
	for i := range m.index {
		m.index[i] = index{}
	}
	m.scanning = false // a scan for the old query may still run; its answer is not taken
	return m.scan()
}
