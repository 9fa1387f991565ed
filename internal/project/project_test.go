package project

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"flwrup/internal/notify"
	"flwrup/internal/problem"
)

func full(dir string) *Choices {
	c := Defaults(dir)
	c.Nodes, c.Federation, c.CreateFederation = 3, "@ada/study", true
	c.Runtime, c.Image, c.HostNetwork, c.ContainerPrefix = RuntimeDocker, "reg.example.org:5000/flwr/supernode:1.42.0", true, "trial-"
	c.App, c.Backup, c.BackupRecipient, c.BackupPassphrase = "apps/demo app", `C:\back "up"\keys.age`, "age1abc", "/safe/pass phrase"
	c.Flwr = FlwrChoice{Version: "1.42.0", Path: "/opt/flwr", Home: "/home/ä/.flwr"}
	c.Grid = GridChoice{Connection: "pilot", Control: "[::1]:9093", Fleet: "fleet.example.org:443", CA: "ca.crt", Rehearsal: true}
	c.Notify = notify.Settings{Command: []string{"/usr/local/bin/page me", "--urgent"}, WebhookFile: "secrets/hook", Shape: notify.ShapeSlack, TokenEnv: "HOOK_TOKEN",
		Mail: []string{"it@clinic.example", "ada@clinic.example"}, MailFrom: "flwrup@clinic.example", After: "90s", Quiet: "22:00-07:00", About: []string{"grid"}, Terminal: notify.TerminalOff}
	yes, no := true, false
	c.All = NodeChoice{Data: []string{"data:/data"}, Memory: "2g", CPUs: "1.5", Install: &yes, Lasting: &no}
	c.Node = map[string]NodeChoice{"supernode_2": {Name: "clinic-b", Key: "keys/b", NodeConfig: "a=1 b='x'", Args: []string{"--max-retries", "10"}, Env: []string{"HTTPS_PROXY"},
		EnvFile: "secrets/b.env", Data: []string{`C:\data b:/data`, "out:/out:rw"}, GPUs: "device=0,1", Install: &no}}
	return c
}

func TestSaveLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		make func(dir string) *Choices
	}{
		{"defaults", Defaults},
		{"everything", full},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "Lungen Studie ä")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			c := tt.make(dir)
			if err := c.Save(dir); err != nil {
				t.Fatal(err)
			}
			got, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, c) {
				t.Errorf("got  %+v\nwant %+v", got, c)
			}
			if got.Name != "Lungen Studie ä" || len(got.ID) != 8 {
				t.Errorf("name %q, id %q", got.Name, got.ID)
			}
			text, _ := os.ReadFile(File(dir))
			for _, f := range fields {
				if !strings.Contains(string(text), f.comment) {
					t.Errorf("no comment about %s", f.key)
				}
			}
			if strings.Contains(string(text), got.ID) {
				t.Error("the id of this machine's set-up is in the file")
			}
			if err := got.Save(dir); err != nil {
				t.Fatal(err)
			}
			if again, _ := os.ReadFile(File(dir)); string(again) != string(text) {
				t.Errorf("saving what was loaded changes the file:\n%s", again)
			}
		})
	}
}

// TestEveryFieldIsInTheTable changes each field of Choices alone: a field that the table of keys forgets
// would not come back.
func TestEveryFieldIsInTheTable(t *testing.T) {
	count := func(v any) (n int) {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			if k := f.Type.Kind(); k != reflect.Struct && k != reflect.Map && f.Name != "ID" {
				n++
			}
		}
		return n
	}
	if want := count(Choices{}) + count(FlwrChoice{}) + count(GridChoice{}) + count(SiteChoice{}) + count(notify.Settings{}); len(fields) != want {
		t.Errorf("%d keys for %d fields", len(fields), want)
	}
	if want := count(NodeChoice{}); len(nodeFields) != want {
		t.Errorf("%d keys of a node for %d fields", len(nodeFields), want)
	}
	refs := map[any]string{}
	c := &Choices{}
	for _, f := range fields {
		if other, twice := refs[f.ref(c)]; twice {
			t.Errorf("%s and %s are the same field", f.key, other)
		}
		refs[f.ref(c)] = f.key
	}
}

