package export

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/supernode"
)

// fixed is three SuperNodes: one plain, one with everything, one with hostile names.
func fixed() Set {
	args := func(config string, extra ...string) func(key, ca string) []string {
		return func(key, ca string) []string {
			list := []string{"--superlink", "fleet.example.org:9092"}
			if ca != "" {
				list = append(list, "--root-certificates", ca)
			}
			list = append(list, "--auth-supernode-private-key", key)
			if config != "" {
				list = append(list, "--node-config", config)
			}
			return append(append(list, "--host", "127.0.0.1", "--port", "9094"), extra...)
		}
	}
	one := func(n int, name string) supernode.Spec {
		return supernode.Spec{Name: name, Project: "p1d", KeyFile: "/study/keys/client_credentials_" + string(rune('0'+n)), CAFile: "/study/grid ca.pem",
			Flwr: "1.42.0", Takes: 190 << 20, Args: args(""), Env: map[string]string{},
			Labels:    map[string]string{"flwrup.fingerprint": "SHA256:abc/+" + name, "flwr": "1.42.0", "fleet": "fleet.example.org:9092"},
			Container: name, Image: "flwr/supernode:1.42.0-py3.13-ubuntu24.04", Restart: 10, Private: []string{"/study/keys", "/study/.flwrup"},
			Program: "/home/ada/.cache/flwrup/envs/1.42.0/bin/flower-supernode", Port: 21000 + n}
	}
	plain, full, hostile := one(1, "supernode_1"), one(2, "st-mary"), one(3, `o'brien "$(id)" %n`)
	full.Args = args(`site="St. Mary" share=0.5`, "--allow-runtime-dependency-installation")
	full.Env["FLWR_TELEMETRY_ENABLED"] = "0"
	full.EnvFile, full.EnvNames = "/study/st-mary.env", []string{"TOKEN"}
	full.Secrets = map[string]string{"DB_PASSWORD": "hush-hush"} // of the file
	full.Data = []supernode.Folder{{Host: "/study/data", Inside: "/data"}, {Host: "/srv/scratch", Inside: "/scratch", Write: true}}
	full.CPUs, full.Memory, full.PIDs, full.Tmp, full.GPUs = 1.5, 4<<30, 2048, 2<<30, "device=0,1"
	hostile.Args = args(`note="100% of $HOME: 'yes' # no"`)
	hostile.Env["PRICE"] = `5$ & 10% "off" \n`
	hostile.Container, hostile.Host = "o-brien", "gpu-box"
	digest := "flwr/supernode@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	return Set{Project: "Study: #1", ID: "p1d", Federation: "@ada/study", Root: "/study", Dir: "/study/flwrup-export/kind", CA: []byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
		Nodes: []Node{{plain, "1111111111111111111", digest}, {full, "2222222222222222222", digest}, {hostile, "", ""}}}
}

// TestGolden compares the files of each engine with those of testdata; FLWRUP_UPDATE=1 writes them.
func TestGolden(t *testing.T) {
	for _, kind := range Kinds {
		t.Run(string(kind), func(t *testing.T) {
			files, _, err := Files(kind, fixed())
			if err != nil {
				t.Fatal(err)
			}
			want, _ := filepath.Glob(filepath.Join("testdata", string(kind), "*"))
			if len(want) != len(files) && os.Getenv("FLWRUP_UPDATE") == "" {
				t.Errorf("%d files, testdata has %d", len(files), len(want))
			}
			for _, f := range files {
				if strings.Contains(string(f.Data), "hush-hush") {
					t.Errorf("%s shows the value of a variable that only a SuperNode may see", f.Name)
				}
				path := filepath.Join("testdata", string(kind), f.Name)
				if os.Getenv("FLWRUP_UPDATE") != "" {
					if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, f.Data, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				if have, err := os.ReadFile(path); err != nil || string(have) != string(f.Data) {
					t.Errorf("%s differs (%v):\n%s", path, err, f.Data)
				}
			}
		})
	}
}
