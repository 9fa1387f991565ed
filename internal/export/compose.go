package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"go.yaml.in/yaml/v3"

	"flwrup/dockerctl"
	"flwrup/internal/shell"
	"flwrup/internal/wording"
)

const composeFile = "compose.yaml"

// compose writes a file for `docker compose` of today and for docker-compose 1.29, which Debian has: so it has no
// name: of its own, which .env gives instead.
//
// A secret of a file keeps the file's owner, so the image's user could not read a key of mode 0600. A service of the
// same image, with two capabilities and no network, copies the key into a volume before its SuperNode starts.
func compose(s Set) ([]File, Guide, error) {
	var shared shared
	var services, secrets, volumes []field
	add := func(name string, n Node) error {
		c, h, err := configured(n, Compose)
		if err != nil {
			return err
		}
		keyed := name + keySuffix
		secrets = append(secrets, f(keyed, []field{f("file", s.path(n.KeyFile))}))
		handed := []string{keyed}
		if n.secretive() {
			secrets = append(secrets, f(name+"-env", []field{f("file", "./"+envFile(name))}))
			handed = append(handed, name+"-env")
		}
		if s.CA != nil {
			handed = append(handed, "ca")
		}
		owned := object(labelFields(map[string]string{dockerctl.LabelProject: s.ID, dockerctl.LabelNode: n.Name, dockerctl.LabelEngine: string(Compose)})...)
		volumes = append(volumes, f(keyed, []field{f("labels", owned)}), f(name+"-home", []field{f("labels", owned)}))
		services = append(services, f(keyed, []field{
			f("image", image(n)), f("user", "0:0"), f("network_mode", "none"), f("read_only", true),
			f("cap_drop", short(node([]string{"ALL"}))), f("cap_add", short(node([]string{"CHOWN", "DAC_READ_SEARCH"}))),
			f("security_opt", short(node(h.SecurityOpt))), f("restart", "no"),
			f("entrypoint", short(node([]string{"/bin/sh", "-ec"}))), f("command", []string{handOver(handed, name, c.User)}),
			f("secrets", handed), f("volumes", []string{keyed + ":" + dockerctl.KeyDir, name + "-home:" + dockerctl.HomeDir}),
		}).says("Hands "+n.Name+" its key, as root with these two capabilities, then ends."))

		entry, args := []string(nil), joined(c.Cmd)
		if n.secretive() {
			entry, args = []string{"/bin/sh", "-c", readVariables(dockerctl.KeyDir + "/env"), "sh"}, append([]string{program}, args...)
		}
		mounts := []string{keyed + ":" + dockerctl.KeyDir + ":ro", name + "-home:" + dockerctl.HomeDir}
		fields := []field{f("container_name", n.Container), f("image", image(n)), f("user", c.User)}
		if s.note(n) != "" {
			fields[1] = fields[1].note(s.note(n))
		}
		fields = append(fields, f("entrypoint", entry), f("command", args), f("environment", object(envFields(c.Env)...)), f("labels", object(labelFields(c.Labels)...)),
			f("depends_on", []field{f(keyed, []field{f("condition", "service_completed_successfully")})}),
			f("read_only", h.ReadonlyRootfs), f("cap_drop", short(node([]string(h.CapDrop)))), f("security_opt", short(node(h.SecurityOpt))),
			f("tmpfs", tmpfs(h)), f("volumes", append(node(mounts).Content, binds(s, h)...)))
		fields = append(fields, network(h)...)
		fields = append(fields, limits(h)...)
		fields = append(fields, f("restart", restartPolicy(n)), f("stop_grace_period", "30s"),
			f("logging", []field{f("driver", h.LogConfig.Type), f("options", object(labelFields(h.LogConfig.Config)...))}))
		services = append(services, f(name, shared.take(fields)).says(about(n)))
		return nil
	}
	for _, n := range s.Nodes {
		if err := add(serviceName(n.Name), n); err != nil {
			return nil, Guide{}, err
		}
	}
	if s.CA != nil {
		secrets = append(secrets, f("ca", []field{f("file", "./ca.crt")}).says("No secret: the certificate of a grid that no public authority vouches for."))
	}
	services = shared.apply(services)
	top := []field{}
	if b := shared.block(); b != nil {
		top = append(top, f("x-supernode", b).says("What all of the SuperNodes have."))
	}
	top = append(top, f("services", services), f("secrets", secrets).says("Read by path; the keys stay where they are."), f("volumes", volumes))
	text, err := document([]string{
		"SuperNodes of " + s.Project + ", run by Docker Compose. Written by flwrup export compose.", "",
		"  docker compose up -d        start       (docker-compose up -d, with version 1.29)",
		"  docker compose logs -f      follow",
		"  docker compose stop         stop",
		"  docker compose down -v      end, and remove the copies of the keys; flwrup start takes them back", "",
		"README.md has more. Run no second copy with the same keys: the grid refuses it."}, escaped(object(top...)))
	if err != nil {
		return nil, Guide{}, err
	}
	files := []File{{composeFile, text}, {".env", []byte("# The name of this set-up for docker compose: all that it makes begins with it.\nCOMPOSE_PROJECT_NAME=" + s.stack() + "\n")}}
	if s.CA != nil {
		files = append(files, File{"ca.crt", s.CA})
	}
	g := Guide{
		Start: Step{"", "docker compose up -d"}, State: Step{"What runs", "docker compose ps"}, Logs: Step{"Their logs", "docker compose logs -f"},
		Stop: Step{"They stay set up", "docker compose stop"}, End: Step{"", "docker compose down -v"},
		Notes: []string{"`docker-compose` 1.29, as Debian has it, takes the same file: type `docker-compose` in place of `docker compose`.",
			"A change of a key, a variable or the certificate takes effect with `docker compose up -d --force-recreate`.",
			"Docker starts a SuperNode again whenever it ends, more slowly each time, and after a reboot. flwrup's own give up after ten times in ten minutes."},
	}
	for _, n := range s.Nodes {
		g.Before = append(g.Before, envSteps(s, n, serviceName(n.Name))...)
		if s.note(n) != "" {
			g.Notes = append(g.Notes, "The image "+markdown(n.Image)+" is in no registry that flwrup knows of: another machine has to build it.")
		}
		if n.Host != "" {
			g.Notes = append(g.Notes, fmt.Sprintf("flwrup runs %s on the Docker host %s. A Compose file is for one machine: it starts where you type the command, and its key and data folders have to be there.", markdown(n.Name), markdown(n.Host)))
		}
		g.Notes = append(g.Notes, unlimited(n)...)
	}
	g.Notes = wording.Once(g.Notes)
	return files, g, nil
}