// A secret in [notify] is refused with its line, and no error repeats it.
func TestSecretsOfNotify(t *testing.T) {
	for _, line := range []string{
		`webhook = "https://hooks.slack.com/services/T024BE7LD/B0FAKE/XXXXaaaa1111bbbb2222cccc"`, `token-env = "syt_YWRh_abcdefghijkl1234"`,
		`token-file = "xoxb-1234567890-abcdef"`, `command = ["curl", "-H", "Authorization: Bearer abcdefghijk"]`, `webhook = "https://relay.example/x?token=abcdefghijk"`,
		"webhook = \"https://relay.example/x\"\nwebhook-env = \"HOOK\"", "shape = \"matrix\"\nwebhook = \"https://relay.example/x\"",
	} {
		dir := t.TempDir()
		write(t, File(dir), "nodes = 1\n[notify]\n"+line+"\n")
		_, err := Load(dir)
		if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("%s: %v", line, err)
			continue
		}
		for _, secret := range []string{"cccc", "abcdef", "1234"} {
			if strings.Contains(err.Error()+problem.Of(err).Fix, secret) {
				t.Errorf("the error repeats the secret: %v", err)
			}
		}
	}
}

func TestSaveKeepsThePersonsText(t *testing.T) {
	dir := t.TempDir()
	const text = "# ours, ask Ada\r\nnodes = 2 # two clinics\r\n\r\n[grid] # grid\r\n\tfleet = 'old:1'\r\n\r\n[node.supernode_1]\r\nname = \"clinic-a\" # A\r\nargs = [\"-x\"]\r\n"
	write(t, File(dir), text)
	c, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(File(dir)); string(got) != text {
		t.Fatalf("nothing changed, but the file did:\n%q", got)
	}
	c.Nodes, c.Grid.Fleet, c.Federation = 5, "new:2", "@ada/study"
	c.Node["supernode_1"] = NodeChoice{Name: "clinic-a"}
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	want := strings.NewReplacer("nodes = 2", "nodes = 5", "'old:1'", `"new:2"`, "args = [\"-x\"]\r\n", "",
		"clinics\r\n", "clinics\r\n# \"@account/name\"; a bare name with flwr 1.25 or older; \"\": not decided yet\r\nfederation = \"@ada/study\"\r\n").Replace(text)
	if got, _ := os.ReadFile(File(dir)); string(got) != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestSaveRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, File(dir), "nodes = = 3\n")
	if err := Defaults(dir).Save(dir); !problem.Is(err, problem.BadInput) {
		t.Errorf("over a file that is no TOML: %v", err)
	}
	if got, _ := os.ReadFile(File(dir)); string(got) != "nodes = = 3\n" {
		t.Errorf("overwritten: %q", got)
	}
	dir = t.TempDir()
	c := Defaults(dir)
	c.Nodes = MaxNodes + 1
	if err := c.Save(dir); !problem.Is(err, problem.BadInput) {
		t.Errorf("too many nodes: %v", err)
	}
	if _, err := os.Stat(File(dir)); err == nil {
		t.Error("written all the same")
	}
	c = Defaults(dir)
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	os.Chmod(File(dir), 0o444)
	c.Nodes = 4
	if err := c.Save(dir); !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("read-only: %v", err)
	}
}

