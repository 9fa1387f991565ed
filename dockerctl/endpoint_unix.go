//go:build unix

package dockerctl

import (
	"os"
	"path/filepath"
	"strconv"

	"flwrup/internal/userdirs"
)

// otherSockets lists where a daemon's socket may be when /var/run/docker.sock is missing.
func otherSockets() []string {
	var out []string
	if home, err := userdirs.Home(); err == nil {
		for _, p := range []string{".docker/run", ".docker/desktop", ".colima/default", ".orbstack/run", ".rd"} {
			out = append(out, filepath.Join(home, p, "docker.sock"))
		}
	}
	run := "/run/user/" + strconv.Itoa(os.Getuid())
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		run = dir
	}
	return append(out, run+"/docker.sock", run+"/podman/podman.sock", "/run/podman/podman.sock")
}
