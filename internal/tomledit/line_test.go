package tomledit

import (
	"fmt"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

// An error names the line that a person has to correct.
func TestLineOfAnError(t *testing.T) {
	for src, line := range map[string]int{
		"a = 1\n[grid\nc = 1\n":              2,
		"a = 1\n[grid\n\n\nc = 1\n":          2,
		"a = 1\n[grid":                       2,
		"a = 1\r\n[grid\r\nc = 1\r\n":        2,
		"\xef\xbb\xbfa = 1\n[grid\n":         2,
		"a = 1\n[[x]\nb = 1\n":               2,
		"a = 1\n[g.\nb = 1\n":                2,
		"a = 1\nb = \"x\nc = 1\n":            2,
		"a = 1\n\"b = 2\nc = 3\n":            2,
		"a = 1\nb\nc = 2\n":                  2,
		"a = 1\nb = [1, 2\n":                 2,
		"a = 1\nb = [1,\n2,\n\"x\nc = 1\n":   4,
		"a = 1\nb = {x = 1\n":                2,
		"a = 1\nb = {x = 1, y\nc = 2\n":      2,
		"a = 1\nb = = 2\n":                   2,
		"a = 1\na = 2\n":                     2,
		"a = 1\n[g]\nx = 1\n[g]\ny = 2\n":    4,
		"a = 1\nb = tru\nc = 2\n":            2,
		"a = 1\nb = \"\\q\"\nc = 2\n":        2,
		"a = 1\nb =\nc = 2\n":                2,
		"# x\n\na = 1 b = 2\nc = 3\n":        3,
		"a = 1\n[node.supernode_1\nx = 1\n":  2,
		"a = 1\nb = 2020-13-40\nc = 3\n":     2,
		"a = 1\nb = 0x\nc = 3\n":             2,
		"a = 1\nb = [\"x\", \"y]\nc = [1]\n": 2,
	} {
		_, err := Decode([]byte(src))
		if p := problem.Of(err); err == nil || !strings.HasPrefix(p.Why, fmt.Sprintf("line %d: ", line)) || p.Fix != fmt.Sprintf("correct line %d", line) {
			t.Errorf("%q: %v; %s", src, err, p.Fix)
		}
	}
}
