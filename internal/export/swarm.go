package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"go.yaml.in/yaml/v3"

	"flwrup/dockerctl"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

const swarmFile = "stack.yaml"

// swarm writes a stack file for `docker stack deploy`. Keys are Swarm secrets, which a command makes from the key file:
// the managers keep them encrypted, and a node hands one to its task alone, in memory.
func swarm(s Set) ([]File, Guide, error) {
	var shared shared
	var services, secrets []field
	stack := s.stack()
	g := Guide{
		Start: Step{"", "docker stack deploy -c " + swarmFile + " " + stack}, State: Step{"What runs, and where", "docker stack ps --no-trunc " + stack},
		End: Step{"", "docker stack rm " + stack},
		Notes: []string{"Each service has one task, and Swarm stops the old one before it starts a new one: the grid refuses a second SuperNode with the same key. Never scale one above 1.",
			"Where a machine of the swarm is lost, Swarm starts its SuperNodes elsewhere. The grid refuses them for about a minute, so the first tries fail.",
			"`docker stack deploy` knows no no-new-privileges. A SuperNode has no capabilities and cannot gain any; `\"no-new-privileges\": true` in the daemon's daemon.json adds the rest."},
	}
	var logs, stops []string
	for _, n := range s.Nodes {
		name := serviceName(n.Name)
		c, h, err := configured(n, Swarm)
		if err != nil {
			return nil, Guide{}, err
		}
		key := "flwrup-" + name + keySuffix + "-" + sum([]byte(n.Labels["flwrup.fingerprint"])) // another key has another name
		g.Before = append(g.Before, Step{"The key of " + n.Name, "docker secret create " + key + " " + shell.Path(s.path(n.KeyFile))})
		g.After = append(g.After, Step{"", "docker secret rm " + key})
		secrets = append(secrets, f(name+keySuffix, []field{f("external", true), f("name", key)}))
		handed := []*yaml.Node{mounted(name+keySuffix, keySecret, c.User)}
		entry, args := []string(nil), joined(swarmArgs(n))
		if n.secretive() {
			env := "flwrup-" + name + "-env-" + sum([]byte(stack))
			g.Before = append(g.Before, Step{"Variables that only " + n.Name + " may see", n.variables(s) + " | docker secret create " + env + " -"})
			g.After = append(g.After, Step{"", "docker secret rm " + env})
			secrets = append(secrets, f(name+"-env", []field{f("external", true), f("name", env)}))
			handed = append(handed, mounted(name+"-env", "env", c.User))
			entry, args = []string{"/bin/sh", "-c", readVariables("/run/secrets/env"), "sh"}, append([]string{program}, args...)
		}
		fields := []field{f("image", image(n)), f("user", c.User), f("entrypoint", entry), f("command", args),
			f("environment", object(append(envFields(c.Env), f("TMPDIR", dockerctl.HomeDir).note("Swarm mounts /tmp noexec"))...)),
			f("labels", object(labelFields(c.Labels)...)), f("secrets", handed)}
		if s.note(n) != "" {
			fields[0] = fields[0].note(s.note(n))
		}
		if s.CA != nil {
			fields = append(fields, f("configs", []*yaml.Node{object(f("source", "ca"), f("target", caConfig), f("mode", octal(0o444)))}))
		}
		mounts := []*yaml.Node{object(f("type", "volume"), f("target", dockerctl.HomeDir)), object(f("type", "tmpfs"), f("target", "/tmp"), f("tmpfs", []field{f("size", tmpSize(h))}))}
		fields = append(fields, f("read_only", h.ReadonlyRootfs), f("cap_drop", short(node([]string(h.CapDrop)))), f("volumes", append(mounts, binds(s, h)...)))
		if h.NetworkMode == "host" {
			fields = append(fields, f("networks", short(node([]string{"machine"}))))
		}
		fields = append(fields, f("stop_grace_period", "30s"), f("logging", []field{f("driver", h.LogConfig.Type), f("options", object(labelFields(h.LogConfig.Config)...))}),
			f("deploy", s.placed(n, h, &g)))
		services = append(services, f(name, shared.take(fields)).says(about(n)))
		logs = append(logs, "docker service logs -f "+stack+"_"+name)
		stops = append(stops, stack+"_"+name+"=0")
		g.Notes = append(g.Notes, unlimited(n)...)
		if s.note(n) != "" {
			g.Start.Command = "docker stack deploy --resolve-image never -c " + swarmFile + " " + stack
			g.Notes = append(g.Notes, "The image "+markdown(n.Image)+" is in no registry that flwrup knows of: each machine of the swarm has to have it.")
		}
	}
	g.Logs = Step{"Their logs, one command each", strings.Join(logs, "\n")}
	g.Stop = Step{"They stay set up, and the same deploy starts them again", "docker service scale " + strings.Join(stops, " ")}
	g.Notes = wording.Once(g.Notes)
	services = shared.apply(services)
	top := []field{f("version", "3.9")}
	if b := shared.block(); b != nil {
		top = append(top, f("x-supernode", b).says("What all of the SuperNodes have."))
	}
	top = append(top, f("services", services), f("secrets", secrets).says("Made by docker secret create; README.md has the commands."))
	if s.CA != nil {
		// A config never changes, so another certificate needs another name.
		top = append(top, f("configs", []field{f("ca", []field{f("file", "./ca.crt"), f("name", "flwrup-ca-"+sum(append([]byte(stack), s.CA...)))})}).
			says("No secret: the certificate of a grid that no public authority vouches for."))
	}
	if len(s.Nodes) > 0 && s.Nodes[0].HostNetwork {
		top = append(top, f("networks", []field{f("machine", []field{f("external", true), f("name", "host")})}).says("The network of the machine that a task runs on."))
	}
	text, err := document([]string{
		"SuperNodes of " + s.Project + ", run by Docker Swarm. Written by flwrup export swarm.", "",
		"  docker stack deploy -c " + swarmFile + " " + stack + "     start, after the secrets of README.md",
		"  docker stack ps " + stack + "                   look",
		"  docker stack rm " + stack + "                   end; flwrup start takes them back"}, escaped(object(top...)))
	if err != nil {
		return nil, Guide{}, err
	}
	files := []File{{swarmFile, text}}
	if s.CA != nil {
		files = append(files, File{"ca.crt", s.CA})
	}
	return files, g, nil
}

