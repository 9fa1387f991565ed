package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/tomledit"
)

func placeText(t *testing.T, text string, names ...string) string {
	t.Helper()
	file := filepath.Join(names...)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every value of the connection that flwr would refuse goes, and nothing else.
func TestMendFlowerConfig(t *testing.T) {
	want := Connection{Name: "supergrid", Address: "api.flower.ai", Federation: "@ada/study"}
	for name, c := range map[string]struct{ text, federation, address, also string }{
		"the guide's placeholder": {"federation = \"<federation-name>\" # mine\naddress = \"api.flower.ai\"", "@ada/study", "api.flower.ai", "# mine"},
		"a bare name":             {"address = \"api.flower.ai\"\nfederation = 'study'", "@ada/study", "api.flower.ai", ""},
		"a number":                {"address = \"api.flower.ai\"\nfederation = 3", "@ada/study", "api.flower.ai", ""},
		"another's, valid":        {"federation = \"@bob/x\"\naddress = \"10.0.0.1:9093\" # ours", "@bob/x", "10.0.0.1:9093", "# ours"},
		"the old address":         {"address = \"supergrid.flower.ai\"", "", "api.flower.ai", ""},
		"no address":              {"# nothing yet\ninsecure = false", "", "api.flower.ai", "# nothing yet"},
		"relative CA":             {"address = \"a:1\"\nroot-certificates = \"gone/ca.crt\"\nmine = 1", "", "a:1", "mine = 1"},
		"insecure as text":        {"address = \"a:1\"\ninsecure = \"false\"", "", "a:1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			file := placeText(t, "# head\n[superlink]\ndefault = \"supergrid\"\n\n[superlink.supergrid]\n"+c.text+"\n\n[superlink.other]\nfederation = \"left alone\"\n", t.TempDir(), "config.toml")
			e, has, err := MendFlower(file, want)
			if err != nil || !has {
				t.Fatal(has, err)
			}
			text := string(e.After)
			if e.After == nil {
				text = string(e.Before)
			}
			m, err := tomledit.Decode([]byte(text))
			if err != nil {
				t.Fatal(err)
			}
			v, _ := tomledit.Lookup(m, []string{"superlink", "supergrid"})
			got := v.(map[string]any)
			if f, _ := got["federation"].(string); f != c.federation || got["address"] != c.address {
				t.Errorf("%v", got)
			}
			if len(want.mended(got, file)) > 0 {
				t.Errorf("flwr still refuses: %s", text)
			}
			for _, keep := range []string{"# head", c.also, "federation = \"left alone\""} {
				if !strings.Contains(text, keep) {
					t.Errorf("%q is lost: %s", keep, text)
				}
			}
		})
	}
	none := placeText(t, "[superlink.other]\naddress = \"a\"\n", t.TempDir(), "config.toml")
	if e, has, err := MendFlower(none, want); has || err != nil || e.Changed() {
		t.Errorf("%v %v %+v", has, err, e)
	}
	// An edit of the whole connection does the same.
	file := placeText(t, "[superlink.supergrid]\naddress = \"x\"\nfederation = \"<federation-name>\"\n", t.TempDir(), "config.toml")
	e, err := EditFlower(file, Connection{Name: "supergrid", Address: "y"})
	if err != nil || strings.Contains(string(e.After), "federation") || !strings.Contains(string(e.After), `"y"`) {
		t.Errorf("%v %s", err, e.After)
	}
}

const legacyBlock = `[project]
name = "app" # mine

[tool.flwr.federations]
default = "local-simulation"

[tool.flwr.federations.local-simulation]
options.num-supernodes = 3
options.backend.client-resources.num-cpus = 2
options.backend.client-resources.num-gpus = 0.5

[tool.flwr.federations.lab]
address = "lab.example:9093"
root-certificates = "certs/ca.crt"
enable-account-auth = true
federation = "bare"

[tool.flwr.federations.insecure]
address = "127.0.0.1:9093"
insecure = true

[tool.flwr.federations.supergrid]
address = "supergrid.flower.ai"
federation = "<federation-name>"
`

func TestCarryLegacy(t *testing.T) {
	dir := t.TempDir()
	pyproject := placeText(t, legacyBlock, dir, "pyproject.toml")
	own := Connection{Name: "supergrid", Address: "api.flower.ai"}
	for name, c := range map[string]struct{ config, def, lab string }{
		"no file yet":           {"", "local-simulation", "lab.example:9093"},
		"flwr's own file":       {"[superlink]\ndefault = \"local\"\n\n[superlink.local]\noptions.num-supernodes = 10\n", "local-simulation", "lab.example:9093"},
		"the person's own file": {"# mine\n[superlink]\ndefault = \"lab\"\n[superlink.lab]\naddress = \"newer:1\"\n", "lab", "newer:1"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "home", "config.toml")
			if c.config != "" {
				placeText(t, c.config, file)
			}
			e, err := EditFlower(file, own)
			if err == nil {
				e, err = CarryLegacy(e, own.Name, pyproject)
			}
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Write(); err != nil {
				t.Fatal(err)
			}
			m, err := tomledit.Decode(e.After)
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range map[string]any{
				"default": c.def, "lab/address": c.lab, "supergrid/address": "api.flower.ai", "supergrid/federation": nil, "lab/federation": nil,
				"local-simulation/options/num-supernodes": int64(3), "local-simulation/options/backend/client-resources/num-gpus": 0.5,
				"insecure/insecure": true, "lab/enable-account-auth": nil,
			} {
				if got, _ := tomledit.Lookup(m, append([]string{"superlink"}, strings.Split(path, "/")...)); got != want {
					t.Errorf("%s is %v, not %v", path, got, want)
				}
			}
			if ca, _ := tomledit.Lookup(m, []string{"superlink", "lab", "root-certificates"}); c.lab == "lab.example:9093" && ca != filepath.Join(dir, "certs", "ca.crt") {
				t.Errorf("the CA is %v", ca)
			}
			if !strings.Contains(e.Why, "local-simulation") || strings.HasPrefix(c.config, "# mine") && !strings.HasPrefix(string(e.After), "# mine") {
				t.Errorf("%s\n%s", e.Why, e.After)
			}
			again, err := EditFlower(file, own)
			if err == nil {
				again, err = CarryLegacy(again, own.Name, pyproject)
			}
			if err != nil || again.Changed() {
				t.Errorf("a second time: %v\n%s", err, again.Diff())
			}
		})
	}
	for _, text := range []string{"", "[tool.flwr.federations]\n", "[tool]\nflwr = 3\n"} {
		file := filepath.Join(t.TempDir(), "config.toml")
		if e, err := CarryLegacy(Edit{File: file}, "supergrid", placeText(t, text, t.TempDir(), "pyproject.toml")); err != nil || e.Changed() {
			t.Errorf("%q: %v %s", text, err, e.After)
		}
	}
}
