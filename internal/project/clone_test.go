package project

import (
	"reflect"
	"testing"
)

// TestClone fills every field by reflection, so it fails when Clone forgets a new slice, map or pointer.
func TestClone(t *testing.T) {
	from := &Choices{}
	filled := map[reflect.Kind]int{}
	fill(t, reflect.ValueOf(from).Elem(), filled)
	for _, kind := range []reflect.Kind{reflect.Slice, reflect.Map, reflect.Pointer} {
		if filled[kind] == 0 {
			t.Errorf("no field is a %s: the test proves nothing about them", kind)
		}
	}
	to := from.Clone()
	if !reflect.DeepEqual(from, to) {
		t.Errorf("the copy of\n%+v is\n%+v", *from, *to)
	}
	apart(t, "Choices", reflect.ValueOf(from).Elem(), reflect.ValueOf(to).Elem())

	if empty := (&Choices{}).Clone(); !reflect.DeepEqual(empty, &Choices{}) {
		t.Errorf("the copy of the zero value is %+v", *empty)
	}
}

// fill sets v and everything below it, and counts the references.
func fill(t *testing.T, v reflect.Value, filled map[reflect.Kind]int) {
	filled[v.Kind()]++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), filled)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 2))
		fill(t, v.Index(0), filled)
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(t, key, filled)
		fill(t, value, filled)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), filled)
	case reflect.String:
		v.SetString("text")
	case reflect.Int:
		v.SetInt(7)
	case reflect.Bool:
		v.SetBool(true)
	default:
		t.Fatalf("the test cannot fill a %s", v.Type())
	}
}

// apart fails when a and b share a slice, a map or a pointer.
func apart(t *testing.T, name string, a, b reflect.Value) {
	switch a.Kind() {
	case reflect.Slice, reflect.Map, reflect.Pointer:
		if a.Pointer() == b.Pointer() {
			t.Errorf("%s is shared with the copy", name)
			return
		}
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			apart(t, name+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
		}
	case reflect.Slice:
		for i := range a.Len() {
			apart(t, name, a.Index(i), b.Index(i))
		}
	case reflect.Map:
		for _, key := range a.MapKeys() {
			apart(t, name, a.MapIndex(key), b.MapIndex(key))
		}
	case reflect.Pointer:
		apart(t, name, a.Elem(), b.Elem())
	}
}