// configured is dockerctl's own request for the container.
func configured(n Node, kind Kind) (*container.Config, *container.HostConfig, error) {
	c, h, err := dockerctl.Configured(n.Spec)
	if err != nil {
		return nil, nil, err
	}
	c.Labels[dockerctl.LabelEngine] = string(kind)
	if n.ID != "" {
		c.Labels["flwrup.node-id"] = n.ID
	}
	return c, h, nil
}

// handOver is the script that copies secrets into the node's volume, for the image's user alone.
func handOver(secrets []string, name, user string) string {
	lines := []string{"umask 377"}
	for _, secret := range secrets {
		to, mode := map[string]string{name + "-key": "key", name + "-env": "env", "ca": "ca.crt"}[secret], ""
		to = dockerctl.KeyDir + "/" + to
		if secret == "ca" {
			mode = "chmod 0444 " + to + ".new"
		}
		lines = append(lines, "rm -f "+to+".new", "cp /run/secrets/"+secret+" "+to+".new")
		if mode != "" {
			lines = append(lines, mode)
		}
		lines = append(lines, "chown "+user+" "+to+".new", "mv -f "+to+".new "+to)
	}
	return strings.Join(append(lines, "chown "+user+" "+dockerctl.HomeDir), "\n") + "\n"
}

// about is the comment above a SuperNode.
func about(n Node) string {
	if n.ID == "" {
		return n.Name + ", not registered yet"
	}
	return n.Name + ": node " + n.ID
}

// image is the image with its digest, where it has one.
func image(n Node) string {
	_, digest, ok := strings.Cut(n.Digest, "@")
	switch {
	case !ok || strings.Contains(n.Image, "@"):
		return n.Image
	}
	return n.Image + "@" + digest
}

// note is the remark on an image without a digest.
func (s Set) note(n Node) string {
	if strings.Contains(image(n), "@") {
		return ""
	}
	return "no registry's digest is known"
}

func envFields(env []string) (list []field) {
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		list = append(list, f(name, value))
	}
	return list
}

func labelFields(m map[string]string) (list []field) {
	for _, p := range sortedPairs(m) {
		list = append(list, f(p[0], p[1]))
	}
	return list
}

func tmpfs(h *container.HostConfig) (list []string) {
	for _, p := range sortedPairs(h.Tmpfs) {
		list = append(list, p[0]+":"+p[1])
	}
	return list
}

// binds are the folders of this machine that the ClientApp may see.
func binds(s Set, h *container.HostConfig) (list []*yaml.Node) {
	for _, m := range h.Mounts {
		if m.Type == mount.TypeBind {
			list = append(list, object(f("type", "bind"), f("source", s.path(m.Source)), f("target", m.Target), f("read_only", m.ReadOnly)))
		}
	}
	return list
}

