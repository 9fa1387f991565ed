package dockerctl

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

// clean returns an environment without the user's own Docker settings.
func clean(t *testing.T) (config string) {
	t.Helper()
	config = t.TempDir()
	t.Setenv("DOCKER_CONFIG", config)
	for _, k := range []string{"DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_API_VERSION"} {
		t.Setenv(k, "")
		os.Unsetenv(k)
	}
	return config
}

func addContext(t *testing.T, config, name, host string) {
	t.Helper()
	sum := sha256.Sum256([]byte(name))
	dir := filepath.Join(config, "contexts", "meta", hex.EncodeToString(sum[:]))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "meta.json"), fmt.Sprintf(`{"Name":%q,"Metadata":{},"Endpoints":{"docker":{"Host":%q,"SkipTLSVerify":false}}}`, name, host))
}

func TestFindEndpoint(t *testing.T) {
	for name, c := range map[string]struct {
		option, host, context, config string
		want, from                    string
		code                          problem.Code
	}{
		"option wins":      {option: "unix:///o.sock", host: "unix:///h.sock", want: "unix:///o.sock", from: "option"},
		"option: context":  {option: "lab", host: "unix:///h.sock", want: "tcp://lab.example:2376", from: "option"},
		"option: none":     {option: "attic", code: problem.DockerDown},
		"DOCKER_HOST":      {host: "unix:///h.sock", context: "lab", want: "unix:///h.sock", from: "DOCKER_HOST"},
		"DOCKER_CONTEXT":   {context: "lab", config: `{"currentContext":"gone"}`, want: "tcp://lab.example:2376", from: "DOCKER_CONTEXT"},
		"current context":  {config: `{"auths":{},"currentContext":"lab"}`, want: "tcp://lab.example:2376", from: "docker context"},
		"named default":    {context: "default", config: `{"currentContext":"lab"}`, from: "default"},
		"context is gone":  {config: `{"currentContext":"gone"}`, code: problem.DockerDown},
		"not JSON":         {config: `{"currentContext":`, code: problem.BadInput},
		"no configuration": {from: "default"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := clean(t)
			addContext(t, dir, "lab", "tcp://lab.example:2376")
			if c.config != "" {
				write(t, filepath.Join(dir, "config.json"), c.config)
			}
			if c.host != "" {
				t.Setenv("DOCKER_HOST", c.host)
			}
			if c.context != "" {
				t.Setenv("DOCKER_CONTEXT", c.context)
			}
			got, err := findEndpoint(c.option)
			if c.code != "" {
				if !problem.Is(err, c.code) || problem.Of(err).Fix == "" {
					t.Fatalf("%v", err)
				}
				return
			}
			if err != nil || c.want != "" && got.host != c.want || got.from != c.from && got.from != "found" {
				t.Fatalf("%+v, %v", got, err)
			}
		})
	}
}

