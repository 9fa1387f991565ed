package export

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/pelletier/go-toml/v2"
	"go.yaml.in/yaml/v3"

	"flwrup/internal/nodeconfig"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
)

// chartDocs lists the values of Flower's SuperNode chart. The chart comes with Flower Enterprise and is not public, so
// the values here are those of this page, as of flwr 1.29.0; testdata/helm-parameters.txt has their names and types.
const chartDocs = "https://flower.ai/docs/framework/helm/how-to-deploy-supernode-using-helm.html"

// gridSecret is the Secret in which the chart looks for a private grid's certificate.
const gridSecret = "flower-client-tls"

// helm writes a values file of Flower's own SuperNode chart for each SuperNode: one release, one key. The chart's own
// way takes the private key as a value, which Helm keeps with the release. These files mount it from a Secret instead
// and name its place among the arguments, which the chart's values allow.
func helm(s Set) ([]File, Guide, error) {
	space := s.stack()
	g := Guide{
		Before: []Step{{"The namespace", "kubectl apply -f namespace.yaml"}, {"Where Flower's SuperNode chart is; Flower Enterprise has it", chartIs}},
		State:  Step{"What runs, and where", "kubectl -n " + space + " get pods -o wide"},
		Notes: []string{"The values are those that " + chartDocs + " lists for flwr 1.29.0. The chart is not public: flwrup has not run it. `helm template` shows what it makes of them.",
			"The chart takes a private key as a value (`global.nodeAuth.authSupernodePrivateKey`), and Helm then keeps it with the release. These files leave that off: the key is a Secret, mounted by `supernode.volumes` and named by `supernode.extraArgs`.",
			"The chart's own image is flwr/supernode-ee, of Flower Enterprise; these files name the image that flwrup uses. Change `supernode.image` if you have that one.",
			"Each release has one replica: the grid refuses a second SuperNode with the same key. Never set `supernode.replicas` above 1."},
	}
	if s.Rehearsal {
		g.Notes = append([]string{"**This is a rehearsal.** Its grid listens on this machine's loopback, which no pod reaches: these files are to read and to check."}, g.Notes...)
	}
	if s.CA != nil {
		g.Before = append(g.Before, Step{"The grid's certificate, under both names that the chart may read; no private key goes with it (kubectl warns of that)", "kubectl -n " + space + " create secret generic " + gridSecret +
			" --type=kubernetes.io/tls --from-file=ca.crt --from-file=tls.crt=ca.crt --from-literal=tls.key="})
	}
	files := []File{}
	var start, logs, stop, end []string
	for _, n := range s.Nodes {
		name := serviceName(n.Name)
		c, h, err := configured(n, Helm)
		if err != nil {
			return nil, Guide{}, err
		}
		values, err := s.values(n, name, c, h)
		if err != nil {
			return nil, Guide{}, err
		}
		text, err := document([]string{about(n) + ". Values of Flower's SuperNode chart, written by flwrup export helm.", chartDocs, "",
			"  " + s.upgrade(name)}, values)
		if err != nil {
			return nil, Guide{}, err
		}
		files = append(files, File{valuesFile(name), text})
		g.Before = append(g.Before, s.podSecrets(n, name)...)
		g.Notes = append(g.Notes, s.podNotes(n, name)...)
		if s.note(n) != "" {
			g.Notes = append(g.Notes, "The image "+markdown(n.Image)+" is in no registry that flwrup knows of: push it to one that the cluster reaches, and change `supernode.image`.")
		}
		start, end = append(start, s.upgrade(name)), append(end, s.uninstall(name))
		stop = append(stop, "helm -n "+space+" upgrade "+name+` "$CHART" --reuse-values --set supernode.replicas=0`)
		logs = append(logs, s.podLogs(name))
	}
	files = append(files, File{"namespace.yaml", nil})
	text, err := s.namespace()
	if err != nil {
		return nil, Guide{}, err
	}
	files[len(files)-1].Data = text
	if s.CA != nil {
		files = append(files, File{"ca.crt", s.CA})
	}
	g.Start, g.Logs = Step{"", strings.Join(start, "\n")}, Step{"Their logs, one command each", strings.Join(logs, "\n")}
	g.Stop, g.End = Step{"They stay set up, and the same upgrade starts them again", strings.Join(stop, "\n")}, Step{"", strings.Join(end, "\n")}
	g.After = []Step{{"The namespace, with the Secrets", "kubectl delete -f namespace.yaml"}}
	g.Notes = wording.Once(g.Notes)
	return files, g, nil
}

