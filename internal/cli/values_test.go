package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/internal/cli/program"
)

// TestEveryFlagIsChecked takes no value of any flag that is empty, hides characters, or is far from what it takes.
func TestEveryFlagIsChecked(t *testing.T) {
	tried := 0
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			all(sub)
		}
		if !cmd.Runnable() || cmd.Hidden {
			return
		}
		cmd.InitDefaultHelpFlag()
		flags := func(f *pflag.Flag) {
			values := []string{"  ", "a\nb", "\x1b[31mx", "\u202ex", "a\xffb"}
			if !slices.Contains(takenBack, f.Name) {
				values = append(values, "")
			}
			switch f.Value.Type() {
			case "bool":
				values = []string{"maybe", "\x1b[31mx"}
			case "int":
				values = append(values, "-7", "zero", "1.5", "99999999999999999999")
			}
			for _, v := range values {
				tried++
				dir := t.TempDir()
				args := append(strings.Fields(cmd.CommandPath())[1:], "--dir", dir, "--"+f.Name+"="+v)
				if cmd.Args != nil && cmd.ValidateArgs(nil) != nil {
					args = append(args, "1")
				}
				var out, errs bytes.Buffer
				code := Main(args, program.Streams{Out: &out, Err: &errs})
				said := errs.String()
				if code != program.ExitUsage || out.Len() > 0 || !strings.HasPrefix(said, "flwrup: cannot use --"+f.Name+" ") ||
					strings.Count(said, "\n") != 2 || !strings.Contains(said, "\n  what to do: ") || strings.Contains(said, "strconv") {
					t.Errorf("%q: exit code %d\n%s%s", args, code, out.String(), said)
				}
				if left, _ := os.ReadDir(dir); len(left) > 0 {
					t.Errorf("%q wrote %v", args, left)
				}
			}
		}
		cmd.NonInheritedFlags().VisitAll(flags)
		cmd.InheritedFlags().VisitAll(flags)
	}
	root := Commands()
	all(root)
	if tried < 300 {
		t.Errorf("only %d values were tried", tried)
	}
}

// TestChoicesAreTakenBack: an empty value is none where flwrup.toml can do without, as some fixes advise.
func TestChoicesAreTakenBack(t *testing.T) {
	for _, name := range takenBack {
		p := &program.Program{}
		root := root(p)
		cmd, _, err := root.Find([]string{"up"})
		if err != nil {
			t.Fatal(err)
		}
		if cmd.Flags().Lookup(name) == nil {
			cmd, _, _ = root.Find([]string{"settings"})
		}
		if err := cmd.Flags().Set(name, ""); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := checkValues(p, cmd); err != nil {
			t.Errorf("--%s \"\": %v", name, err)
		}
	}
}

// TestEveryCheckIsOfAFlag finds checks that nothing uses.
func TestEveryCheckIsOfAFlag(t *testing.T) {
	left := map[string]bool{}
	for name := range valueChecks {
		left[name] = true
	}
	var all func(cmd *cobra.Command)
	all = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) { delete(left, checkOf(f)) })
		for _, sub := range cmd.Commands() {
			all(sub)
		}
	}
	all(Commands())
	if len(left) > 0 {
		t.Errorf("no flags %v", left)
	}
}

// TestValuesOnTheirEdge are values that have to be taken.
func TestValuesOnTheirEdge(t *testing.T) {
	root := t.TempDir()
	t.Chdir(root)
	for name, text := range map[string]string{
		"an app/pyproject.toml": "[project]\nname = \"a\"\nversion = \"1\"\n[tool.flwr.app.components]\nserverapp = \"a:app\"\n",
		"größe/file":            "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := &program.Program{Dir: "größe"}
	for name, values := range map[string][]string{
		"nodes":       {"1", "1000"},
		"tail":        {"0", "100000"},
		"dir":         {".", "not yet", "größe"},
		"federation":  {"@ada/study", "study"},
		"flwr":        {"1.42.0", "1.43.0.dev20261101", "1.26"},
		"image":       {"flwr/supernode:1.42.0", "localhost:5000/a/b:c", "a@sha256:" + strings.Repeat("a", 64), "sha256:" + strings.Repeat("a", 64), strings.Repeat("a", 64), "docker.io/A/b"[:10] + "a/b"},
		"control":     {"127.0.0.1:9093", "grid.example", "[::1]:9093"},
		"app":         {"an app", "none", "@ada/lungs", "@ada/lungs==1.0.0", filepath.Join(root, "an app")},
		"keys":        {"keys", "../elsewhere", "keys/"},
		"backup":      {"keys.age", "new/keys.age"},
		"data":        {".:/data", root + ":/data:rw"},
		"env-file":    {"file"},
		"flwr-path":   {"file", "."},
		"location":    {"48.14,11.58", "-33.9, 18.4"},
		"memory":      {"2g", "unlimited"},
		"node-config": {"partition-id=0 num-partitions=2"},
	} {
		for _, v := range values {
			if why := whyNot(p, valueChecks[name], v); why != "" {
				t.Errorf("--%s %q: %s", name, v, why)
			}
		}
	}
}
