package logs

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"flwrup/internal/supernode"
)

// Lines as SuperNodes of flwr 1.24 to 1.42 wrote them, colours already removed.
func TestRead(t *testing.T) {
	tests := []struct {
		text  string
		level Level
		mark  mark
		rest  string // the rest without the level's prefix
		error bool   // an error begins here
	}{
		{"INFO :      Starting Flower SuperNode", Info, markBegan, "Starting Flower SuperNode", false},
		{"INFO :      SuperNode ID: 11843878913437196669", Info, markOnline, "SuperNode ID: 11843878913437196669", false},
		{"INFO :      ", Info, markDull, "", false},
		{"INFO :      [RUN 1762309077582676982]", Info, markRun, "[RUN 1762309077582676982]", false},
		{"INFO :      [RUN 1762309077582676982]", Info, markDull, "[RUN 1762309077582676982]", false},
		{"INFO :      [RUN 8894709339875389874, ROUND 1]", Info, markRun, "[RUN 8894709339875389874, ROUND 1]", false},
		{"INFO :      Run ID 12 is not in `RUNNING` status. Ignoring message a.", Info, markRunOver, "", false},
		{"INFO :      [RUN x]", Info, noMark, "[RUN x]", false},
		{"WARNING :   Connection attempt failed, retrying in 0.83 seconds", Warning, markRetry, "", false},
		{"INFO :      Connection successful after 3.10 seconds and 3 tries.", Info, markBack, "", false},
		{"INFO:     Waiting for application startup.", Info, markDull, "Waiting for application startup.", false},
		{"ERROR :     SSL/TLS handshake error detected.", Error, noMark, "", true},
		{"ERROR :     <_InactiveRpcError of RPC that terminated with:", Error, noMark, "", true},
		{"\tstatus = StatusCode.FAILED_PRECONDITION", Error, noMark, "", false},
		{"\tdetails = \"No SuperNode found with the given public key.\"", Error, markRefused, "", true},
		{">", Error, noMark, ">", false},
		{"Traceback (most recent call last):", Error, markTrace, "", false}, // of the error in front of it
		{"  File \"flower-supernode\", line 10, in <module>", Error, markTrace, "", false},
		{"RuntimeError: generator didn't yield", Error, markRaise, "", false},
		{"Traceback (most recent call last):", Error, markTrace, "", false},
		{"ValueError: x", Error, markRaise, "", true},
		{"an app's own words", None, noMark, "", false},
		{"INFO :      Starting Flower SuperNode", Info, markBegan, "", false},
		{"ERROR :     Exit Code: 305", Error, markRefused, "Exit Code: 305", true},
		{"I1123 02:12:55.963651   15495 ssl_transport_security.cc:2563] Handshake failed", Info, noMark, "", false},
		{"E1123 02:12:55.963651   15495 x.cc:1] no", Error, noMark, "", false},
		{"INFO :      SuperNode terminated gracefully.", Info, markEnded, "", false},
		{"INFORMATION: no level", None, noMark, "INFORMATION: no level", false},
		{"DEBUG :     x", Debug, noMark, "x", false},
	}
	var r reader
	b := new(batch)
	for i, tt := range tests {
		r.read(supernode.Line{Time: time.Unix(int64(i), 0), Text: tt.text}, b)
		e := b.entries[i]
		if e.kind.level() != tt.level || e.kind.mark() != tt.mark {
			t.Errorf("%q: level %v, mark %d; want %v, %d", tt.text, e.kind.level(), e.kind.mark(), tt.level, tt.mark)
		}
		if rest := tt.text[e.skip:]; tt.rest != "" && rest != tt.rest {
			t.Errorf("%q: shown as %q", tt.text, rest)
		}
		begins := len(b.errs) > 0 && b.errs[len(b.errs)-1] == uint32(i)
		if begins != tt.error {
			t.Errorf("%q: an error begins: %v", tt.text, begins)
		}
	}
	if got := strings.Join(b.runs, " "); got != "1762309077582676982 8894709339875389874" {
		t.Errorf("runs %s", got)
	}
}

func TestReadIsSafeByItself(t *testing.T) {
	var r reader
	b := new(batch)
	for _, text := range []string{"\x1b]52;c;aGk=\x07x", "a\x9b2Jb", "\x1b[91mERROR \x1b[0m:     no", "a\x00b", "x\u202ey", "\xff", strings.Repeat("x", 1<<20)} {
		r.read(supernode.Line{Text: text}, b)
	}
	for i := range b.entries {
		text := string((&block{buf: b.buf, entries: b.entries}).text(i))
		if strings.ContainsAny(text, "\x1b\x00\x07\u009b\u202e") || !utf8.ValidString(text) || len(text) > 9000 {
			t.Errorf("line %d: %.100q", i, text)
		}
	}
	if b.entries[2].kind.level() != Error {
		t.Error("the level of a coloured line is not seen")
	}
}
