package sitetest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/trust"
)

// Hospitals is a config.toml of Flower that knows SuperGrid and no other grid in use.
const Hospitals = `# mine
[superlink]
default = "local"

[superlink.local]
address = ":local:"

[superlink.supergrid]
address = "api.flower.ai"
`

// Lungs, behind Hospitals, adds a grid that can be used.
const Lungs = `
[superlink.lungs]
address = "lungs.example.org:9093"
root-certificates = "/etc/lungs/ca.crt"
`

// Configured opens a site in a new folder; Flower's configuration has the given text.
func Configured(t *testing.T, config string, more ...func(*project.Choices)) *site.Site {
	t.Helper()
	home := t.TempDir()
	if err := os.WriteFile(filepath.Join(home, "config.toml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return open(t, site.Options{Dir: t.TempDir(), Create: true, Choose: func(c *project.Choices) {
		c.Flwr.Home = home
		for _, m := range more {
			m(c)
		}
	}})
}

// Clone makes a folder as it comes out of version control, with this flwrup.toml.
func Clone(t *testing.T, toml string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(project.File(dir), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Rewrite replaces from by to in the flwrup.toml of dir, as an editor does.
func Rewrite(t *testing.T, dir, from, to string) {
	t.Helper()
	text, err := os.ReadFile(project.File(dir))
	if err != nil {
		t.Fatal(err)
	}
	now := strings.Replace(string(text), from, to, 1)
	if now == string(text) {
		t.Fatalf("no %q in\n%s", from, text)
	}
	if err := os.WriteFile(project.File(dir), []byte(now), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Try opens a site and closes it at once.
func Try(o site.Options) error {
	s, err := site.Open(o)
	if err != nil {
		return err
	}
	return s.Close()
}

// Refused fails the test unless err asks the person to accept the values with these keys. It returns the values.
func Refused(t *testing.T, err error, keys ...string) []trust.Value {
	t.Helper()
	var u *site.Unaccepted
	if !errors.As(err, &u) || !problem.Is(err, problem.NotAccepted) {
		t.Fatalf("nothing was asked, got %v", err)
	}
	var got []string
	for _, v := range u.Values {
		got = append(got, v.Key)
	}
	if strings.Join(got, " ") != strings.Join(keys, " ") {
		t.Errorf("asked about %q, want %q", got, keys)
	}
	return u.Values
}
