package keys

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/safego"
)

func TestGenerateMakesWhatSSHKeygenTakes(t *testing.T) {
	dir := keyDir(t)
	var reported []string
	pairs, err := Generate(context.Background(), dir, wantedNames(3), func(p Pair) { reported = append(reported, p.Name) })
	if err != nil {
		t.Fatal(err)
	}
	if want := wantedNames(3); !slices.Equal(reported, want) {
		t.Errorf("reported %v, wanted %v", reported, want)
	}
	for _, p := range pairs {
		public, err := os.ReadFile(p.Public)
		if err != nil {
			t.Fatal(err)
		}
		if derived := sshKeygen(t, "-y", "-f", p.Private); strings.TrimSpace(derived) != strings.TrimSpace(string(public)) {
			t.Errorf("%s: ssh-keygen -y derives another public key", p.Name)
		}
		if n := len(strings.Fields(string(public))); n != 2 {
			t.Errorf("%s.pub has %d words, wanted 2: no comment", p.Name, n)
		}
		line := strings.Fields(sshKeygen(t, "-l", "-f", p.Public))
		if line[0] != "384" || line[1] != p.Fingerprint || line[len(line)-1] != "(ECDSA)" {
			t.Errorf("%s: ssh-keygen -l says %v, we say %s", p.Name, line, p.Fingerprint)
		}
		if runtime.GOOS != "windows" {
			for path, want := range map[string]os.FileMode{p.Private: 0o600, p.Public: 0o644, dir: 0o700} {
				if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
					t.Errorf("%s: mode %v, wanted %v (%v)", path, info.Mode().Perm(), want, err)
				}
			}
		}
	}
	if folder := scan(t, dir); len(folder.Issues) > 0 || !slices.Equal(folder.Pairs, pairs) {
		t.Errorf("Scan finds something else than was made: %+v", folder)
	}
	// A second run changes nothing and reports nothing.
	before := hashes(t, dir)
	if _, err := Generate(context.Background(), dir, wantedNames(3), func(p Pair) { t.Errorf("%s was made twice", p.Name) }); err != nil {
		t.Fatal(err)
	}
	sameFiles(t, before, hashes(t, dir))
}

