package dockerctl

import (
	"context"
	"os"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// An image with an app's packages keeps its flwr, its user and its entrypoint, and says which flwr it holds.
func TestBuild(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := context.Background()
	base := require.Image(t, require.Newest)
	tag := "flwrup-test/" + r.project + ":1"
	var log []string
	b := ImageBuild{Base: base, Flwr: require.Newest, Tag: tag, Packages: []string{"humanize"}, CA: os.Getenv("PIP_CERT")}
	if err := r.Build(ctx, b, func(line string) { log = append(log, line) }); err != nil {
		if problem.Is(err, problem.BadInput) && os.Getenv("FLWRUP_TEST_INDEX") == "" {
			t.Skipf("needs a package index that a build can reach (FLWRUP_TEST_INDEX=1 insists): %v", err)
		}
		t.Fatalf("%v\n%s", err, strings.Join(log, "\n"))
	}
	t.Cleanup(func() { docker(t, "rmi", tag) })
	if len(log) == 0 {
		t.Error("no progress")
	}
	look := docker(t, "inspect", "--format", "{{.Config.User}} {{.Config.Entrypoint}}", tag)
	if want := docker(t, "inspect", "--format", "{{.Config.User}} {{.Config.Entrypoint}}", base); look != want {
		t.Errorf("%s, not %s", look, want)
	}
	if err := r.Prepare(ctx, supernode.Spec{Image: tag, Flwr: require.Newest}, nil); err != nil {
		t.Error(err)
	}
	if err := r.Prepare(ctx, supernode.Spec{Image: tag, Flwr: "1.24.0"}, nil); !problem.Is(err, supernode.WrongFlwr) {
		t.Errorf("another flwr: %v", err)
	}
	if out := docker(t, "run", "--rm", "--network", "none", "--entrypoint", "python", tag, "-c", "import flwr, humanize; print(humanize.intcomma(1000))"); out != "1,000" {
		t.Error(out)
	}
}
