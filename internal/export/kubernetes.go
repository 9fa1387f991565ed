package export

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"go.yaml.in/yaml/v3"

	"flwrup/dockerctl"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
	"flwrup/internal/wording"
)

// healthPort is where a SuperNode's health service listens in its pod; its own API listens on loopback, which no probe
// reaches.
const healthPort = 9097

// kubernetes writes plain manifests and a kustomization: a StatefulSet with one replica for each SuperNode, since a
// StatefulSet alone promises that a pod is gone before the next one starts. Keys are Secrets, which a command makes.
func kubernetes(s Set) ([]File, Guide, error) {
	space := s.stack()
	ns := "kubectl -n " + space + " "
	g := Guide{
		Before: []Step{{"The namespace", "kubectl apply -f namespace.yaml"}},
		Start:  Step{"", "kubectl apply -k ."}, State: Step{"What runs, and where", ns + "get pods -o wide"},
		End: Step{"", "kubectl delete -k ."},
		Notes: []string{"A change of a Secret takes effect with `" + ns + "rollout restart statefulset`.",
			"Each StatefulSet has one replica: the grid refuses a second SuperNode with the same key. Never scale one above 1.",
			"Where a machine of the cluster is lost, its pods start elsewhere once an administrator has removed that machine: Kubernetes cannot know that they have ended.",
			"The NetworkPolicy needs a network plug-in that enforces it. It allows names and the grid's port to anywhere, since it cannot name hosts."},
	}
	if s.Rehearsal {
		g.Notes = append([]string{"**This is a rehearsal.** Its grid listens on this machine's loopback, which no pod reaches: these manifests are to read and to check."}, g.Notes...)
	}
	files := []File{}
	resources := []string{"namespace.yaml", "service.yaml", "networkpolicy.yaml"}
	write := func(name string, top []string, doc *yaml.Node) error {
		text, err := document(top, doc)
		files = append(files, File{name, text})
		return err
	}
	ports := map[int]bool{}
	cidrs := map[string]bool{}
	var logs, stops []string
	for _, n := range s.Nodes {
		name := serviceName(n.Name)
		c, h, err := configured(n, Kubernetes)
		if err != nil {
			return nil, Guide{}, err
		}
		_, _, cidr := reaches(n, ports)
		cidrs[cidr] = true
		g.Before = append(g.Before, s.podSecrets(n, name)...)
		g.Notes = append(g.Notes, s.podNotes(n, name)...)
		if s.note(n) != "" {
			g.Notes = append(g.Notes, "The image "+markdown(n.Image)+" is in no registry that flwrup knows of: push it to one that the cluster reaches, and set it in kustomization.yaml under `images`.")
		}
		if err := write("supernode-"+name+".yaml", []string{about(n)}, s.statefulSet(n, name, c, h)); err != nil {
			return nil, Guide{}, err
		}
		resources = append(resources, "supernode-"+name+".yaml")
		logs, stops = append(logs, ns+"logs -f statefulset/"+name), append(stops, "statefulset/"+name)
	}
	g.Logs = Step{"Their logs, one command each", strings.Join(logs, "\n")}
	g.Stop = Step{"They stay set up, and the same apply starts them again", ns + "scale " + strings.Join(stops, " ") + " --replicas=0"}
	g.Notes = wording.Once(g.Notes)

	part := object(f("app.kubernetes.io/part-of", space))
	text, err := s.namespace()
	files = append(files, File{"namespace.yaml", text})
	if err == nil {
		err = write("service.yaml", []string{"A StatefulSet has to name a Service. Nothing listens for it: SuperNodes connect out, and nobody connects to them."},
			object(f("apiVersion", "v1"), f("kind", "Service"), f("metadata", []field{f("name", serviceOf)}), f("spec", []field{f("clusterIP", "None"), f("selector", part)})))
	}
	if err == nil {
		err = write("networkpolicy.yaml", []string{"SuperNodes reach names and the grid's port, and nobody reaches them."}, policy(part, cidrs, ports))
	}
	if err != nil {
		return nil, Guide{}, err
	}
	fields := []field{f("apiVersion", "kustomize.config.k8s.io/v1beta1"), f("kind", "Kustomization"), f("namespace", space), f("resources", resources)}
	if s.CA != nil {
		files = append(files, File{"ca.crt", s.CA})
		fields = append(fields, f("configMapGenerator", []*yaml.Node{object(f("name", "grid-ca"), f("files", []string{"ca.crt"}))}).says("No secret: the certificate of a grid that no public authority vouches for."))
	}
	if err := write("kustomization.yaml", []string{
		"SuperNodes of " + s.Project + ", run by Kubernetes. Written by flwrup export kubernetes.", "",
		"  kubectl apply -k .        start, after the namespace and the Secrets of README.md",
		"  kubectl delete -k .       end, with the namespace; flwrup start takes them back"}, object(fields...)); err != nil {
		return nil, Guide{}, err
	}
	return files, g, nil
}

