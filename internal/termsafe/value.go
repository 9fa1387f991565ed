package termsafe

import "reflect"

// Value cleans every string reachable from v, a pointer to data decoded from foreign text: in structs, maps
// (including keys), slices and interfaces, as Line does. Fields that are not exported and bytes stay as they
// are.
func Value(v any) { walk(reflect.ValueOf(v), 0) }

// deepest ends the walk through values that contain themselves.
const deepest = 100

func walk(v reflect.Value, depth int) {
	if depth > deepest {
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			walk(v.Elem(), depth+1)
		}
	case reflect.Interface:
		if v.IsNil() || !v.CanSet() {
			return
		}
		c := reflect.New(v.Elem().Type()).Elem()
		c.Set(v.Elem())
		walk(c, depth+1)
		v.Set(c)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walk(v.Field(i), depth+1)
			}
		}
	case reflect.Slice, reflect.Array:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return
		}
		for i := range v.Len() {
			walk(v.Index(i), depth+1)
		}
	case reflect.Map:
		walkMap(v, depth)
	case reflect.String:
		if v.CanSet() {
			v.SetString(Line(v.String()))
		}
	}
}

func walkMap(v reflect.Value, depth int) {
	for _, key := range v.MapKeys() {
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		k.Set(key)
		e.Set(v.MapIndex(key))
		walk(k, depth+1)
		walk(e, depth+1)
		v.SetMapIndex(key, reflect.Value{})
		v.SetMapIndex(k, e)
	}
}
