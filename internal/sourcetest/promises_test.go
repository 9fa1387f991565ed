package sourcetest

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPromisesAreTested: each promise of docs/security.md names the file that decides it and tests that exist in the
// package that is given before them.
func TestPromisesAreTested(t *testing.T) {
	const root = "../.."
	have := map[string]bool{} // "package Test"
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, "_test.go") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			have[path.Dir(filepath.ToSlash(name))+" "+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "security.md"))
	if err != nil {
		t.Fatal(err)
	}
	code, test := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`^(Test|Fuzz)[A-Z]`)
	promises := 0
	for _, line := range strings.Split(string(page), "\n") {
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if !strings.HasPrefix(line, "|") || len(cells) != 3 || !strings.Contains(cells[2], "`") {
			continue
		}
		promises++
		pkg, tests := "", 0
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			switch {
			case have[pkg+" "+m[1]]:
				tests++
			case test.MatchString(m[1]):
				t.Errorf("%s: no test %s in %q", strings.TrimSpace(cells[0]), m[1], pkg)
			case strings.ToLower(m[1]) == m[1]:
				pkg = m[1]
			}
		}
		if tests == 0 {
			t.Errorf("%s: no test", strings.TrimSpace(cells[0]))
		}
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			if !strings.Contains(m[1], "/") {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(m[1]))); err != nil {
				t.Errorf("%s: %v", strings.TrimSpace(cells[0]), err)
			}
		}
	}
	if promises < 40 {
		t.Errorf("only %d promises were read", promises)
	}
}
