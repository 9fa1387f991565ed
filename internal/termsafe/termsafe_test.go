package termsafe

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"testing/iotest"
	"unicode/utf8"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", "INFO :      Starting Flower SuperNode", "INFO :      Starting Flower SuperNode"},
		{"empty", "", ""},
		{"tab kept", "a\tb", "a\tb"},
		{"colour", "\x1b[92mINFO \x1b[0m: x", "INFO : x"},
		{"private csi, alternate screen", "a\x1b[?1049hb", "ab"},
		{"csi with colons and intermediates", "a\x1b[38:2:1:2:3mb\x1b[1 qc", "abc"},
		{"csi unfinished", "a\x1b[31", "a"},
		{"csi cut short by text", "a\x1b[3é", "aé"},
		{"control inside csi", "a\x1b[3\x071mb", "ab"},
		{"osc title with BEL", "a\x1b]0;pwned\x07b", "ab"},
		{"osc title with ST", "a\x1b]0;pwned\x1b\\b", "ab"},
		{"osc 52", "a\x1b]52;c;ZXZpbA==\x07b", "ab"},
		{"osc 52 unfinished", "a\x1b]52;c;ZXZpbA==", "a"},
		{"osc 8 link", "\x1b]8;;http://e.vil\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"osc with multi-byte text that holds 9c", "a\x1b]0;ל\u05dc\x07b", "ab"},
		{"osc ended by another sequence", "a\x1b]0;x\x1b[31mred", "ared"},
		{"osc cancelled", "a\x1b]0;x\x18b", "ab"},
		{"dcs", "a\x1bP+q544e\x1b\\b", "ab"},
		{"apc", "a\x1b_Gf=24;AAAA\x1b\\b", "ab"},
		{"pm, sos", "a\x1b^x\x1b\\b\x1bXy\x1b\\c", "abc"},
		{"BEL does not end dcs", "a\x1bPx\x07b\x1b\\c", "ac"},
		{"reset", "a\x1bcb", "ab"},
		{"charset", "a\x1b(0b\x1b)Bc", "abc"},
		{"double ESC", "a\x1b\x1b[31mb", "ab"},
		{"ESC at the end", "a\x1b", "a"},
		{"raw 8-bit csi", "a\x9b31mb", "ab"},
		{"raw 8-bit osc", "a\x9d0;t\x9cb", "ab"},
		{"U+009B", "a\u009b31mb", "ab"},
		{"U+009D, U+009C", "a\u009d52;c;x\u009cb", "ab"},
		{"U+0090", "a\u0090x\u009cb", "ab"},
		{"C1 alone", "a\u0085b\u0084c", "abc"},
		{"C0", "a\x00b\x07c\x08d\x0be\x7ff", "abcdef"},
		{"bidi", "a\u202eb\u2066c\u2069d\u200ee\u200ff\u061cg", "abcdefg"},
		{"separators", "a\u2028b\u2029c", "a b c"},
		{"zero width", "a\u200bb\ufeffc\u2060d\u00ade", "abcde"},
		{"tags", "a\U000e0001\U000e0041\U000e007fb", "ab"},
		{"variation selectors", "⚠\ufe0f x\U000e0100", "⚠ x"},
		{"joined emoji come apart", "👩\u200d🔬", "👩🔬"},
		{"invalid", "a\xffb\xc3", "a\ufffdb\ufffd"},
		{"latin-1", "caf\xe9", "caf\ufffd"},
		{"surrogate", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"[:3] + ""},
		{"other scripts", "größer 中文 עברית हिन्दी 🌼", "größer 中文 עברית हिन्दी 🌼"},
		{"pile of marks", "a" + strings.Repeat("\u0301", 50) + "b", "a" + strings.Repeat("\u0301", maxMarks) + "b"},
		{"joins the next one", "n \u0604", "n "}, {"so does a letter", "n \u0d4eb", "n b"},
		{"CR starts again", "10%\r20%\r30%", "30%"},
		{"CRLF", "abc\r\n", "abc"},
		{"trailing CR", "abc\r", "abc"},
		{"blank after CR", "abc\r   \r", "abc"},
		{"erased after CR", "abc\r\x1b[K", "abc"},
		{"CR ends an osc", "a\x1b]0;x\rb", "b"},
		{"three parts", "one\rtwo\r \rthree\r\r", "three"},
		{"only blank", "  \r ", " "},
		{"line feed inside", "a\nb", "a b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "surrogate" { // one U+FFFD or three: both are safe
				if got := Line(c.in); strings.Trim(got, "\ufffd") != "" || got == "" {
					t.Fatalf("got %q", got)
				}
				return
			}
			got := Line(c.in)
			if got != c.want {
				t.Fatalf("Line(%q) = %q, want %q", c.in, got, c.want)
			}
			check(t, c.in, got)
		})
	}
}