func TestFlwrTakesThePairs(t *testing.T) {
	for _, version := range []string{"1.24.0", require.Newest} {
		t.Run(version, func(t *testing.T) {
			env := require.Flwr(t, version)
			p := generate(t, keyDir(t), "client_credentials_1")[0]
			// `flwr supernode register` and `flower-supernode` read the two files like this.
			code := `import sys, argparse, pathlib
from flwr.cli.supernode.register import try_load_public_key
from flwr.supernode.cli.flower_supernode import _try_setup_client_authentication
public = try_load_public_key(pathlib.Path(sys.argv[2]))
pair = _try_setup_client_authentication(argparse.Namespace(auth_supernode_private_key=sys.argv[1], auth_supernode_public_key=None))
from flwr.supercore.primitives.asymmetric import public_key_to_bytes
assert public_key_to_bytes(pair[1]) == public
print("taken", pair[1].curve.name)`
			out, err := exec.Command(require.Program(env, "python"), "-c", code, p.Private, p.Public).CombinedOutput()
			if err != nil || !strings.Contains(string(out), "taken secp384r1") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestTwoRunsAtOnceMakeOneSetOfKeys(t *testing.T) {
	dir, names := keyDir(t), wantedNames(60)
	var wait sync.WaitGroup
	results := make([][]Pair, 4)
	made := make([]int, len(results))
	for i := range results {
		wait.Add(1)
		safego.Go("run", func(err error) { t.Error(err) }, func() {
			defer wait.Done()
			var err error
			if results[i], err = Generate(context.Background(), dir, names, func(Pair) { made[i]++ }); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	folder := scan(t, dir)
	if len(folder.Pairs) != len(names) || len(folder.Issues) > 0 {
		t.Fatalf("%d pairs, issues %v", len(folder.Pairs), folder.Issues)
	}
	total := 0
	for i, pairs := range results {
		total += made[i]
		if !slices.Equal(pairs, folder.Pairs) {
			t.Errorf("run %d was told of other keys than are on disk", i)
		}
	}
	if total < len(names) {
		t.Errorf("%d pairs reported as made, wanted %d at least", total, len(names))
	}
	noLeftovers(t, dir)
}

func TestGenerateCompletesAHalfAndRefusesTheBroken(t *testing.T) {
	dir := keyDir(t)
	pairs := generate(t, dir, "supernode-1", "supernode-2", "supernode-3")
	os.Remove(pairs[0].Public)
	folder := scan(t, dir)
	if !slices.Equal(folder.Halves, []string{"supernode-1"}) || folder.Issues[0].Problem.Code != HalfPair {
		t.Fatalf("the half pair is not named: %+v", folder)
	}
	if p, err := Complete(dir, "supernode-1"); err != nil || p.Fingerprint != pairs[0].Fingerprint {
		t.Errorf("Complete: %+v, %v", p, err)
	}
	os.Remove(pairs[0].Public)
	if got := generate(t, dir, "supernode-1", "supernode-2"); got[0].Fingerprint != pairs[0].Fingerprint {
		t.Error("Generate replaced a private key that lacked its public half")
	}
	os.Remove(pairs[1].Private)
	before := hashes(t, dir)
	_, err := Generate(context.Background(), dir, []string{"supernode-4", "supernode-2"}, nil)
	wantCode(t, err, NoPrivate)
	sameFiles(t, before, hashes(t, dir)) // nothing was made, not even the good one
	_, err = Complete(dir, "supernode-9")
	wantCode(t, err, problem.BadInput)
	_, err = Complete(dir, "../keys/supernode-1")
	wantCode(t, err, problem.BadInput)
}

func TestGenerateRefusesNames(t *testing.T) {
	for _, name := range []string{"", ".", "..", "../x", "a/b", `a\b`, "-rf", ".hidden", "a.pub", "a b", "a\x1b[2J", strings.Repeat("a", 300)} {
		dir := keyDir(t)
		_, err := Generate(context.Background(), dir, []string{name}, nil)
		wantCode(t, err, problem.BadInput)
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%q: a folder was made for it", name)
		}
	}
	_, err := Generate(context.Background(), keyDir(t), []string{"a", "a"}, nil)
	wantCode(t, err, problem.BadInput)
}

func TestGenerateStops(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := keyDir(t)
	ctx, cancel := context.WithCancel(context.Background())
	pairs, err := Generate(ctx, dir, wantedNames(batchSize+50), func(p Pair) { cancel() })
	wantCode(t, err, problem.Cancelled)
	if folder := scan(t, dir); len(pairs) != batchSize || len(folder.Pairs) != batchSize || len(folder.Issues) > 0 {
		t.Errorf("%d pairs given, %d on disk, %v", len(pairs), len(folder.Pairs), folder.Issues)
	}
	noLeftovers(t, dir)
}

func TestAFileInPlaceOfTheFolder(t *testing.T) {
	dir := keyDir(t)
	if err := os.WriteFile(dir, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Scan(dir)
	wantCode(t, err, problem.BadInput)
	_, err = Generate(context.Background(), dir, wantedNames(1), nil)
	wantCode(t, err, problem.BadInput)
	_, err = Generate(context.Background(), filepath.Join(dir, "below"), wantedNames(1), nil)
	wantCode(t, err, problem.BadInput)
	_, err = FixModes(dir)
	wantCode(t, err, problem.BadInput)
}

func sameFiles(t testing.TB, before, after map[string]string) {
	t.Helper()
	for name, sum := range before {
		if after[name] != sum {
			t.Errorf("%s changed", name)
		}
	}
	for name := range after {
		if _, ok := before[name]; !ok {
			t.Errorf("%s is new", name)
		}
	}
}

func noLeftovers(t testing.TB, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if isLeftover(e.Name()) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}

func BenchmarkGenerate1000(b *testing.B) {
	for b.Loop() {
		generate(b, keyDir(b), wantedNames(1000)...)
	}
}

func BenchmarkScan1000(b *testing.B) {
	dir := keyDir(b)
	generate(b, dir, wantedNames(1000)...)
	for b.Loop() {
		if len(scan(b, dir).Pairs) != 1000 {
			b.Fatal("not all found")
		}
	}
}

// Another run publishes its private key between our look and our write, and has no public one yet.
func TestTheQuickerRunsKeyStands(t *testing.T) {
	dir := keyDir(t)
	const name = "client_credentials_1"
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	quick := generate(t, dir, "other")[0] // stands for the other run's key
	late := &draft{dir: dir, name: name, found: inspect(filepath.Join(dir, name))}
	if err := late.stage(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(quick.Private, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	os.Remove(quick.Public)
	pair, err := late.publish()
	if err != nil || pair.Fingerprint != quick.Fingerprint {
		t.Errorf("%+v, %v; the key on disk is %s", pair, err, quick.Fingerprint)
	}
	if folder := scan(t, dir); len(folder.Pairs) != 1 || len(folder.Issues) > 0 {
		t.Errorf("%+v", folder)
	}
}
