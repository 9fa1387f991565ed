package logs

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
	"flwrup/ui/style"
)

const (
	loadNodes = 50
	loadRate  = 1000 // lines a second of each node
)

// generateEnv makes the test binary a generator: it writes the lines of 50 nodes into 50 pipes, so that its
// work does not count as flwrup's.
const generateEnv = "FLWRUP_TEST_GENERATE"

func init() {
	if os.Getenv(generateEnv) == "" {
		return
	}
	var pipes []*bufio.Writer
	for i := range loadNodes {
		pipes = append(pipes, bufio.NewWriterSize(os.NewFile(uintptr(3+i), "pipe"), 64<<10))
	}
	begun := time.Now()
	for i := 0; ; {
		want := int(time.Since(begun).Seconds() * loadRate)
		for ; i < want; i++ {
			for node, w := range pipes {
				now := time.Now()
				w.WriteString(now.UTC().Format(time.RFC3339Nano))
				w.WriteByte(' ')
				w.WriteString(lineOf(node, i))
				w.WriteByte('\n')
			}
		}
		for _, w := range pipes {
			if w.Flush() != nil {
				os.Exit(0)
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// piped reads lines in Docker's form: a time, a blank, the line.
type piped struct{ from map[string]io.Reader }

func (p piped) Logs(ctx context.Context, node string, _ supernode.LogOptions, each func(supernode.Line) error) error {
	var at time.Time
	s := termsafe.Splitter{
		Each: func(text string) error { return each(supernode.Line{Node: node, Time: at, Text: text}) },
		Head: func(raw []byte) int {
			i := bytes.IndexByte(raw, ' ')
			if i < 0 {
				return 0
			}
			t, err := time.Parse(time.RFC3339Nano, string(raw[:i]))
			if err != nil {
				return 0
			}
			at = t
			return i + 1
		},
	}
	if r := p.from[node]; r != nil {
		if _, err := io.Copy(&s, r); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// timed is a program around the panes that measures from a key's arrival to the frame after it.
type timed struct {
	*Model
	sent    time.Time
	answers []time.Duration
}

type keyAt struct {
	key  tea.KeyMsg
	sent time.Time
}

func (t *timed) Init() tea.Cmd { return t.Model.Init() }

func (t *timed) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(keyAt); ok {
		t.sent = k.sent
		msg = k.key
	}
	return t, t.Model.Update(msg)
}

func (t *timed) View() string {
	v := t.Model.View()
	if !t.sent.IsZero() {
		t.answers = append(t.answers, time.Since(t.sent))
		t.sent = time.Time{}
	}
	return v
}

// BenchmarkLoad is 50 nodes that log 1,000 lines a second each, in a real program with a person who
// presses a key every 50 ms, for 3 s or for FLWRUP_LOAD:
//
//	FLWRUP_LOAD=60s go test ./ui/logs -run '^$' -bench Load -timeout 5m
//
// Budgets: a key is answered within 16 ms at the 99th percentile, memory (peak resident set of the whole
// test binary) at or below 80 MiB, idle below 1 % of a core.
func BenchmarkLoad(b *testing.B) {
	long := 3 * time.Second
	if s := os.Getenv("FLWRUP_LOAD"); s != "" {
		d, err := time.ParseDuration(s)
		if err != nil {
			b.Fatal(err)
		}
		long = d
	}
	src := piped{from: map[string]io.Reader{}}
	gen := exec.Command(os.Args[0])
	gen.Env = append(os.Environ(), generateEnv+"=1")
	for _, node := range names(loadNodes) {
		r, w, err := os.Pipe()
		if err != nil {
			b.Fatal(err)
		}
		src.from[node] = r
		gen.ExtraFiles = append(gen.ExtraFiles, w)
		b.Cleanup(func() { r.Close() })
	}
	if err := gen.Start(); err != nil {
		b.Fatal(err)
	}
	for _, w := range gen.ExtraFiles {
		w.Close()
	}
	m := &timed{Model: New(src, names(loadNodes), style.New(style.Options{Dark: true}))}
	p := tea.NewProgram(m, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithoutSignals(), tea.WithFPS(style.FramesPerSecond))
	m.SetSize(120, 40)
	ended := make(chan error, 1)
	go func() { _, err := p.Run(); ended <- err }()

	pressed := strings.Fields("up pgup pgup pgdown home end m tab m / t r a i n enter n n N esc f 5 0 0 enter e esc end w w t t")
	cpu, begun := cpuTime(b), time.Now()
	for i := 0; time.Since(begun) < long; i++ {
		p.Send(keyAt{press(pressed[i%len(pressed)]), time.Now()})
		time.Sleep(50 * time.Millisecond)
	}
	busy := float64(cpuTime(b)-cpu) / float64(time.Since(begun)) * 100
	gen.Process.Kill()
	gen.Wait()
	time.Sleep(time.Second)
	peak := statusMiB(b, "VmHWM")
	cpu, begun = cpuTime(b), time.Now()
	time.Sleep(max(3*time.Second, long/4))
	idle := float64(cpuTime(b)-cpu) / float64(time.Since(begun)) * 100
	p.Quit()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
	m.Close()

	read, dropped, lines := uint64(0), 0, 0
	for _, r := range m.rings {
		read += r.next
		dropped += r.dropped
		lines += r.len()
	}
	sort.Slice(m.answers, func(i, j int) bool { return m.answers[i] < m.answers[j] })
	n := len(m.answers)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(m.answers[n/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(m.answers[n*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(float64(m.answers[n-1].Microseconds())/1000, "max-ms")
	b.ReportMetric(float64(n), "keys")
	b.ReportMetric(float64(read), "lines")
	b.ReportMetric(float64(dropped), "dropped")
	b.ReportMetric(float64(lines), "held")
	b.ReportMetric(peak, "peak-MiB")
	b.ReportMetric(busy, "cpu-%")
	b.ReportMetric(idle, "idle-cpu-%")
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func statusMiB(b *testing.B, field string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(rest, "kB")))
			if err != nil {
				b.Fatal(err)
			}
			return float64(n) / 1024
		}
	}
	b.Fatal(fmt.Errorf("no %s", field))
	return 0
}
