//go:build linux || darwin

package keys

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/safego"
)

// Processes make the same names at the same time, and each removes files that killed runs have left. None
// takes a file that another one works on, and all end well.
func TestProcessesAtOnceMakeOneSetOfKeys(t *testing.T) {
	const runs = 6
	for range 4 {
		dir := keyDir(t)
		var wait sync.WaitGroup
		told, errs := make([]string, runs), make([]error, runs)
		for i := range runs {
			cmd := child(t, "generate", dir)
			wait.Add(1)
			safego.Go("run", func(err error) { t.Error(err) }, func() {
				defer wait.Done()
				out, err := cmd.CombinedOutput()
				told[i], errs[i] = string(out), err
			})
		}
		wait.Wait()
		folder := scan(t, dir)
		if len(folder.Pairs) != 40 || len(folder.Issues) > 0 {
			t.Fatalf("%d pairs, issues %v", len(folder.Pairs), folder.Issues)
		}
		for i, err := range errs {
			if err != nil {
				t.Errorf("run %d: %v\n%s", i, err, told[i])
			}
			for line := range strings.Lines(told[i]) {
				name, print, _ := strings.Cut(strings.TrimSpace(line), " ")
				if !slices.ContainsFunc(folder.Pairs, func(p Pair) bool { return p.Name == name && p.Fingerprint == print }) {
					t.Errorf("run %d told of %q, which is not on disk", i, line)
				}
			}
		}
		noLeftovers(t, dir)
	}
}

// A run waits with its own files while another one removes leftovers.
func TestEnterWaitsForWhoeverCleansUp(t *testing.T) { synctest.Test(t, enterWaitsForWhoeverCleansUp) }

func enterWaitsForWhoeverCleansUp(t *testing.T) {
	dir := dir0(t, keyDir(t))
	cleaning, alone := lockFolder(dir)
	if !alone {
		t.Fatal("not alone in a new folder")
	}
	entered := make(chan func())
	safego.Go("run", func(err error) { t.Error(err) }, func() { entered <- enter(dir) })
	select {
	case <-entered:
		t.Fatal("did not wait")
	case <-time.After(100 * time.Millisecond):
	}
	leaveFirst := cleaning.share()
	leave := <-entered
	leaveFirst()
	if third, alone := lockFolder(dir); alone {
		third.share()()
		t.Error("a third run thinks it is alone and would remove the second one's files")
	} else {
		third.share()()
	}
	leave()
}

// Kills when the folder shows a stage, so that every stage of a run is hit for certain.
func TestKillAtEachStage(t *testing.T) {
	met := 0
	stages := []struct {
		name                    string
		staged, private, public int // kill as soon as there are as many
	}{
		{"the first hidden file", 1, 0, 0},
		{"half of them", 40, 0, 0},
		{"the first private key", 0, 1, 0},
		{"the first pair", 0, 1, 1},
		{"half of the pairs", 0, 20, 0},
		{"all but a few", 0, 36, 0},
	}
	for _, stage := range stages {
		dir := dir0(t, keyDir(t))
		cmd := child(t, "generate", dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Microsecond) {
			staged, private, public := census(t, dir)
			if staged >= stage.staged && private >= stage.private && public >= stage.public {
				break
			}
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		before, folder := hashes(t, dir), scan(t, dir)
		staged, private, public := census(t, dir)
		t.Logf("%s: killed with %d hidden files, %d private keys, %d public ones", stage.name, staged, private, public)
		if staged > 0 || private > public {
			met++
		}
		if private != len(folder.Pairs)+len(folder.Halves) {
			t.Errorf("%s: of %d private keys %d are in pairs and %d can be completed: %v", stage.name, private, len(folder.Pairs), len(folder.Halves), folder.Issues)
		}
		generate(t, dir, wantedNames(40)...)
		after := hashes(t, dir)
		for name, sum := range before {
			if !isLeftover(name) && after[name] != sum {
				t.Errorf("%s: the next run changed %s", stage.name, name)
			}
		}
		if folder = scan(t, dir); len(folder.Pairs) != 40 || len(folder.Issues) > 0 {
			t.Errorf("%s: %d pairs in the end, %v", stage.name, len(folder.Pairs), folder.Issues)
		}
		noLeftovers(t, dir)
	}
	if met < len(stages)/2 {
		t.Errorf("only %d of %d runs were killed at work", met, len(stages))
	}
}

func census(t testing.TB, dir string) (staged, private, public int) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		switch {
		case isLeftover(e.Name()):
			staged++
		case strings.HasSuffix(e.Name(), ".pub"):
			public++
		default:
			private++
		}
	}
	return staged, private, public
}