// check verifies the promises for every line on got.
func check(t *testing.T, in, got string) {
	t.Helper()
	if !utf8.ValidString(got) {
		t.Fatalf("Line(%q) = %q: not UTF-8", in, got)
	}
	if len(got) > MaxLine {
		t.Fatalf("Line of %d bytes gave %d", len(in), len(got))
	}
	for _, r := range got {
		switch {
		case r < 0x20 && r != '\t', r >= 0x7f && r <= 0x9f,
			r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0x200e, r == 0x200f, r == 0x61c,
			r == 0x2028, r == 0x2029, r >= 0x200b && r <= 0x200d, r == 0xfeff, r >= 0xe0000 && r <= 0xe0fff:
			t.Fatalf("Line(%q) = %q: holds %U", in, got, r)
		}
	}
	if again := Line(got); again != got {
		t.Fatalf("Line(%q) = %q, and again %q", in, got, again)
	}
}

func TestLineCut(t *testing.T) {
	for _, in := range []string{
		strings.Repeat("x", MaxLine), strings.Repeat("x", MaxLine+1), strings.Repeat("é", MaxLine),
		strings.Repeat("🌼", MaxLine), strings.Repeat("\x1b[31mx", 1<<17), strings.Repeat("\xff", 1<<20),
	} {
		got := Line(in)
		check(t, in, got)
		if cut := strings.HasSuffix(got, " bytes cut]"); cut != (len(clean(in)) > MaxLine) {
			t.Fatalf("%d bytes: cut %v: %q", len(in), cut, got[len(got)-40:])
		}
	}
	if got := Line(strings.Repeat("x", 10000)); !strings.HasSuffix(got, fmt.Sprintf("x… [%d bytes cut]", 10000-MaxLine+48)) {
		t.Fatalf("%q", got[len(got)-40:])
	}
}

func TestText(t *testing.T) {
	if got, want := Text("a\x1b[31m\r\nb\x1b]0;x\nc\n"), "a\nb\nc\n"; got != want {
		t.Fatalf("got %q, want %q", got, want)
	}
}

func TestReadLines(t *testing.T) {
	in := "one\r\ntwo\x1b[0m\n\nthree\x1b]0;unfinished\nfo\xc3\xbcr\nlast"
	want := []string{"one", "two", "", "three", "foür", "last"}
	for name, r := range map[string]io.Reader{
		"whole": strings.NewReader(in), "byte by byte": iotest.OneByteReader(strings.NewReader(in)),
		"data with EOF": iotest.DataErrReader(strings.NewReader(in)),
	} {
		var got []string
		if err := ReadLines(r, func(l string) error { got = append(got, l); return nil }); err != nil {
			t.Fatal(name, err)
		}
		if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
			t.Fatalf("%s: got %q", name, got)
		}
	}
	stop := errors.New("stop")
	if err := ReadLines(strings.NewReader(in), func(string) error { return stop }); err != stop {
		t.Fatal(err)
	}
	broken := errors.New("broken")
	n := 0
	err := ReadLines(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), func(string) error { n++; return nil })
	if err != broken || n != 2 {
		t.Fatal(err, n)
	}
}

