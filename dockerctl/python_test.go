package dockerctl

import (
	"context"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/require"
)

// An image's Python reports which packages the image has, may do nothing else, and leaves nothing.
func TestRunPython(t *testing.T) {
	r := real(t)
	image := require.Image(t, require.Newest)
	ctx := context.Background()
	out, err := r.RunPython(ctx, image, []string{"-c", `
import importlib.metadata, os, socket
print("flwr", importlib.metadata.version("flwr"))
print(os.getuid(), [n for _, n in socket.if_nameindex()])
try: open("/tmp/x", "w")
except OSError as e: print(e.strerror)`})
	if err != nil || string(out) != "flwr "+require.Newest+"\n49999 ['lo']\nRead-only file system\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err = r.RunPython(ctx, image, []string{"-c", "raise SystemExit('no such luck')"}); err == nil || !strings.Contains(err.Error(), "it ended with 1: no such luck") {
		t.Errorf("%v", err)
	}
	if _, err = r.RunPython(ctx, "flwrup-test/none:1", nil); !problem.Is(err, problem.ImageMissing) {
		t.Errorf("%v", err)
	}
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	began := time.Now()
	if _, err = r.RunPython(short, image, []string{"-c", "import time; time.sleep(61)"}); err != context.DeadlineExceeded || time.Since(began) > 15*time.Second {
		t.Errorf("left after %v: %v", time.Since(began), err)
	}
	if list, err := r.List(ctx); err != nil || len(list) != 0 {
		t.Errorf("taken for a SuperNode: %+v, %v", list, err)
	}
	if all := docker(t, "ps", "-a", "--no-trunc", "--format", "{{.Command}}"); strings.Contains(all, "no such luck") || strings.Contains(all, "time.sleep(61)") {
		t.Errorf("containers are left:\n%s", all)
	}
}
