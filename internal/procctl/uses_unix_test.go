//go:build linux || darwin

package procctl

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

func TestUsing(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Skip("no sleep")
	}
	dir := t.TempDir()
	cmd := exec.Command(sleep, "60")
	cmd.Args[0] = filepath.Join(dir, "bin", "flower-supernode")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if got := Using(dir); !slices.Equal(got, []int{cmd.Process.Pid}) {
		t.Errorf("%v, want %d", got, cmd.Process.Pid)
	}
	if got := Using(dir + "-other"); len(got) > 0 {
		t.Errorf("of a neighbour: %v", got)
	}
}
