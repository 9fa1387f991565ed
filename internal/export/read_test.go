package export

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"flwrup/internal/require"
)

// written writes the files of an export into a folder of their own.
func written(t *testing.T, kind Kind, s Set) (dir string) {
	t.Helper()
	dir = t.TempDir()
	files, _, err := Files(kind, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestHostileValues: a value with quotes, $, %, # and : reaches the SuperNode as it is, through Compose's own reader and
// through the rules of the others.
func TestHostileValues(t *testing.T) {
	const config, price = `--node-config=note="100% of $HOME: 'yes' # no"`, `5$ & 10% "off" \n`
	read := func(kind Kind, file string, into any) {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(written(t, kind, fixed()), file))
		if err == nil {
			err = yaml.Unmarshal(text, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	plain := func(s string) string { return strings.ReplaceAll(s, "$$", "$") }
	type services struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
			Labels      map[string]string
		}
	}
	name := serviceName(fixed().Nodes[2].Name)
	holds := func(what string, s services) {
		t.Helper()
		got := s.Services[name]
		for i := range got.Command {
			got.Command[i] = plain(got.Command[i])
		}
		if !slices.Contains(got.Command, config) || plain(got.Environment["PRICE"]) != price || plain(got.Labels["flwrup.node"]) != fixed().Nodes[2].Name {
			t.Errorf("%s: %+v", what, got)
		}
	}
	for kind, file := range map[Kind]string{Compose: composeFile, Swarm: swarmFile} {
		var s services
		read(kind, file, &s)
		holds(string(kind), s)
	}
	var set struct {
		Spec struct {
			PodManagementPolicy string `yaml:"podManagementPolicy"`
			Template            struct {
				Spec struct {
					Containers []struct {
						Args []string
						Env  []struct{ Name, Value string }
					}
				}
			}
		}
	}
	read(Kubernetes, "supernode-"+name+".yaml", &set)
	c := set.Spec.Template.Spec.Containers[0]
	if !slices.Contains(c.Args, strings.ReplaceAll(config, "$", "$$")) || plain(c.Env[0].Value) != price {
		t.Errorf("kubernetes: %+v", c)
	}
	if set.Spec.PodManagementPolicy != "Parallel" {
		t.Error("a corrected export would wait for a pod that cannot start, as seen on a cluster's own controller")
	}
	unit, err := os.ReadFile(filepath.Join(written(t, Systemd, fixed()), fixed().unit(fixed().Nodes[2].Name)))
	for _, want := range []string{`"--node-config=note=\"100%% of $$HOME: 'yes' # no\""`, `Environment="PRICE=5$ & 10%% \"off\" \\n"`} {
		if err != nil || !bytes.Contains(unit, []byte(want)) {
			t.Errorf("no %s: %v\n%s", want, err, unit)
		}
	}

	compose := require.Tool(t, "docker", "docker-compose")
	s := fixed()
	s.Nodes[1].EnvFile, s.Nodes[1].EnvNames = "", nil // its file is for a person to make
	cmd := exec.Command(compose, "config")
	cmd.Dir = written(t, Compose, s)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("docker-compose config: %v", err)
	}
	var seen services
	if err := yaml.Unmarshal(out, &seen); err != nil {
		t.Fatal(err)
	}
	holds("docker-compose", seen)
}

// TestUnitsAreRead: systemd finds no fault in a unit.
func TestUnitsAreRead(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		require.Missing(t, "docker", "no systemd-analyze on PATH")
	}
	s := fixed()
	for i := range s.Nodes {
		s.Nodes[i].Program = "/bin/true"
	}
	dir := written(t, Systemd, s)
	for _, n := range s.Nodes {
		cmd := exec.Command(analyze, "verify", "--user", filepath.Join(dir, s.unit(n.Name)))
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", n.Name, err, out)
		}
	}
}

// TestRefused: what no file can carry is refused with the reason, and so are two SuperNodes of one name for an engine.
func TestRefused(t *testing.T) {
	for name, change := range map[string]func(*Set){
		"two lines":     func(s *Set) { s.Nodes[0].Env["A"] = "x\nExecStart=/bin/evil" },
		"not UTF-8":     func(s *Set) { s.Nodes[0].Name = "a\xff" },
		"the same name": func(s *Set) { s.Nodes[1].Name = "supernode-1" },
	} {
		s := fixed()
		change(&s)
		for _, kind := range Kinds {
			if _, _, err := Files(kind, s); err == nil {
				t.Errorf("%s: %s takes it", name, kind)
			}
		}
	}
}

// TestWhereIsTheService: the commands that a person gets name what the files have.
func TestWhereIsTheService(t *testing.T) {
	s := fixed()
	for kind, file := range map[Kind]string{Compose: composeFile, Swarm: swarmFile, Kubernetes: "supernode-supernode-1.yaml", Helm: "values-supernode-1.yaml", Systemd: s.unit("supernode_1")} {
		w := Where{Kind: kind, Dir: "/out", Project: s.Project, ID: s.ID, Name: "supernode_1"}
		if _, err := os.Stat(filepath.Join(written(t, kind, s), file)); err != nil {
			t.Error(err)
		}
		word := map[Kind]string{Compose: "supernode-1", Swarm: s.stack(), Kubernetes: "-n " + s.stack(), Helm: "-n " + s.stack(), Systemd: s.unit("supernode_1")}[kind]
		for _, command := range []string{w.Start(), w.Stop(), w.End(), w.Logs()} {
			if !strings.Contains(command, word) {
				t.Errorf("%s: %s", kind, command)
			}
		}
	}
}

