package watching

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/notify"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// The service gets the paths of flwr and Docker, and no secret.
func TestHandedOn(t *testing.T) {
	env := map[string]string{"PATH": "/usr/bin", "DOCKER_HOST": "unix:///x", "HTTPS_PROXY": "http://ada:hunter2@proxy:1", "NO_PROXY": "localhost", "SLACK_TOKEN": "xoxb-1", "HOME": "/home/ada"}
	got := environ(func(name string) string { return env[name] })
	if names := strings.Join(slices.Sorted(maps.Keys(got)), " "); names != "DOCKER_HOST NO_PROXY PATH" {
		t.Error(names)
	}
}

// The needs of a watch are read from flwrup.toml: whether SuperNodes are plain processes, and which variables they want.
func TestLookInto(t *testing.T) {
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 2)
	sitetest.Choose(t, s, func(c *project.Choices) {
		c.All.Env = []string{"DB_PASSWORD"}
		c.Notify = notify.Settings{WebhookEnv: "HOOK", TokenFile: "token"}
	})
	plain, wants, err := lookInto(t.Context(), s.Dir)
	if err != nil || !plain || strings.Join(wants, " ") != "DB_PASSWORD DB_PASSWORD HOOK" {
		t.Errorf("%v %v %v", plain, wants, err)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Runtime = project.RuntimeDocker })
	if plain, _, err := lookInto(t.Context(), s.Dir); err != nil || plain {
		t.Errorf("%v %v", plain, err)
	}
	if _, _, err := lookInto(t.Context(), t.TempDir()); err == nil {
		t.Error("a folder without a project")
	}
}

// Folders that are named count once each, by their whole path.
func TestFolders(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	h := Host{Dir: func() string { return "." }}
	for _, c := range []struct{ args, want string }{{"", here}, {"/a /b /a/ .", "/a /b " + here}} {
		got, err := folders(h, strings.Fields(c.args))
		if err != nil || strings.Join(got, " ") != c.want {
			t.Errorf("%q: %v %v", c.args, got, err)
		}
	}
}
