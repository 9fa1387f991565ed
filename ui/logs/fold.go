package logs

import (
	"slices"
	"sort"
)

// Folding is a view: a ring keeps every line, and next to them the numbers of those that are shown while the rest is
// folded away. The list grows with the lines; nothing is computed for a frame.

// folds is what is folded of one node's lines.
type folds struct {
	open   []uint64 // lines that are shown
	tasks  []task
	traces []trace
}

// task is a message of a run with its answer: one landmark.
type task struct {
	seq, answer uint64 // the two lines; answer is 0 while there is none
	number      uint32
	took        int64 // nanoseconds, waits or unanswered
}

const (
	waits      = -1
	unanswered = -2 // and it never will be
)

// taskNews is a message that came, or what became of it.
type taskNews struct {
	number, entry uint32
	took          int64
}

// trace is a traceback, with those that led to it: one block. Its last line is what was raised.
type trace struct {
	from, to uint64
	last     uint64 // the line that is shown for all: the last one, or the first while that has not come
	whole    bool   // the last line has come
}

// fold takes over the lines of b, which get the numbers from r.next on.
func (r *ring) fold(b *batch) {
	for _, n := range b.tasks {
		at := r.next + uint64(n.entry)
		if n.took == waits {
			r.tasks = append(r.tasks, task{seq: at, number: n.number, took: waits})
			continue
		}
		i := sort.Search(len(r.tasks), func(i int) bool { return r.tasks[i].number >= n.number })
		if i == len(r.tasks) || r.tasks[i].number != n.number {
			continue // no longer kept
		}
		if r.tasks[i].took = n.took; n.took >= 0 {
			r.tasks[i].answer = at
		}
	}
	for i := range b.entries {
		seq, e := r.next+uint64(i), &b.entries[i]
		switch e.kind.mark() {
		case markTrace:
			r.inTrace(seq, joinsTraces(string(b.buf[e.off:e.off+uint32(e.n)])))
		case markRaise:
			if t := r.trace(); t != nil && !t.whole {
				r.hide(t.last)
				t.to, t.last, t.whole = seq, seq, true
			}
			r.open = append(r.open, seq)
		case markDull, markAnswer:
		default:
			r.open = append(r.open, seq)
		}
	}
}

// inTrace adds a line to the last traceback, or begins one. A line that joins two tracebacks goes on with the first.
func (r *ring) inTrace(seq uint64, joins bool) {
	t := r.trace()
	switch {
	case t != nil && joins && t.whole && t.to+2 >= seq:
		r.hide(t.last)
		if i := sort.Search(len(r.errs), func(i int) bool { return r.errs[i] >= t.last }); i < len(r.errs) && r.errs[i] == t.last {
			r.errs = slices.Delete(r.errs, i, i+1) // what it led to counts
		}
		t.to, t.last, t.whole = seq, t.from, false
		r.show(t.from)
	case t != nil && !t.whole && t.to+1 == seq:
		t.to = seq
	default:
		r.traces = append(r.traces, trace{from: seq, to: seq, last: seq})
		r.open = append(r.open, seq)
	}
}

// trace returns the newest traceback.
func (f *folds) trace() *trace {
	if len(f.traces) == 0 {
		return nil
	}
	return &f.traces[len(f.traces)-1]
}

func (f *folds) place(seq uint64) (int, bool) { return slices.BinarySearch(f.open, seq) }

func (f *folds) hide(seq uint64) {
	if i, shown := f.place(seq); shown {
		f.open = slices.Delete(f.open, i, i+1)
	}
}

func (f *folds) show(seq uint64) {
	if i, shown := f.place(seq); !shown {
		f.open = slices.Insert(f.open, i, seq)
	}
}

func (f *folds) evict(head uint64) {
	f.open = since(f.open, head)
	f.tasks = f.tasks[sort.Search(len(f.tasks), func(i int) bool { return f.tasks[i].seq >= head }):]
	f.traces = f.traces[sort.Search(len(f.traces), func(i int) bool { return f.traces[i].from >= head }):]
}

// taskAt returns the task whose landmark is line seq.
func (f *folds) taskAt(seq uint64) (task, bool) {
	i := sort.Search(len(f.tasks), func(i int) bool { return f.tasks[i].seq >= seq })
	if i == len(f.tasks) || f.tasks[i].seq != seq {
		return task{}, false
	}
	return f.tasks[i], true
}

// traceAt returns the traceback that line seq is part of.
func (f *folds) traceAt(seq uint64) (trace, bool) {
	i := sort.Search(len(f.traces), func(i int) bool { return f.traces[i].to >= seq })
	if i == len(f.traces) || f.traces[i].from > seq {
		return trace{}, false
	}
	return f.traces[i], true
}

// block returns the first and the last line of what is folded at line seq: a traceback, or a message and its answer
// with the lines around each.
func (r *ring) block(seq uint64) (from, to uint64, ok bool) {
	if t, ok := r.traceAt(seq); ok {
		return t.from, t.to, true
	}
	i := sort.Search(len(r.tasks), func(i int) bool { return r.tasks[i].seq > seq }) - 1
	if i < 0 {
		return 0, 0, false
	}
	t := r.tasks[i]
	end := t.seq
	if t.answer > 0 {
		end = t.answer
	}
	if seq > end+1 {
		return 0, 0, false
	}
	return max(r.head(), t.seq-min(t.seq, 1)), min(end+1, r.next-1), true
}

// unfolded reports whether all lines from one to another are shown.
func (f *folds) unfolded(from, to uint64) bool {
	a, _ := f.place(from)
	b, _ := f.place(to + 1)
	return uint64(b-a) == to-from+1
}

// unfold shows all lines from one to another, or only those that stand for the rest.
func (r *ring) unfold(from, to uint64, all bool) {
	var lines []uint64
	for seq := from; seq <= to; seq++ {
		b, i := r.at(seq)
		m := b.entries[i].kind.mark()
		shown := !m.folded()
		if m == markTrace || m == markRaise {
			t, ok := r.traceAt(seq)
			shown = !ok || t.last == seq
		}
		if all || shown {
			lines = append(lines, seq)
		}
	}
	a, _ := r.place(from)
	b, _ := r.place(to + 1)
	r.open = slices.Replace(r.open, a, b, lines...)
}

// reveal makes line seq visible: its whole traceback, or the line alone.
func (r *ring) reveal(seq uint64) {
	if _, shown := r.place(seq); shown {
		return
	}
	if t, ok := r.traceAt(seq); ok {
		r.unfold(t.from, t.to, true)
		return
	}
	r.show(seq)
}
