//go:build linux

package e2e

import (
	"context"
	"testing"

	"flwrup/dockerctl"
	"flwrup/flwrexec/app"
	"flwrup/internal/require"
)

// TestPackagesOfImage compares an app's dependencies with the packages of a SuperNode image, oldest and newest.
func TestPackagesOfImage(t *testing.T) {
	require.Docker(t)
	rt, err := dockerctl.New(context.Background(), dockerctl.Options{Project: "test-packages"})
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	args, err := app.PackagesCommand([]string{"flwr>=1.24.0", "numpy", "torch==2.8.0", "flwr<1.0"})
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1.24.0", require.Newest} {
		out, err := rt.RunPython(context.Background(), require.Image(t, version), args)
		if err != nil {
			t.Fatal(err)
		}
		missing, err := app.ReadMissing(out)
		if err != nil || len(missing) != 2 || missing[0].Want != "torch==2.8.0" || missing[0].Have != "" || missing[1].Want != "flwr<1.0" || missing[1].Have != version {
			t.Errorf("missing in the image of %s: %+v, %v", version, missing, err)
		}
	}
}
