package termsafe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
)

// Bounds on a foreign JSON value. They lie far above what flwr and Docker send.
const (
	maxDepth  = 32
	maxNumber = 64
)

// ErrJSON marks a value that JSON refuses.
var ErrJSON = errors.New("not a JSON value that flwrup reads")

// JSON returns the JSON value in b with every string in it, including keys, cleaned as by Line. The strings
// below the keys in long keep their line feeds, as with Text. Numbers stay as written. Values nested deeper
// than 32 levels, numbers longer than 64 characters and anything behind the value are errors that wrap
// ErrJSON.
func JSON(b []byte, long ...string) ([]byte, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	w := jsonWriter{dec: dec, long: long}
	if err := w.value(0, false); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrJSON, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: there is more behind it", ErrJSON)
	}
	return w.out.Bytes(), nil
}

type jsonWriter struct {
	dec  *json.Decoder
	out  bytes.Buffer
	long []string
}

func (w *jsonWriter) value(depth int, long bool) error {
	t, err := w.dec.Token()
	if err != nil {
		return err
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxDepth {
			return errors.New("it is nested too deeply")
		}
		return w.nested(t, depth+1)
	case string:
		if long {
			return w.put(Text(t))
		}
		return w.put(Line(t))
	case json.Number:
		if len(t) > maxNumber {
			return errors.New("a number is too long")
		}
		w.out.WriteString(t.String())
		return nil
	}
	return w.put(t) // true, false, null
}

func (w *jsonWriter) nested(open json.Delim, depth int) error {
	w.out.WriteString(open.String())
	for n := 0; w.dec.More(); n++ {
		if n > 0 {
			w.out.WriteByte(',')
		}
		long := false
		if open == '{' {
			t, err := w.dec.Token()
			if err != nil {
				return err
			}
			key, ok := t.(string)
			if !ok {
				return fmt.Errorf("%v is no key", t)
			}
			if err := w.put(Line(key)); err != nil {
				return err
			}
			w.out.WriteByte(':')
			long = slices.Contains(w.long, key)
		}
		if err := w.value(depth, long); err != nil {
			return err
		}
	}
	end, err := w.dec.Token()
	if err != nil {
		return err
	}
	w.out.WriteString(end.(json.Delim).String())
	return nil
}

func (w *jsonWriter) put(v any) error {
	b, err := json.Marshal(v)
	w.out.Write(b)
	return err
}

// EncodeJSON returns v as JSON that no terminal acts on, with a line feed at its end: characters that Line
// would drop appear as escapes. It loses nothing. indent is "" for one line.
func EncodeJSON(v any, indent string) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", indent)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	var out strings.Builder
	for _, r := range buf.String() {
		switch {
		case r == '\n' || safe(r):
			out.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&out, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
	}
	return []byte(out.String()), nil
}
