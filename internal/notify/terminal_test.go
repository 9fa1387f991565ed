package notify

import (
	"strings"
	"testing"
	"time"
)

func TestSequence(t *testing.T) {
	at := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	list := []Entry{{Kind: Lost, What: Node, Name: "a;b\x1b\\\x07c\u009c", At: at, Cause: "killed\x07\n;x"}}
	for _, c := range []struct{ kind, env, begins, ends string }{
		{"", "TERM=xterm-256color", "\x1b]9;flwrup 4,1 study: a,bc is lost\x07", ""},
		{"", "TERM=foot", "\x1b]777;notify;flwrup 4,1 study: a,bc is lost;a,bc is lost since ", ": killed ,x\x07"},
		{"", "TERM=xterm VTE_VERSION=7600", "\x1b]777;notify;", "\x07"},
		{"osc9", "TERM=foot", "\x1b]9;flwrup", "lost\x07"},
		{"osc777", "TERM=xterm", "\x1b]777;notify;", "\x07"},
		{"", "TERM=tmux-256color TMUX=/x", "\x1bPtmux;\x1b\x1b]9;flwrup", "\x07\x1b\\"},
		{"", "TERM=screen", "\x1bP\x1b]9;flwrup", "\x07\x1b\\"},
		{"off", "TERM=xterm", "", ""},
		{"", "TERM=linux", "", ""},
		{"", "TERM=dumb", "", ""},
		{"", "", "", ""},
	} {
		got := Sequence("4;1 study", list, c.kind, func(name string) string {
			for _, pair := range strings.Fields(c.env) {
				if k, v, _ := strings.Cut(pair, "="); k == name {
					return v
				}
			}
			return ""
		})
		if !strings.HasPrefix(got, c.begins) || !strings.HasSuffix(got, c.ends) || (got == "") != (c.begins == "") || strings.Count(got, "\x07") > 1 || strings.Contains(got, "\u009c") {
			t.Errorf("%s, %s: %q", c.kind, c.env, got)
		}
	}
}
