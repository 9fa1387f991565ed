//go:build linux || darwin

package procctl

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// deadSpec returns a real SuperNode for a SuperLink that does not answer: it keeps trying for ever.
func deadSpec(t *testing.T, version string) supernode.Spec {
	t.Helper()
	env := require.Flwr(t, version)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	return supernode.Spec{Name: "supernode_1", Project: "p", Flwr: version, Port: port,
		Program: require.Program(env, "flower-supernode"), Env: map[string]string{"FLWR_TELEMETRY_ENABLED": "0"},
		Args: func(key, ca string) []string {
			args := []string{"--insecure", "--superlink", "127.0.0.1:1"}
			if version == "1.24.0" {
				return append(args, "--clientappio-api-address", "127.0.0.1:"+strconv.Itoa(port))
			}
			return append(args, "--host", "127.0.0.1", "--port", strconv.Itoa(port))
		}}
}

func TestFlwr(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			spec := deadSpec(t, version)
			ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
			defer cancel()
			r := runtimeIn(t, filepath.Join(t.TempDir(), "a b", "nodes"))
			if err := r.Prepare(ctx, spec, nil); err != nil {
				t.Fatal(err)
			}
			s := start(t, r, spec)
			following, stop := context.WithCancel(ctx)
			retries, gone := make(chan string, 1000), make(chan error, 1)
			go func() {
				gone <- r.Logs(following, "supernode_1", supernode.LogOptions{Follow: true, Tail: -1}, func(l supernode.Line) error {
					if strings.Contains(l.Text, "Connection attempt failed, retrying in") || strings.Contains(l.Text, "terminated gracefully") {
						retries <- l.Text
					}
					return nil
				})
			}()
			for range 2 {
				select {
				case <-retries:
				case <-ctx.Done():
					t.Fatal("no retries in the log")
				}
			}
			if again := start(t, r, spec); again.ID != s.ID {
				t.Errorf("started twice: %+v", again)
			}
			// The port belongs to the node, and a second node gets an error that says so.
			other := spec
			other.Name = "supernode_2"
			if err := r.Start(ctx, other); err == nil || !strings.Contains(err.Error(), "supernode_1 (pid "+s.ID+")") {
				t.Errorf("second node on the same port: %v", err)
			}
			u, err := r.Usage(ctx, "supernode_1")
			if err != nil || u.Memory < 20<<20 {
				t.Errorf("%+v, %v", u, err)
			}
			began := time.Now()
			if err := r.Stop(ctx, "supernode_1", 20*time.Second); err != nil {
				t.Fatal(err)
			}
			t.Logf("%d MB, stopped in %v", u.Memory>>20, time.Since(began).Round(time.Millisecond))
			for done := false; !done; {
				select {
				case l := <-retries:
					done = strings.Contains(l, "SuperNode terminated gracefully")
				case <-ctx.Done():
					t.Fatal("no good-bye in the log")
				}
			}
			stop()
			<-gone
			list, err := r.List(ctx)
			if err != nil || list[0].State != supernode.Stopped || list[0].ExitCode != 0 {
				t.Errorf("%+v, %v", list, err)
			}
			pid, _ := strconv.Atoi(s.ID)
			if groupLives(pid) {
				t.Error("its children live on")
			}
		})
	}
}

// The flwrup that started it is killed. The node goes on, and another flwrup finds and stops it.
func TestFlwrOutlivesStarter(t *testing.T) {
	spec := deadSpec(t, require.Newest)
	dir := t.TempDir()
	// The starter knows only the fake's arguments; a script passes flower-supernode its own.
	wrapper := filepath.Join(t.TempDir(), "flower-supernode")
	script := "#!/bin/sh\nexec " + shown(spec.Program, spec.Args("", "")) + "\n"
	if err := os.WriteFile(wrapper, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(spec.Program)+":"+os.Getenv("PATH"))
	starter := startAsOther(t, dir, wrapper)
	r := runtimeIn(t, dir)
	eventually(t, "running", func() bool {
		l, _ := r.List(context.Background())
		return len(l) == 1 && l[0].State == supernode.Running
	})
	if err := starter.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = starter.Wait()
	for end := time.Now().Add(60 * time.Second); !strings.Contains(strings.Join(text(t, r, supernode.LogOptions{Tail: -1}), "\n"), "retrying in"); {
		if time.Now().After(end) {
			t.Fatal("does not go on")
		}
		time.Sleep(100 * time.Millisecond)
	}
	if err := r.Stop(context.Background(), "supernode_1", 20*time.Second); err != nil {
		t.Fatal(err)
	}
	if s := one(t, r); s.State != supernode.Stopped || s.ExitCode != 0 || s.Reason != "stopped" {
		t.Errorf("%+v", s)
	}
}
