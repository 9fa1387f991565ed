package keys

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

func copyPair(t *testing.T, dir, from, to string) {
	t.Helper()
	for _, suffix := range []string{"", ".pub"} {
		data, err := os.ReadFile(filepath.Join(dir, from+suffix))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to+suffix), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// A SuperLink's own key, a copy of it, and a second file with a SuperNode's key are reported but not used.
// Nothing is written next to them.
func TestKeysThatAreNoSuperNodes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if _, err := Generate(context.Background(), dir, []string{"server_credentials", "client_credentials_1", "client_credentials_2", "server-3", "Superlink_Auth_Key", "superlink"}, nil); err != nil {
		t.Fatal(err)
	}
	copyPair(t, dir, "server_credentials", "client_credentials_9")
	copyPair(t, dir, "client_credentials_2", "a_2")
	copyPair(t, dir, "client_credentials_1", "client_credentials_01")
	if err := os.Remove(filepath.Join(dir, "superlink.pub")); err != nil {
		t.Fatal(err)
	}
	f, err := Scan(dir)
	if err != nil {
		t.Fatal(err)
	}
	names := func(list []Pair) string {
		var out []string
		for _, p := range list {
			out = append(out, p.Name)
		}
		slices.Sort(out)
		return strings.Join(out, " ")
	}
	if got := names(f.Pairs); got != "client_credentials_01 client_credentials_2 server-3" {
		t.Errorf("pairs: %s", got)
	}
	if got := names(f.Others); got != "Superlink_Auth_Key a_2 client_credentials_1 client_credentials_9 server_credentials" {
		t.Errorf("others: %s", got)
	}
	codes := map[string]problem.Code{}
	for _, i := range f.Issues {
		codes[filepath.Base(i.File)] = i.Problem.Code
		if !i.Harmless {
			t.Errorf("%s: %v", i.File, i.Problem)
		}
	}
	for name, want := range map[string]problem.Code{"server_credentials": ServerKey, "client_credentials_9": ServerKey, "Superlink_Auth_Key": ServerKey, "a_2": SameKey, "client_credentials_1": SameKey} {
		if codes[name] != want {
			t.Errorf("%s: %q", name, codes[name])
		}
	}
	if len(f.Halves) != 0 {
		t.Errorf("halves: %q", f.Halves)
	}
	if got := f.NextNames(4); !slices.Equal(got, []string{"client_credentials_10"}) {
		t.Errorf("next: %q", got)
	}
}

func TestServerName(t *testing.T) {
	for name, want := range map[string]bool{"server_credentials": true, "SuperLink-Credentials": true, "superlink": true, "server_key": true, "server.pem": false, "server.key": true,
		"superlink_private_key.pem": true, "server_1": false, "server-credentials-1": false, "server": false, "observer_credentials": false, "client_credentials_1": false} {
		if serverName.MatchString(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