func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, says, fix string }{
		{"no TOML", "name = 'x'\nnodes = = 3\n", "line 2", "line 2"},
		{"unknown key", "\nnode-count = 3\n", "line 2: flwrup knows no key node-count", "known are"},
		{"unknown key, nearly right", "[grid]\nFleet = 'a:1'\n", "line 2: flwrup knows no key grid.Fleet", "write grid.fleet instead"},
		{"key in the wrong table", "fleet = 'a:1'\n", "line 1", "write grid.fleet instead"},
		{"unknown table", "[docker]\nimage = 'x'\n", "docker.image", "write image instead"},
		{"text for a number", "# c\nnodes = '3'\n", "line 2: nodes is not a whole number", "write nodes"},
		{"float for a number", "nodes = 3.0\n", "line 1", "whole number"},
		{"huge number", "nodes = 9223372036854775807\n", "line 1", "whole number"},
		{"text for a switch", "host-network = 'yes'\n", "line 1", "true or false"},
		{"number for a text", "[flwr]\nversion = 1.42\n", "line 2: flwr.version is not a text", "text in quotes"},
		{"table for a text", "[name]\nx = 1\n", "line", ""},
		{"text for a table", "grid = 'x'\n", "line 1: flwrup knows no key grid", ""},
		{"too many", "nodes = 1001\n", "line 1", "nodes"},
		{"negative", "nodes = -1\n", "line 1", "nodes"},
		{"runtime", "runtime = 'podman'\n", "auto", "runtime"},
		{"a URL", "[grid]\ncontrol = 'https://x'\n", "line 2", "grid.control"},
		{"a port", "[grid]\nfleet = 'x:99999'\n", "65535", "grid.fleet"},
		{"control characters", "app = \"a\\u001b[2J\"\n", "control characters", "app"},
		{"secret", "backup-recipient = 'AGE-SECRET-KEY-1ABC'\n", "secret key", ""},
		{"node by name", "[node.clinic]\nkey = 'x'\n", "line 1: flwrup knows no node.clinic", "number"},
		{"node list", "[[node]]\nname = 'x'\n", "node is not a table", "node.supernode_1"},
		{"node key", "[node.supernode_1]\nkeyfile = 'x'\n", "line 2", "known are"},
		{"node args", "[node.supernode_1]\nargs = '--x'\n", "line 2", "list of texts"},
		{"node name", "[node.supernode_1]\nname = 'a b'\n", "line 2", "name"},
		{"value of a variable", "[node.supernode_1]\nenv = ['TOKEN=abc']\n", "name of a variable alone", ""},
		{"data without a place", "[node.all]\ndata = ['data']\n", "line 2", "node.all.data"},
		{"data over the key", "[node.all]\ndata = ['data:/run/supernode/key']\n", "belongs to the SuperNode", ""},
		{"data at a relative place", "[node.supernode_2]\ndata = ['data:x']\n", "begins with /", ""},
		{"memory", "[node.all]\nmemory = '2 GB'\n", "number with m or g", ""},
		{"memory as a number", "[node.all]\nmemory = 2\n", "memory is not a text", ""},
		{"cpus", "[node.all]\ncpus = '0'\n", "processor cores", ""},
		{"gpus", "[node.all]\ngpus = 'some'\n", "device=0,1", ""},
		{"switch", "[node.all]\nlasting = 'no'\n", "true or false", ""},
		{"a name for all", "[node.all]\nname = 'x'\n", "belong to one SuperNode", ""},
		{"names twice", "nodes = 3\n[node.supernode_3]\nname = 'supernode_1'\n", "line 3: the value of node.supernode_3.name", ""},
		{"names twice, the other way round", "nodes = 3\n[node.supernode_1]\nname = 'supernode_3'\n", "line 3", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, File(dir), tt.text)
			_, err := Load(dir)
			if !problem.Is(err, problem.BadInput) {
				t.Fatalf("got %v", err)
			}
			p := problem.Of(err)
			if !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), File(dir)) || !strings.Contains(p.Fix, tt.fix) || p.Fix == "" {
				t.Errorf("says %q; fix %q", err, p.Fix)
			}
			if strings.Contains(err.Error(), "abc") || strings.Contains(p.Fix, "abc") {
				t.Error("repeats what may be secret")
			}
		})
	}
	if _, err := Load(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("none: %v", err)
	}
}

// FuzzLoadSave: Load only ever fails with a Problem. A text that it accepts can be saved with a changed
// value, and the next Load returns that value.
func FuzzLoadSave(f *testing.F) {
	f.Add("nodes = 2\n[node.supernode_1]\nname='x'\n", "@a/b")
	f.Add("[grid]\r\nfleet.x = 1\r\n", "b")
	f.Add("\xef\xbb\xbfgrid = { fleet = 'a:1' }\nnode.supernode_1.args = ['x']", "c")
	f.Fuzz(func(t *testing.T, text, federation string) {
		dir := t.TempDir()
		write(t, File(dir), text)
		c, err := Load(dir)
		if err != nil {
			if !problem.Is(err, problem.BadInput) {
				t.Fatal(err)
			}
			return
		}
		c.Federation = federation
		if c.Validate() != nil {
			return
		}
		if err := c.Save(dir); err != nil {
			if !problem.Is(err, problem.BadInput) {
				t.Fatal(err)
			}
			return
		}
		got, err := Load(dir)
		if err != nil || !reflect.DeepEqual(got, c) {
			t.Fatalf("%v\ngot  %+v\nwant %+v", err, got, c)
		}
	})
}

func TestNames(t *testing.T) {
	c := Choices{Nodes: 3, Node: map[string]NodeChoice{"supernode_2": {Name: "clinic-b"}}}
	if got := c.NodeName(1) + " " + c.NodeName(2) + " " + c.NodeName(3); got != "supernode_1 clinic-b supernode_3" {
		t.Error(got)
	}
	for prefix, want := range map[string]string{"": "supernode_1 clinic-b", DefaultPrefix: "supernode_1 clinic-b", "r-": "r-1 r-clinic-b"} {
		c.ContainerPrefix = prefix
		if got := c.ContainerName(1) + " " + c.ContainerName(2); got != want {
			t.Errorf("%q: %s", prefix, got)
		}
	}
}

