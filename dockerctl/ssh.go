package dockerctl

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/docker/cli/cli/connhelper"
	"github.com/docker/docker/client"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

// sshOptions keep ssh from asking anything on a terminal that is flwrup's, and let it notice within 15 seconds that
// the other machine is gone.
var sshOptions = []string{"-o", "BatchMode=yes", "-o", "ConnectTimeout=8", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=2"}

// An sshd drops new connections at random once ten of them have not logged in yet (its MaxStartups). A connection is
// a process and a login here, so it is worth keeping, too.
const (
	loginsAtOnce = 4
	keptOpen     = 16
	keptFor      = 90 * time.Second
)

// overSSH returns options for a client whose every connection is `ssh HOST docker system dial-stdio`, as the docker
// command's. https://docs.docker.com/engine/security/protect-access/#use-ssh-to-protect-the-docker-daemon-socket
func overSSH(host string) ([]client.Opt, error) {
	helper, err := connhelper.GetConnectionHelperWithSSHOpts(host, sshOptions)
	if err != nil {
		return nil, err
	}
	logins := make(chan struct{}, loginsAtOnce)
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		select {
		case logins <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		c, err := helper.Dialer(ctx, network, address)
		if err != nil {
			<-logins
			return nil, err
		}
		return &login{Conn: c, done: sync.OnceFunc(func() { <-logins })}, nil
	}
	return []client.Opt{
		client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: keptOpen, IdleConnTimeout: keptFor}}),
		client.WithHost(helper.Host), client.WithDialContext(dial), client.WithVersionFromEnv(), client.WithAPIVersionNegotiation(),
	}, nil
}

// login is a connection that counts as logging in until the first answer.
type login struct {
	net.Conn
	done func()
}

func (l *login) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.done()
	return n, err
}

func (l *login) Close() error {
	l.done()
	return l.Conn.Close()
}

// CloseWrite ends the sending half, which a connection that was taken over from HTTP needs.
func (l *login) CloseWrite() error {
	if c, ok := l.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

// whySSH says why no daemon answers through ssh, from the last words of ssh or of the docker command there.
func whySSH(at endpoint, err error) *problem.Problem {
	host := at.where()
	u, _ := url.Parse(at.host)
	target := shell.Word(u.Hostname())
	if u.User != nil {
		target = shell.Word(u.User.Username() + "@" + u.Hostname())
	}
	if u.Port() != "" {
		target = "-p " + shell.Word(u.Port()) + " " + target
	}
	says := func(why, fix string) *problem.Problem {
		if at.from != "option" {
			fix += "; or use this machine's own: " + at.goLocal()
		}
		return problem.New(problem.DockerDown, "Docker on "+host+" does not answer", why, fix)
	}
	text := strings.ToLower(err.Error())
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("remote host identification has changed"):
		return says("its host key has changed: another machine answers, or it was installed again",
			"compare the key's fingerprint with the machine's owner; ssh "+target+" says which line of known_hosts is old")
	case has("host key verification failed"):
		return says("ssh does not know its host key yet", "run `ssh "+target+"` once, compare the fingerprint, and accept it")
	case has("permission denied while trying to connect to the docker", "dial unix") && has("permission denied"):
		return says("the user of that login may not use Docker there", "there: sudo usermod -aG docker USER; or name another user: ssh://USER@HOST")
	case has("permission denied ("):
		return says("ssh is not let in without a password", "let ssh in with a key: ssh-copy-id "+target+"; a key with a passphrase goes into ssh-agent: ssh-add")
	case has("could not resolve hostname"):
		return says("the name "+u.Hostname()+" is not known", "correct the address, or the Host entry of your ssh configuration")
	case has("connection refused", "no route to host", "network is unreachable"):
		return says("nothing answers ssh there", "make sure that the machine is on, and that this network reaches its sshd: ssh "+target)
	case has("timed out", "timeout", "context deadline exceeded"):
		return says("it gave no answer in time", "make sure that the machine is on and can be reached: ssh "+target)
	case has("command not found", "exit status 127"):
		return says("there is no docker command on its PATH", "install Docker there, or make the command known to shells that are no login shells: ssh "+target+" docker version")
	case has("cannot connect to the docker daemon", "no such file or directory"):
		return says("no Docker daemon runs there", "start Docker there; ssh "+target+" docker version shows whether it answers")
	case has("executable file not found"):
		return says("there is no ssh on this machine", "install OpenSSH's client")
	}
	return says(at.named()+" leads to "+at.host, "make sure that this works: ssh "+target+" docker version")
}

// secret returns the Problem of a daemon to which no private key can be sent; nil for any other.
func (e endpoint) secret() error {
	if !e.inClear() {
		return nil
	}
	return problem.New(problem.NotSupported, "Docker on "+e.where()+" is reached without encryption",
		"a private key sent to "+e.host+" could be read on the way, and whoever reaches that port is root there",
		"use ssh://USER@HOST, or a Docker context with TLS certificates: docker context create NAME --docker host=tcp://HOST:2376,ca=CA.PEM,cert=CERT.PEM,key=KEY.PEM")
}
