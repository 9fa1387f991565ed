package dockerctl

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// A real SuperNode may do next to nothing, holds one key, and ends gracefully.
func TestSuperNode(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			r := real(t)
			s := lonely(t, r, "supernode_1", version)
			start(t, r, s)
			waitLine(t, r, s.Name, "retrying in")
			if st := only(t, r); st.State != supernode.Running || !st.Ours || st.Name != s.Name || st.Labels["fingerprint"] != "SHA256:supernode_1" ||
				st.Labels["spec"] != SpecHash(s) || st.LogKeptFor != "docker logs "+s.Container || time.Since(st.Since) > time.Minute {
				t.Errorf("%+v", st)
			}
			look := docker(t, "exec", s.Container, "python", "-c", `
import os
status = dict(l.split(":", 1) for l in open("/proc/1/status"))
print("uid", os.getuid(), status["Uid"].split())
print("caps", {status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}, status["NoNewPrivs"].strip())
st = os.stat("/run/supernode/key")
print("key", oct(st.st_mode), st.st_uid, os.listdir("/run/supernode"), len(open("/run/supernode/key").read()) > 100)
for p in ("/x", "/python/x", "/run/supernode/x", "/etc/passwd"):
    try: open(p, "a"); print("wrote", p)
    except OSError as e: print("no", p, e.strerror)
for p in (os.environ["FLWR_HOME"], os.environ["HOME"] + "/.cache", "/tmp/sub"):
    os.makedirs(p, exist_ok=True); open(p + "/x.sh", "w").write("#!/bin/sh\necho ran"); os.chmod(p + "/x.sh", 0o700)
    print(p, os.popen(p + "/x.sh").read().strip())
`)
			want := `uid 49999 ['49999', '49999', '49999', '49999']
caps {'0000000000000000'} 1
key 0o100400 49999 ['ca.crt', 'key'] True
no /x Read-only file system
no /python/x Read-only file system
no /run/supernode/x Permission denied
no /etc/passwd Permission denied
/app/.flwr ran
/app/.cache ran
/tmp/sub ran`
			if strings.ReplaceAll(look, "['key', 'ca.crt']", "['ca.crt', 'key']") != want {
				t.Errorf("got\n%s\nwant\n%s", look, want)
			}
			inspect := docker(t, "inspect", s.Container)
			key, err := os.ReadFile(s.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			for _, bad := range []string{string(key[60:100]), filepath.Dir(s.KeyFile), `"Privileged": true`, `"Type": "bind"`} {
				if strings.Contains(inspect, bad) {
					t.Errorf("inspect shows %q", bad)
				}
			}
			if err := r.Stop(context.Background(), s.Name, 15*time.Second); err != nil { // then it would be killed, with 137
				t.Fatal(err)
			}
			if st := only(t, r); st.State != supernode.Stopped || st.ExitCode != 0 {
				t.Errorf("stopped: %+v\n%s", st, strings.Join(lines(t, r, s.Name, 5), "\n"))
			}
			if err := r.Stop(context.Background(), s.Name, time.Second); err != nil {
				t.Errorf("stopping twice: %v", err)
			}
			for range 2 {
				if err := r.Remove(context.Background(), s.Name); err != nil {
					t.Errorf("remove: %v", err)
				}
			}
			if left := volumes(t, r); left != "" {
				t.Errorf("the copy of the key is left in %s", left)
			}
		})
	}
}

// The log of a container that dies at once is kept, and its end is reported.
func TestDiesAtOnce(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := lonely(t, r, "supernode_1", require.Newest)
	write(t, s.KeyFile, "this is no key")
	start(t, r, s)
	st := ends(t, r)
	if st.ExitCode == 0 {
		t.Errorf("%+v", st)
	}
	if all := strings.Join(lines(t, r, s.Name, -1), "\n"); !strings.Contains(all, "Exit Code: 302") {
		t.Errorf("log: %s", all)
	}
	if got := lines(t, r, s.Name, 2); len(got) != 2 {
		t.Errorf("tail 2: %q", got)
	}
}

