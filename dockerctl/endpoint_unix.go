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
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		out = append(out, filepath.Join(dir, "docker.sock"))
	}
	return append(out, "/run/user/"+strconv.Itoa(os.Getuid())+"/docker.sock")
}
