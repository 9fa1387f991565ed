package dockerctl

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	dockercontext "github.com/docker/cli/cli/context/docker"
	"github.com/docker/cli/cli/context/store"
	"github.com/docker/docker/client"

	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/userdirs"
)

// endpoint is the address of a daemon, and where it came from.
type endpoint struct {
	host    string // unix:///var/run/docker.sock, npipe:…, tcp://…, ssh://…
	context string // name of the docker context; "" when none was used
	from    string // DOCKER_HOST, DOCKER_CONTEXT, docker context, default, found, option (an address or a context)
	docker  dockercontext.Endpoint
}

// findEndpoint follows the docker command: the given address or context, DOCKER_HOST, DOCKER_CONTEXT, the current
// context of config.json, the default socket. Without the default socket it also tries the places of Docker
// Desktop, Colima, OrbStack, Rancher Desktop, rootless Docker and Podman.
// https://docs.docker.com/engine/manage-resources/contexts/
func findEndpoint(host string) (endpoint, error) {
	if strings.Contains(host, "://") {
		return endpoint{host: host, from: "option"}, nil
	}
	if host != "" {
		return contextEndpoint(configDir(), host, "option")
	}
	if h := os.Getenv(client.EnvOverrideHost); h != "" {
		return endpoint{host: h, from: client.EnvOverrideHost}, nil
	}
	dir := configDir()
	name, from := os.Getenv("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
	if name == "" {
		from = "docker context"
		var err error
		if name, err = currentContext(dir); err != nil {
			return endpoint{}, err
		}
	}
	if name != "" && name != "default" {
		return contextEndpoint(dir, name, from)
	}
	if path := socketPath(client.DefaultDockerHost); path != "" && !exists(path) {
		for _, other := range otherSockets() {
			if exists(other) {
				return endpoint{host: "unix://" + other, from: "found"}, nil
			}
		}
	}
	return endpoint{host: client.DefaultDockerHost, from: "default"}, nil
}

func configDir() string {
	if d := os.Getenv("DOCKER_CONFIG"); d != "" {
		return d
	}
	home, err := userdirs.Home()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".docker")
}

func currentContext(dir string) (string, error) {
	path := filepath.Join(dir, "config.json")
	data, err := plainfile.Read(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return "", nil // as the docker command does, which warns
	}
	if err != nil {
		return "", problem.New(problem.BadInput, "docker's configuration "+path+" cannot be read", err.Error(), "look at "+path)
	}
	var config struct {
		CurrentContext string `json:"currentContext"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return "", problem.New(problem.BadInput, "docker's configuration "+path+" is not valid JSON", err.Error(), "correct or move away "+path)
	}
	return config.CurrentContext, nil
}

func contextEndpoint(dir, name, from string) (endpoint, error) {
	s := store.New(filepath.Join(dir, "contexts"), store.NewConfig(
		func() any { return &map[string]any{} },
		store.EndpointTypeGetter(dockercontext.DockerEndpoint, func() any { return &dockercontext.EndpointMeta{} }),
	))
	bad := func(err error) error {
		p := problem.New(problem.DockerDown, "the docker context \""+name+"\" cannot be used", err.Error(),
			"run `docker context ls`, then `docker context use default` or another one of the list")
		switch from {
		case "DOCKER_CONTEXT":
			p.Fix = "unset DOCKER_CONTEXT, or set it to a name that `docker context ls` shows"
		case "option":
			p.Fix = "make it: docker context create " + shell.Word(name) + " --docker host=ssh://USER@HOST, or give an address such as ssh://USER@HOST"
		}
		p.Err = err
		return p
	}
	meta, err := s.GetMetadata(name)
	if err != nil {
		return endpoint{}, bad(err)
	}
	em, err := dockercontext.EndpointFromContext(meta)
	if err != nil {
		return endpoint{}, bad(err)
	}
	ep, err := dockercontext.WithTLSData(s, name, em)
	if err != nil {
		return endpoint{}, bad(err)
	}
	return endpoint{host: ep.Host, context: name, from: from, docker: ep}, nil
}

// client makes a client that agrees with the daemon on a version of the API.
func (e endpoint) client() (*client.Client, error) {
	var opts []client.Opt
	var err error
	switch {
	case e.ssh():
		opts, err = overSSH(e.host)
	case e.from == client.EnvOverrideHost:
		opts = []client.Opt{client.FromEnv, client.WithAPIVersionNegotiation()} // with DOCKER_TLS_VERIFY, DOCKER_CERT_PATH
	default:
		ep := e.docker
		ep.Host = e.host
		opts, err = ep.ClientOpts()
	}
	var cli *client.Client
	if err == nil {
		cli, err = client.NewClientWithOpts(opts...)
	}
	if err == nil {
		over := cli.HTTPClient()
		over.Transport = noted{over.Transport}
		err = client.WithHTTPClient(over)(cli)
	}
	if err != nil {
		p := problem.New(problem.DockerDown, "the Docker address "+e.host+" cannot be used", err.Error(),
			"give one such as unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST")
		if e.from == client.EnvOverrideHost {
			p.Fix = "unset DOCKER_HOST, or set it to one such as unix:///var/run/docker.sock or ssh://USER@HOST"
		}
		p.Err = err
		return nil, p
	}
	return cli, nil
}

// socketPath returns the file of a Unix socket's address, else "".
func socketPath(host string) string {
	if path, ok := strings.CutPrefix(host, "unix://"); ok {
		return path
	}
	return ""
}

// ssh reports whether the daemon is reached through ssh.
func (e endpoint) ssh() bool { return strings.HasPrefix(e.host, "ssh://") }

// inClear reports whether everything sent to the daemon, private keys as well, can be read on the network.
func (e endpoint) inClear() bool {
	if !strings.HasPrefix(e.host, "tcp://") && !strings.HasPrefix(e.host, "http://") || e.remote() == "" {
		return false
	}
	if e.from == client.EnvOverrideHost {
		return os.Getenv(client.EnvOverrideCertPath) == ""
	}
	return e.docker.TLSData == nil && !e.docker.SkipTLSVerify
}

// where names the daemon's machine in a sentence.
func (e endpoint) where() string {
	switch host := e.remote(); {
	case e.context != "" && (host != "" || e.from == "option"):
		return e.context
	case host != "":
		return host
	}
	return "this machine"
}

// remote returns the machine that runs the daemon, "" for this one.
func (e endpoint) remote() string {
	u, err := url.Parse(e.host)
	if err != nil || u.Scheme == "unix" || u.Scheme == "npipe" || u.Scheme == "fd" {
		return ""
	}
	switch h := u.Hostname(); h {
	case "", "localhost", "127.0.0.1", "::1":
		return ""
	default:
		return h
	}
}

// flags returns the flags with which the docker command reaches the same daemon; none when it needs none.
func (e endpoint) flags() []string {
	switch {
	case e.from == "option" && e.context != "":
		return []string{"--context", e.context}
	case e.from == "option" || e.from == "found":
		return []string{"--host", e.host}
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
