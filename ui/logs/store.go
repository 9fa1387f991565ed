package logs

import (
	"sort"
	"time"
)

// Lines are kept compactly, because 50 nodes may log 1,000 lines a second each: a node's ring is a
// few blocks, each one buffer of text and one slice of entries. Only the last block of a ring is
// added to, at its end; so a copy of the block headers is a snapshot that another goroutine may read.

// entry is one kept line: 16 bytes in addition to its text.
type entry struct {
	time int64 // Unix nanoseconds; never before the entry in front of it
	off  uint32
	n    uint16
	skip uint8 // bytes of the level's prefix in the text: "INFO :      "
	kind kind
}

// kind packs level (3 bits), mark (4 bits) and whether the source kept no time (1 bit).
type kind uint8

const untimed kind = 0x80

func newKind(l Level, m mark) kind { return kind(l) | kind(m)<<3 }
func (k kind) level() Level        { return Level(k & 7) }
func (k kind) mark() mark          { return mark(k >> 3 & 15) }

// block is a run of lines of one node.
type block struct {
	first   uint64 // number of entries[0], counted from the node's first line
	buf     []byte
	entries []entry
}

func (b *block) text(i int) []byte {
	e := b.entries[i]
	return b.buf[e.off : e.off+uint32(e.n)]
}

// told returns the text that a search or a filter reads: without the word INFO that most lines begin with.
func (b *block) told(i int) []byte {
	e := b.entries[i]
	if e.kind.level() <= Info {
		return b.buf[e.off+uint32(e.skip) : e.off+uint32(e.n)]
	}
	return b.text(i)
}

// batch holds the new lines of a source: text and entries as in a block.
type batch struct {
	buf     []byte
	entries []entry
	errs    []uint32 // entries at which an error begins
	warns   []uint32
	tasks   []taskNews
	runs    []string // runs that began
	dropped int
	state   string // why no lines come; "" when they do
	changed bool   // state is new
}

func (b *batch) add(text string, e entry) {
	e.off, e.n = uint32(len(b.buf)), uint16(len(text))
	b.buf = append(b.buf, text...)
	b.entries = append(b.entries, e)
}

func (b *batch) reset() {
	*b = batch{buf: b.buf[:0], entries: b.entries[:0], errs: b.errs[:0], warns: b.warns[:0], tasks: b.tasks[:0]}
}

// ring is the last lines of one node.
type ring struct {
	maxLines, maxBytes     int
	blockLines, blockBytes int

	blocks  []block
	bytes   int
	next    uint64 // number that the next line gets
	last    int64  // time of the newest line
	errs    []uint64
	warns   []uint64
	dropped int // lines that came too fast
	folds
}

// newRing makes a ring for at most lines lines and size bytes of text.
func newRing(lines, size int) *ring {
	return &ring{
		maxLines: lines, maxBytes: size,
		blockLines: max(16, lines/16), blockBytes: max(4<<10, size/16),
	}
}

// head returns the number of the oldest line that is kept.
func (r *ring) head() uint64 {
	if len(r.blocks) == 0 {
		return r.next
	}
	return r.blocks[0].first
}

func (r *ring) len() int { return int(r.next - r.head()) }

// append copies b's lines to the end and drops the oldest when there is no room.
func (r *ring) append(b *batch) {
	for _, i := range b.errs {
		r.errs = append(r.errs, r.next+uint64(i))
	}
	for _, i := range b.warns {
		r.warns = append(r.warns, r.next+uint64(i))
	}
	r.fold(b)
	r.dropped += b.dropped
	for from := 0; from < len(b.entries); {
		tail := r.tail(int(b.entries[from].n))
		room := r.blockLines - len(tail.entries)
		start := b.entries[from].off
		to := from
		for to < len(b.entries) && to-from < room {
			e := b.entries[to]
			if to > from && len(tail.buf)+int(e.off+uint32(e.n)-start) > r.blockBytes {
				break
			}
			to++
		}
		base := uint32(len(tail.buf))
		endByte := b.entries[to-1].off + uint32(b.entries[to-1].n)
		tail.buf = append(tail.buf, b.buf[start:endByte]...)
		at := len(tail.entries)
		tail.entries = append(tail.entries, b.entries[from:to]...)
		for i := at; i < len(tail.entries); i++ {
			e := &tail.entries[i]
			e.off = e.off - start + base
			if e.time < r.last {
				e.time = r.last
			}
			r.last = e.time
		}
		r.bytes += int(endByte - start)
		r.next += uint64(to - from)
		from = to
	}
	r.evict()
}

// tail returns the block to add to, a new one when the last cannot take n more bytes.
func (r *ring) tail(n int) *block {
	if k := len(r.blocks); k > 0 {
		b := &r.blocks[k-1]
		if len(b.entries) < r.blockLines && len(b.buf)+n <= r.blockBytes {
			return b
		}
		// Blocks fill alike: the next one gets its room at once.
		r.blocks = append(r.blocks, block{
			first:   r.next,
			buf:     make([]byte, 0, len(b.buf)+len(b.buf)/16),
			entries: make([]entry, 0, len(b.entries)),
		})
	} else {
		r.blocks = append(r.blocks, block{first: r.next})
	}
	return &r.blocks[len(r.blocks)-1]
}

func (r *ring) evict() {
	n := 0
	for n < len(r.blocks)-1 && (int(r.next-r.blocks[n+1].first) >= r.maxLines || r.bytes > r.maxBytes) {
		r.bytes -= len(r.blocks[n].buf)
		n++
	}
	if n == 0 {
		return
	}
	kept := copy(r.blocks, r.blocks[n:])
	clear(r.blocks[kept:])
	r.blocks = r.blocks[:kept]
	r.errs, r.warns = since(r.errs, r.head()), since(r.warns, r.head())
	r.folds.evict(r.head())
}

// at returns the block and index of line seq, which must be kept.
func (r *ring) at(seq uint64) (*block, int) {
	if b := &r.blocks[len(r.blocks)-1]; b.first <= seq { // most are read where they were added
		return b, int(seq - b.first)
	}
	i := sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].first > seq }) - 1
	b := &r.blocks[i]
	return b, int(seq - b.first)
}

func (r *ring) time(seq uint64) int64 {
	b, i := r.at(seq)
	return b.entries[i].time
}

// snapshot copies the block headers from line from on, for another goroutine to read.
func (r *ring) snapshot(from uint64) []block {
	i := max(0, sort.Search(len(r.blocks), func(i int) bool { return r.blocks[i].first > from })-1)
	return append([]block(nil), r.blocks[i:]...)
}

// since returns the part of the ascending list that is not before seq.
func since(list []uint64, seq uint64) []uint64 {
	if len(list) == 0 || list[0] >= seq {
		return list
	}
	return list[sort.Search(len(list), func(i int) bool { return list[i] >= seq }):]
}

func when(ns int64) time.Time { return time.Unix(0, ns) }
