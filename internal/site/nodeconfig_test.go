package site

import (
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/project"
)

// TestNodeConfigFile: a file that holds the values has to be in a folder of data, which the container sees.
func TestNodeConfigFile(t *testing.T) {
	file := project.NodeChoice{NodeConfig: "/data/a.toml"}
	if err := checkNodeConfig("n", file, project.RuntimeDocker); !strings.Contains(problem.Of(err).Error(), "not in its container") {
		t.Errorf("%v", err)
	}
	file.Data = []string{"x:/data"}
	if err := checkNodeConfig("n", file, project.RuntimeDocker); err != nil {
		t.Error(err)
	}
}
