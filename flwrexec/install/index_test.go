package install

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
)

// TestIndexHere reads the settings of uv and of pip, from files and variables.
func TestIndexHere(t *testing.T) {
	withTool := func(t *testing.T, tool string) string {
		home, bin := t.TempDir(), t.TempDir()
		for _, name := range []string{"UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_NO_CONFIG", "UV_CONFIG_FILE", "UV_OFFLINE", "UV_NO_INDEX",
			"PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CONFIG_FILE", "PIP_NO_INDEX", "PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
			t.Setenv(name, "")
		}
		t.Setenv("HOME", home)
		t.Setenv("APPDATA", filepath.Join(home, ".config"))
		t.Setenv("PROGRAMDATA", filepath.Join(home, "data"))
		t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
		t.Setenv("XDG_CONFIG_DIRS", filepath.Join(home, "etc"))
		t.Setenv("PATH", bin)
		if tool == "uv" {
			t.Setenv("PIP_INDEX_URL", "https://not.uv/simple")
			program := program(bin, "uv")
			if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return home
	}
	write := func(t *testing.T, text string, path ...string) {
		file := filepath.Join(path...)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		tool, file string
		env        map[string]string
		want       []string
		offline    bool
	}{
		"uv, no settings":         {tool: "uv", want: []string{publicIndex}},
		"pip, no settings":        {tool: "pip", want: []string{publicIndex}, env: map[string]string{"UV_DEFAULT_INDEX": "https://not.pip/simple"}},
		"uv, variables":           {tool: "uv", env: map[string]string{"UV_INDEX_URL": "https://b/simple/", "UV_DEFAULT_INDEX": "ours=https://a/simple/"}, want: []string{"https://a/simple"}},
		"uv, older variable":      {tool: "uv", env: map[string]string{"UV_INDEX_URL": "https://u:p@b/simple/"}, want: []string{"https://u:p@b/simple"}},
		"uv, more":                {tool: "uv", env: map[string]string{"UV_INDEX": "x=https://a/s https://b/s"}, want: []string{"https://a/s", "https://b/s", publicIndex}},
		"uv.toml":                 {tool: "uv", file: "[[index]]\nurl = \"https://first/s\"\n[[index]]\nurl = \"https://never/s\"\nexplicit = true\n[[index]]\nurl = \"https://last/s\"\ndefault = true\n", want: []string{"https://first/s", "https://last/s"}},
		"uv.toml, index-url":      {tool: "uv", file: "index-url = \"https://a/s\"\n", want: []string{"https://a/s"}},
		"uv.toml, for uv pip":     {tool: "uv", file: "index-url = \"https://a/s\"\n[pip]\nindex-url = \"https://b/s\"\n", want: []string{"https://b/s"}},
		"uv.toml is left out":     {tool: "uv", file: "index-url = \"https://a/s\"\n", env: map[string]string{"UV_NO_CONFIG": "1"}, want: []string{publicIndex}},
		"uv.toml, variable":       {tool: "uv", file: "index-url = \"https://a/s\"\n", env: map[string]string{"UV_DEFAULT_INDEX": "https://v/s"}, want: []string{"https://v/s"}},
		"uv offline":              {tool: "uv", file: "offline = true\n", want: []string{publicIndex}, offline: true},
		"pip.conf":                {tool: "pip", file: "[global]\nindex-url = https://a/s  \nextra-index-url =\n    https://b/s\n    https://c/s\n", want: []string{"https://a/s", "https://b/s", "https://c/s"}},
		"pip.conf, install":       {tool: "pip", file: "[global]\nindex-url: https://a/s\n[install]\nindex-url: https://i/s\n", want: []string{"https://i/s"}},
		"pip.conf, variable":      {tool: "pip", file: "[global]\nindex-url = https://a/s\n", env: map[string]string{"PIP_INDEX_URL": "https://v/s"}, want: []string{"https://v/s"}},
		"pip.conf is left out":    {tool: "pip", file: "[global]\nindex-url = https://a/s\n", env: map[string]string{"PIP_CONFIG_FILE": os.DevNull}, want: []string{publicIndex}},
		"pip offline":             {tool: "pip", file: "[global]\nno-index = yes\n", want: []string{publicIndex}, offline: true},
		"more than will be asked": {tool: "pip", env: map[string]string{"PIP_EXTRA_INDEX_URL": "https://b/s https://c/s https://d/s https://e/s"}, want: []string{publicIndex, "https://b/s", "https://c/s", "https://d/s"}},
	} {
		t.Run(name, func(t *testing.T) {
			home := withTool(t, c.tool)
			if c.file != "" && c.tool == "uv" {
				write(t, c.file, home, ".config", "uv", "uv.toml")
			} else if c.file != "" {
				write(t, c.file, home, ".config", "pip", "pip.conf")
				write(t, c.file, home, ".config", "pip", "pip.ini")
			}
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			i, err := IndexHere()
			if err != nil || !slices.Equal(i.Places, c.want) || i.Offline != c.offline || i.Tool != c.tool {
				t.Errorf("%+v %v, want %q", i, err, c.want)
			}
		})
	}
	t.Run("no address", func(t *testing.T) {
		withTool(t, "pip")
		t.Setenv("PIP_INDEX_URL", "file:///secret")
		if _, err := IndexHere(); !problem.Is(err, problem.BadInput) {
			t.Errorf("%v", err)
		}
	})
	t.Run("broken settings", func(t *testing.T) {
		home := withTool(t, "uv")
		write(t, "index-url = \"hunter2\n", home, ".config", "uv", "uv.toml")
		if _, err := IndexHere(); !problem.Is(err, problem.BadInput) {
			t.Errorf("%v", err)
		}
	})
	t.Run("settings of somebody else", func(t *testing.T) {
		home := withTool(t, "uv")
		write(t, "index-url = \"https://a/s\"\n", home, ".config", "uv", "uv.toml")
		if err := os.Chmod(filepath.Join(home, ".config", "uv", "uv.toml"), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := IndexHere(); !problem.Is(err, userdirs.Unsafe) {
			t.Errorf("%v", err)
		}
	})
}

func TestLocked(t *testing.T) {
	list := Locked()
	if len(list) < 20 || list[0].String() != "1.24.0" {
		t.Errorf("%v", list)
	}
	for i := range list[1:] {
		if list[i].Compare(list[i+1]) >= 0 {
			t.Errorf("%s is before %s", list[i], list[i+1])
		}
	}
}
