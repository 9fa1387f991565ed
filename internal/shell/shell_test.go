package shell

import (
	"os/exec"
	"runtime"
	"testing"
)

func TestPathIsNoFlag(t *testing.T) {
	for in, want := range map[string]string{
		"-keys": "./-keys", "--help": "./--help", "-": "./-", "keys/-x": "keys/-x", "a b": "'a b'", "": "''", "-a b": "'./-a b'",
		"x\x1b[31my": "xy", "/abs": "/abs", "~": "'~'", "it's": `'it'\''s'`,
	} {
		if got := Path(in); got != want {
			t.Errorf("Path(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWordIsQuotedOnlyWhereNeeded(t *testing.T) {
	for in, want := range map[string]string{
		"": "''", "plain-1.2/x_y": "plain-1.2/x_y", "a b": "'a b'", "it's": `'it'\''s'`, "$HOME`x`": "'$HOME`x`'",
		"ü": "'ü'", "a=b": "a=b", "*": "'*'", "a\nb": "'a\nb'", "~": "'~'",
	} {
		if got := Word(in); got != want {
			t.Errorf("Word(%q) = %s, want %s", in, got, want)
		}
	}
}

func TestWordComesOutOfAShellAsItWas(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no /bin/sh")
	}
	for _, s := range []string{"a", "a b", "$HOME", "`id`", "it's", "", "\\", "\"", "*", "!x", "~", "a\nb", "#x", "ü", "a;b", "--x=1",
		"plain", "plain-1.2/x_y", "$HOME `id` \"x\" \\", "$HOME`x`", "Schlüssel für Ada", "-n", "*?[x]", "a=b", "{a,b}", "日本"} {
		out, err := exec.Command("/bin/sh", "-c", "printf %s "+Word(s)).Output()
		if err != nil || string(out) != s {
			t.Errorf("%q came out as %q (%v) from %s", s, out, err, Word(s))
		}
	}
}
