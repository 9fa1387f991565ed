package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/cli"
)

// TestPages: the pages that come from the code are as the code is now.
func TestPages(t *testing.T) {
	for name, text := range cli.Pages() {
		kept, err := os.ReadFile(filepath.Join("..", "..", "..", "docs", name))
		if err != nil || string(kept) != text {
			t.Errorf("docs/%s is out of date: go run ./internal/cli/gendocs writes it (%v)", name, err)
		}
	}
}

// TestRelease: a release has a man page of each command and a script for each shell, twice the same.
func TestRelease(t *testing.T) {
	var first string
	for range 2 {
		dir := t.TempDir()
		if err := write(filepath.Join(dir, "man"), filepath.Join(dir, "completions")); err != nil {
			t.Fatal(err)
		}
		all := ""
		for _, name := range []string{"man/flwrup.1", "man/flwrup-runs-log.1", "man/flwrup-up.1", "completions/flwrup.bash", "completions/flwrup.zsh", "completions/flwrup.fish", "completions/flwrup.ps1"} {
			text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil || !strings.Contains(string(text), "flwrup") {
				t.Errorf("%s: %v", name, err)
			}
			all += string(text)
		}
		if !strings.Contains(all, "\nflwrup rehearse   the same") {
			t.Error("flwrup.1 runs the lines of an example together")
		}
		if first == "" {
			first = all
		}
		if all != first {
			t.Error("two times differ")
		}
	}
}
