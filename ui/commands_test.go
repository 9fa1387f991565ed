package ui_test

import (
	"bytes"
	"strings"
	"testing"

	"flwrup/internal/cli"
	"flwrup/internal/cli/program"
	"flwrup/ui"
)

// TestPaletteLines: each command line of the palette is one of flwrup's, with flags that it has.
func TestPaletteLines(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range ui.CommandLines(t) {
		var words []string
		for _, w := range strings.Fields(line)[1:] {
			if !strings.HasPrefix(w, "supernode_") && strings.Trim(w, "0123456789") != "" {
				words = append(words, w)
			}
		}
		if seen[strings.Join(words, " ")] {
			continue
		}
		seen[strings.Join(words, " ")] = true
		var out, err bytes.Buffer
		code := cli.Main(append(words, "--help"), program.Streams{Out: &out, Err: &err})
		name := words[0]
		if len(words) > 1 && !strings.HasPrefix(words[1], "-") {
			name += " " + words[1]
		}
		if code != 0 || !strings.Contains(out.String(), "flwrup "+name) {
			t.Errorf("%s: exit code %d\n%s%s", line, code, out.String(), err.String())
		}
		for _, w := range words {
			if strings.HasPrefix(w, "--") && !strings.Contains(out.String(), w) || w == "-f" && !strings.Contains(out.String(), "-f,") {
				t.Errorf("%s: there is no flag %s", line, w)
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d command lines", len(seen))
	}
}
