package dockerctl

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/docker/docker/api/types/versions"

	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/shell"
)

// Outdated says that the daemon is older than flwrup supports.
const Outdated problem.Code = "docker-outdated"

// oldestAPI is the API of Docker 19.03; see https://docs.docker.com/reference/api/engine/#api-version-matrix
const oldestAPI = "1.40"

const pingTimeout = 10 * time.Second

// Check says why Docker cannot be used: not installed, not running, no permission, a context on another
// machine, too old, or only for Windows containers.
func (r *Runtime) Check(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	ping, err := r.cli.Ping(limited)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return unreachable(r, err)
	}
	if err := r.at.secret(); err != nil {
		return err
	}
	if ping.OSType == "windows" {
		return problem.New(problem.DockerDown, "Docker is set to Windows containers", "SuperNode images are for Linux",
			"right-click Docker's icon in the task bar, then \"Switch to Linux containers\"")
	}
	if ping.APIVersion != "" && versions.LessThan(ping.APIVersion, oldestAPI) {
		return problem.New(Outdated, "Docker is too old", "its API is "+ping.APIVersion+", flwrup needs "+oldestAPI+" (Docker 19.03) or newer",
			"update Docker: "+thisSystem().install())
	}
	return nil
}

// unreachable finds out why nobody answers.
func unreachable(r *Runtime, err error) *problem.Problem {
	p := whyUnreachable(r, err, thisSystem())
	p.Raw, p.Err = safe(err), err
	return p
}

func whyUnreachable(r *Runtime, err error, sys system) *problem.Problem {
	named := r.at.named()
	if r.at.ssh() {
		return whySSH(r.at, err)
	}
	if host := r.at.remote(); host != "" {
		return problem.New(problem.DockerDown, "Docker on "+host+" does not answer", named+" leads to "+r.at.host,
			"make sure that Docker runs on "+host+" and can be reached, or use this machine's own: "+r.at.goLocal())
	}
	cause := err
	if path := socketPath(r.at.host); path != "" {
		cause = knock(path) // the client's own error has lost the cause
	}
	switch {
	case errors.Is(cause, fs.ErrPermission):
		return denied(r, sys, named)
	case errors.Is(cause, fs.ErrNotExist) && !sys.docker && r.at.from == "default":
		return problem.New(problem.DockerMissing, "Docker is not installed", "there is no docker command and no daemon at "+r.at.host, sys.install())
	case errors.Is(cause, fs.ErrNotExist):
		why := "there is no " + r.at.host
		if r.at.from != "default" {
			why = named + " leads to " + r.at.host + ", which is not there"
		}
		return problem.New(problem.DockerDown, "Docker is not running", why, r.at.startOr(sys))
	case errors.Is(cause, syscall.ECONNREFUSED):
		return problem.New(problem.DockerDown, "Docker is not running", "nothing listens at "+r.at.host, r.at.startOr(sys))
	case runtime.GOOS == "windows" && !sys.docker:
		return problem.New(problem.DockerMissing, "Docker is not installed", "there is no docker command and no daemon at "+r.at.host, sys.install())
	}
	return problem.New(problem.DockerDown, "Docker does not answer", named+" is "+r.at.host, r.at.startOr(sys))
}

func denied(r *Runtime, sys system, named string) *problem.Problem {
	fix := "run `sudo usermod -aG docker " + shell.Word(sys.user) + "`, then log out and in again (or run `newgrp docker`) and start flwrup again"
	switch {
	case sys.goos != "linux":
		fix = "start Docker Desktop as this user: " + sys.start()
	case r.at.from != "default":
		fix = "become a member of the group that owns " + socketPath(r.at.host) + ", or: " + r.at.goLocal()
	case sys.inGroup:
		fix = "you are in the group docker, but this shell started before: run `newgrp docker`, then start flwrup again"
	}
	return problem.New(problem.DockerDenied, "no permission to use Docker", "this user may not open "+r.at.host+" ("+named+")", fix)
}

// knock connects to a socket and says why that fails; nil when it succeeds.
func knock(path string) error {
	c, err := net.DialTimeout("unix", path, 2*time.Second)
	if err == nil {
		c.Close()
	}
	return err
}

// named says in words where the address came from.
func (e endpoint) named() string {
	switch e.from {
	case "DOCKER_HOST":
		return "DOCKER_HOST"
	case "DOCKER_CONTEXT":
		return "the docker context " + e.context + " (DOCKER_CONTEXT)"
	case "docker context":
		return "the docker context " + e.context
	case "option":
		if e.context != "" {
			return "the docker context " + e.context
		}
		return "the address given"
	}
	return "Docker's socket"
}

