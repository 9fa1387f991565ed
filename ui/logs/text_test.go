package logs

import (
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// TestCluster: the short way for ASCII finds the same characters as the library.
func TestCluster(t *testing.T) {
	for _, text := range []string{"plain text", "a\u0301 combined", "train · answered in 5.0s · run 8822…6450", "日本語 and tabs", "e\u200d \u200dx", "👩\u200d🔬 and 👍🏽!", "~\u0308"} {
		for rest := text; rest != ""; {
			char, w := cluster(rest)
			if want, ww := ansi.FirstGraphemeCluster(rest, ansi.GraphemeWidth); char != want || w != ww || char == "" {
				t.Fatalf("%q: %q of %d columns, not %q of %d", rest, char, w, want, ww)
			}
			rest = rest[len(char):]
		}
	}
}
