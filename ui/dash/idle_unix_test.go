//go:build unix

package dash

import (
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/ui/style"
)

type program struct{ *Model }

func (p program) Init() tea.Cmd                           { return p.Model.Init() }
func (p program) Update(msg tea.Msg) (tea.Model, tea.Cmd) { return p, p.Model.Update(msg) }

// BenchmarkIdle is the dashboard of five nodes with nobody at the keyboard, in a real program, for 5 s or
// for FLWRUP_LOAD. Budget: 1 % of a core.
func BenchmarkIdle(b *testing.B) {
	long := 5 * time.Second
	if d, err := time.ParseDuration(os.Getenv("FLWRUP_LOAD")); err == nil {
		long = d
	}
	o := five()
	o.Runs = nil
	for i := range o.Nodes {
		o.Nodes[i].Runtime.Since = time.Now().Add(-time.Hour)
	}
	m := New(&world{o: o}, style.New(style.Options{Dark: true}))
	defer m.Close()
	m.SetSize(120, 40)
	p := tea.NewProgram(program{m}, tea.WithInput(nil), tea.WithOutput(io.Discard), tea.WithoutSignals(), tea.WithFPS(style.FramesPerSecond))
	ended := make(chan error, 1)
	go func() { _, err := p.Run(); ended <- err }()
	time.Sleep(2 * time.Second)
	cpu, begun := cpuTime(b), time.Now()
	time.Sleep(long)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(cpuTime(b)-cpu)/float64(time.Since(begun))*100, "idle-cpu-%")
	p.Quit()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