func runtimeAt(t *testing.T, host string) *Runtime {
	t.Helper()
	r, err := New(context.Background(), Options{Project: "check", Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestCheckDeadSocket(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "dead.sock"))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
	for name, why := range map[string]string{"dead.sock": "nothing listens", "none.sock": "is not there"} {
		r := runtimeAt(t, "unix://"+filepath.Join(dir, name))
		err := r.Check(context.Background())
		p := problem.Of(err)
		if p.Code != problem.DockerDown || !strings.Contains(p.Why, why) || p.Fix == "" {
			t.Errorf("%s: %+v", name, p)
		}
		if _, err := r.List(context.Background()); !problem.Is(err, problem.DockerDown) {
			t.Errorf("%s: List: %v", name, err)
		}
	}
}

func TestCheckCancelled(t *testing.T) {
	clean(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := runtimeAt(t, "unix:///nowhere.sock").Check(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
}

func TestCheckAnswers(t *testing.T) {
	clean(t)
	for name, c := range map[string]struct {
		api, os string
		code    problem.Code
	}{
		"old":     {"1.39", "linux", Outdated},
		"windows": {"1.45", "windows", problem.DockerDown},
		"fine":    {"1.41", "linux", ""},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Api-Version", c.api)
			w.Header().Set("Ostype", c.os)
		}))
		err := runtimeAt(t, "tcp://"+s.Listener.Addr().String()).Check(context.Background())
		s.Close()
		if c.code == "" && err != nil || c.code != "" && !problem.Is(err, c.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Messages for the user, by cause.
func TestWhyUnreachable(t *testing.T) {
	clean(t)
	debian := system{goos: "linux", family: "debian", systemd: true, user: "ada"}
	with := func(s system, change func(*system)) system { change(&s); return s }
	for name, c := range map[string]struct {
		at   endpoint
		err  error
		sys  system
		code problem.Code
		fix  string
	}{
		"not installed, debian":  {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, debian, problem.DockerMissing, "sudo apt-get update && sudo apt-get install -y docker.io && sudo systemctl enable --now docker && sudo usermod -aG docker ada"},
		"not installed, root":    {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, with(debian, func(s *system) { s.root, s.systemd = true, false }), problem.DockerMissing, "apt-get update && apt-get install -y docker.io && service docker start"},
		"not installed, fedora":  {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, with(debian, func(s *system) { s.family = "fedora" }), problem.DockerMissing, "sudo dnf install -y moby-engine"},
		"not installed, macOS":   {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, system{goos: "darwin"}, problem.DockerMissing, "brew install --cask docker"},
		"not installed, Windows": {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, system{goos: "windows"}, problem.DockerMissing, "winget install Docker.DockerDesktop"},
		"not running, systemd":   {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, with(debian, func(s *system) { s.docker = true }), problem.DockerDown, "sudo systemctl start docker"},
		"not running, no init":   {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, with(debian, func(s *system) { s.docker, s.systemd = true, false }), problem.DockerDown, "sudo service docker start"},
		"not running, macOS":     {endpoint{host: "unix:///no/docker.sock", from: "default"}, nil, system{goos: "darwin", docker: true}, problem.DockerDown, "open -a Docker"},
		"colima":                 {endpoint{host: "unix:///no/.colima/default/docker.sock", context: "colima", from: "docker context"}, nil, system{goos: "darwin", docker: true}, problem.DockerDown, "colima start"},
		"rootless":               {endpoint{host: "unix:///run/user/77777/docker.sock", context: "rootless", from: "docker context"}, nil, debian, problem.DockerDown, "systemctl --user start docker"},
		"remote context":         {endpoint{host: "ssh://ada@lab.example", context: "lab", from: "docker context"}, errors.New("x"), debian, problem.DockerDown, "docker context use default"},
		"remote DOCKER_HOST":     {endpoint{host: "tcp://lab.example:2376", from: "DOCKER_HOST"}, errors.New("x"), debian, problem.DockerDown, "unset DOCKER_HOST"},
		"denied":                 {endpoint{host: "npipe://x", from: "default"}, os.ErrPermission, debian, problem.DockerDenied, "sudo usermod -aG docker ada"},
		"denied, old shell":      {endpoint{host: "npipe://x", from: "default"}, os.ErrPermission, with(debian, func(s *system) { s.inGroup = true }), problem.DockerDenied, "newgrp docker"},
	} {
		p := whyUnreachable((&Runtime{at: c.at}), c.err, c.sys)
		if p.Code != c.code || !strings.Contains(p.Fix, c.fix) || p.What == "" || p.Why == "" {
			t.Errorf("%s: %+v", name, p)
		}
		if c.at.context != "" && c.at.remote() != "" && !strings.Contains(p.Why, c.at.context) {
			t.Errorf("%s: the context is not named: %s", name, p.Why)
		}
	}
}

func TestPullProblem(t *testing.T) {
	r := &Runtime{at: endpoint{host: "unix:///x", from: "default"}}
	for raw, want := range map[string]string{
		"manifest for flwr/supernode:9.9.9 not found: manifest unknown: manifest unknown":                                           "no such tag",
		"toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating":                      "limits how often",
		"Get \"https://registry-1.docker.io/v2/\": dial tcp: lookup registry-1.docker.io on 1.1.1.1:53: no such host":               "cannot reach",
		"Get https://registry-1.docker.io/v2/: net/http: request canceled (Client.Timeout exceeded while awaiting headers)":         "cannot reach",
		"write /var/lib/docker/tmp/GetImageBlob1: no space left on device":                                                          "full",
		"pull access denied for flwr/supernodes, repository does not exist or may require 'docker login': denied: requested access": "no such image, or it is private",
		"invalid reference format":      "not an image's name",
		"something that nobody foresaw": "something that nobody foresaw",
	} {
		p := problem.Of(pullProblem(context.Background(), r, "flwr/supernode:9.9.9", errors.New(raw)))
		if !strings.Contains(p.Why, want) || p.Fix == "" || p.Raw == "" {
			t.Errorf("%s: %+v", raw, p)
		}
	}
}
