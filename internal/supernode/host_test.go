package supernode

import "testing"

func TestHostName(t *testing.T) {
	for host, want := range map[string]string{"": "", "gpu-box": "gpu-box", "ssh://ada@gpu.example.org:2222/run/docker.sock": "gpu.example.org:2222",
		"tcp://10.0.0.5:2376": "10.0.0.5:2376", "unix:///run/podman/podman.sock": "podman.sock", "::": "::"} {
		if got := HostName(host); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}
