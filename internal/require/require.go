// Package require gives tests the real parts: flwr of a wanted version, a Docker daemon, the SuperNode
// image. Where one is missing the test is skipped and says why; where FLWRUP_REQUIRE (a comma-separated
// list of "flwr" and "docker") names it, the test fails instead, so that CI cannot pass by skipping.
package require

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
)

// Newest is the newest flwr that the project has been seen to work with.
const Newest = "1.42.0"

// wanted reports whether FLWRUP_REQUIRE lists part.
func wanted(part string) bool {
	for _, p := range strings.Split(os.Getenv("FLWRUP_REQUIRE"), ",") {
		if strings.TrimSpace(p) == part {
			return true
		}
	}
	return false
}

// Missing skips a test that lacks something of part ("flwr" or "docker"), or fails it where part is demanded.
func Missing(t testing.TB, part, format string, args ...any) {
	t.Helper()
	if wanted(part) {
		t.Fatalf("FLWRUP_REQUIRE wants "+part+": "+format, args...)
	}
	t.Skipf("needs "+part+": "+format, args...)
}

// Flwr returns the folder of a virtual environment with flwr of version and NumPy. It looks below
// FLWRUP_TEST_ENVS, else below the user's cache, for v<version>, and with FLWRUP_REQUIRE=flwr installs it
// there. Packages that run at the same time wait for each other.
func Flwr(t testing.TB, version string) string {
	t.Helper()
	root := os.Getenv("FLWRUP_TEST_ENVS")
	if root == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			Missing(t, "flwr", "no cache folder: %v", err)
		}
		root = filepath.Join(cache, "flwrup", "test-envs")
	}
	env := filepath.Join(root, "v"+version)
	if _, err := os.Stat(filepath.Join(env, ".complete")); err == nil {
		return env
	}
	if _, err := os.Stat(Program(env, "flwr")); err == nil && os.Getenv("FLWRUP_TEST_ENVS") != "" {
		return env
	}
	if !wanted("flwr") {
		t.Skipf("needs flwr %s: no environment %s (FLWRUP_REQUIRE=flwr makes one)", version, env)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(root, "lock"))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	defer lock.Unlock()
	if _, err := os.Stat(filepath.Join(env, ".complete")); err == nil {
		return env
	}
	if err := install(env, version); err != nil {
		Missing(t, "flwr", "installing %s: %v", version, err)
	}
	return env
}

func install(env, version string) error {
	uv, err := exec.LookPath("uv")
	if err != nil {
		return err
	}
	if err := os.RemoveAll(env); err != nil {
		return err
	}
	override := env + ".override"
	// The newest flwr may ask for a certifi that the index does not have yet.
	if err := os.WriteFile(override, []byte("certifi>=2025\n"), 0o644); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	for _, args := range [][]string{
		{"venv", "-q", env},
		{"pip", "install", "-q", "--python", Program(env, "python"), "--override", override, "flwr==" + version, "numpy"},
	} {
		if out, err := exec.CommandContext(ctx, uv, args...).CombinedOutput(); err != nil {
			return &installError{strings.Join(args, " "), string(out), err}
		}
	}
	return os.WriteFile(filepath.Join(env, ".complete"), nil, 0o644)
}

type installError struct {
	args, out string
	err       error
}

func (e *installError) Error() string { return "uv " + e.args + ": " + e.err.Error() + "\n" + e.out }
func (e *installError) Unwrap() error { return e.err }

// Tool returns the path of a program that a test drives beside part ("flwr" or "docker"): ssh-keygen, uv,
// python3, dockerd. Where it is not on PATH the test is skipped, or fails as for part itself.
func Tool(t testing.TB, part, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, part, "no %s on PATH", name)
	}
	return path
}

// Program returns the path of a program of a virtual environment.
func Program(env, name string) string {
	if runtime.GOOS == "windows" {
		return filepath.Join(env, "Scripts", name+".exe")
	}
	return filepath.Join(env, "bin", name)
}

// RunFlwr runs flwr of an environment in dir, with a FLWR_HOME of its own, and returns all that it prints. Over gRPC it
// may hang for ever after its last word, which is that the SuperLink is unavailable (seen in 1 of 100 runs of 1.24.0 on
// a busy machine): it gets five seconds more then.
func RunFlwr(t testing.TB, env, dir, home string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 90*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, Program(env, "flwr"), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "FLWR_HOME="+home, "FLWR_TELEMETRY_ENABLED=0", "NO_COLOR=1", "TERM=dumb", "COLUMNS=200")
	out := &lastWord{word: "Connection to the SuperLink is unavailable", said: func() { time.AfterFunc(5*time.Second, cancel) }}
	cmd.Stdout, cmd.Stderr = out, out
	_ = cmd.Run()
	if ctx.Err() == context.DeadlineExceeded {
		t.Fatalf("flwr %v hangs: %s", args, out.text.String())
	}
	return out.text.String()
}

// lastWord keeps what is written, and calls said once when that holds word. exec writes to it from one goroutine.
type lastWord struct {
	text strings.Builder
	word string
	said func()
	done bool
}

func (l *lastWord) Write(p []byte) (int, error) {
	l.text.Write(p)
	if !l.done && strings.Contains(l.text.String(), l.word) {
		l.done = true
		l.said()
	}
	return len(p), nil
}

// Docker skips or fails t when no Docker daemon answers within ten seconds.
func Docker(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		Missing(t, "docker", "no daemon answers: %v %s", err, strings.TrimSpace(string(out)))
	}
}

// Image returns the name of the SuperNode image of version, which must be on the daemon.
func Image(t testing.TB, version string) string {
	t.Helper()
	Docker(t)
	image := "flwr/supernode:" + version + "-py3.13-ubuntu24.04"
	if err := exec.Command("docker", "image", "inspect", image).Run(); err != nil {
		Missing(t, "docker", "no image %s (internal/grid/image/build.sh makes it)", image)
	}
	return image
}
