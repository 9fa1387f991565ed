//go:build linux && !race

package keys

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"filippo.io/age"
)

// memoryOf makes a backup with a passphrase in a process of its own, opens and restores it. It returns the
// most memory that took and what is left, in MiB.
func memoryOf(t testing.TB) (peak, rest float64) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestBackupAlone$", "-test.count", "1", "-test.v")
	cmd.Env = append(os.Environ(), "KEYS_BACKUP_ALONE=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line := range strings.SplitSeq(string(out), "\n") {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kb, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmHWM:":
			peak = kb / 1024
		case "VmRSS:":
			rest = kb / 1024
		}
	}
	return peak, rest
}

// TestBackupAlone is the process that memoryOf measures. It also checks that a backup comes back whole.
func TestBackupAlone(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	if _, err := Generate(ctx, filepath.Join(dir, "keys"), []string{"a", "b", "c"}, nil); err != nil {
		t.Fatal(err)
	}
	r, i, err := PassphraseRecipient("correct horse battery staple")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "b.tar.age")
	if b, err := MakeBackup(ctx, filepath.Join(dir, "keys"), file, []age.Recipient{r}, []age.Identity{i}); err != nil || !b.Verified {
		t.Fatal(b, err)
	}
	if pairs, err := RestoreBackup(ctx, file, []age.Identity{i}, filepath.Join(dir, "back")); err != nil || len(pairs) != 3 {
		t.Fatal(pairs, err)
	}
	if os.Getenv("KEYS_BACKUP_ALONE") != "" {
		text, err := os.ReadFile("/proc/self/status")
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.Write(text) //nolint:errcheck
	}
}

// One table of scrypt at a time, and none afterwards.
func TestBackupMemory(t *testing.T) {
	if peak, rest := memoryOf(t); peak < 200 || peak > 300 || rest == 0 || rest > 40 {
		t.Errorf("%.0f MiB at most, %.0f MiB left", peak, rest)
	}
}

func BenchmarkBackupMemory(b *testing.B) {
	for b.Loop() {
		peak, rest := memoryOf(b)
		b.ReportMetric(peak, "MiB-peak")
		b.ReportMetric(rest, "MiB-left")
	}
}
