package cli

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/cli/pages"
	"flwrup/internal/cli/setup"
	"flwrup/internal/project"
)

// TestEveryFlagHasItsSetting: each flag of up that is kept is the flag of one key of flwrup.toml.
func TestEveryFlagHasItsSetting(t *testing.T) {
	seen := map[string]string{}
	for _, flag := range setup.Kept {
		key := pages.KeyOf(flag)
		if other := seen[key]; key == "" || other != "" {
			t.Errorf("--%s: key %q, which --%s has", flag, key, other)
		}
		seen[key] = flag
	}
	file, node := project.Settings()
	for _, s := range append(file, node...) {
		if s.Says == "" || s.Type == "" {
			t.Errorf("%s says nothing, or has no type", s.Key)
		}
		if _, err := regexp.Compile(s.Pattern); err != nil {
			t.Errorf("%s: %v", s.Key, err)
		}
	}
}

// TestEveryJSONHasAShape: docs/json.md has each command with --json.
func TestEveryJSONHasAShape(t *testing.T) {
	left := map[string]bool{}
	for path := range shapes {
		left[path] = true
	}
	for _, cmd := range everyCommand(Commands()) {
		if cmd.LocalFlags().Lookup("json") == nil {
			continue
		}
		if _, has := shapes[pathOf(cmd)]; !has {
			t.Errorf("%s --json has no shape", pathOf(cmd))
		}
		delete(left, pathOf(cmd))
	}
	if len(left) > 0 {
		t.Errorf("no --json: %v", left)
	}
}

// misfits compares decoded JSON with the shape of a command: fields that the shape has not, and those that it has always
// and that are missing.
func misfits(shape, data any) (wrong []string) {
	fields := pages.FieldsOf(reflect.TypeOf(shape), "", true)
	known := func(path string) bool {
		return slices.ContainsFunc(fields, func(f pages.Field) bool {
			return f.Path == path || strings.HasSuffix(f.Path, ".*") && strings.HasPrefix(path, strings.TrimSuffix(f.Path, "*"))
		})
	}
	above := func(path string) bool {
		return slices.ContainsFunc(fields, func(f pages.Field) bool {
			return strings.HasPrefix(f.Path, path+".") || strings.HasPrefix(f.Path, path+"[]")
		})
	}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				walk(strings.TrimPrefix(path+"."+key, "."), inner)
			}
			for _, f := range fields {
				name, below := strings.CutPrefix(f.Path, path+".")
				if path == "" {
					name, below = f.Path, true
				}
				if below && f.Always && !strings.ContainsAny(name, ".[*") && v[name] == nil {
					wrong = append(wrong, "missing: "+f.Path)
				}
			}
		case []any:
			for _, inner := range v {
				walk(path+"[]", inner)
			}
			if len(v) == 0 && !above(path) && !known(path+"[]") {
				wrong = append(wrong, "not in the shape: "+path)
			}
		default:
			if !known(path) && !(v == nil && above(path)) {
				wrong = append(wrong, "not in the shape: "+path)
			}
		}
	}
	walk("", data)
	return wrong
}

func TestMisfitsAreFound(t *testing.T) {
	good := map[string]any{"dir": "x"}
	if wrong := misfits(shapes["down"], good); len(wrong) > 0 {
		t.Error(wrong)
	}
	for _, bad := range []map[string]any{{}, {"dir": "x", "more": 1.0}} {
		if len(misfits(shapes["down"], bad)) != 1 {
			t.Errorf("%v is taken", bad)
		}
	}
}