const (
	keySecret = "key"
	caConfig  = "/run/ca.crt"
)

// swarmArgs are the arguments for the places of Swarm's secrets and configs.
func swarmArgs(n Node) []string {
	ca := ""
	if n.CAFile != "" {
		ca = caConfig
	}
	return n.Args("/run/secrets/"+keySecret, ca)
}

// mounted is a secret as a file of the container's user.
func mounted(source, target, user string) *yaml.Node {
	uid, gid, _ := strings.Cut(user, ":")
	return object(f("source", source), f("target", target), f("uid", uid), f("gid", gid), f("mode", octal(0o400)))
}

// placed is how Swarm runs the task.
func (s Set) placed(n Node, h *container.HostConfig, g *Guide) *yaml.Node {
	limits := []field{}
	if h.NanoCPUs > 0 {
		limits = append(limits, f("cpus", cpus(h).Value))
	}
	if h.Memory > 0 {
		limits = append(limits, f("memory", fmt.Sprintf("%dM", h.Memory>>20)))
	}
	if h.PidsLimit != nil && *h.PidsLimit > 0 {
		limits = append(limits, f("pids", *h.PidsLimit))
	}
	reserved := []field{f("memory", fmt.Sprintf("%dM", n.atRest()>>20)).note("what it takes, with one small ClientApp")}
	if count := gpuCount(n.GPUs); count > 0 {
		reserved = append(reserved, f("generic_resources", []*yaml.Node{object(f("discrete_resource_spec", []field{f("kind", "NVIDIA-GPU"), f("value", count)}))}))
		g.Notes = append(g.Notes, "Swarm hands out GPUs that a machine's daemon.json names: `\"node-generic-resources\": [\"NVIDIA-GPU=UUID\"]`, with `\"default-runtime\": \"nvidia\"`. NVIDIA's runtime gives a task those that Swarm chose once /etc/nvidia-container-runtime/config.toml has `swarm-resource = \"DOCKER_RESOURCE_NVIDIA-GPU\"`. Swarm counts them, so "+n.Name+" gets "+
			fmt.Sprint(count)+" and no particular one.")
	}
	fields := []field{f("mode", "replicated"), f("replicas", 1)}
	if len(n.Data) > 0 {
		label := "flwrup." + serviceName(n.Name)
		g.Before = append(g.Before, Step{"The machine that has the data of " + n.Name + " (this one; else name another)",
			"docker node update --label-add " + label + "=true \"$(docker info -f '{{.Swarm.NodeID}}')\""})
		fields = append(fields, f("placement", []field{f("constraints", []string{"node.labels." + label + " == true"})}).says("Only where its data is."))
	}
	return object(append(fields,
		f("update_config", []field{f("parallelism", 1), f("order", "stop-first")}).says("Never two at the same time with one key."),
		f("rollback_config", []field{f("order", "stop-first")}),
		f("restart_policy", []field{f("condition", map[bool]string{true: "none", false: "any"}[n.AutoRemove]), f("delay", fmt.Sprintf("%ds", restartPause)).note("the grid holds a killed one for about a minute")}),
		f("resources", []field{f("limits", limits), f("reservations", reserved)}))...)
}

// atRest is the memory that a SuperNode takes with the smallest ClientApp.
func (n Node) atRest() int64 { return n.Takes + supernode.AppMemory }

// gpuCount is how many GPUs a choice such as docker's --gpus asks for; "all" is one, for engines that hand out a number.
func gpuCount(choice string) int {
	devices := dockerctl.GPUs(choice)
	if len(devices) == 0 {
		return 0
	}
	return max(devices[0].Count, len(devices[0].DeviceIDs), 1)
}

// tmpSize is the size of /tmp in bytes, 0 where none is set.
func tmpSize(h *container.HostConfig) (size int64) {
	_, text, _ := strings.Cut(h.Tmpfs["/tmp"], "size=")
	_, _ = fmt.Sscan(text, &size) // dockerctl wrote it
	return size
}

// sum is the beginning of a SHA-256, for names that change with what they name.
func sum(data []byte) string {
	all := sha256.Sum256(data)
	return hex.EncodeToString(all[:])[:8]
}