// goLocal says how to return to this machine's own daemon.
func (e endpoint) goLocal() string {
	switch e.from {
	case "DOCKER_HOST":
		return "unset DOCKER_HOST"
	case "DOCKER_CONTEXT":
		return "unset DOCKER_CONTEXT"
	case "docker context":
		return "docker context use default"
	}
	return "give no address"
}

// startOr says how to start the daemon of the address.
func (e endpoint) startOr(sys system) string {
	where := e.host + " " + e.context
	switch {
	case strings.Contains(where, "colima"):
		return "start it: colima start"
	case strings.Contains(where, "orbstack"):
		return "start OrbStack: open -a OrbStack"
	case strings.Contains(where, "rancher") || strings.Contains(where, "/.rd/"):
		return "start Rancher Desktop"
	case strings.Contains(where, "/run/user/") || strings.Contains(where, "rootless"):
		return "start it: systemctl --user start docker"
	case strings.Contains(where, "desktop") && sys.goos == "linux":
		return "start it: systemctl --user start docker-desktop"
	case e.from != "default" && e.from != "docker context" && e.from != "found":
		return "start the daemon at " + e.host + ", or: " + e.goLocal()
	}
	return sys.start()
}

// system holds the facts that instructions depend on.
type system struct {
	goos    string
	family  string // Linux: debian, fedora, arch, suse, alpine; "" unknown
	docker  bool   // a docker command is there
	systemd bool
	root    bool
	user    string
	inGroup bool // the user database has the user in group docker
}

func thisSystem() system {
	s := system{goos: runtime.GOOS, user: "$USER", root: os.Geteuid() == 0}
	_, err := exec.LookPath("docker")
	s.docker = err == nil
	if data, err := plainfile.Read("/etc/os-release"); err == nil {
		s.family = family(string(data))
	}
	s.systemd = exists("/run/systemd/system")
	if u, err := user.Current(); err == nil {
		s.user = u.Username
		if g, err := user.LookupGroup("docker"); err == nil {
			if ids, err := u.GroupIds(); err == nil {
				s.inGroup = slices.Contains(ids, g.Gid)
			}
		}
	}
	return s
}

// family reads ID and ID_LIKE of /etc/os-release.
func family(release string) string {
	var ids []string
	for line := range strings.SplitSeq(release, "\n") {
		k, v, _ := strings.Cut(line, "=")
		if k == "ID" || k == "ID_LIKE" {
			ids = append(ids, strings.Fields(strings.Trim(v, `"' `))...)
		}
	}
	for _, id := range ids {
		switch id {
		case "debian", "ubuntu":
			return "debian"
		case "fedora", "rhel", "centos":
			return "fedora"
		case "arch", "alpine":
			return id
		case "suse", "opensuse":
			return "suse"
		}
	}
	return ""
}

func (s system) sudo() string {
	if s.root {
		return ""
	}
	return "sudo "
}

// install says how to install Docker here. https://docs.docker.com/engine/install/
func (s system) install() string {
	sudo := s.sudo()
	join := ""
	if !s.root {
		join = " && sudo usermod -aG docker " + shell.Word(s.user) + ", then log out and in again"
	}
	switch {
	case s.goos == "darwin":
		return "brew install --cask docker && open -a Docker (or install Docker Desktop from https://docs.docker.com/desktop/setup/install/mac-install/)"
	case s.goos == "windows":
		return "winget install Docker.DockerDesktop, then start Docker Desktop (https://docs.docker.com/desktop/setup/install/windows-install/)"
	case s.family == "debian":
		return sudo + "apt-get update && " + sudo + "apt-get install -y docker.io" + s.enable() + join
	case s.family == "fedora":
		return sudo + "dnf install -y moby-engine" + s.enable() + join + " (RHEL, CentOS: https://docs.docker.com/engine/install/rhel/)"
	case s.family == "arch":
		return sudo + "pacman -S docker" + s.enable() + join
	case s.family == "suse":
		return sudo + "zypper install docker" + s.enable() + join
	case s.family == "alpine":
		return sudo + "apk add docker && " + sudo + "rc-service docker start" + join
	}
	return "follow https://docs.docker.com/engine/install/"
}

func (s system) enable() string {
	if s.systemd {
		return " && " + s.sudo() + "systemctl enable --now docker"
	}
	return " && " + s.sudo() + "service docker start"
}

// start says how to start the daemon here.
func (s system) start() string {
	switch {
	case s.goos == "darwin":
		return "start it: open -a Docker, and wait until its icon says that it runs"
	case s.goos == "windows":
		return "start Docker Desktop from the Start menu, and wait until it says that it runs"
	case s.systemd:
		return "start it: " + s.sudo() + "systemctl start docker"
	case s.family == "alpine":
		return "start it: " + s.sudo() + "rc-service docker start"
	}
	return "start it: " + s.sudo() + "service docker start"
}
