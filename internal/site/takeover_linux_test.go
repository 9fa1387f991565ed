package site

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"flwrup/internal/project"
	"flwrup/internal/trust"
	"flwrup/keys"
)

// oldFolder makes a folder as a flwrup left it that kept no acceptance: records and a key pair.
func oldFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	s, err := Open(Options{Dir: dir, Create: true, Choose: func(c *project.Choices) { c.Nodes, c.Runtime = 1, project.RuntimeProcess }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Generate(t.Context(), s.Folder().KeysDir(), []string{"client_credentials_1"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	forgetAcceptance(t, dir)
	return dir
}

func forgetAcceptance(t *testing.T, dir string) {
	t.Helper()
	store, err := trust.For(dir)
	if err == nil {
		err = store.Forget()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// runFrom starts a process that looks like a SuperNode with the folder's key.
func runFrom(t *testing.T, dir string) (pid int) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "flower-supernode")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nread end\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "--superlink", "127.0.0.1:1", "--auth-supernode-private-key", "keys/client_credentials_1")
	cmd.Dir = dir
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	return cmd.Process.Pid
}

// asked returns the names of the values that Open asks about, after a look at the folder.
func asked(t *testing.T, dir string) (names []string) {
	t.Helper()
	s, err := Open(Options{Dir: dir})
	var open *Unaccepted
	switch {
	case errors.As(err, &open):
		for _, v := range open.Values {
			names = append(names, v.Key)
		}
	case err != nil:
		t.Fatal(err)
	default:
		s.Close()
	}
	return names
}

// TestTakeOver: only a process of this machine that runs with a key of the folder itself answers the question.
func TestTakeOver(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_STATE_HOME", "")
	t.Setenv("DOCKER_HOST", "unix://"+filepath.Join(t.TempDir(), "none"))
	t.Run("runs", func(t *testing.T) {
		dir := oldFolder(t)
		if got := asked(t, dir); len(got) != 2 || got[0] != "runtime" || got[1] != recordsKey {
			t.Fatalf("before anything runs: %q", got)
		}
		runFrom(t, dir)
		if got := asked(t, dir); len(got) != 0 {
			t.Errorf("asked about %q", got)
		}
		if err := Distrust(dir); err != nil {
			t.Fatal(err)
		}
		if got := asked(t, dir); len(got) != 1 || got[0] != "runtime" {
			t.Errorf("taken back, and asked about %q", got)
		}
	})
	t.Run("a record names somebody's process", func(t *testing.T) {
		pid := runFrom(t, oldFolder(t))
		dir := oldFolder(t)
		folder, err := keys.Scan(filepath.Join(dir, "keys"))
		if err != nil || len(folder.Pairs) != 1 {
			t.Fatal(folder, err)
		}
		node := filepath.Join(project.StateDir(dir), "nodes", "supernode_1")
		if err := os.MkdirAll(node, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"pid": strconv.Itoa(pid) + "\n",
			"node.json": `{"name": "supernode_1", "labels": {"flwrup.fingerprint": "` + folder.Pairs[0].Fingerprint + `", "fleet": "127.0.0.1:1"}}`} {
			if err := os.WriteFile(filepath.Join(node, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := asked(t, dir); len(got) != 2 {
			t.Errorf("asked about %q alone", got)
		}
	})
	t.Run("the keys are a link", func(t *testing.T) {
		theirs, dir := oldFolder(t), oldFolder(t)
		runFrom(t, theirs)
		for _, link := range []string{"keys/client_credentials_1", "keys"} {
			link = filepath.Join(dir, link)
			if err := os.RemoveAll(link); err != nil {
				t.Fatal(err)
			}
			to := filepath.Join(theirs, "keys")
			if filepath.Base(link) != "keys" {
				to = filepath.Join(to, filepath.Base(link))
			}
			if err := os.Symlink(to, link); err != nil {
				t.Fatal(err)
			}
			if got := asked(t, dir); !slices.Contains(got, recordsKey) {
				t.Errorf("%s: asked about %q alone", link, got)
			}
		}
	})
	t.Run("another project was accepted there", func(t *testing.T) {
		dir := oldFolder(t)
		runFrom(t, dir)
		store, err := trust.For(dir)
		if err == nil {
			err = store.Accept("another", nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := asked(t, dir); len(got) != 2 {
			t.Errorf("asked about %q alone", got)
		}
	})
}