func TestForNode(t *testing.T) {
	yes, no := true, false
	c := Choices{All: NodeChoice{Memory: "2g", Data: []string{"a:/a"}, Install: &yes, Env: []string{"A"}},
		Node: map[string]NodeChoice{"supernode_2": {Memory: "1g", Data: []string{"b:/b"}, Install: &no}}}
	if got := c.ForNode(1); !reflect.DeepEqual(got, c.All) {
		t.Errorf("%+v", got)
	}
	want := NodeChoice{Memory: "1g", Data: []string{"b:/b"}, Install: &no, Env: []string{"A"}}
	if got := c.ForNode(2); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
	if host, inside, write := ParseData(`C:\x y:/data:rw`); host != `C:\x y` || inside != "/data" || !write {
		t.Error(host, inside, write)
	}
	if ParseMemory("2g") != 2<<30 || ParseMemory("512m") != 512<<20 || ParseMemory("x") != 0 || ParseMemory(Unlimited) != -1 {
		t.Error("memory")
	}
	if ParsePIDs("4096") != 4096 || ParsePIDs("") != 0 || ParsePIDs(Unlimited) != -1 {
		t.Error("pids")
	}
	for key, values := range map[string][]string{"pids": {"64", "4096", Unlimited, ""}, "memory": {"2g", Unlimited}, "tmp": {"1g", "512m"},
		"host": {"", "gpu-box", "ssh://ada@gpu.example.org:2222/run/user/1000/docker.sock", "unix:///run/podman/podman.sock", "tcp://10.0.0.5:2376"}} {
		for _, v := range values {
			if err := CheckNode(key, v); err != nil {
				t.Errorf("%s = %q: %v", key, v, err)
			}
		}
	}
	for key, values := range map[string][]string{"pids": {"0", "-1", "63", "many", "4096m"}, "memory": {"2", "0g", "-1"}, "tmp": {Unlimited, "0m", "50%"},
		"host": {"-oProxyCommand=x", "gpu box", "a/b", "https://gpu-box", "ssh://ada:secret@gpu-box", "ssh://-oProxyCommand=x", "ssh://-lx@gpu-box", "ssh://gpu-box?x=1", "x"}} {
		for _, v := range values {
			if CheckNode(key, v) == nil {
				t.Errorf("%s = %q is taken", key, v)
			}
		}
	}
}

func TestIDBelongsToTheFolder(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	c := Defaults(a)
	if err := c.Save(a); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if again, err := Load(a); err != nil || again.ID != c.ID {
			t.Fatalf("id %v became %+v, %v", c.ID, again, err)
		}
	}
	text, _ := os.ReadFile(File(a))
	write(t, File(b), string(text))
	other, err := Load(b)
	if err != nil || other.ID == c.ID || len(other.ID) != 8 {
		t.Fatalf("a copied flwrup.toml has the id %+v, %v", other, err)
	}
	if _, err := os.Stat(StateDir(b)); err == nil {
		t.Error("Load has written something")
	}
	late := Defaults(a)
	late.ID = "00000000"
	if err := late.Save(a); err != nil || late.ID != c.ID {
		t.Errorf("another id took over: %s, %v", late.ID, err)
	}
}

func TestStateDir(t *testing.T) {
	dir := t.TempDir()
	state, err := EnsureStateDir(dir)
	if err != nil || state != filepath.Join(dir, ".flwrup") {
		t.Fatal(state, err)
	}
	info, _ := os.Stat(state)
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o700 {
		t.Error(info.Mode())
	}
	if b, _ := os.ReadFile(filepath.Join(state, ".gitignore")); string(b) != "*\n" {
		t.Errorf("%q", b)
	}
	if _, err := EnsureStateDir(filepath.Join(dir, "none")); !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
		t.Error(err)
	}
	file := t.TempDir()
	write(t, filepath.Join(file, ".flwrup"), "")
	if _, err := EnsureStateDir(file); !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
		t.Error(err)
	}
	if runtime.GOOS != "windows" && os.Geteuid() != 0 { // root may write into any folder
		ro := t.TempDir()
		os.Chmod(ro, 0o500)
		if _, err := EnsureStateDir(ro); !problem.Is(err, problem.BadInput) || !errors.Is(err, fs.ErrPermission) {
			t.Error(err)
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	if _, ok := Find(dir); ok {
		t.Error("found nothing")
	}
	sub := filepath.Join(dir, RehearsalDir)
	os.Mkdir(sub, 0o755)
	write(t, File(sub), "")
	if got, ok := Find(dir); !ok || got != sub {
		t.Error(got, ok)
	}
	write(t, File(dir), "")
	if got, ok := Find(dir); !ok || got != dir {
		t.Error(got, ok)
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