func TestImageOfRoot(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "root"), `
import os
print(os.getuid(), os.getgid(), os.stat("/run/supernode/key").st_uid, len(open("/run/supernode/key").read()) > 100)
os.makedirs(os.environ["FLWR_HOME"]); print("home is writable")`)
	start(t, r, s)
	ends(t, r)
	if got := strings.Join(lines(t, r, s.Name, -1), "; "); got != "49999 49999 49999 True; home is writable" {
		t.Errorf("%s", got)
	}
}

// When flwrup was killed between create and the copy of the key, the next one copes.
func TestCreatedButIncomplete(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), `print(len(open("/run/supernode/key").read()) > 100)`)
	id, err := create(context.Background(), r, s)
	if err != nil {
		t.Fatal(err)
	}
	if st := only(t, r); st.State != supernode.Starting {
		t.Errorf("%+v", st)
	}
	start(t, r, s)
	st := ends(t, r)
	if got := lines(t, r, s.Name, -1); st.ID != id || len(got) != 1 || got[0] != "True" {
		t.Errorf("%+v %q", st, got)
	}
}

func TestStartAgain(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := context.Background()
	s := node(t, r, "supernode_1", python(t, "app"), "import signal, sys, time; signal.signal(15, lambda *a: sys.exit(0)); print('up'); time.sleep(100)")
	start(t, r, s)
	first := only(t, r)
	other := s
	other.Env = map[string]string{"A": "b"}
	start(t, r, s)
	start(t, r, other) // a running one is left alone
	if now := only(t, r); now.ID != first.ID || !now.Since.Equal(first.Since) {
		t.Errorf("a running container was touched: %+v", now)
	}
	if err := r.Remove(ctx, s.Name); !problem.Is(err, problem.Busy) {
		t.Errorf("remove while it runs: %v", err)
	}
	waitLine(t, r, s.Name, "up")
	stop := func() {
		t.Helper()
		if err := r.Stop(ctx, s.Name, 5*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	start(t, r, s)
	if now := only(t, r); now.ID != first.ID || now.State != supernode.Running {
		t.Errorf("the same spec made a new container: %+v", now)
	}
	stop()
	start(t, r, other)
	now := only(t, r)
	if now.ID == first.ID || now.Labels["spec"] != SpecHash(other) {
		t.Errorf("another spec kept the old container: %+v", now)
	}
	if n := len(strings.Fields(volumes(t, r))); n != 2 {
		t.Errorf("%d volumes", n)
	}
	docker(t, "pause", s.Container)
	start(t, r, other)
	if now := only(t, r); now.Reason != "" || now.State != supernode.Running {
		t.Errorf("paused: %+v", now)
	}
	// A container removed by hand without -v leaves the key's copy; Remove deletes it.
	docker(t, "rm", "-f", s.Container)
	if err := r.Remove(ctx, s.Name); err != nil || volumes(t, r) != "" {
		t.Errorf("%v, volumes %q", err, volumes(t, r))
	}
}

func TestNameTaken(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), "print(1)")
	docker(t, "create", "--name", s.Container, s.Image, "print(1)")
	t.Cleanup(func() { docker(t, "rm", "-f", s.Container) })
	err := r.Start(context.Background(), s)
	if p := problem.Of(err); p.Code != problem.NameTaken || !strings.Contains(p.Why, s.Image) || !strings.Contains(p.Why, "not made by flwrup") || !strings.Contains(p.Fix, "docker rename "+s.Container) {
		t.Errorf("%+v", p)
	}
	// Another project's container is not ours either.
	other := real(t)
	theirs := s
	theirs.Container += "_x"
	if err := other.Start(context.Background(), theirs); err != nil {
		t.Fatal(err)
	}
	err = r.Start(context.Background(), theirs)
	if p := problem.Of(err); p.Code != problem.NameTaken || !strings.Contains(p.Why, other.project) {
		t.Errorf("%+v", p)
	}
	if all, err := r.List(context.Background()); err != nil || len(all) != 0 {
		t.Errorf("%v %v", all, err)
	}
	found, err := r.Foreign(context.Background(), []string{s.Container, "nobody-" + s.Container, theirs.Container})
	if err != nil || len(found) != 2 || found[0].Name != s.Container || found[0].Ours || found[1].Project != other.project {
		t.Errorf("%+v %v", found, err)
	}
}

