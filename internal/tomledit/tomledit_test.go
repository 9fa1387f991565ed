package tomledit

import (
	"strings"
	"testing"

	"flwrup/internal/problem"
)

func p(s string) []string { return strings.Split(s, "/") }

func TestSet(t *testing.T) {
	addr := Change{Path: p("superlink/supergrid/address"), Value: "a:1"}
	tests := []struct {
		name, src string
		changes   []Change
		want      string // "" with refused
		refused   string
	}{
		{name: "empty text", src: "", changes: []Change{addr},
			want: "[superlink.supergrid]\naddress = \"a:1\"\n"},
		{name: "value replaced, comment and spacing kept", src: "[superlink.supergrid]\naddress   =  'old'   # mine\nx = 1\n",
			changes: []Change{addr}, want: "[superlink.supergrid]\naddress   =  \"a:1\"   # mine\nx = 1\n"},
		{name: "same value in another style is left", src: "[superlink.supergrid]\naddress = 'a:1'\n",
			changes: []Change{addr}, want: "[superlink.supergrid]\naddress = 'a:1'\n"},
		{name: "added below the last key, before the next table's comment",
			src:     "[superlink.supergrid]\n  insecure = false # b\n\n# about other\n[other]\ny = 2\n",
			changes: []Change{addr},
			want:    "[superlink.supergrid]\n  insecure = false # b\n  address = \"a:1\"\n\n# about other\n[other]\ny = 2\n"},
		{name: "header without keys", src: "\t[superlink.supergrid] # c\n[other]\n",
			changes: []Change{addr}, want: "\t[superlink.supergrid] # c\n\taddress = \"a:1\"\n[other]\n"},
		{name: "new table beside its sisters", src: "[superlink]\ndefault = 'x'\n\n[superlink.local]\naddress = ':local:'\n\n# end\n[other]\ny = 1\n",
			changes: []Change{addr},
			want:    "[superlink]\ndefault = 'x'\n\n[superlink.local]\naddress = ':local:'\n\n[superlink.supergrid]\naddress = \"a:1\"\n\n# end\n[other]\ny = 1\n"},
		{name: "super-table after its sub-table existed", src: "# top\n\n[superlink.local]\naddress = ':local:'\n",
			changes: []Change{{Path: p("superlink/default"), Value: "local"}},
			want:    "# top\n\n[superlink]\ndefault = \"local\"\n\n[superlink.local]\naddress = ':local:'\n"},
		{name: "inline table", src: "superlink = { supergrid = { insecure = false } } # c\n",
			changes: []Change{addr}, want: "superlink = { supergrid = { insecure = false, address = \"a:1\" } } # c\n"},
		{name: "empty inline table", src: "superlink = {}", changes: []Change{addr},
			want: "superlink = { supergrid.address = \"a:1\" }"},
		{name: "inline value replaced", src: "[superlink]\nsupergrid = {address=\"o\",insecure=false}\n", changes: []Change{addr},
			want: "[superlink]\nsupergrid = {address=\"a:1\",insecure=false}\n"},
		{name: "dotted keys", src: "[superlink]\nsupergrid.insecure = false # c\nlocal.address = 'l'\n", changes: []Change{addr},
			want: "[superlink]\nsupergrid.insecure = false # c\nsupergrid.address = \"a:1\"\nlocal.address = 'l'\n"},
		{name: "dotted keys at the top", src: "superlink.supergrid.insecure = false\n[x]\n", changes: []Change{addr},
			want: "superlink.supergrid.insecure = false\nsuperlink.supergrid.address = \"a:1\"\n[x]\n"},
		{name: "sub-table of a table made by dotted keys", src: "[superlink]\nlocal.address = 'l'\n", changes: []Change{addr},
			want: "[superlink]\nlocal.address = 'l'\n\n[superlink.supergrid]\naddress = \"a:1\"\n"},
		{name: "quoted header and key", src: "[\"superlink\" . 'supergrid']\n\"address\" = \"o\"\n", changes: []Change{addr},
			want: "[\"superlink\" . 'supergrid']\n\"address\" = \"a:1\"\n"},
		{name: "key that needs quotes", src: "", changes: []Change{{Path: p("a b/c.d"), Value: true}},
			want: "[\"a b\"]\n\"c.d\" = true\n"},
		{name: "CRLF", src: "[superlink]\r\ndefault = 'x'\r\n\r\n[z]\r\n", changes: []Change{addr},
			want: "[superlink]\r\ndefault = 'x'\r\n\r\n[superlink.supergrid]\r\naddress = \"a:1\"\r\n\r\n[z]\r\n"},
		{name: "no final newline, in the table", src: "[superlink.supergrid]\ninsecure = false", changes: []Change{addr},
			want: "[superlink.supergrid]\ninsecure = false\naddress = \"a:1\""},
		{name: "no final newline, new table", src: "x = 1", changes: []Change{addr},
			want: "x = 1\n\n[superlink.supergrid]\naddress = \"a:1\""},
		{name: "byte order mark", src: "\xef\xbb\xbfx = 1\n", changes: []Change{{Path: p("x"), Value: 2}}, want: "\xef\xbb\xbfx = 2\n"},
		{name: "top level, first key", src: "# head\n\n# about\n[a]\nb = 1\n", changes: []Change{{Path: p("x"), Value: []string{"p", `q"\`}}},
			want: "# head\n\nx = [\"p\", 'q\"\\']\n\n# about\n[a]\nb = 1\n"},
		{name: "comment of a new key", src: "[a]\nb = 1\n", changes: []Change{{Path: p("a/c"), Value: "d", Comment: "one\ntwo"}},
			want: "[a]\nb = 1\n# one\n# two\nc = \"d\"\n"},
		{name: "arrays of tables around it", src: "[[a]]\nx = 1\n[a.sub]\ny = 1\n[[a]]\nx = 2\n[b]\nz = 1\n", changes: []Change{{Path: p("b/c"), Value: false}},
			want: "[[a]]\nx = 1\n[a.sub]\ny = 1\n[[a]]\nx = 2\n[b]\nz = 1\nc = false\n"},
		{name: "value over several lines that look like headers", src: "[a]\ns = '''\n[superlink.supergrid]\naddress = \"o\"\n'''\n", changes: []Change{addr},
			want: "[a]\ns = '''\n[superlink.supergrid]\naddress = \"o\"\n'''\n\n[superlink.supergrid]\naddress = \"a:1\"\n"},
		{name: "delete", src: "[a]\nx = 1\ny = 2\n", changes: []Change{{Path: p("a/x"), Delete: true}}, want: "[a]\ny = 2\n"},
		{name: "delete keeps the comment behind", src: "[a]\n  x = 1 # why\ny = 2\n", changes: []Change{{Path: p("a/x"), Delete: true}}, want: "[a]\n  # why\ny = 2\n"},
		{name: "delete what is not there", src: "[a]\n", changes: []Change{{Path: p("a/b/c"), Delete: true}}, want: "[a]\n"},
		{name: "delete in an inline table", src: "a = {x = 1, y = 2, z = 3}\n", changes: []Change{{Path: p("a/x"), Delete: true}, {Path: p("a/z"), Delete: true}}, want: "a = {y = 2}\n"},
		{name: "delete the only dotted key", src: "a.b.c = 1\nd = 2\n", changes: []Change{{Path: p("a/b/c"), Delete: true}}, want: "d = 2\n"},
		{name: "array of tables refused", src: "[[superlink]]\nx = 1\n", changes: []Change{addr}, refused: "array of tables"},
		{name: "table under an array of tables refused", src: "[[superlink]]\n[superlink.supergrid]\naddress='x'\n", changes: []Change{addr}, refused: "array of tables"},
		{name: "scalar in the way refused", src: "superlink = 1\n", changes: []Change{addr}, refused: "not a table"},
		{name: "table where a value is wanted", src: "[superlink.supergrid.address]\n", changes: []Change{addr}, refused: "it is a table"},
		{name: "no TOML", src: "x = 1\ny = = 2\n", changes: []Change{addr}, refused: "line 2"},
		{name: "key twice", src: "x = 1\nx = 2\n", changes: []Change{addr}, refused: "line 2"},
		{name: "not UTF-8", src: "x = '\xff'\n", changes: []Change{addr}, refused: "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := []byte(tt.src)
			got, err := Set(src, tt.changes)
			if string(src) != tt.src {
				t.Errorf("the source was changed to %q", src)
			}
			if tt.refused != "" {
				if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), tt.refused) || problem.Of(err).Fix == "" {
					t.Fatalf("got %q, %v; want a refusal with %q", got, err, tt.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
		})
	}
}

func TestCommentOut(t *testing.T) {
	fed := p("tool/flwr/federations")
	tests := []struct{ name, src, want, refused string }{
		{name: "absent", src: "x = 1", want: "x = 1"},
		{name: "the guide's block",
			src:  "[tool.flwr.app]\npublisher = 'me'\n\n# our grid\n[tool.flwr.federations]\ndefault = \"supergrid\"\n\n  [tool.flwr.federations.supergrid] # c\n  address = \"a\" # d\n  # e\n\n[tool.x]\ny = 1\n",
			want: "[tool.flwr.app]\npublisher = 'me'\n\n# our grid\n# [tool.flwr.federations]\n# default = \"supergrid\"\n\n#   [tool.flwr.federations.supergrid] # c\n#   address = \"a\" # d\n  # e\n\n[tool.x]\ny = 1\n"},
		{name: "dotted and inline", src: "[tool.flwr]\nfederations.a = { x = 1 }\nfederations.b.y = [\n  1,\n\n  2,\n]\napp.publisher = 'me'",
			want: "[tool.flwr]\n# federations.a = { x = 1 }\n# federations.b.y = [\n#   1,\n\n#   2,\n# ]\napp.publisher = 'me'"},
		{name: "CRLF and BOM", src: "\xef\xbb\xbf[tool.flwr.federations.s]\r\na = 1\r\n", want: "\xef\xbb\xbf# [tool.flwr.federations.s]\r\n# a = 1\r\n"},
		{name: "inside an inline table", src: "tool = { flwr = { federations = { a = 1 } } }\n", refused: "inline table"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CommentOut([]byte(tt.src), fed)
			if tt.refused != "" {
				if !problem.Is(err, problem.BadInput) || !strings.Contains(err.Error(), tt.refused) {
					t.Fatalf("got %q, %v; want a refusal with %q", got, err, tt.refused)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("got %v\n%q\nwant\n%q", err, got, tt.want)
			}
		})
	}
}

func TestDiff(t *testing.T) {
	if d := Diff([]byte("a\n"), []byte("a\n"), "f"); d != "" {
		t.Errorf("equal texts: %q", d)
	}
	got := Diff([]byte("a\r\nb\r\n"), []byte("a\r\nc\r\n"), "f")
	want := "--- f\n+++ f\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if d := Diff(nil, []byte("a\n"), "f"); !strings.HasPrefix(d, "--- /dev/null\n+++ f\n") {
		t.Errorf("new file: %q", d)
	}
}

// FuzzSet holds that an edit is refused or changes exactly the wanted key, that doing it twice is doing
// it once, and that taking an added key out again gives the same data as before.
func FuzzSet(f *testing.F) {
	for _, s := range []string{
		"", "a = 1", "[a]\nb = 'x' # c\n[a.b2]\n", "a = { b = { c = 1 } }", "[[a]]\nb = 1\n[[a]]", "a.b.c = 1\r\na.b.d = 2\r\n",
		"\xef\xbb\xbf\"a\".'b' = nan\n", "[a]\n\tx = '''\n[b]\n'''\n[ a . b ]\ny = [ # c\n 1,\n]", "d = 1979-05-27T07:32:00\n[a.c]", "# only",
	} {
		f.Add([]byte(s), "a", "b", "c", "v", true)
		f.Add([]byte(s), "a", "", "x y", "\\\"'\n", false)
	}
	f.Fuzz(func(t *testing.T, src []byte, a, b, c, value string, list bool) {
		before, err := Decode(src)
		path := []string{a, b, c}
		if b == "" {
			path = []string{a, c}
		}
		ch := Change{Path: path, Value: value, Comment: "why"}
		if list {
			ch.Value = []string{value, value}
		}
		out, serr := Set(src, []Change{ch})
		if serr != nil {
			return
		}
		if err != nil {
			t.Fatalf("edited what does not decode: %v", err)
		}
		after, err := Decode(out)
		if err != nil {
			t.Fatalf("does not decode after the edit: %v\n%q", err, out)
		}
		n, _ := ch.normal()
		if got, ok := Lookup(after, path); !ok || !equal(got, n.Value) {
			t.Fatalf("%v is %v in %q", path, got, out)
		}
		_, had := Lookup(before, path)
		again, err := Set(out, []Change{ch})
		if err != nil || string(again) != string(out) {
			t.Fatalf("second edit: %v\n%q\n%q", err, out, again)
		}
		if had {
			return
		}
		back, err := Set(out, []Change{{Path: path, Delete: true}})
		if err != nil {
			t.Fatalf("taking it out again: %v\n%q", err, out)
		}
		got, err := Decode(back)
		if err != nil {
			t.Fatal(err)
		}
		for i := len(path) - 1; i > 0; i-- { // tables that the edit made may stay, empty
			if _, was := Lookup(before, path[:i]); !was {
				if v, ok := Lookup(got, path[:i]); ok && len(v.(map[string]any)) == 0 {
					above, _ := Lookup(got, path[:i-1])
					delete(above.(map[string]any), path[i-1])
				}
			}
		}
		if !equal(before, got) {
			t.Fatalf("not as before:\n%q\n%q", src, back)
		}
		if bytesOf(src) != bytesOf(withoutAdded(out, src)) {
			t.Fatalf("bytes of the source are gone:\n%q\n%q", src, out)
		}
	})
}

// withoutAdded returns the bytes of src that out still has, in order.
func withoutAdded(out, src []byte) []byte {
	var kept []byte
	i := 0
	for _, b := range out {
		if i < len(src) && b == src[i] {
			kept = append(kept, b)
			i++
		}
	}
	return kept
}

func bytesOf(b []byte) string { return string(b) }

// FuzzCommentOut holds that a retired table is gone, everything else is there, and taking the marks away
// again gives the very same bytes.
func FuzzCommentOut(f *testing.F) {
	for _, s := range []string{"[a.b]\nc = 1\n\n[d]\n", "a.b = 1\na.c = 2", "[a]\nb = { c = '''\n#x\n\n''' }\r\n", "a = {b = 1}", "[[a.b]]\nx = 1\n[a.b.c]\n[a.d]\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		path := []string{"a", "b"}
		out, err := CommentOut(src, path)
		if err != nil {
			return
		}
		after, err := Decode(out)
		if err != nil {
			t.Fatalf("%v\n%q", err, out)
		}
		if _, there := Lookup(after, path); there {
			t.Fatalf("still there: %q", out)
		}
		was, is := strings.Split(string(src), "\n"), strings.Split(string(out), "\n")
		if len(was) != len(is) {
			t.Fatalf("%d lines became %d", len(was), len(is))
		}
		for i := range was {
			a, b := strings.TrimPrefix(was[i], string(bom)), strings.TrimPrefix(is[i], string(bom))
			if a != b && "# "+a != b {
				t.Fatalf("line %d: %q became %q", i+1, a, b)
			}
		}
	})
}
