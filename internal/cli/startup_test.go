package cli

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
)

// TestStartUpIsCheap runs this binary, which holds all of flwrup, without a test. A package that builds tables when
// the program starts makes every command pay for them, so it fails over 1 MB for a package and 4 MB for all. The race
// detector's own allocations count, too: with it the limits are twice as high.
func TestStartUpIsCheap(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	packages, sum := 0, 0
	for line := range strings.Lines(string(out)) {
		// init flwrup/keys @3.3 ms, 0.17 ms clock, 85136 bytes, 696 allocs
		words := strings.Fields(line)
		if len(words) != 11 || words[0] != "init" || words[8] != "bytes," {
			continue
		}
		bytes, err := strconv.Atoi(words[7])
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		packages, sum = packages+1, sum+bytes
		if bytes > raceFactor<<20 {
			t.Errorf("%s allocates %d bytes when a command starts", words[1], bytes)
		}
	}
	if packages < 50 {
		t.Errorf("%d packages were traced:\n%s", packages, out)
	}
	if sum > 4*raceFactor<<20 {
		t.Errorf("all packages allocate %d bytes when a command starts", sum)
	}
}
