package dockerctl

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/termsafe"
)

// TestContainersOfOthersAreCleaned: whatever text a container carries, its state is clean. Every string in
// Docker's answer is hostile, so the test also covers fields that are not used yet.
func TestContainersOfOthersAreCleaned(t *testing.T) {
	const evil = "\x1b]0;pwned\x07a\x1b[31mb\u202ec\u009b31md\u200be\r\nf"
	var fill func(v reflect.Value, depth int)
	fill = func(v reflect.Value, depth int) {
		if depth > 6 || !v.CanSet() {
			return
		}
		switch v.Kind() {
		case reflect.String:
			v.SetString(evil)
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), depth+1)
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i), depth+1)
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), depth+1)
		}
	}
	var c container.InspectResponse
	fill(reflect.ValueOf(&c).Elem(), 0)
	c.Config.Labels = map[string]string{LabelNode: evil, LabelProject: evil, LabelImage: evil, labelPrefix + evil: evil}
	runtime := new(Runtime)
	for _, state := range []container.State{{Status: evil, Error: evil}, {Running: true, StartedAt: evil}, {Restarting: true, ExitCode: 1}, {OOMKilled: true}} {
		c.State = &state
		b, err := json.Marshal([]any{status(c), byHand(runtime, c)})
		if err != nil {
			t.Fatal(err)
		}
		var back any
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		var look func(v any)
		look = func(v any) {
			switch v := v.(type) {
			case string:
				if r, bad := termsafe.Unsafe(v); bad {
					t.Errorf("%q holds %U", v, r)
				}
			case []any:
				for _, e := range v {
					look(e)
				}
			case map[string]any:
				for k, e := range v {
					look(k)
					look(e)
				}
			}
		}
		look(back)
	}
}
