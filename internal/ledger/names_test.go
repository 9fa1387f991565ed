package ledger

import (
	"strings"
	"testing"
)

// TestNamesAreExact: a value under a name in another case takes no known one's place, and of a name that stands there
// twice the last value counts alone.
func TestNamesAreExact(t *testing.T) {
	for content, says := range map[string]string{
		`{"format":1,"nodes":[],"Nodes":[{"key":"k","connection":"c"}]}`: `the name "Nodes" has to be "nodes"`,
		`{"format":1,"supernodes":[{"name":"a","Port":2}]}`:              `in "supernodes": the name "Port" has to be "port"`,
	} {
		if _, _, err := decode([]byte(content)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", content, err)
		}
	}
	d, _, err := decode([]byte(`{"format":1,"supernodes":[{"name":"a","port":2}],"supernodes":[{"name":"a"}]}`))
	if err != nil || len(d.SuperNodes) != 1 || d.SuperNodes[0].Port != 0 {
		t.Errorf("%+v %v", d.SuperNodes, err)
	}
}