func TestPortTaken(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := lonely(t, r, "supernode_1", require.Newest)
	l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", s.Port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	err = r.Start(context.Background(), s)
	if p := problem.Of(err); p.Code != problem.PortTaken || !strings.Contains(p.What, fmt.Sprint(s.Port)) || p.Fix == "" {
		t.Errorf("%+v", p)
	}
}

func TestBadInput(t *testing.T) {
	t.Parallel()
	r := real(t)
	image := python(t, "app")
	for name, c := range map[string]struct {
		change func(*supernode.Spec)
		code   problem.Code
	}{
		"no key":        {func(s *supernode.Spec) { s.KeyFile += "x" }, problem.BadInput},
		"key a folder":  {func(s *supernode.Spec) { s.KeyFile = filepath.Dir(s.KeyFile) }, problem.BadInput},
		"empty CA":      {func(s *supernode.Spec) { s.CAFile = os.DevNull }, problem.BadInput},
		"no such image": {func(s *supernode.Spec) { s.Image = "flwrup-test/none:1" }, problem.ImageMissing},
	} {
		s := node(t, r, "n", image, "print(1)")
		c.change(&s)
		if err := r.Start(context.Background(), s); !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.Logs(context.Background(), "nobody", supernode.LogOptions{}, nil); !problem.Is(err, NodeAbsent) {
		t.Error(err)
	}
	if _, err := r.Usage(context.Background(), "nobody"); !problem.Is(err, NodeAbsent) {
		t.Error(err)
	}
	if err := r.Prepare(context.Background(), supernode.Spec{Image: "flwr/supernode:1.24.0", Flwr: "1.42.0"}, nil); !problem.Is(err, supernode.WrongFlwr) {
		t.Error(err)
	}
	if err := r.Prepare(context.Background(), supernode.Spec{Image: image, Flwr: "1.42.0"}, nil); err != nil {
		t.Error(err)
	}
	if err := r.Check(context.Background()); err != nil {
		t.Error(err)
	}
}

// Several nodes at once, listed in natural order; starting the same one twice at once is fine.
func TestParallel(t *testing.T) {
	t.Parallel()
	r := real(t)
	image := python(t, "app")
	var specs []supernode.Spec
	for _, n := range []int{1, 2, 10, 3} {
		specs = append(specs, node(t, r, fmt.Sprintf("supernode_%d", n), image, "import time; time.sleep(60)"))
	}
	specs = append(specs, specs[0])
	errs := make([]error, len(specs))
	var wg sync.WaitGroup
	for i, s := range specs {
		wg.Go(func() { errs[i] = r.Start(context.Background(), s) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	all, err := r.List(context.Background())
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	if err != nil || strings.Join(names, " ") != "supernode_1 supernode_2 supernode_3 supernode_10" {
		t.Fatalf("%v %v", names, err)
	}
}

// Docker restarts a node that ends, whatever its exit code, until the starter gives up; the next Start is a
// new try. --rm removes the volumes as well.
func TestRestartPolicy(t *testing.T) {
	t.Parallel()
	r := real(t)
	s := node(t, r, "supernode_1", python(t, "app"), "print('try')")
	s.Restart = 2
	gaveUp := func() supernode.Status {
		t.Helper()
		for range 300 {
			if st := only(t, r); st.State == supernode.Stopped && strings.Contains(st.Reason, "gave up") {
				return st
			}
			time.Sleep(100 * time.Millisecond)
		}
		t.Fatalf("%+v", only(t, r))
		return supernode.Status{}
	}
	for round := range 2 {
		start(t, r, s)
		first := gaveUp()
		tries := strings.Count(strings.Join(lines(t, r, s.Name, -1), "\n"), "try")
		if tries != 3*(round+1) {
			t.Errorf("round %d: %d tries, 3 each wanted", round, tries)
		}
		time.Sleep(2 * time.Second)
		if now := only(t, r); now.State != supernode.Stopped || now.Restarts != first.Restarts {
			t.Errorf("Docker goes on: %+v", now)
		}
	}
	gone := node(t, r, "supernode_2", s.Image, "print('short')")
	gone.AutoRemove, gone.Restart = true, 5
	start(t, r, gone)
	for range 100 {
		if all, err := r.List(context.Background()); err == nil && len(all) == 1 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := r.Remove(context.Background(), s.Name); err != nil {
		t.Fatal(err)
	}
	if left := volumes(t, r); left != "" {
		t.Errorf("--rm left %s", left)
	}
}

// Values that only the node may see reach its program and nothing else; folders are read-only unless asked
// for; limits are Docker's own.
func TestSettings(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := context.Background()
	data := t.TempDir()
	os.Chmod(data, 0o755)
	write(t, filepath.Join(data, "table.csv"), "x")
	os.Chmod(filepath.Join(data, "table.csv"), 0o644)
	s := node(t, r, "supernode_1", python(t, "app"), `
import os
print(os.environ["TOKEN"], os.environ["PLAIN"], os.environ["HOME"])
print(open("/data/table.csv").read())
try: open("/data/new", "w")
except OSError as e: print(e.strerror)
open("/out/new", "w").write("made")
print(oct(os.stat("/run/supernode/env").st_mode), os.stat("/run/supernode/env").st_uid)`)
	out := filepath.Join(data, "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	os.Chmod(out, 0o777)
	s.Env = map[string]string{"PLAIN": "shown"}
	s.Secrets = map[string]string{"TOKEN": `s3cret $(id) 'it"s`, "HOME": "/nowhere"}
	s.EnvNames = []string{"TOKEN", "HOME"}
	s.Data = []supernode.Folder{{Host: data, Inside: "/data"}, {Host: out, Inside: "/out", Write: true}}
	s.CPUs, s.Memory = 0.5, 256<<20
	start(t, r, s)
	ends(t, r)
	want := "s3cret $(id) 'it\"s shown /app\nx\nRead-only file system\n0o100400 49999"
	if got := strings.Join(lines(t, r, s.Name, -1), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	inspect := docker(t, "inspect", s.Container)
	for _, bad := range []string{"s3cret", "TOKEN="} {
		if strings.Contains(inspect, bad) {
			t.Errorf("docker inspect shows %q", bad)
		}
	}
	for _, good := range []string{`"NanoCpus": 500000000`, `"Memory": 268435456`, `"ReadonlyRootfs": true`,
		`"PidsLimit": 4096`, `size=1073741824`} {
		if !strings.Contains(inspect, good) {
			t.Errorf("docker inspect has no %s", good)
		}
	}
	if strings.Contains(strings.Join(r.Commands(s), "\n"), "s3cret") {
		t.Error("the commands show the secret")
	}
	// Without the value, the container that has its copy starts; a new one does not.
	s.Secrets, s.Missing = nil, []string{"TOKEN", "HOME"}
	start(t, r, s)
	ends(t, r)
	if got := strings.Join(lines(t, r, s.Name, -1), "\n"); got != want+"\n"+want {
		t.Errorf("the copy was lost: %s", got)
	}
	if err := r.Remove(ctx, s.Name); err != nil {
		t.Fatal(err)
	}
	if err := r.Start(ctx, s); !problem.Is(err, supernode.ValueMissing) {
		t.Errorf("without the value: %v", err)
	}
	s.Missing, s.EnvNames, s.GPUs = nil, nil, "all"
	if err := r.Start(ctx, s); !strings.Contains(fmt.Sprint(err), "GPU") {
		t.Logf("a daemon with GPUs, or another answer: %v", err)
	}
}
