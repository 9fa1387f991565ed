package export

import (
	"strings"

	"flwrup/internal/shell"
)

// Where is one SuperNode that an engine runs, from the files in Dir: it knows what a person types.
type Where struct {
	Kind    Kind
	Dir     string // absolute
	Project string
	ID      string // the project's
	Name    string // of the SuperNode; "" is all of them
}

// Start, Stop, End and Logs return the command for /bin/sh, which works in any folder. After End flwrup can run the
// SuperNode again.
func (w Where) Start() string {
	switch w.Kind {
	case Compose:
		return w.in("docker compose up -d " + w.service())
	case Swarm:
		return w.in("docker stack deploy -c " + swarmFile + " " + w.stack())
	case Kubernetes:
		return "kubectl -n " + w.stack() + " scale statefulset/" + w.service() + " --replicas=1"
	case Helm:
		return w.in(chartIs + "; " + w.set().upgrade(w.service()))
	}
	return "systemctl --user start " + w.unit()
}

func (w Where) Stop() string {
	switch w.Kind {
	case Compose:
		return w.in("docker compose stop " + w.service())
	case Swarm:
		return "docker service scale " + w.stack() + "_" + w.service() + "=0"
	case Kubernetes:
		return "kubectl -n " + w.stack() + " scale statefulset/" + w.service() + " --replicas=0"
	case Helm:
		return w.set().uninstall(w.service())
	}
	return "systemctl --user stop " + w.unit()
}

func (w Where) End() string {
	switch w.Kind {
	case Compose:
		return w.in("docker compose rm -sf " + w.service() + " " + w.service() + keySuffix)
	case Swarm:
		return "docker service rm " + w.stack() + "_" + w.service()
	case Kubernetes, Helm:
		return w.Stop()
	}
	return "systemctl --user disable --now " + w.unit()
}

func (w Where) Logs() string {
	switch w.Kind {
	case Compose:
		return w.in("docker compose logs -f " + w.service())
	case Swarm:
		return "docker service logs -f " + w.stack() + "_" + w.service()
	case Kubernetes:
		return "kubectl -n " + w.stack() + " logs -f statefulset/" + w.service()
	case Helm:
		return w.set().podLogs(w.service())
	}
	return "journalctl --user -fu " + w.unit()
}

// Says names the engine and the folder.
func (w Where) Says() string { return string(w.Kind) + " (" + shell.Path(w.Dir) + ")" }

func (w Where) in(command string) string {
	return "cd " + shell.Path(w.Dir) + " && " + strings.TrimRight(command, " ")
}

// service is the SuperNode's name for an engine that takes letters, digits and hyphens.
func (w Where) service() string { return serviceName(w.Name) }

func (w Where) set() Set { return Set{Project: w.Project, ID: w.ID} }

func (w Where) stack() string { return w.set().stack() }

func (w Where) unit() string { return w.set().unit(w.Name) }

const keySuffix = "-key"