// reaches returns the grid's host and port, and the addresses that the SuperNode connects to, "" for any; the ports
// go into ports.
func reaches(n Node, ports map[int]bool) (host string, port int, cidr string) {
	args := n.Args("", "")
	host, text, err := net.SplitHostPort(supernode.FlagIn(args, "--superlink"))
	if number, perr := strconv.Atoi(text); err == nil && perr == nil {
		port, ports[number] = number, true
	}
	if ip := net.ParseIP(host); ip != nil {
		if cidr = host + "/32"; ip.To4() == nil {
			cidr = host + "/128"
		}
	}
	if slices.Contains(args, "--allow-runtime-dependency-installation") {
		ports[443], cidr = true, ""
	}
	return host, port, cidr
}

// podSecrets make the Secrets of one SuperNode.
func (s Set) podSecrets(n Node, name string) []Step {
	create := "kubectl -n " + s.stack() + " create secret generic " + name
	list := []Step{{"The key of " + n.Name, create + keySuffix + " --from-file=key=" + shell.Path(s.path(n.KeyFile))}}
	if n.secretive() {
		list = append(list, Step{"Variables that only " + n.Name + " may see", n.variables(s) + " | " + create + "-env --from-env-file=/dev/stdin"})
	}
	return list
}

// podNotes say what a cluster does not do as Docker does.
func (s Set) podNotes(n Node, name string) (notes []string) {
	for i, d := range n.Data {
		notes = append(notes, fmt.Sprintf("%s wants a PersistentVolumeClaim %s with what is in %s: Pod Security \"restricted\" forbids folders of a machine.", markdown(n.Name), claim(name, i), markdown(d.Host)))
	}
	if n.HostNetwork && !s.Rehearsal {
		notes = append(notes, "host-network of flwrup.toml is left out: Pod Security \"restricted\" forbids it.")
	}
	return append(notes, unlimited(n)...)
}

const serviceOf = "supernodes"

func claim(name string, i int) string { return fmt.Sprintf("%s-data-%d", name, i+1) }

func (s Set) statefulSet(n Node, name string, c *container.Config, h *container.HostConfig) *yaml.Node {
	ca := ""
	if n.CAFile != "" {
		ca = "/run/grid/ca.crt"
	}
	args := joined(append(n.Args("/run/supernode/key", ca), "--health-server-address", fmt.Sprintf("0.0.0.0:%d", healthPort)))
	uid, gid, _ := strings.Cut(c.User, ":")
	user, _ := strconv.Atoi(uid)
	group, _ := strconv.Atoi(gid)
	labels := object(f("app.kubernetes.io/name", "supernode"), f("app.kubernetes.io/instance", name), f("app.kubernetes.io/part-of", s.stack()))
	probe := func(period, failures int) *yaml.Node {
		return object(f("grpc", []field{f("port", healthPort)}), f("periodSeconds", period), f("timeoutSeconds", 5), f("failureThreshold", failures))
	}
	volumes := []*yaml.Node{
		keyVolume(name),
		object(f("name", "home"), f("emptyDir", empty())),
	}
	mounts := []*yaml.Node{
		keyMount(),
		object(f("name", "home"), f("mountPath", dockerctl.HomeDir)),
	}
	tmp := tmpSize(h)
	volumes = append(volumes, object(f("name", "tmp"), f("emptyDir", []field{f("medium", "Memory"), f("sizeLimit", fmt.Sprintf("%dMi", tmp>>20))})))
	mounts = append(mounts, object(f("name", "tmp"), f("mountPath", "/tmp")))
	if ca != "" {
		volumes = append(volumes, object(f("name", "ca"), f("configMap", []field{f("name", "grid-ca")})))
		mounts = append(mounts, object(f("name", "ca"), f("mountPath", "/run/grid"), f("readOnly", true)))
	}
	claimed, seen := dataVolumes(n, name)
	volumes, mounts = append(volumes, claimed...), append(mounts, seen...)
	for i, a := range args {
		args[i] = podText(a)
	}
	one := []field{f("name", "supernode"), f("image", image(n))}
	if s.note(n) != "" {
		one[1] = one[1].note(s.note(n))
	}
	one = append(one, f("args", args), f("env", podEnv(c.Env)))
	if n.secretive() {
		one = append(one, f("envFrom", []*yaml.Node{object(f("secretRef", []field{f("name", name+"-env")}))}))
	}
	one = append(one,
		f("ports", []*yaml.Node{object(f("name", "health"), f("containerPort", healthPort))}),
		f("startupProbe", probe(5, 60)).says("Its own API listens on loopback, so only its health service can be probed."),
		f("livenessProbe", probe(30, 4)),
		f("resources", podResources(n, h)),
		f("securityContext", []field{f("allowPrivilegeEscalation", false), f("readOnlyRootFilesystem", h.ReadonlyRootfs), f("capabilities", []field{f("drop", short(node([]string(h.CapDrop))))})}),
		f("volumeMounts", mounts))
	pod := []field{
		f("automountServiceAccountToken", false), f("enableServiceLinks", false), f("terminationGracePeriodSeconds", 30),
		f("securityContext", []field{f("runAsNonRoot", true), f("runAsUser", user), f("runAsGroup", group), f("fsGroup", group).note("reads the key"),
			f("seccompProfile", []field{f("type", "RuntimeDefault")})}),
		f("containers", []*yaml.Node{object(one...)}), f("volumes", volumes),
	}
	return object(f("apiVersion", "apps/v1"), f("kind", "StatefulSet"), f("metadata", []field{f("name", name), f("labels", labels)}),
		f("spec", []field{f("replicas", 1).note("never more: one key, one SuperNode"), f("serviceName", serviceOf),
			f("podManagementPolicy", "Parallel").note("else a change waits for a pod that cannot start"),
			f("selector", []field{f("matchLabels", []field{f("app.kubernetes.io/instance", name), f("app.kubernetes.io/part-of", s.stack())})}),
			f("template", []field{f("metadata", []field{f("labels", copyOf(labels)), f("annotations", object(labelFields(c.Labels)...))}), f("spec", pod)})}))
}

