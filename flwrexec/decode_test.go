package flwrexec

import (
	"strings"
	"testing"
	"time"
)

func TestSmallParsers(t *testing.T) {
	for in, want := range map[number]time.Duration{"00:00:40": 40 * time.Second, "2d 01:00:05": 49*time.Hour + 5*time.Second, "59.233226": 59233 * time.Millisecond, "N/A": 0, "": 0, "-1": 0} {
		if got := elapsed(in); got != want {
			t.Errorf("%s: %v", in, got)
		}
	}
	for name, ok := range map[string]bool{"study": true, "a": true, "A-1": true, "1a": false, "": false, "no good!": false, "a_b": false, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false} {
		if (CheckFederationName(name) == nil) != ok {
			t.Errorf("%q", name)
		}
	}
	for id, ok := range map[string]bool{"@ada/study": true, "flowerlabs": false, "@a/b/c": false} {
		if federationID.MatchString(id) != ok {
			t.Errorf("%q", id)
		}
	}
	if got := string(jsonPart("chatter {not json\n{\"a\": 1}\nmore")); got != `{"a": 1}` {
		t.Errorf("%s", got)
	}
	if jsonPart("no json [ here") != nil {
		t.Error("json out of nothing")
	}
	if a := AccountOf(nil, []Federation{{ID: "@ada/workspace"}}); a != "ada" {
		t.Error(a)
	}
}
