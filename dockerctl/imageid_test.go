package dockerctl

import (
	"os/exec"
	"strings"
	"testing"

	"flwrup/internal/require"
)

func TestRepoDigest(t *testing.T) {
	all := []string{"mirror.example.org/flwr/supernode@sha256:" + strings.Repeat("a", 64), "flwr/supernode@sha256:" + strings.Repeat("b", 64)}
	for name, want := range map[string]string{"flwr/supernode:1.42.0": all[1], "docker.io/flwr/supernode": all[1],
		"mirror.example.org/flwr/supernode:x": all[0], "other": all[0], "NO NAME": all[0]} {
		if got := repoDigest(name, all); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := repoDigest("flwr/supernode", nil); got != "" {
		t.Errorf("built here: %q", got)
	}
}

// A container is made from the image that its name led to at first, even after the name moved to another
// image.
func TestMadeFromTheImageOfBefore(t *testing.T) {
	t.Parallel()
	r := real(t)
	ctx := t.Context()
	base := require.Image(t, require.Newest)
	tag := "flwrup-test/" + r.project + ":1"
	build := func(label string) string {
		t.Helper()
		cmd := exec.Command("docker", "build", "-q", "-t", tag, "-")
		cmd.Stdin = strings.NewReader("FROM " + base + "\nLABEL test=" + label + "\nENTRYPOINT [\"python\", \"-c\", \"import time; time.sleep(300)\"]\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v %s", err, out)
		}
		id := strings.TrimSpace(string(out))
		t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", id).Run() })
		return id
	}
	first := build("first")
	s := node(t, r, "supernode_1", tag)
	if i, err := r.ResolveImage(ctx, tag); err != nil || i.ID != first || i.Digest != "" || i.Name() != first {
		t.Fatalf("%+v %v, built %s", i, err, first)
	}
	s.ImageID = first
	start(t, r, s)
	if st := only(t, r); st.ImageID != first || st.Image != tag {
		t.Errorf("%+v", st)
	}
	second := build("second")
	for _, s.ImageID = range []string{first, second} {
		docker(t, "rm", "-fv", s.Container)
		start(t, r, s)
		if st := only(t, r); st.ImageID != s.ImageID || st.Image != tag {
			t.Errorf("asked for %s: %+v", s.ImageID, st)
		}
	}
	// A stopped container of the previous image is replaced once the new one is wanted, and only then.
	id := only(t, r).ID
	docker(t, "stop", "-t", "0", s.Container)
	if start(t, r, s); only(t, r).ID != id {
		t.Error("replaced for nothing")
	}
	docker(t, "stop", "-t", "0", s.Container)
	s.ImageID = first
	if start(t, r, s); only(t, r).ID == id || only(t, r).ImageID != first {
		t.Errorf("%+v", only(t, r))
	}
	s.ImageID = "sha256:" + strings.Repeat("0", 64)
	docker(t, "rm", "-fv", s.Container)
	if err := r.Start(ctx, s); err == nil || !strings.Contains(err.Error(), "is not on the daemon") {
		t.Errorf("an image that is gone: %v", err)
	}
}
