package dockerctl

import (
	"errors"
	"strings"
	"testing"
)

// TestWhySSH: the last words of ssh, or of the docker command at its other end, become a reason and a remedy. The
// texts are those of OpenSSH 9.2 and Docker 20.10 to 28.5.
func TestWhySSH(t *testing.T) {
	at := endpoint{host: "ssh://ada@gpu.example.org:2222", from: "option"}
	wrapped := func(stderr, exit string) error {
		return errors.New("error during connect: command [ssh -l ada -T -- gpu.example.org docker system dial-stdio] has exited with " + exit +
			", make sure the URL is valid, and Docker 18.09 or later is installed on the remote host: stderr=" + stderr)
	}
	for _, c := range []struct {
		err      error
		why, fix string
	}{
		{wrapped("No ED25519 host key is known for [gpu.example.org]:2222 and you have requested strict checking.\r\nHost key verification failed.", "exit status 255"),
			"does not know its host key", "run `ssh -p 2222 ada@gpu.example.org` once"},
		{wrapped("@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.", "exit status 255"), "host key has changed", "known_hosts"},
		{wrapped("ada@gpu.example.org: Permission denied (publickey,password).", "exit status 255"), "without a password", "ssh-copy-id -p 2222 ada@gpu.example.org"},
		{wrapped("ssh: Could not resolve hostname gpu.example.org: Name or service not known", "exit status 255"), "gpu.example.org is not known", "address"},
		{wrapped("ssh: connect to host gpu.example.org port 2222: Connection refused", "exit status 255"), "nothing answers ssh", "machine is on"},
		{wrapped("ssh: connect to host gpu.example.org port 2222: Connection timed out", "exit status 255"), "no answer in time", "machine is on"},
		{wrapped("bash: line 1: docker: command not found", "exit status 127"), "no docker command", "install Docker"},
		{wrapped("Got permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: dial unix /var/run/docker.sock: connect: permission denied", "exit status 1"),
			"may not use Docker", "usermod -aG docker"},
		{wrapped("Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?", "exit status 1"), "no Docker daemon", "start Docker"},
		{errors.New(`exec: "ssh": executable file not found in $PATH`), "no ssh on this machine", "OpenSSH"},
		{wrapped("something new", "exit status 255"), "leads to ssh://ada@gpu.example.org:2222", "ssh -p 2222 ada@gpu.example.org docker version"},
	} {
		p := whySSH(at, c.err)
		if !strings.Contains(p.What, "Docker on gpu.example.org") || !strings.Contains(p.Why, c.why) || !strings.Contains(p.Fix, c.fix) {
			t.Errorf("%v:\n%s: %s; %s\nwant %q, %q", c.err, p.What, p.Why, p.Fix, c.why, c.fix)
		}
	}
}

// TestInClear: private keys go to no daemon whose connection can be read on the network.
func TestInClear(t *testing.T) {
	t.Setenv("DOCKER_CERT_PATH", "")
	for _, c := range []struct {
		at    endpoint
		clear bool
	}{
		{endpoint{host: "tcp://10.0.0.5:2375", from: "option"}, true},
		{endpoint{host: "tcp://10.0.0.5:2375", from: "DOCKER_HOST"}, true},
		{endpoint{host: "http://gpu-box:2375", from: "option"}, true},
		{endpoint{host: "tcp://127.0.0.1:2375", from: "DOCKER_HOST"}, false},
		{endpoint{host: "tcp://localhost:2375", from: "option"}, false},
		{endpoint{host: "ssh://ada@gpu-box", from: "option"}, false},
		{endpoint{host: "unix:///var/run/docker.sock", from: "default"}, false},
	} {
		err := c.at.secret()
		if c.clear != (err != nil) {
			t.Errorf("%+v: %v", c.at, err)
		}
		if err != nil && !strings.Contains(err.Error(), "without encryption") {
			t.Error(err)
		}
	}
	t.Setenv("DOCKER_CERT_PATH", "/etc/docker-certs")
	if err := (endpoint{host: "tcp://10.0.0.5:2376", from: "DOCKER_HOST"}).secret(); err != nil {
		t.Errorf("with certificates: %v", err)
	}
}
