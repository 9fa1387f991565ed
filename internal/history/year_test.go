package history

import (
	"os"
	"testing"
	"time"
)

// TestWriteYear writes a simulated year of 50 SuperNodes that ends now into the folder that FLWRUP_TEST_YEAR names, for
// measurements of the whole program and for screens.
func TestWriteYear(t *testing.T) {
	dir := os.Getenv("FLWRUP_TEST_YEAR")
	if dir == "" {
		t.Skip("FLWRUP_TEST_YEAR names no folder")
	}
	year(t, dir, time.Now().UTC().Truncate(markEvery), 50)
	if info, err := os.Stat(File(dir)); err != nil || info.Size() > Limit {
		t.Errorf("%v, %v", info, err)
	}
}
