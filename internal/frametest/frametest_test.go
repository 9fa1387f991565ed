package frametest

import "testing"

func TestSameInASCII(t *testing.T) {
	for _, c := range []struct {
		plain, ascii string
		same         bool
	}{
		{"✓ done · ▸ go │", "+ done | > go |", true},
		{"✓ done", "x done", false},
		{"✓ done", "? done", false},
		{"done", "Done", false},
		{"done", "done ", false},
		{"done ", "done", false},
		{"one\ntwo", "one", false},
		{"日本 é", "???? ?", true},       // as a whole screen writes wide characters
		{"日本 é  │", "?? ?    |", true}, // as a log does
		{"日本 é", "?? x", false},
		{"日本 é", "?? ?x", false},
		{"日本 ab", "?? a b", false},
	} {
		if err := sameInASCII(c.plain, c.ascii); (err == nil) != c.same {
			t.Errorf("%q, %q: %v", c.plain, c.ascii, err)
		}
	}
}

func TestTrim(t *testing.T) {
	for frame, want := range map[string]string{"": "", "  \n \n": "", "a  \n\n b \n  \n": "a\n\n b\n"} {
		if got := trim(frame); got != want {
			t.Errorf("%q: %q, not %q", frame, got, want)
		}
	}
}