// TestPolicyLetsAllOut: the one policy of all SuperNodes lets out what each of them needs, whichever comes last.
func TestPolicyLetsAllOut(t *testing.T) {
	at := func(address string, extra ...string) func(key, ca string) []string {
		return func(string, string) []string { return append([]string{"--superlink", address}, extra...) }
	}
	for name, c := range map[string]struct {
		nodes []func(key, ca string) []string
		to    []string
		ports []int
	}{
		"an address":                {[]func(key, ca string) []string{at("192.0.2.7:9092")}, []string{"192.0.2.7/32"}, []int{9092}},
		"an address of IPv6":        {[]func(key, ca string) []string{at("[2001:db8::7]:9092")}, []string{"2001:db8::7/128"}, []int{9092}},
		"a name":                    {[]func(key, ca string) []string{at("grid.example.org:443")}, nil, []int{443}},
		"packages, then an address": {[]func(key, ca string) []string{at("192.0.2.7:9092", "--allow-runtime-dependency-installation"), at("192.0.2.7:9092")}, nil, []int{443, 9092}},
	} {
		s := fixed()
		for i, args := range c.nodes {
			s.Nodes[i].Args = args
		}
		s.Nodes = s.Nodes[:len(c.nodes)]
		text, err := os.ReadFile(filepath.Join(written(t, Kubernetes, s), "networkpolicy.yaml"))
		var policy struct {
			Spec struct {
				Egress []struct {
					To []struct {
						IPBlock struct{ CIDR string } `yaml:"ipBlock"`
					}
					Ports []struct{ Port int }
				}
			}
		}
		if err == nil {
			err = yaml.Unmarshal(text, &policy)
		}
		if err != nil || len(policy.Spec.Egress) != 2 {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		var to []string
		for _, p := range policy.Spec.Egress[1].To {
			to = append(to, p.IPBlock.CIDR)
		}
		var ports []int
		for _, p := range policy.Spec.Egress[1].Ports {
			ports = append(ports, p.Port)
		}
		if !slices.Equal(to, c.to) || !slices.Equal(ports, c.ports) {
			t.Errorf("%s: to %v, ports %v", name, to, ports)
		}
	}
}

// TestVariablesReachTheirFile: the commands of the README write every variable to where it belongs, and none to the
// screen, wherever the variables come from.
func TestVariablesReachTheirFile(t *testing.T) {
	sh := require.Tool(t, "docker", "sh")
	dir := t.TempDir()
	file := filepath.Join(dir, "my.env")
	if err := os.WriteFile(file, []byte("A=1 $x\nB=two"), 0o600); err != nil { // no line end behind the last one
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		file  string
		names []string
		want  string
	}{
		"a file":         {file, nil, "A=1 $x\nB=two\n"},
		"a name":         {"", []string{"TOKEN"}, "TOKEN=a$b \"c\n"},
		"two names":      {"", []string{"TOKEN", "U"}, "TOKEN=a$b \"c\nU=u\n"},
		"a file, a name": {file, []string{"TOKEN"}, "A=1 $x\nB=two\nTOKEN=a$b \"c\n"},
	} {
		s := fixed()
		s.Nodes = s.Nodes[:1]
		s.Nodes[0].EnvFile, s.Nodes[0].EnvNames = c.file, c.names
		for _, kind := range Kinds {
			_, g, err := Files(kind, s)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(g.Before, func(st Step) bool { return strings.HasPrefix(st.Says, "Variables that only") })
			if i < 0 {
				t.Fatalf("%s: no command for %s", kind, name)
			}
			cmd := exec.Command(sh, "-c", "docker() { cat >got; }; kubectl() { cat >got; }\n"+g.Before[i].Command)
			cmd.Dir, cmd.Env = t.TempDir(), append(os.Environ(), `TOKEN=a$b "c`, "U=u")
			shown, err := cmd.CombinedOutput()
			got, rerr := os.ReadFile(filepath.Join(cmd.Dir, map[bool]string{true: envFile("supernode-1"), false: "got"}[kind == Compose || kind == Systemd]))
			if trimmed := strings.ReplaceAll(string(got), "\n\n", "\n"); err != nil || rerr != nil || len(shown) > 0 || trimmed != c.want {
				t.Errorf("%s, %s: %q arrives, %q is shown: %v, %v", kind, name, got, shown, err, rerr)
			}
		}
	}
}

// TestUnitSeesItsFiles: a unit has a /tmp of its own, unless its program or its data are in the machine's.
func TestUnitSeesItsFiles(t *testing.T) {
	for program, own := range map[string]bool{"/home/ada/flwr/bin/flower-supernode": true, "/tmp/flwr/bin/flower-supernode": false, "/var/tmp/bin/flower-supernode": false, "/tmpfiles/flower-supernode": true} {
		s := fixed()
		s.Nodes = s.Nodes[:1]
		s.Nodes[0].Program = program
		unit, err := os.ReadFile(filepath.Join(written(t, Systemd, s), s.unit("supernode_1")))
		if err != nil || bytes.Contains(unit, []byte("PrivateTmp=yes\n")) != own {
			t.Errorf("%s: %v\n%s", program, err, unit)
		}
		if !bytes.Contains(unit, []byte("PrivateUsers=yes\n")) {
			t.Errorf("a user's own manager passes over the protection of the unit, as seen with systemd 252:\n%s", unit)
		}
	}
}
