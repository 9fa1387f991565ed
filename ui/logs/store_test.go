package logs

import (
	"fmt"
	"math/rand"
	"testing"
	"time"

	"flwrup/internal/supernode"
)

// A ring returns the same as a plain slice, whatever the sizes of the batches.
func TestRing(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	r := newRing(500, 20<<10)
	var all []string
	for range 400 {
		b := new(batch)
		for range rnd.Intn(40) {
			text := fmt.Sprintf("line %d %s", len(all), blanks[:rnd.Intn(60)])
			b.add(text, entry{time: int64(rnd.Intn(1000))})
			all = append(all, text)
			if rnd.Intn(10) == 0 {
				b.errs = append(b.errs, uint32(len(b.entries)-1))
			}
		}
		r.append(b)
		if r.next != uint64(len(all)) {
			t.Fatalf("next is %d of %d", r.next, len(all))
		}
		if len(all) > 2000 && (r.len() < 200 || r.len() > 560) {
			t.Fatalf("%d lines kept", r.len())
		}
		last := int64(0)
		for seq := r.head(); seq < r.next; seq++ {
			blk, i := r.at(seq)
			if got := string(blk.text(i)); got != all[seq] {
				t.Fatalf("line %d is %q, want %q", seq, got, all[seq])
			}
			if blk.entries[i].time < last {
				t.Fatalf("line %d goes back in time", seq)
			}
			last = blk.entries[i].time
		}
		if len(r.errs) > 0 && r.errs[0] < r.head() {
			t.Fatal("an error that is gone is kept")
		}
	}
}

// A merged pane walks all lines in time order, both ways, and at any line.
func TestCursor(t *testing.T) {
	rnd := rand.New(rand.NewSource(2))
	m := testModel(t, 5, 80, 24)
	for range 50 {
		msg := batchMsg{feed: m.feed, batches: make([]*batch, 5)}
		for i := range msg.batches {
			b := new(batch)
			for range rnd.Intn(6) {
				b.add("x", entry{time: rnd.Int63n(500)})
			}
			msg.batches[i] = b
		}
		m.Update(msg)
	}
	p := m.together
	var forward []ref
	for c := m.begin(p); ; {
		r, ok := c.next()
		if !ok {
			break
		}
		if n := len(forward); n > 0 && !forward[n-1].before(r) {
			t.Fatalf("%v does not come before %v", forward[n-1], r)
		}
		forward = append(forward, r)
	}
	if len(forward) != m.total(p) {
		t.Fatalf("%d of %d lines", len(forward), m.total(p))
	}
	c := m.end(p)
	for i := len(forward) - 1; i >= 0; i-- {
		if r, ok := c.prev(); !ok || r != forward[i] {
			t.Fatalf("backwards, line %d is %v, want %v", i, r, forward[i])
		}
		if got := m.at(p, forward[i]).passed(); got != i {
			t.Fatalf("line %d is taken for line %d", i, got)
		}
	}
}

func TestWrapped(t *testing.T) {
	for _, s := range []string{"", "abc", "abcdefghijklmnop", "模型训练模型训练", "a模b型c训d练", "e\u0301e\u0301e\u0301e\u0301", "👩‍👩‍👧‍👦🇩🇪👍🏽x", "\u0301\u0301abc"} {
		for w := 2; w < 12; w++ {
			joined := ""
			for _, row := range wrapped(s, w) {
				if width(row) > w {
					t.Errorf("%q in %d columns: row %q has %d", s, w, row, width(row))
				}
				joined += row
			}
			if joined != s {
				t.Errorf("%q in %d columns became %q", s, w, joined)
			}
		}
	}
}

func TestLabels(t *testing.T) {
	tests := []struct{ names, want []string }{
		{[]string{"supernode_1", "supernode_12"}, []string{"s1", "s12"}},
		{[]string{"supernode_1"}, []string{"supernode_1"}},
		{[]string{"paris", "berlin"}, []string{"paris", "berlin"}},
		{[]string{"n10", "n1"}, []string{"n10", "n1"}},
		{[]string{"a_x", "a_x"}, []string{"a_x", "a_x"}},
	}
	for _, tt := range tests {
		if got := labels(tt.names); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%v: %v, want %v", tt.names, got, tt.want)
		}
	}
}

func line(text string, at time.Time) supernode.Line { return supernode.Line{Text: text, Time: at} }
