package logs

import (
	"context"
	"fmt"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/supernode"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// silent is a source without a line until its context ends.
type silent struct{}

func (silent) Logs(ctx context.Context, _ string, _ supernode.LogOptions, _ func(supernode.Line) error) error {
	<-ctx.Done()
	return ctx.Err()
}

const recorded = "INFO :      Receiving: train message (ID: 641ce2b047685e94592c936bbb890265c21ecfe491a3e9c6160ba806b8051411)"

// lineOf returns a line as a SuperNode writes it; the i-th of a node.
func lineOf(node, i int) string {
	switch i % 8 {
	case 0:
		return "INFO :      "
	case 1:
		return fmt.Sprintf("INFO :      [RUN 1762309077582676982, ROUND %d]", i/800)
	case 3:
		return "INFO :      Received successfully"
	case 5:
		return "INFO :      \t└──> Aggregated MetricRecord: {'train_loss': 0.1}"
	case 6:
		if i%800 == 6 {
			return "ERROR :     Exit Code: 500"
		}
	}
	return recorded
}

func names(n int) []string {
	var nodes []string
	for i := range n {
		nodes = append(nodes, fmt.Sprintf("supernode_%d", i+1))
	}
	return nodes
}

// batchFor makes a feed's batch of node: the next n lines from line i on.
func batchFor(r *reader, node, i, n int, at time.Time) *batch {
	b := new(batch)
	for k := range n {
		r.read(supernode.Line{Time: at.Add(time.Duration(k) * time.Microsecond), Text: lineOf(node, i+k)}, b)
	}
	return b
}

// filled is a Model that holds 100,000 lines of n nodes.
func filled(n int) *Model {
	m := New(silent{}, names(n), style.New(style.Options{Dark: true}))
	m.SetSize(120, 40)
	at := time.Date(2026, 11, 23, 2, 15, 14, 0, time.UTC)
	readers := make([]reader, n)
	for i := 0; i < keepLines/n; i += 100 {
		msg := batchMsg{feed: m.feed, batches: make([]*batch, n)}
		for node := range n {
			msg.batches[node] = batchFor(&readers[node], node, i, 100, at.Add(time.Duration(i)*time.Millisecond))
		}
		m.Update(msg)
	}
	return m
}

func held(m *Model) int { return m.total(m.together) }

func press(k string) tea.KeyMsg { return keymap.Type(k) }

// BenchmarkView draws a frame with 100,000 lines held. Budget: 2 ms.
func BenchmarkView(b *testing.B) {
	for _, n := range []int{1, 50} {
		for _, l := range []layout{merged, split} {
			m := filled(n)
			m.layout = l
			b.Run(fmt.Sprintf("nodes=%d/layout=%d/following", n, l), func(b *testing.B) {
				b.ReportMetric(float64(held(m)), "lines")
				for b.Loop() {
					m.stale = true
					_ = m.View()
				}
			})
			b.Run(fmt.Sprintf("nodes=%d/layout=%d/full", n, l), func(b *testing.B) {
				m.zoom = true
				for b.Loop() {
					m.stale = true
					_ = m.View()
				}
				m.zoom = false
			})
			b.Run(fmt.Sprintf("nodes=%d/layout=%d/searching", n, l), func(b *testing.B) {
				m.search = "train"
				settle(m, m.requery())
				m.Update(press("pgup"))
				for b.Loop() {
					m.stale = true
					_ = m.View()
				}
			})
		}
	}
}

// settle runs a command and those that follow from it until only waiting for lines is left.
func settle(m *Model, cmd tea.Cmd) {
	for cmd != nil {
		msg := cmd()
		found, ok := msg.(foundMsg)
		if !ok {
			return
		}
		cmd = m.Update(found)
	}
}

// BenchmarkUpdate measures single messages with 100,000 lines held. Budget: 0.2 ms.
func BenchmarkUpdate(b *testing.B) {
	at := time.Date(2026, 11, 23, 3, 15, 14, 0, time.UTC)
	// The lines of 50 nodes in 50 ms at 1,000 lines a second each.
	b.Run("batch/nodes=50", func(b *testing.B) {
		m := filled(50)
		readers := make([]reader, 50)
		i := 0
		for b.Loop() {
			b.StopTimer()
			i++
			msg := batchMsg{feed: m.feed, batches: make([]*batch, 50)}
			for node := range 50 {
				msg.batches[node] = batchFor(&readers[node], node, i*50, 50, at.Add(time.Duration(i)*50*time.Millisecond))
			}
			b.StartTimer()
			m.Update(msg)
		}
	})
	for _, k := range []string{"up", "pgup", "home", "e", " ", "m"} {
		for _, n := range []int{1, 50} {
			b.Run(fmt.Sprintf("key=%q/nodes=%d", k, n), func(b *testing.B) {
				m := filled(n)
				for b.Loop() {
					m.Update(press(k))
				}
			})
		}
	}
	b.Run("search/typed", func(b *testing.B) {
		m := filled(50)
		m.Update(press("/"))
		for b.Loop() {
			m.Update(press("x"))
			m.input.SetValue("")
		}
	})
	b.Run("search/found", func(b *testing.B) {
		m := filled(50)
		m.search = "train"
		for b.Loop() {
			b.StopTimer()
			cmd := m.requery()
			m.wantsSeek = true
			msgs := []tea.Msg{cmd()}
			b.StartTimer()
			for _, msg := range msgs {
				m.Update(msg)
			}
		}
	})
	b.Run("key=n/nodes=50", func(b *testing.B) {
		m := filled(50)
		m.search = "train"
		settle(m, m.requery())
		for b.Loop() {
			m.Update(press("n"))
		}
	})
}

// BenchmarkScan searches 100,000 lines; a command does that, not Update.
func BenchmarkScan(b *testing.B) {
	for _, typed := range []string{"train", "/train|evaluate/"} {
		b.Run(typed, func(b *testing.B) {
			m := filled(50)
			m.search = typed
			for b.Loop() {
				settle(m, m.requery())
			}
		})
	}
}
