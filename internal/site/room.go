package site

import (
	"fmt"
	"runtime"
	"strconv"

	"flwrup/internal/ledger"
	"flwrup/internal/machine"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// loadOf is what n more SuperNodes ask of this machine. A rehearsal's own app has them work in turns (at-once in its
// pyproject.toml).
func loadOf(s *Site, n int) supernode.Load {
	l := supernode.Load{Nodes: n, Each: s.Dialect().NodeMemory}
	if s.Rehearsal() && s.Choices().App == "" {
		l.AtOnce = max(4, 2*runtime.NumCPU())
	}
	return l
}

// workInterval is how often, in seconds, a rehearsal's SuperNodes look for work: five times a second, and less
// where so many on so few cores would be busy with looking.
func workInterval(nodes, cores int) string {
	return strconv.FormatFloat(max(0.2, 0.05*float64(nodes)/float64(max(cores, 1))), 'f', 2, 64)
}

// NoRoom says why this machine does not carry n SuperNodes of a rehearsal, which all run on it, through a run; nil when
// it does, when nobody can tell, or when the person said to go on (--crowded). Those that are registered do not count:
// they have been started before.
func NoRoom(s *Site, n int) error {
	free, known := machine.MemoryFree()
	if !known || !s.Rehearsal() || s.Options.Crowded {
		return nil
	}
	return tooMany(s, n, free)
}

// tooMany is NoRoom with a given number of free bytes.
func tooMany(s *Site, n int, free int64) error {
	registered := 0
	for _, m := range s.Ledger.Nodes() {
		if m.State == ledger.Registered && m.Connection == s.Choices().Grid.Connection {
			registered++
		}
	}
	l := loadOf(s, n-registered)
	if l.Nodes <= 0 || l.InRun() <= free {
		return nil
	}
	most := registered + max(l.Carries(free), 0)
	return problem.New(problem.BadInput, fmt.Sprintf("this machine does not carry %d SuperNodes", n),
		fmt.Sprintf("in a run they take about %.1f GB of memory, and %.1f GB are free", float64(l.InRun())/1e9, float64(free)/1e9),
		fmt.Sprintf("rehearse with %d or fewer (--nodes), end other programs, or go on all the same (--crowded)", max(most, 1)))
}
