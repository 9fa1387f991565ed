package supernode

import (
	"fmt"

	"flwrup/internal/problem"
)

// AppMemory is about how many bytes the process of a ClientApp takes with flwr and NumPy alone; measured with
// 1.24 and 1.42.
const AppMemory = 100 << 20

// Load is the demand of SuperNodes on one machine.
type Load struct {
	Nodes  int
	Each   int64 // bytes of one at rest
	AtOnce int   // how many of their ClientApps run at the same time; 0: all
}

// LoadOf returns the load of SuperNodes that are to start on one machine.
func LoadOf(specs []Spec) Load {
	if len(specs) == 0 {
		return Load{}
	}
	return Load{Nodes: len(specs), Each: specs[0].Takes, AtOnce: specs[0].AtOnce}
}

// InRun returns the bytes that all take during a run, before their app takes any of its own.
func (l Load) InRun() int64 {
	apps := l.Nodes
	if l.AtOnce > 0 {
		apps = min(apps, l.AtOnce)
	}
	return int64(l.Nodes)*l.Each + int64(apps)*AppMemory
}

// Carries returns the largest number of such SuperNodes whose run fits into free bytes.
func (l Load) Carries(free int64) int {
	for l.Nodes = 0; l.InRun() <= free && l.Nodes < 1<<16; l.Nodes++ {
	}
	return l.Nodes - 1
}

// perCore is how many ClientApps a core carries before they take each other's time.
const perCore = 4

// Short says what the machine lacks for a run of the load: memory, when its free bytes are known (≥ 0), and
// cores. Both are remarks, because an app may need less at once than it could.
func (l Load) Short(free int64, cores int) []Finding {
	var found []Finding
	say := func(what, why, fix string) {
		found = append(found, Finding{Warning: true, Problem: problem.New(problem.BadInput, what, why, fix)})
	}
	if free >= 0 && free < l.InRun() {
		say(fmt.Sprintf("%.1f GB of memory for %d SuperNodes", float64(free)/1e9, l.Nodes),
			fmt.Sprintf("each takes about %d MB, and in a run %d MB more before its app takes any", l.Each>>20, AppMemory>>20),
			fmt.Sprintf("start %d or fewer here, or end other programs", max(l.Carries(free), 1)))
	}
	apps := l.Nodes
	if l.AtOnce > 0 {
		apps = min(apps, l.AtOnce)
	}
	if cores > 0 && apps > perCore*cores {
		say(fmt.Sprintf("%d SuperNodes on %d cores", l.Nodes, cores), "in a run their ClientApps start at the same time, and flwr gives up on those that are slow",
			fmt.Sprintf("start %d or fewer here, or have the app ask fewer at once (fraction_train)", perCore*cores))
	}
	return found
}
