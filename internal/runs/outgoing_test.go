package runs

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/sitetest"
)

// TestDataIsNotSent: files of a SuperNode's data, of flwrup and of the keys are named before a run. Unattended the
// run stops with needs-person and --send-all accepts them, keys excepted; attended the line of .gitignore is offered.
func TestDataIsNotSent(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	key := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("MIGHAgEAMBMGByqG", 4) + "\n"
	for name, c := range map[string]struct {
		files             map[string]string
		choose            func(*project.Choices)
		attended, sendAll bool
		answers           map[string]string
		guess             bool     // the flwr at hand does not say what it packs
		want              []string // in the problem; none: it may be sent
		planned           string   // in the plan, where it is looked at
		ignored           string   // that .gitignore got, behind flwrup's own
	}{
		"nothing": {files: map[string]string{"conf.yaml": "x: 1\n"}},
		"data": {files: map[string]string{"data/a/patients.json": "[]"}, want: []string{"data/a/patients.json (data of the SuperNodes)", "/data/a/", "fab-exclude", "--send-all"},
			planned: "data/a/patients.json (data of the SuperNodes)\nprintf '\\n%s\\n' /data/a/ >> .gitignore"},
		"accepted": {files: map[string]string{"data/a/patients.json": "[]"}, sendAll: true},
		"kept out": {files: map[string]string{"data/a/patients.json": "[]", "data/b/notes.md": ""}, attended: true, ignored: "/data/a/\n"},
		"attended, sent": {files: map[string]string{"data/a/patients.json": "[]"}, attended: true,
			answers: map[string]string{"keep-out": "no", "send-all": "yes"}},
		"attended, no": {files: map[string]string{"data/a/patients.json": "[]"}, attended: true,
			answers: map[string]string{"keep-out": "no"}, want: []string{"patients.json"}},
		"one node's file": {files: map[string]string{"x.json": "[]"}, choose: func(p *project.Choices) {
			p.Node = map[string]project.NodeChoice{"supernode_1": {Data: []string{"x.json:/x.json"}}}
		}, want: []string{"x.json (data of supernode_1)"}},
		"by node-config": {files: map[string]string{"local/x.json": "[]"}, choose: func(p *project.Choices) {
			p.All.NodeConfig = `partition-id=0 data-path="local"`
		}, want: []string{"local/x.json (data of the SuperNodes, by its node-config)"}},
		"a key":          {files: map[string]string{"notes.md": key}, sendAll: true, want: []string{"notes.md (it holds a private key)"}},
		"the key folder": {files: map[string]string{"keys/notes.md": ""}, sendAll: true, want: []string{"keys/notes.md (the folder of the keys)"}},
		"variables": {files: map[string]string{"vars.yaml": ""}, sendAll: true, choose: func(p *project.Choices) { p.All.EnvFile = "vars.yaml" },
			want: []string{"vars.yaml (the variables of the SuperNodes)"}},
		"kept in by the person": {files: map[string]string{".gitignore": ".flwrup\nflwrup.toml\n!flwrup.toml\n"}, want: []string{"flwrup.toml (flwrup's choices"}},
		"an export":             {files: map[string]string{"flwrup-export/compose/compose.yaml": "", "flwrup-export/compose/README.md": ""}},
		"an export, kept in by the person": {files: map[string]string{"flwrup-export/compose/compose.yaml": "", ".gitignore": "flwrup-export\n!flwrup-export/compose/compose.yaml\n"},
			want: []string{"compose.yaml (files exported"}},
		"a guess": {guess: true, files: map[string]string{"conf.yaml": "x: 1\n"}},
		"a guess, data": {guess: true, files: map[string]string{"data/a/patients.json": "[]", "data/a/x.csv": ""},
			want: []string{"data/a/patients.json (data of the SuperNodes)", "/data/a/", "--send-all"}},
		"a guess, ignored":    {guess: true, files: map[string]string{"data/a/patients.json": "[]", ".gitignore": "data/a\n"}},
		"too large":           {files: map[string]string{"big.json": random(11 << 20)}, sendAll: true, want: []string{"too large", "big.json (", "MB packed)", "/big.json", "fab-exclude"}},
		"too large, kept out": {files: map[string]string{"big.json": random(11 << 20)}, attended: true, ignored: "/big.json\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := sitetest.WithKeys(t, sitetest.NewGrid("1.42.0"), 1)
			s.Options.Attended, s.Options.SendAll = c.attended, c.sendAll
			given := c.choose
			if given == nil {
				given = func(p *project.Choices) { p.All.Data = []string{"data/a:/data"} }
			}
			sitetest.Choose(t, s, given)
			files := map[string]string{"pk/__init__.py": "", "pk/server_app.py": "", "pk/client_app.py": ""}
			for name, content := range c.files {
				files[name] = content
			}
			writeApp(t, s, files)
			if !c.guess {
				sitetest.GridOf(t, s).Python = require.Program(env, "python")
			}
			to := &sitetest.Scripted{Answers: c.answers}
			if err := KeepOut(s, to); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(filepath.Join(s.AppDir(), ".gitignore"))
			if err != nil {
				t.Fatal(err)
			}
			if c.planned != "" {
				var plan []string
				for _, a := range SentActions(context.Background(), s) {
					plan = append(plan, a.Says+"\n"+a.Command)
				}
				if len(plan) != 1 || !strings.Contains(plan[0], c.planned) {
					t.Errorf("planned %q", plan)
				}
			}
			err = CheckSent(context.Background(), s, to)
			if (err != nil) != (c.want != nil) || err != nil && !problem.Is(err, problem.NeedsPerson) {
				t.Fatalf("%v; said %s", err, to.Said())
			}
			for _, w := range c.want {
				if p := problem.Of(err); !strings.Contains(p.What+"\n"+p.Why+"\n"+p.Fix, w) {
					t.Errorf("%q wanted: %+v", w, p)
				}
			}
			after, err := os.ReadFile(filepath.Join(s.AppDir(), ".gitignore"))
			if err != nil || string(after) != string(before)+c.ignored {
				t.Errorf("%v, %q", err, after)
			}
			if !c.attended && len(to.Asked) > 0 || c.ignored != "" && !slices.Equal(to.Asked, []string{"keep-out"}) {
				t.Errorf("asked %v", to.Asked)
			}
			said := "would be sent: "
			if c.sendAll {
				said = "sent because of --send-all: data/a/patients.json"
			}
			if len(c.want) == 0 && !c.guess && !strings.Contains(to.Said(), said) && !slices.Contains(to.Asked, "send-all") {
				t.Errorf("said %s", to.Said())
			}
		})
	}
}

// random is text that does not get smaller when it is packed.
func random(n int) string {
	b, x := make([]byte, n), uint32(1)
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return string(b)
}
