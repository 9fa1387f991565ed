// Command gosec looks at flwrup's code with gosec's rules, as its own command does. That one brings clients of
// three clouds, for advice that nobody asked for: they take four minutes to compile.
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"runtime"
	"strings"

	"github.com/securego/gosec/v2"
	"github.com/securego/gosec/v2/analyzers"
	"github.com/securego/gosec/v2/rules"
)

// out are the rules that flwrup leaves out: G104, errors that are dropped on purpose; G115, conversions of bounded
// numbers; G204, for every child process comes from internal/child, which has a test for that; G304 and G701 to
// G710, for flwrup opens the files and calls the programs that the person names.
var out = strings.Fields("G104 G115 G204 G304 G701 G702 G703 G704 G705 G706 G707 G708 G709 G710")

// tests are packages that only tests use.
var tests = []string{"vendor", `\.git/`, "internal/require", "internal/frametest", "internal/ptytest", "internal/e2e"}

func main() {
	paths, err := gosec.PackagePaths("./...", gosec.ExcludedDirsRegExp(tests))
	if err != nil || len(paths) < 20 {
		fmt.Fprintln(os.Stderr, "gosec: packages:", paths, err)
		os.Exit(1)
	}
	a := gosec.NewAnalyzer(gosec.NewConfig(), false, false, false, runtime.GOMAXPROCS(0), log.New(io.Discard, "", 0))
	a.LoadRules(rules.Generate(false, rules.NewRuleFilter(true, out...)).RulesInfo())
	a.LoadAnalyzers(analyzers.Generate(false, analyzers.NewAnalyzerFilter(true, out...)).AnalyzersInfo())
	if err := a.Process(nil, paths...); err != nil {
		fmt.Fprintln(os.Stderr, "gosec:", err)
		os.Exit(1)
	}
	issues, metrics, wrong := a.Report()
	for file, all := range wrong {
		for _, e := range all {
			fmt.Printf("%s:%d: %s\n", file, e.Line, e.Err)
		}
	}
	found := len(wrong) > 0
	for _, i := range issues {
		if len(i.Suppressions) == 0 {
			fmt.Printf("%s: %s (severity %s, confidence %s): %s\n", i.FileLocation(), i.RuleID, i.Severity, i.Confidence, i.What)
			found = true
		}
	}
	if found || metrics.NumFiles == 0 {
		os.Exit(1)
	}
}
