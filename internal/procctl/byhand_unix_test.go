//go:build linux || darwin

package procctl

import (
	"strings"
	"testing"
)

func TestTold(t *testing.T) {
	for line, want := range map[string]string{
		"/v/bin/python /v/bin/flower-supernode --insecure --auth-supernode-private-key keys/k_1": "keys/k_1",
		"flower-supernode --auth-supernode-private-key=/k --root-certificates ca.crt":            "/k",
		"python flower-supernode --auth-supernode-private-key":                                   "",
		"python flower-supernode --superlink a:1":                                                "",
		"uv run flower-supernode --auth-supernode-private-key k":                                 "", // its child is the SuperNode
		"python flower-superexec --auth-supernode-private-key k":                                 "",
		"grep --auth-supernode-private-key k":                                                    "",
		"":                                                                                       "",
	} {
		key, ok := told(strings.Fields(line))
		if key != want || ok != (want != "") {
			t.Errorf("%q: %q %v", line, key, ok)
		}
	}
}
