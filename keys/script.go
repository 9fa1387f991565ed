package keys

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"

	"flwrup/internal/problem"
)

// keyCount is the line of Flower's generate_auth_keys.sh that the guide tells people to edit: line 15 there,
// another in later versions of the example.
var keyCount = regexp.MustCompile(`^(\s*(?:local\s+)?num_clients="?\$\{1:-)([^}]*)(\}.*)$`)

// deletesKeys is the line of that script that empties its folder of keys first.
var deletesKeys = regexp.MustCompile(`^\s*rm\s+-[a-zA-Z]*f[a-zA-Z]*\s+"?\$\{?KEY_DIR\}?"?/`)

// SetKeyCount sets how many pairs a generate_auth_keys.sh makes when it gets no number. It returns the
// script, the number of the line (from 1) and whether that line changed; all other bytes stay.
func SetKeyCount(script []byte, n int) (out []byte, line int, changed bool, err error) {
	if n < 1 {
		return script, 0, false, problem.New(problem.BadInput, fmt.Sprintf("need at least 1 SuperNode, not %d", n), "", "give 1 or more")
	}
	lines := bytes.SplitAfter(script, []byte("\n"))
	for i, text := range lines {
		body := bytes.TrimRight(text, "\r\n")
		m := keyCount.FindSubmatch(body)
		if m == nil {
			continue
		}
		number := strconv.Itoa(n)
		if string(m[2]) == number {
			return script, i + 1, false, nil
		}
		lines[i] = bytes.Join([][]byte{m[1], []byte(number), m[3], text[len(body):]}, nil)
		return bytes.Join(lines, nil), i + 1, true, nil
	}
	return script, 0, false, problem.New(problem.BadInput, "the script has no line `local num_clients=${1:-N}`",
		"it is another version of the example, or was changed", "give it the number when it is run: bash generate_auth_keys.sh "+strconv.Itoa(n))
}

// ScriptDeletesKeys reports whether a generate_auth_keys.sh removes all existing keys when it runs; Flower's
// does (`rm -f $KEY_DIR/*`).
func ScriptDeletesKeys(script []byte) bool {
	for text := range bytes.Lines(script) {
		if deletesKeys.Match(text) {
			return true
		}
	}
	return false
}
