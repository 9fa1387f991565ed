package project

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/trust"
)

// Every key of flwrup.toml is judged, so that nobody adds a key without deciding whether the user accepts it.
func TestEveryKeyIsJudged(t *testing.T) {
	known := map[string]bool{}
	for _, f := range fields {
		known[f.key] = true
	}
	for _, f := range nodeFields {
		known["node."+f.key] = true
	}
	for key := range known {
		if risks[key] == nil {
			t.Errorf("risks says nothing about %s: is it harmless, or has a person to accept it?", key)
		}
	}
	for key := range risks {
		if !known[key] {
			t.Errorf("risks judges %s, which is no key", key)
		}
	}
}

func keysIn(list []trust.Value) string {
	var keys []string
	for _, v := range list {
		keys = append(keys, v.Key)
	}
	return strings.Join(keys, " ")
}

func TestSensitive(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "project")
	for _, d := range []string{"keys", "data", ".flwrup", "../elsewhere"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{"linked": "../elsewhere", "inner": "keys"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Skip("no links here:", err)
		}
	}
	for _, c := range []struct {
		toml string
		keys bool // key files lie in the folder
		want string
	}{
		{toml: "name = \"x\"\nnodes = 3\nfederation = \"@a/b\"\nkeys = \"keys\"\nruntime = \"docker\"\napp = \"sub\"\nbackup = \"b.age\"\n[flwr]\nversion = \"1.42.0\"\n[grid]\nconnection = \"supergrid\"\n[node.all]\ncpus = \"1\"\nlasting = true\n"},
		{toml: "keys = \"inner\"\n"},
		{toml: "keys = \"../elsewhere\"\n", want: "keys"},
		{toml: "keys = \"linked\"\n", want: "keys"},
		{toml: "keys = \"data/../../elsewhere\"\n", want: "keys"},
		{toml: "keys = \".flwrup\"\n", want: "keys"},
		{toml: "app = \"none\"\n"},
		{toml: "app = \"@ada/lungs\"\n", want: "app"},
		{toml: "app = \"linked\"\n", want: "app"},
		{toml: "backup = \"linked/b.age\"\nbackup-recipient = \"age1x\"\nbackup-passphrase-file = \"pass\"\n", want: "backup backup-recipient backup-passphrase-file"},
		{toml: "runtime = \"process\"\n", want: "runtime"},
		{toml: "image = \"x/y\"\nhost-network = true\n", want: "image host-network"},
		{toml: "[flwr]\npath = \"tools\"\nhome = \"h\"\n", want: "flwr.path flwr.home"},
		{toml: "[grid]\ncontrol = \"127.0.0.1:1\"\nfleet = \"a:1\"\nca = \"ca.crt\"\n", want: "grid.control grid.fleet grid.ca"},
		{toml: "[grid]\nrehearsal = true\ncontrol = \"127.0.0.1:1\"\nfleet = \"127.0.0.1:2\"\nca = \".flwrup/ca.crt\"\n", want: "grid.rehearsal"},
		{toml: "runtime = \"process\"\nhost-network = true\nbackup-recipient = \"age1x\"\napp = \"none\"\n[grid]\nrehearsal = true\n"},
		{toml: "backup-recipient = \"age1x\"\napp = \"none\"\n[grid]\nrehearsal = true\ncontrol = \"evil.example:1\"\n", keys: true, want: "backup-recipient grid.control"},
		{toml: "[node.all]\ndata = [\"data:/d\", \"linked:/e\"]\nenv = [\"A\"]\nenv-file = \"e\"\nargs = [\"-x\"]\ninstall-packages = true\n[node.supernode_1]\nkey = \"linked/k\"\n",
			want: "node.all.args node.all.env node.all.env-file node.all.data node.all.data node.all.install-packages node.supernode_1.key"},
		{toml: "[node.supernode_2]\nkey = \"keys/k\"\n"},
		{toml: "[notify]\nshape = \"slack\"\nafter = \"5m\"\nquiet = \"22:00-07:00\"\nabout = [\"grid\"]\nterminal = \"off\"\n"},
		{toml: "[notify]\ncommand = [\"curl\", \"x\"]\nwebhook = \"https://x.example/y\"\ntoken-env = \"HOME\"\nmail = [\"a@b.c\", \"d@e.f\"]\nmail-from = \"a@b.c\"\n",
			want: "notify.command notify.webhook notify.token-env notify.mail notify.mail notify.mail-from"},
		{toml: "[notify]\nwebhook-file = \"hook\"\ntoken-file = \"/etc/shadow\"\n", want: "notify.webhook-file notify.token-file"},
	} {
		if err := os.WriteFile(File(dir), []byte(c.toml), 0o644); err != nil {
			t.Fatal(err)
		}
		choices, err := Load(dir)
		if err != nil {
			t.Fatalf("%s: %v", c.toml, err)
		}
		at := Ground{Dir: dir, Keys: c.keys}
		list := choices.Sensitive(at)
		if got := keysIn(list); got != c.want {
			t.Errorf("%s\nasks for %q, want %q", c.toml, got, c.want)
		}
		left := choices.Without(list, at)
		left = left.Without(left.Sensitive(at), at) // outside a rehearsal its addresses may be any grid's
		if left := left.Sensitive(at); len(left) > 0 {
			t.Errorf("%s\nis not without %v", c.toml, left)
		}
	}
}

// A path that leads elsewhere than at its acceptance is another value.
func TestSensitiveFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	c := Defaults(dir)
	c.All.Data = []string{"d:/data"}
	before := c.Sensitive(Ground{Dir: dir})
	if err := os.Mkdir(filepath.Join(dir, "d"), 0o755); err != nil {
		t.Fatal(err)
	}
	if now := c.Sensitive(Ground{Dir: dir}); !slices.Equal(now, before) {
		t.Error("a folder that was made since is another value")
	}
	if err := os.Remove(filepath.Join(dir, "d")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(t.TempDir(), filepath.Join(dir, "d")); err != nil {
		t.Skip("no links here:", err)
	}
	if now := c.Sensitive(Ground{Dir: dir}); now[0].Hash() == before[0].Hash() {
		t.Error("a link to another folder counts as accepted")
	}
}

func TestForbiddenData(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink("/etc", filepath.Join(dir, "conf")); err != nil {
		t.Skip("no links here:", err)
	}
	for _, data := range []string{"/:/host", "/etc:/e", "conf:/e", ".:/p", "keys:/k", "./.flwrup:/f", "../..:/up", "/var/run/docker.sock:/s", "x/../keys/a:/k"} {
		if err := os.WriteFile(File(dir), []byte("[node.supernode_1]\ndata = [\""+data+"\"]\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s was taken: %v", data, err)
		}
		fresh := t.TempDir()
		c := Defaults(fresh)
		c.All.Data = []string{data}
		if err := c.Save(fresh); err == nil && !strings.HasPrefix(data, "conf") {
			t.Errorf("%s was saved", data)
		}
	}
}