// chartIs names the chart's folder, which a person fills in.
const chartIs = "CHART=path/to/the/chart"

func valuesFile(name string) string { return "values-" + name + ".yaml" }

// upgrade starts a release, or changes it; uninstall ends it.
func (s Set) upgrade(name string) string {
	return "helm -n " + s.stack() + " upgrade --install " + name + ` "$CHART" -f ` + valuesFile(name)
}

func (s Set) uninstall(name string) string {
	return "helm -n " + s.stack() + " uninstall --wait " + name
}

// podLogs follows the pod by a label of these files, since the chart names its pods.
func (s Set) podLogs(name string) string {
	return "kubectl -n " + s.stack() + " logs -f -l " + podLabel + "=" + name
}

const podLabel = "flwrup.supernode"

// values are those of one SuperNode.
func (s Set) values(n Node, name string, c *container.Config, h *container.HostConfig) (*yaml.Node, error) {
	ports := map[int]bool{}
	host, port, cidr := reaches(n, ports)
	args := joined(n.Args("/run/supernode/key", ""))
	config, extra := chartArgs(args)
	registry, repository, tag := imageParts(n.Image)
	_, digest, _ := strings.Cut(image(n), "@")
	user, _ := strconv.Atoi(strings.Split(c.User, ":")[0])
	volumes, mounts := []*yaml.Node{keyVolume(name)}, []*yaml.Node{keyMount()}
	claimed, seen := dataVolumes(n, name)
	env := []string{}
	for _, e := range c.Env {
		if !strings.HasPrefix(e, "HOME=") && !strings.HasPrefix(e, "FLWR_HOME=") { // the chart knows where it has room to write
			env = append(env, e)
		}
	}
	variables := podEnv(env)
	for _, v := range n.secretNames() {
		variables = append(variables, object(f("name", v), f("valueFrom", []field{f("secretKeyRef", []field{f("name", name+"-env"), f("key", v)})})))
	}
	superlink := []field{f("address", host), f("port", port)}
	if s.CA != nil {
		superlink = append(superlink, f("certificate", []field{f("existingSecret", gridSecret)}).says("Made by a command of README.md: the grid's certificate, no secret."))
	}
	picture := []field{f("registry", registry), f("repository", repository), f("tag", tag), f("digest", digest)}
	if host == "" || port == 0 || tag == "" && digest == "" {
		return nil, problem.New(problem.BadInput, "cannot export "+n.Name, "the chart takes the grid's host and port, and an image with a tag or digest", "correct fleet or image in flwrup.toml")
	}
	if digest == "" {
		picture[3] = picture[3].note(s.note(n))
	}
	supernode := []field{f("enabled", true), f("replicas", 1).note("never more: one key, one SuperNode"),
		f("updateStrategy", []field{f("type", "Recreate"), f("rollingUpdate", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"})}).says("Never two at the same time with one key."),
		f("superlink", superlink), f("isolationMode", "subprocess")}
	if len(config) > 0 {
		supernode = append(supernode, f("node", []field{f("config", config)}))
	}
	supernode = append(supernode, f("image", picture),
		f("extraArgs", extra), f("volumes", append(volumes, claimed...)).says("The key comes from a Secret, by reference."), f("volumeMounts", append(mounts, seen...)),
		f("env", variables), f("resources", podResources(n, h)),
		f("podAnnotations", object(labelFields(c.Labels)...)), f("podLabels", []field{f(podLabel, name)}),
		f("automountServiceAccountToken", false), f("serviceAccount", []field{f("automountServiceAccountToken", false)}),
		f("networkPolicy", []field{f("enabled", true), f("allowExternal", false), f("allowExternalEgress", false), f("extraEgress", egress(map[string]bool{cidr: true}, ports))}).
			says("Names and the grid's port go out, and nothing comes in."))
	return object(
		f("fullnameOverride", name),
		f("tls", []field{f("enabled", true)}),
		f("global", []field{
			f("nodeAuth", []field{f("enabled", false)}).says("This way the chart would want the private key itself as a value. It is named under extraArgs instead."),
			f("securityContext", []field{f("runAsUser", user), f("runAsGroup", user), f("fsGroup", user).note("reads the key")}),
			f("podSecurityContext", []field{f("runAsNonRoot", true), f("readOnlyRootFilesystem", h.ReadonlyRootfs), f("allowPrivilegeEscalation", false),
				f("seccompProfile", []field{f("type", "RuntimeDefault")}), f("capabilities", []field{f("drop", short(node([]string(h.CapDrop))))})}),
		}),
		f("supernode", supernode)), nil
}

// secretNames are the variables that only the node may see.
func (n Node) secretNames() []string {
	names := map[string]bool{}
	for _, v := range n.EnvNames {
		names[v] = true
	}
	for v := range n.Secrets {
		names[v] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// chartArgs splits arguments into the node-config, which the chart takes as values with their types, and those that the
// chart has no value for. A config with a character that YAML, a shell or Kubernetes could take for its own stays an
// argument.
func chartArgs(args []string) (config []field, extra []string) {
	for _, a := range args {
		flag, value, _ := strings.Cut(a, "=")
		switch flag {
		case "--superlink", "--root-certificates", "--host", "--port", "--clientappio-api-address":
			continue // values of the chart, or its own business
		case "--node-config":
			if config = typed(value); config != nil {
				continue
			}
		}
		extra = append(extra, podText(a))
	}
	return config, extra
}

// typed are the values of a node-config; nil where one is more than a plain word, number, true or false.
func typed(text string) (list []field) {
	if nodeconfig.File(text) || nodeconfig.Check(text) != nil {
		return nil
	}
	for _, p := range nodeconfig.Pairs(text) {
		var one map[string]any
		if err := toml.Unmarshal([]byte("v = "+p.Value), &one); err != nil {
			return nil
		}
		switch v := one["v"].(type) {
		case bool, int64:
			list = append(list, f(p.Key, v))
		case float64:
			list = append(list, f(p.Key, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!float", Value: strconv.FormatFloat(v, 'f', -1, 64)}))
		case string:
			if strings.ContainsAny(v, "\"'`\\$") {
				return nil
			}
			list = append(list, f(p.Key, v))
		default:
			return nil
		}
		if strings.Contains(p.Key, ".") { // a table
			return nil
		}
	}
	return list
}

// imageParts are the registry, the repository and the tag of an image.
func imageParts(image string) (registry, repository, tag string) {
	name, _, _ := strings.Cut(image, "@")
	registry = "docker.io"
	if first, rest, more := strings.Cut(name, "/"); more && (strings.ContainsAny(first, ".:") || first == "localhost") {
		registry, name = first, rest
	}
	repository, tag, _ = strings.Cut(name, ":")
	return registry, repository, tag
}

// namespace is the namespace of the set-up, in which no pod has rights on a machine.
func (s Set) namespace() ([]byte, error) {
	return document([]string{"Pods here have no rights on a machine: https://kubernetes.io/docs/concepts/security/pod-security-standards/"},
		object(f("apiVersion", "v1"), f("kind", "Namespace"), f("metadata", []field{f("name", s.stack()), f("labels", []field{f("pod-security.kubernetes.io/enforce", "restricted"), f("pod-security.kubernetes.io/warn", "restricted")})})))
}
