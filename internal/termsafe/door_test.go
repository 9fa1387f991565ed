package termsafe

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

const hostile = "a\x1b]0;t\x07b\x1b[31mc\u202ed\u009b31me\u200bf\r\ng"

func TestJSON(t *testing.T) {
	in, _ := json.Marshal(map[string]any{hostile: []any{hostile, 1.5, nil, true, map[string]any{"error-message": "one\x1b[1m\ntwo", "x": "one\ntwo"}}})
	out, err := JSON(in, "error-message")
	if err != nil {
		t.Fatal(err)
	}
	want := `{"abcdef g":["abcdef g",1.5,null,true,{"error-message":"one\ntwo","x":"one two"}]}`
	if string(out) != want {
		t.Errorf("got %s, want %s", out, want)
	}
	for _, same := range []string{`{"id":18446744073709551615,"id":9e99}`, `[]`, `"x"`, `-0.0`, `{"a":{}}`} {
		if out, err := JSON([]byte(same)); err != nil || string(out) != same {
			t.Errorf("%s gave %s, %v", same, out, err)
		}
	}
	for _, bad := range []string{"", "{", `{"a"}`, "NaN", `{"a":1} x`, `[1,]`, strings.Repeat("[", 40) + strings.Repeat("]", 40), "1" + strings.Repeat("0", 80), `{"a":1e` + strings.Repeat("9", 80) + `}`} {
		if out, err := JSON([]byte(bad)); !errors.Is(err, ErrJSON) {
			t.Errorf("%.40s gave %s, %v", bad, out, err)
		}
	}
}

func TestEncodeJSONIsCleanAndLosesNothing(t *testing.T) {
	in := hostile + "\x7f\u2028\U000e0041<&"
	b, err := EncodeJSON(map[string]string{in: in}, "  ")
	if err != nil {
		t.Fatal(err)
	}
	if r, bad := Unsafe(string(b)); bad {
		t.Errorf("%s holds %U", b, r)
	}
	back := map[string]string{}
	if err := json.Unmarshal(b, &back); err != nil || back[in] != in {
		t.Errorf("%s: came back as %q, %v", b, back, err)
	}
}

// TestWriter: in whatever pieces text comes, no sequence that a terminal acts on gets through.
func TestWriter(t *testing.T) {
	for in, want := range map[string]string{
		"x\x1b]52;c;aGk=\x07y\n":       "xy\n",
		"a\u009b31mb\u202ec\n\ttab\n":  "ab"[:1] + "bc\n\ttab\n",
		"csv,row\r\nnext\r\n":          "csv,row\r\nnext\r\n",
		"question [Y/n] ":              "question [Y/n] ",
		"✓ größer 中文\n":                "✓ größer 中文\n",
		strings.Repeat("x", 3*MaxLine): strings.Repeat("x", 3*MaxLine),
	} {
		var whole bytes.Buffer
		w := Writer{Out: &whole}
		if n, err := w.Write([]byte(in)); n != len(in) || err != nil {
			t.Fatal(n, err)
		}
		if whole.String() != want {
			t.Errorf("%.60q gave %.60q, want %.60q", in, whole.String(), want)
		}
		var pieces bytes.Buffer
		w = Writer{Out: &pieces}
		for i := range len(in) {
			w.Write([]byte{in[i]}) //nolint:errcheck // a buffer never fails
		}
		if r, bad := Unsafe(pieces.String()); bad || !utf8.ValidString(pieces.String()) {
			t.Errorf("%q byte by byte gave %q with %U", in, pieces.String(), r)
		}
	}
}

func TestValue(t *testing.T) {
	type inner struct {
		S string
		B []byte
	}
	v := struct {
		P *inner
		M map[string]any
		L []string
		I any
	}{&inner{hostile, []byte(hostile)}, map[string]any{hostile: inner{S: hostile}, "k": []any{hostile}}, []string{hostile}, map[string]string{hostile: hostile}}
	Value(&v)
	if v.P.S != "abcdef g" || string(v.P.B) != hostile || v.L[0] != "abcdef g" {
		t.Errorf("%+v", v)
	}
	if v.M["abcdef g"].(inner).S != "abcdef g" || v.M["k"].([]any)[0] != "abcdef g" || v.I.(map[string]string)["abcdef g"] != "abcdef g" {
		t.Errorf("%+v", v)
	}
}

func FuzzWriter(f *testing.F) {
	f.Add([]byte(hostile), 3)
	f.Add([]byte("\xc2"), 1)
	f.Add([]byte("a\r"), 1)
	f.Fuzz(func(t *testing.T, in []byte, at int) {
		var out bytes.Buffer
		w := Writer{Out: &out}
		if at < 0 || at > len(in) {
			at = len(in) / 2
		}
		w.Write(in[:at]) //nolint:errcheck
		w.Write(in[at:]) //nolint:errcheck
		if r, bad := Unsafe(out.String()); bad {
			t.Fatalf("%q gave %q with %U", in, out.String(), r)
		}
	})
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"success":true,"nodes":[{"node-id":"1","x":"\u001b[31m"}]}`, `[[],{"a":null}]`, `"\ud800"`, `{"a":1,"a":2}`, `1e99999`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		out, err := JSON(in, "error-message")
		if err != nil {
			return
		}
		if !json.Valid(out) {
			t.Fatalf("%q gave %q, which is not JSON", in, out)
		}
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			return // a number too large for a float
		}
		cleanly(t, v)
		again, err := JSON(out, "error-message")
		if err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q gave %q, then %q, %v", in, out, again, err)
		}
	})
}

func cleanly(t *testing.T, v any) {
	switch v := v.(type) {
	case string:
		if r, bad := Unsafe(v); bad {
			t.Fatalf("%q holds %U", v, r)
		}
	case []any:
		for _, e := range v {
			cleanly(t, e)
		}
	case map[string]any:
		for k, e := range v {
			cleanly(t, k)
			cleanly(t, e)
		}
	}
}
