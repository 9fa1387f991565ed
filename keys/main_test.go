package keys

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// A test that kills a process, or needs one without rights, runs this binary again as a child.
const (
	childEnv = "FLWRUP_KEYS_TEST_CHILD"
	dirEnv   = "FLWRUP_KEYS_TEST_DIR"
)

func TestMain(m *testing.M) {
	switch os.Getenv(childEnv) {
	case "":
		os.Exit(m.Run())
	case "generate": // prints a line for every pair that is reported
		_, err := Generate(context.Background(), os.Getenv(dirEnv), wantedNames(40), func(p Pair) { fmt.Println(p.Name, p.Fingerprint) })
		exitWith(err)
	case "limited":
		limitFileSize()
		_, err := Generate(context.Background(), os.Getenv(dirEnv), wantedNames(3), nil)
		exitWith(err)
	}
}

func exitWith(err error) {
	if err == nil {
		os.Exit(0)
	}
	fmt.Printf("%s: %v\n", problem.Of(err).Code, err)
	os.Exit(1)
}

func wantedNames(n int) []string { return Folder{}.NextNames(n) }

func keyDir(t testing.TB) string { return filepath.Join(t.TempDir(), "keys") }

func generate(t testing.TB, dir string, names ...string) []Pair {
	t.Helper()
	pairs, err := Generate(context.Background(), dir, names, nil)
	if err != nil {
		t.Fatal(err)
	}
	return pairs
}

func scan(t testing.TB, dir string) Folder {
	t.Helper()
	folder, err := Scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func wantCode(t testing.TB, err error, codes ...problem.Code) {
	t.Helper()
	if !problem.Is(err, codes...) {
		t.Errorf("wanted %v, got %v", codes, err)
		return
	}
	if p := problem.Of(err); p.Fix == "" {
		t.Errorf("%v says nothing about what to do", err)
	}
}

// hashes returns a digest of every file of a folder, and nothing secret.
func hashes(t testing.TB, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		sums[e.Name()] = fmt.Sprintf("%x", sha256.Sum256(data))
	}
	return sums
}

func sshKeygen(t testing.TB, args ...string) string {
	t.Helper()
	program := require.Tool(t, "flwr", "ssh-keygen")
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("ssh-keygen %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
