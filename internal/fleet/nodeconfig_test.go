package fleet

import (
	"context"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// A node-config that flwr would refuse starts nothing, whether it comes from its own setting or from the arguments.
func TestNodeConfigIsChecked(t *testing.T) {
	ctx := context.Background()
	s, rt := sitetest.Up(t, sitetest.NewGrid("1.42.0"), 2)
	for _, c := range []project.NodeChoice{{NodeConfig: "name=clinic"}, {Args: []string{"--node-config", "name=clinic"}}, {Args: []string{"--node-config=name=clinic"}}} {
		delete(rt.Started, "supernode_1")
		delete(rt.Started, "supernode_2")
		s.Options.Ending = true // flwrup.toml cannot hold such a value
		if err := s.Change(func(bad *project.Choices) error {
			bad.Node = map[string]project.NodeChoice{"supernode_1": c}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		err := Operate(ctx, s, front.StartNodes, nil, &sitetest.Heard{})
		if p := problem.Of(err); err == nil || !strings.Contains(p.Error(), "`name=clinic`") {
			t.Errorf("%+v: %v", c, err)
		}
		if _, ok := rt.Started["supernode_1"]; ok || len(rt.Started) != 1 {
			t.Errorf("%+v: started %v", c, rt.Started)
		}
	}
	if project.CheckNode("node-config", "a = 1") == nil || checked("node-config")("a=b") == nil {
		t.Error("a setting that does not fit is taken")
	}
}
