package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const golden = "../../internal/export/testdata/kubernetes"

func TestManifests(t *testing.T) {
	if n, err := check(golden); err != nil || n < 6 {
		t.Errorf("%d objects: %v", n, err)
	}
}

// TestFaultsAreFound: what an API server would refuse is refused.
func TestFaultsAreFound(t *testing.T) {
	for name, change := range map[string][2]string{
		"a misspelt field":    {"readOnlyRootFilesystem:", "readOnlyRootFileSystem:"},
		"a wrong type":        {"replicas: 1", "replicas: one"},
		"two of one key":      {"replicas: 1", "replicas: 2"},
		"privileges":          {"allowPrivilegeEscalation: false", "allowPrivilegeEscalation: true"},
		"root":                {"runAsUser: 49999", "runAsUser: 0"},
		"a capability":        {"drop: [ALL]", "drop: [CHOWN]"},
		"a folder of machine": {"emptyDir: {}", "hostPath: {path: /}"},
	} {
		dir := t.TempDir()
		if err := os.CopyFS(dir, os.DirFS(golden)); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "supernode-st-mary.yaml")
		text, err := os.ReadFile(file)
		if err != nil || !strings.Contains(string(text), change[0]) {
			t.Fatalf("%s: no %q: %v", name, change[0], err)
		}
		if err := os.WriteFile(file, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := check(dir); err == nil {
			t.Errorf("%s is not found", name)
		}
	}
}