// keyVolume is the Secret of the key, for the group of the pod.
func keyVolume(name string) *yaml.Node {
	return object(f("name", "key"), f("secret", []field{f("secretName", name+keySuffix), f("defaultMode", 0o440).note("0440: root's, and of the group below")}))
}

// keyMount is where the pod has it.
func keyMount() *yaml.Node {
	return object(f("name", "key"), f("mountPath", "/run/supernode"), f("readOnly", true))
}

// dataVolumes are the claims of a SuperNode's data folders, and where its pod sees them.
func dataVolumes(n Node, name string) (volumes, mounts []*yaml.Node) {
	for i, d := range n.Data {
		volume := fmt.Sprintf("data-%d", i+1)
		volumes = append(volumes, object(f("name", volume), f("persistentVolumeClaim", []field{f("claimName", claim(name, i)), f("readOnly", !d.Write)})))
		mounts = append(mounts, object(f("name", volume), f("mountPath", d.Inside), f("readOnly", !d.Write)))
	}
	return volumes, mounts
}

// podText is a text among arguments and variables of a pod, where $(NAME) is a variable.
func podText(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func podEnv(env []string) (list []*yaml.Node) {
	for _, e := range env {
		k, v, _ := strings.Cut(e, "=")
		list = append(list, object(f("name", k), f("value", podText(v))))
	}
	return list
}

func podResources(n Node, h *container.HostConfig) []field {
	limits, requests := []field{}, []field{f("memory", fmt.Sprintf("%dMi", n.atRest()>>20)).note("what it takes, with one small ClientApp")}
	if h.NanoCPUs > 0 {
		limits = append(limits, f("cpu", cpus(h).Value))
	}
	if h.Memory > 0 {
		limits = append(limits, f("memory", fmt.Sprintf("%dMi", h.Memory>>20)))
	}
	if count := gpuCount(n.GPUs); count > 0 {
		limits = append(limits, f("nvidia.com/gpu", count).note("a cluster hands out a number, not particular ones"))
	}
	return []field{f("requests", requests), f("limits", limits)}
}

// empty is {}.
func empty() *yaml.Node { return short(object()) }

func copyOf(n *yaml.Node) *yaml.Node {
	to := *n
	return &to
}

func policy(part *yaml.Node, cidrs map[string]bool, ports map[int]bool) *yaml.Node {
	return object(f("apiVersion", "networking.k8s.io/v1"), f("kind", "NetworkPolicy"), f("metadata", []field{f("name", serviceOf)}),
		f("spec", []field{f("podSelector", []field{f("matchLabels", copyOf(part))}), f("policyTypes", short(node([]string{"Ingress", "Egress"}))),
			f("egress", egress(cidrs, ports))}))
}

// egress lets out names and the grid's port, to the addresses in cidrs; "" among them is any, of IPv4 and IPv6.
func egress(cidrs map[string]bool, ports map[int]bool) []*yaml.Node {
	port := func(protocol string, number int) *yaml.Node {
		return object(f("protocol", protocol), f("port", number))
	}
	var grid []*yaml.Node
	for _, number := range slices.Sorted(maps.Keys(ports)) {
		grid = append(grid, port("TCP", number))
	}
	var to []*yaml.Node
	for _, cidr := range slices.Sorted(maps.Keys(cidrs)) {
		if cidr == "" {
			break
		}
		to = append(to, object(f("ipBlock", []field{f("cidr", cidr)})))
	}
	return []*yaml.Node{object(f("ports", []*yaml.Node{port("UDP", 53), port("TCP", 53)})), object(f("to", to), f("ports", grid))}
}
