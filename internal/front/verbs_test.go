package front

import (
	"strings"
	"testing"
)

// TestVerbs: the words of a verb, where both front ends show them.
func TestVerbs(t *testing.T) {
	one, three := []string{"supernode_2"}, []string{"a", "b", "c"}
	for _, c := range []struct {
		verb               Verb
		nodes              []string
		names, doing, args string
	}{
		{StartNodes, one, "start supernode_2", "starting supernode_2", "start supernode_2"},
		{StopNodes, three, "stop 3 SuperNodes", "stopping 3 SuperNodes", "stop a b c"},
		{RestartNodes, nil, "restart the SuperNodes", "restarting the SuperNodes", "restart"},
		{ReplaceNodes, one, "replace the container of supernode_2", "restarting supernode_2", "restart supernode_2 --replace"},
		{ChangeSettings, one, "change the settings of supernode_2", "changing the settings of supernode_2", "settings supernode_2"},
		{UnregisterNodes, one, "unregister supernode_2", "unregistering supernode_2", "remove supernode_2 --unregister"},
		{RemoveSite, nil, "remove a site", "removing a site", "remove --site"},
		{RemoveSite, []string{"st-mary"}, "remove site st-mary", "removing site st-mary", "remove --site st-mary"},
		{AdmitSite, nil, "admit another site", "admitting another site", "admit FILE"},
		{AddNode, nil, "add a SuperNode", "adding a SuperNode", "add"},
		{AddNode, []string{""}, "add a SuperNode", "adding a SuperNode", "add "},
		{AddNode, make([]string, 3), "add 3 SuperNodes", "adding 3 SuperNodes", "add   "},
		{AddNode, one, "add supernode_2", "adding supernode_2", "add supernode_2"},
		{StopRun, []string{"17"}, "stop run 17", "stopping run 17", "runs stop 17"},
		{StopRun, []string{"17", "18"}, "stop 2 runs", "stopping 2 runs", "runs stop 17 18"},
		{StartGrid, nil, "start the rehearsal's grid", "starting the rehearsal's grid", "start --grid"},
		{StartGrid, one, "start the rehearsal's grid", "starting the rehearsal's grid", "start --grid"},
	} {
		if got := c.verb.Names(c.nodes); got != c.names {
			t.Errorf("%s %q is %q, not %q", c.verb, c.nodes, got, c.names)
		}
		if got := c.verb.Doing(c.nodes); got != c.doing {
			t.Errorf("%s %q does %q, not %q", c.verb, c.nodes, got, c.doing)
		}
		if got := strings.Join(c.verb.Args(c.nodes), " "); got != c.args {
			t.Errorf("%s %q is flwrup %q, not %q", c.verb, c.nodes, got, c.args)
		}
	}
	if got := Verb("new").Doing(one); got != "at work on supernode_2" {
		t.Errorf("a verb without words: %q", got)
	}
	for verb, w := range wordsOf {
		if w.name == "" || w.doing == "" || len(w.line) == 0 {
			t.Errorf("%s lacks words: %+v", verb, w)
		}
	}
}
