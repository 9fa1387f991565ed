package site

import (
	"slices"
	"strings"

	"flwrup/internal/nodeconfig"
	"flwrup/internal/problem"
	"flwrup/internal/project"
)

// checkNodeConfig says what is wrong with a SuperNode's values for the ClientApp, wherever they come from, before
// anything is started.
func checkNodeConfig(name string, choice project.NodeChoice, kind string) error {
	texts := []string{choice.NodeConfig}
	for i, a := range choice.Args {
		if v, ok := strings.CutPrefix(a, "--node-config="); ok {
			texts = append(texts, v)
		} else if a == "--node-config" && i+1 < len(choice.Args) {
			texts = append(texts, choice.Args[i+1])
		}
	}
	for _, text := range texts {
		if err := nodeconfig.Check(text); err != nil {
			return problem.New(problem.BadInput, "the node-config of "+name+" does not fit", err.Error(),
				"correct it in flwrup.toml, or with flwrup settings "+name)
		}
		if kind != project.RuntimeDocker || !nodeconfig.File(text) {
			continue
		}
		if !slices.ContainsFunc(choice.Data, func(d string) bool {
			_, inside, _ := project.ParseData(d)
			return inside != "" && (text == inside || strings.HasPrefix(text, strings.TrimSuffix(inside, "/")+"/"))
		}) {
			return problem.New(problem.BadInput, "the node-config of "+name+" is not in its container", text+" is a path there, and in no folder of data",
				"add its folder to data and give the path in the container, or write the values themselves: key=value")
		}
	}
	return nil
}
