package supernode

import (
	"strings"
	"testing"
)

// TestLoad: a number of SuperNodes that is too large in a run is reported, even if the machine could carry it
// at rest.
func TestLoad(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	for _, c := range []struct {
		name  string
		load  Load
		free  int64
		cores int
		says  []string
	}{
		{"three", Load{3, 190 * mb, 0}, 2 * gb, 2, nil},
		{"at rest they would fit", Load{25, 190 * mb, 0}, 5 * gb, 16, []string{"start 17 or fewer"}},
		{"in turns they fit", Load{25, 190 * mb, 4}, 6 * gb, 2, nil},
		{"cores", Load{25, 190 * mb, 0}, 20 * gb, 2, []string{"25 SuperNodes on 2 cores"}},
		{"both", Load{25, 190 * mb, 0}, gb, 2, []string{"start 3 or fewer", "2 cores"}},
		{"nothing fits", Load{2, 190 * mb, 0}, mb, 2, []string{"start 1 or fewer"}},
		{"memory unknown", Load{25, 190 * mb, 0}, -1, 16, nil},
		{"cores unknown", Load{25, 190 * mb, 0}, 20 * gb, 0, nil},
	} {
		found := c.load.Short(c.free, c.cores)
		if len(found) != len(c.says) {
			t.Errorf("%s: %d findings", c.name, len(found))
			continue
		}
		for i, f := range found {
			if text := f.Problem.Error() + "; " + f.Problem.Fix; !strings.Contains(text, c.says[i]) || !f.Warning {
				t.Errorf("%s: %s", c.name, text)
			}
		}
		if n := c.load.Carries(c.free); n >= 0 {
			at := Load{n, c.load.Each, c.load.AtOnce}
			if at.InRun() > c.free && n > 0 {
				t.Errorf("%s: carries %d?", c.name, n)
			}
		}
	}
}
