package pep508

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"numpy":                     "numpy",
		"  numpy >= 1.26 , < 3 ":    "numpy>=1.26,<3",
		"flwr[simulation]>=1.42.0":  "flwr[simulation]>=1.42.0",
		"flwr [ a , b ] ~=1.4":      "flwr[a,b]~=1.4",
		"torch (>=2.4)":             "torch>=2.4",
		"torch==2.9.0+cpu":          "torch==2.9.0+cpu",
		"x==1.*":                    "x==1.*",
		"x===weird-1":               "x===weird-1",
		"Zope.Interface":            "Zope.Interface",
		"a[]":                       "a[]",
		`x>1; python_version < "3"`: `x>1 ; python_version < "3"`,
		`x;(os_name=='a' or os_name=='b') and 'linux' in sys_platform`:  `x ; (os_name=='a' or os_name=='b') and 'linux' in sys_platform`,
		`x ; sys_platform not in "win32 cygwin"`:                        `x ; sys_platform not in "win32 cygwin"`,
		"x @ https://example.org/x-1.whl#sha256=abc":                    "x @ https://example.org/x-1.whl#sha256=abc",
		"x@git+https://example.org/x.git@v1 ; python_version >= '3.11'": "x @ git+https://example.org/x.git@v1 ; python_version >= '3.11'",
	} {
		r, err := Parse(text)
		if err != nil || r.String() != want {
			t.Errorf("%q: %q %v", text, r, err)
		}
		if again, err := Parse(r.String()); err != nil || again != r {
			t.Errorf("%q again: %q %v", r, again, err)
		}
	}
	for _, text := range []string{
		"", " ", "-r requirements.txt", "--index-url https://evil.example/simple", " -e .", "-e git+https://evil.example/x.git",
		"--extra-index-url=https://evil.example", "-i https://evil.example", "-f https://evil.example", "-c x", "--pre", "--trusted-host evil.example",
		"numpy --index-url https://evil.example", "numpy -r x", "numpy>=1 --hash=sha256:00", "numpy\n--index-url https://evil.example",
		"numpy\r--pre", "numpy\u2028--pre", "numpy\u0085-r x", "numpy\x0b-r x", "numpy\x00", `numpy \`, "numpy # comment", "#numpy",
		"https://evil.example/x.whl", "git+https://evil.example/x.git", "./here", "../x", "/etc/passwd", "file:///x", "x @ file:///etc/passwd",
		"x @ http://evil.example/x.whl", "x @ ./x", "x @ https://evil.example/${TOKEN}", "x @ https://evil.example/x.whl --pre", "x @ https:///x", "x @",
		"x @ https://evil.example/x.whl ;", "x; os_name == 'a -r b'", "x; os_name == 'a' --pre", "x; os_name", "x; __import__('os')", "x; os_name == a",
		"x;", "x; (os_name == 'a'", "x; os_name == 'a')", "x; os_name == 'a' os_name == 'b'", "x>", "x>=1,,<2", "x>=1 <2", "x y", "x[a", "x[-r]", "x[a;b]",
		"x==1;os_name=='a'\t--pre", "näme", "_x", "x-", "requirements.txt -r", "x ; os_name not 'a'",
	} {
		if r, err := Parse(text); err == nil {
			t.Errorf("%q was taken: %q", text, r)
		}
	}
}

// An accepted requirement is one line of one word that is no option, and parses to the same again.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"numpy>=1,<2", "x[a]; os_name == 'a'", "x @ https://h/x.whl", "-r x", "a\n-r x", "a --pre"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r, err := Parse(text)
		if err != nil {
			return
		}
		line := r.String()
		if again, err := Parse(line); err != nil || again != r {
			t.Errorf("%q again: %q %v", line, again, err)
		}
		for _, word := range strings.FieldsFunc(line, func(r rune) bool { return r <= ' ' || r == 0x85 || r == 0xa0 || r >= 0x2028 && r <= 0x2029 }) {
			if strings.HasPrefix(word, "-") || strings.HasPrefix(word, "#") {
				t.Errorf("%q holds %q", line, word)
			}
		}
	})
}