func network(h *container.HostConfig) []field {
	if h.NetworkMode == "" {
		return nil
	}
	return []field{f("network_mode", string(h.NetworkMode))}
}

func limits(h *container.HostConfig) (list []field) {
	if h.NanoCPUs > 0 {
		list = append(list, f("cpus", cpus(h)))
	}
	if h.Memory > 0 {
		list = append(list, f("mem_limit", h.Memory).note(megabytes(h.Memory)))
	}
	if h.PidsLimit != nil {
		list = append(list, f("pids_limit", *h.PidsLimit))
	}
	for _, d := range h.DeviceRequests {
		device := []field{f("driver", "nvidia")}
		switch {
		case len(d.DeviceIDs) > 0:
			device = append(device, f("device_ids", d.DeviceIDs))
		case d.Count > 0:
			device = append(device, f("count", d.Count))
		default:
			device = append(device, f("count", "all")) // docker-compose 1.29 takes none for 0
		}
		device = append(device, f("capabilities", short(node(d.Capabilities[0]))))
		list = append(list, f("deploy", []field{f("resources", []field{f("reservations", []field{f("devices", []*yaml.Node{object(device...)})})})}))
	}
	return list
}

func cpus(h *container.HostConfig) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: strconv.FormatFloat(float64(h.NanoCPUs)/1e9, 'f', -1, 64)}
}

func megabytes(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }

func restartPolicy(n Node) string {
	if n.AutoRemove {
		return "no"
	}
	return "unless-stopped"
}

// envFile is the file of variables that only the node may see, which a command makes.
func envFile(name string) string { return "secret-" + name + ".env" }

// envSteps make it.
func envSteps(s Set, n Node, name string) []Step {
	if !n.secretive() {
		return nil
	}
	return []Step{{"Variables that only " + n.Name + " may see; .gitignore keeps the file out of version control", "(umask 077; " + n.variables(s) + " >" + shell.Word(envFile(name)) + ")"}}
}

// unlimited says what flwrup would limit on its own.
func unlimited(n Node) []string {
	if n.Memory != 0 {
		return nil
	}
	return []string{"flwrup.toml sets no limit of memory. flwrup gives its own SuperNodes a share of the machine's; these have none. `flwrup settings` sets one."}
}

// shared finds the lines that all SuperNodes of a file have.
type shared struct{ nodes [][]field }

// hoisted are the fields that may move into the block that all share.
var hoisted = []string{"image", "user", "read_only", "cap_drop", "security_opt", "tmpfs", "network_mode", "pids_limit", "restart", "stop_grace_period", "logging", "networks"}

// take remembers the fields of one SuperNode; its value is filled in by apply.
func (sh *shared) take(fields []field) *yaml.Node {
	sh.nodes = append(sh.nodes, fields)
	return &yaml.Node{Kind: yaml.MappingNode, Value: strconv.Itoa(len(sh.nodes) - 1)}
}

// common are the fields that every SuperNode has with the same value; none where there is one SuperNode.
func (sh *shared) common() (list []field) {
	if len(sh.nodes) < 2 {
		return nil
	}
	for _, l := range sh.nodes[0] {
		if slices.Contains(hoisted, l.key) && !slices.ContainsFunc(sh.nodes, func(other []field) bool {
			return !slices.ContainsFunc(other, func(o field) bool { return o.key == l.key && same(o.value, l.value) })
		}) {
			list = append(list, l)
		}
	}
	return list
}

func (sh *shared) block() *yaml.Node {
	list := sh.common()
	if len(list) == 0 {
		return nil
	}
	b := object(list...)
	b.Anchor = "supernode"
	return b
}

// apply fills in the SuperNodes, without what all share.
func (sh *shared) apply(services []field) []field {
	common := sh.common()
	for i, sv := range services {
		if sv.value.Value == "" {
			continue
		}
		at, _ := strconv.Atoi(sv.value.Value)
		var own []field
		if len(common) > 0 {
			own = append(own, field{key: "<<", value: &yaml.Node{Kind: yaml.AliasNode, Value: "supernode"}})
		}
		for _, l := range sh.nodes[at] {
			if !slices.ContainsFunc(common, func(c field) bool { return c.key == l.key }) {
				own = append(own, l)
			}
		}
		services[i].value = object(own...)
	}
	return services
}

func same(a, b *yaml.Node) bool {
	x, errA := yaml.Marshal(a)
	y, errB := yaml.Marshal(b)
	return errA == nil && errB == nil && string(x) == string(y)
}
