package tomledit

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// apply makes the change in a decoded text: what the edited text has to decode to.
func (c Change) apply(m map[string]any) error {
	for i, k := range c.Path[:len(c.Path)-1] {
		next, there := m[k]
		if !there {
			if c.Delete {
				return nil
			}
			next = map[string]any{}
			m[k] = next
		}
		table, ok := next.(map[string]any)
		if !ok {
			return cannot("set "+dotted(c.Path), dotted(c.Path[:i+1])+" is "+kind(next), nil)
		}
		m = table
	}
	last := c.Path[len(c.Path)-1]
	if old, there := m[last]; there {
		switch old.(type) {
		case map[string]any, []map[string]any:
			return cannot("set "+dotted(c.Path), "it is "+kind(old), nil)
		}
	}
	if c.Delete {
		delete(m, last)
	} else {
		m[last] = c.Value
	}
	return nil
}

func kind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a table"
	case []map[string]any:
		return "an array of tables"
	}
	return "a value, not a table"
}

// Lookup returns what stands at path in a decoded text.
func Lookup(m map[string]any, path []string) (any, bool) {
	var v any = m
	for _, k := range path {
		t, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = t[k]; !ok {
			return nil, false
		}
	}
	return v, true
}

// prune takes those tables above path out of want that are empty now and gone from got: they existed
// only through what was taken out.
func prune(want, got map[string]any, path []string) {
	for n := len(path) - 1; n > 0; n-- {
		here, _ := Lookup(want, path[:n])
		if t, ok := here.(map[string]any); !ok || len(t) > 0 {
			return
		}
		if _, kept := Lookup(got, path[:n]); kept {
			return
		}
		above, _ := Lookup(want, path[:n-1])
		delete(above.(map[string]any), path[n-1])
	}
}

// equal compares two decoded texts. A NaN is equal to a NaN; times are equal when they are written alike.
func equal(a, b any) bool {
	switch x := a.(type) {
	case map[string]any:
		y, ok := b.(map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for k, v := range x {
			w, there := y[k]
			if !there || !equal(v, w) {
				return false
			}
		}
		return true
	case []map[string]any:
		y, ok := b.([]map[string]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case []any:
		y, ok := b.([]any)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case float64:
		y, ok := b.(float64)
		return ok && (x == y || math.IsNaN(x) && math.IsNaN(y))
	case time.Time:
		y, ok := b.(time.Time)
		return ok && x.Equal(y) && x.Location().String() == y.Location().String()
	}
	return reflect.DeepEqual(a, b)
}

// format writes a value as TOML.
func format(v any) string {
	switch x := v.(type) {
	case bool:
		return strconv.FormatBool(x)
	case int64:
		return strconv.FormatInt(x, 10)
	case float64:
		text := strings.Replace(strconv.FormatFloat(x, 'g', -1, 64), "Inf", "inf", 1)
		if strings.Trim(text, "-0123456789") == "" {
			text += ".0"
		}
		return strings.Replace(text, "NaN", "nan", 1)
	case string:
		return quote(x)
	case []any:
		parts := make([]string, len(x))
		for i, e := range x {
			parts[i] = format(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	panic(fmt.Sprintf("tomledit: value of type %T", v)) // normal lets no other through
}

// quote writes a string: literally where that spares backslashes (Windows paths), else as a basic string.
func quote(s string) string {
	plain := true
	for _, r := range s {
		if r < 0x20 && r != '\t' || r == 0x7f || r == '\'' {
			plain = false
		}
	}
	if plain && strings.ContainsAny(s, `\"`) {
		return "'" + s + "'"
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// key writes one part of a key: bare where TOML allows it.
func key(s string) string {
	for _, r := range s {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}

func dotted(path []string) string {
	parts := make([]string, len(path))
	for i, p := range path {
		parts[i] = key(p)
	}
	return strings.Join(parts, ".")
}
