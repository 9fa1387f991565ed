package dockerctl

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// Every failure to come is reported before anything is started, on a real daemon.
func TestPreflight(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := context.Background()
	old := require.Image(t, "1.24.0")
	retagged := "flwrup-test/retagged:1"
	docker(t, "tag", old, retagged)
	t.Cleanup(func() { docker(t, "rmi", retagged) })
	good := lonely(t, r, "supernode_1", require.Newest)
	look := func(change func(*supernode.Spec)) []supernode.Finding {
		t.Helper()
		s := good
		change(&s)
		found, err := r.Preflight(ctx, []supernode.Spec{s})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := look(func(*supernode.Spec) {}); len(found) != 0 {
		t.Errorf("nothing is wrong, yet: %+v", found[0].Problem)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := good.Container + "_taken"
	docker(t, "create", "--name", taken, old)
	t.Cleanup(func() { docker(t, "rm", "-f", taken) })
	closed := t.TempDir()
	if err := os.Chmod(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change  func(*supernode.Spec)
		code    problem.Code
		says    string
		warning bool
	}{
		"image missing":          {func(s *supernode.Spec) { s.Image = "flwrup-test/none:1" }, problem.ImageMissing, "not on this machine", true},
		"image of another flwr":  {func(s *supernode.Spec) { s.Image = old }, supernode.WrongFlwr, "holds flwr 1.24.0, not " + require.Newest, false},
		"one that is not here":   {func(s *supernode.Spec) { s.Image = "flwr/supernode:1.27.0-py3.13-ubuntu24.04" }, supernode.WrongFlwr, "holds flwr 1.27.0", false},
		"its name does not tell": {func(s *supernode.Spec) { s.Image = retagged }, supernode.WrongFlwr, "holds flwr 1.24.0, not " + require.Newest, false},
		"no key":                 {func(s *supernode.Spec) { s.KeyFile += "x" }, problem.BadInput, "private key", false},
		"port taken": {func(s *supernode.Spec) { s.Port, _ = strconv.Atoi(l.Addr().String()[len("127.0.0.1:"):]) },
			problem.PortTaken, "in use", false},
		"name taken":          {func(s *supernode.Spec) { s.Container = taken }, problem.NameTaken, "not made by flwrup", false},
		"too many cores":      {func(s *supernode.Spec) { s.CPUs = 4096 }, problem.BadInput, "4096 processor cores", false},
		"too little memory":   {func(s *supernode.Spec) { s.Memory = 32 << 20 }, problem.BadInput, "32 MB of memory", false},
		"data is not there":   {func(s *supernode.Spec) { s.Data = []supernode.Folder{{Host: filepath.Join(closed, "x"), Inside: "/d"}} }, problem.BadInput, "is missing", false},
		"data of one's own":   {func(s *supernode.Spec) { s.Data = []supernode.Folder{{Host: closed, Inside: "/d"}} }, problem.BadInput, "user 49999", false},
		"a value is not here": {func(s *supernode.Spec) { s.Missing = []string{"TOKEN"} }, supernode.ValueMissing, "TOKEN", true},
	} {
		found := look(c.change)
		if len(found) != 1 || found[0].Problem.Code != c.code || !strings.Contains(found[0].Problem.Error(), c.says) ||
			found[0].Problem.Fix == "" || found[0].Warning != c.warning {
			t.Errorf("%s: %d findings", name, len(found))
			for _, f := range found {
				t.Errorf("  %+v (%v)", f.Problem, f.Warning)
			}
		}
	}
	if all, err := r.List(ctx); err != nil || len(all) != 0 {
		t.Errorf("something was made: %v %v", all, err)
	}
}
