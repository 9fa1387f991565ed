//go:build linux

package e2e

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/grid"
	"flwrup/internal/require"
)

// TestInvited has one account invite another on a real grid, and the other join with its own login and keys, in a home of
// its own. Nothing is joined without an invitation, everything twice changes nothing, and a run names the other account.
func TestInvited(t *testing.T) {
	ada, bob := newHome(t, require.Newest), newHome(t, require.Newest)
	study, own := filepath.Join(ada.dir, "study"), filepath.Join(bob.dir, "own")
	t.Cleanup(func() {
		for _, end := range [][]string{{bob.dir, own}, {ada.dir, study}} {
			h := map[string]*home{bob.dir: bob, ada.dir: ada}[end[0]]
			if _, err := os.Stat(end[1]); err == nil {
				h.run("down", "--yes", "--dir", end[1])
			}
		}
	})
	ada.must("rehearse", "--yes", "--keep", "--nodes", "1", "--flwr", require.Newest, "--runtime", "process", "--dir", study)
	g, ok := grid.Running(filepath.Join(study, ".flwrup", "grid"))
	if !ok {
		t.Fatal("no grid runs")
	}
	members := func() (list map[string]int, invited int, join string) {
		t.Helper()
		var got struct {
			Data struct {
				Members []struct {
					Account    string
					SuperNodes int
				}
				Invited []struct{ Account string }
				Join    string
			}
		}
		if err := json.Unmarshal([]byte(ada.must("invite", "--json", "--dir", study).out), &got); err != nil {
			t.Fatal(err)
		}
		list = map[string]int{}
		for _, m := range got.Data.Members {
			list[m.Account] = m.SuperNodes
		}
		return list, len(got.Data.Invited), got.Data.Join
	}
	_, _, join := members()
	ca, err := os.ReadFile(g.Ready.CA)
	if err != nil {
		t.Fatal(err)
	}
	pass := filepath.Join(bob.dir, "passphrase")
	for file, text := range map[string]string{filepath.Join(bob.dir, "ca.crt"): string(ca), pass: "several unrelated words: otter, brass, gravel\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// It is the command that ada sends; what a person at a terminal is asked for, flags say.
	args := append(strings.Fields(join)[1:], "--nodes", "1", "--runtime", "process", "--yes", "--trust", "--passphrase-file", pass, "--dir", own, "--until", "14")

	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	go approveAs(ctx, g, "bob")
	early := bob.run(args...)
	if early.code != 3 || !strings.Contains(early.err, "ask @ada to run: flwrup invite @bob") {
		t.Errorf("without an invitation: exit code %d\n%s%s", early.code, tail(early.out), early.err)
	}
	if wrong := ada.run("invite", "@nobody", "--dir", study); wrong.code != 1 || !strings.Contains(wrong.err, "the grid knows no such account") {
		t.Errorf("no such account: exit code %d: %s", wrong.code, wrong.err)
	}
	for range 2 {
		ada.must("invite", "@bob", "--dir", study)
		if list, invited, _ := members(); invited != 1 || len(list) != 1 {
			t.Errorf("members %v, %d invited", list, invited)
		}
	}
	ada.must("invite", "--revoke", "bob", "--dir", study)
	if again := bob.run(args...); again.code != 3 {
		t.Errorf("with an invitation that was taken back: exit code %d", again.code)
	}
	ada.must("invite", "@bob", "--dir", study)
	for range 2 {
		bob.must(args...)
		if list, invited, _ := members(); invited != 0 || len(list) != 2 || list["bob"] != 1 || list["ada"] != 1 {
			t.Errorf("members and their SuperNodes %v, %d invited", list, invited)
		}
	}
	if not := bob.run("invite", "@eve", "--dir", own); not.code != 1 || !strings.Contains(not.err, "only its owner, @ada, can invite") {
		t.Errorf("a member invites: exit code %d: %s", not.code, not.err)
	}
	said := ada.must("run", "--dir", study).out
	if !strings.Contains(said, "it reaches 1 SuperNode of @bob, 1 online") || !strings.Contains(said, "Received 2 results and 0 failures") {
		t.Errorf("the run:\n%s", said)
	}
}

// approveAs approves the next login of a grid as account does in a browser, until ctx ends.
func approveAs(ctx context.Context, g *grid.Grid, account string) {
	for ctx.Err() == nil {
		if state, err := g.State(ctx); err == nil {
			for _, l := range state.Logins {
				if l.Account == "" && !l.Denied && g.Approve(ctx, l.UserCode, account) == nil {
					return
				}
			}
		}
		time.Sleep(300 * time.Millisecond)
	}
}