func TestReadLinesBounded(t *testing.T) {
	const size = 64 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var got []string
	r := io.MultiReader(io.LimitReader(endless("x"), size), strings.NewReader("\r\nnext\n"))
	if err := ReadLines(r, func(l string) error { got = append(got, l); return nil }); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Fatalf("allocated %d bytes", grown)
	}
	want := fmt.Sprintf("x… [%d bytes cut]", size-MaxLine+48)
	if len(got) != 2 || !strings.HasSuffix(got[0], want) || got[1] != "next" {
		t.Fatalf("%d lines, first ends %q, want %q", len(got), got[0][len(got[0])-40:], want)
	}
}

// A progress bar without an end shows its newest state.
func TestSplitterProgress(t *testing.T) {
	var in strings.Builder
	in.WriteString("TIME ")
	for i := range 10000 {
		fmt.Fprintf(&in, "\r%d of 10000", i)
	}
	var got []string
	s := Splitter{
		Each: func(l string) error { got = append(got, l); return nil },
		Head: func(raw []byte) int {
			if !strings.HasPrefix(string(raw), "TIME ") {
				t.Errorf("head saw %.20q", raw)
			}
			return 5
		},
	}
	for i := 0; i < in.Len(); i += 7 {
		if _, err := s.Write([]byte(in.String()[i:min(i+7, in.Len())])); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "9999 of 10000" {
		t.Fatalf("%d lines: %.60q", len(got), got)
	}
}

type endless string

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e[i%len(e)]
	}
	return len(p), nil
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"plain", "\x1b[31mred\x1b[0m", "a\x1b]52;c;x\x07b", "\x9b1m\x9d0;\x9c", "10%\r20%\r", "\u202e\u2066x",
		"a\x1bP\x1b\\b", "\xff\xc3\x28", "\U000e0041", strings.Repeat("é", 5000), "\x1b]0;\u05dc\x1b", "a\u0301\u0301\u0301\u0301\u0301",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		check(t, s, Line(s))
		text := Text(s)
		if Text(text) != text || strings.ContainsAny(text, "\x1b\r\x00") {
			t.Fatalf("Text(%q) = %q", s, text)
		}
		// The stream returns the same as the lines one by one.
		if len(s) < maxRaw {
			want := strings.Split(s, "\n")
			if want[len(want)-1] == "" {
				want = want[:len(want)-1]
			}
			got := Lines(s)
			if len(got) != len(want) {
				t.Fatalf("%d lines of %q, want %d", len(got), s, len(want))
			}
			for i := range want {
				if got[i] != Line(want[i]) {
					t.Fatalf("line %d of %q: %q, want %q", i, s, got[i], Line(want[i]))
				}
			}
		}
	})
}

func BenchmarkLine(b *testing.B) {
	for name, s := range map[string]string{
		"plain":   "INFO :      [RUN 8822730199] Received: train message 0b7c1f33-3f4b-4f3c-8a0f-2d3e8f8c3a55",
		"colour":  "\x1b[92mINFO \x1b[0m:      Starting Flower SuperNode",
		"hostile": strings.Repeat("\x1b]52;c;ZXZpbA==\x07\u202e\x9b31m", 20),
		"1MiB":    strings.Repeat("\x1b[31mx", 1<<20/6),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Line(s)
			}
		})
	}
}

// TestMarksOfAnotherScript: behind ASCII, where its cell is in doubt, a mark of another script goes; behind a letter it
// stays. Both ways to measure a line agree for every character.
func TestMarksOfAnotherScript(t *testing.T) {
	for in, want := range map[string]string{"letter \u0d46/": "letter /", "\u0d46x": "x", "a\U0001f3fb": "a", "ക\u0d46/": "ക\u0d46/", "हिन्दी": "हिन्दी", "👍\U0001f3fb": "👍\U0001f3fb", "\ue0b0": "\ue0b0"} {
		if got := Line(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for r := rune(0xa0); r <= 0x10ffff; r++ {
		text := Line("a" + string(r) + "/")
		cells := 0
		var state byte
		for rest := text; rest != ""; {
			_, w, n, next := ansi.DecodeSequence(rest, state, nil)
			cells, state, rest = cells+w, next, rest[n:]
		}
		if cells != ansi.StringWidth(text) {
			t.Errorf("%U: %d cells one by one, %d at once", r, cells, ansi.StringWidth(text))
		}
	}
}
