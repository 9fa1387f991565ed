package dockerctl

import (
	"os/exec"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// TestRemoveImage: an image goes, unless a container was made from it, also where the image has a second name.
func TestRemoveImage(t *testing.T) {
	t.Parallel()
	r := real(t)
	base := require.Image(t, require.Newest)
	tag := "flwrup-test/" + r.project + ":old"
	cmd := exec.Command("docker", "build", "-q", "-t", tag, "-t", tag+"2", "-")
	cmd.Stdin = strings.NewReader("FROM " + base + "\nLABEL test=old-" + r.project + "\nENTRYPOINT [\"true\"]\n")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", tag, tag+"2").Run() })
	if size, err := r.ImageSize(t.Context(), tag); err != nil || size < 1e8 {
		t.Errorf("%d bytes, %v", size, err)
	}
	box := strings.TrimSpace(docker(t, "create", tag))
	if err := r.RemoveImage(t.Context(), tag); !problem.Is(err, problem.Busy) {
		t.Errorf("with a container: %v", err)
	}
	docker(t, "rm", box)
	if err := r.RemoveImage(t.Context(), tag); err != nil {
		t.Error(err)
	}
	if size, err := r.ImageSize(t.Context(), tag); err != nil || size != 0 {
		t.Errorf("it is there still: %d bytes, %v", size, err)
	}
	if size, _ := r.ImageSize(t.Context(), tag+"2"); size == 0 {
		t.Error("its other name is gone as well")
	}
	if err := r.RemoveImage(t.Context(), tag); err != nil {
		t.Errorf("an image that is not there: %v", err)
	}
}
