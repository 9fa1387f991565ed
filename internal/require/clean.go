package require

import (
	"reflect"
	"strings"
	"testing"

	"flwrup/internal/termsafe"
)

// Clean fails a test where a string in v, at any depth, holds what a terminal acts on, or a line feed.
func Clean(t testing.TB, v any) {
	t.Helper()
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Pointer, reflect.Interface:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Struct:
			for i := range v.NumField() {
				walk(v.Field(i))
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Map:
			for _, k := range v.MapKeys() {
				walk(k)
				walk(v.MapIndex(k))
			}
		case reflect.String:
			if r, bad := termsafe.Unsafe(v.String()); bad || strings.ContainsAny(v.String(), "\r\n") {
				t.Errorf("%q holds %U", v.String(), r)
			}
		}
	}
	walk(reflect.ValueOf(v))
}
