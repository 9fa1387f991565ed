package dockerctl

import (
	"testing"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/supernode"
)

func TestKeyOnHost(t *testing.T) {
	guide := []container.MountPoint{{Type: "bind", Source: "/home/ada/keys", Destination: "/app/keys"}}
	for _, c := range []struct {
		name   string
		args   []string
		mounts []container.MountPoint
		want   string
	}{
		{"the guide's", []string{"--superlink", "x:1", supernode.KeyFlag, "keys/client_credentials_1"}, guide, "/home/ada/keys/client_credentials_1"},
		{"one argument", []string{supernode.KeyFlag + "=/app/keys/k"}, guide, "/home/ada/keys/k"},
		{"up and down", []string{supernode.KeyFlag, "./x/../keys//k"}, guide, "/home/ada/keys/k"},
		{"one file", []string{supernode.KeyFlag, "/key"}, []container.MountPoint{{Type: "bind", Source: "/home/ada/k", Destination: "/key"}}, "/home/ada/k"},
		{"Docker Desktop", []string{supernode.KeyFlag, "keys/k"}, []container.MountPoint{{Type: "bind", Source: "/host_mnt/Users/ada/keys", Destination: "/app/keys/"}}, "/Users/ada/keys/k"},
		{"the inner mount counts", []string{supernode.KeyFlag, "keys/sub/k"}, append(guide, container.MountPoint{Type: "volume", Source: "/var/lib/x", Destination: "/app/keys/sub"}), ""},
		{"a folder of like name", []string{supernode.KeyFlag, "/app/keys2/k"}, guide, ""},
		{"a volume", []string{supernode.KeyFlag, "/run/supernode/key"}, []container.MountPoint{{Type: "volume", Source: "/var/lib/x", Destination: "/run/supernode"}}, ""},
		{"no key", []string{"--insecure"}, guide, ""},
		{"no value", []string{supernode.KeyFlag}, guide, ""},
	} {
		in := container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{Args: c.args}, Mounts: c.mounts, Config: &container.Config{WorkingDir: "/app"}}
		if got := keyOnHost(in); got != c.want {
			t.Errorf("%s: %q, %q wanted", c.name, got, c.want)
		}
	}
}
