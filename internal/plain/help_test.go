//go:build unix

package plain

import (
	"bytes"
	"os"
	"testing"

	"github.com/creack/pty"

	"flwrup/internal/front"
)

// Every line of a question's help is indented. On a terminal words and paths stay in one piece.
func TestHelpOfAQuestion(t *testing.T) {
	q := front.Question{Ask: "Accept it?", Help: "In the file:\n  data: lets the apps read and change /srv/patient-data/2026\n  env: hands on DB_PASSWORD"}
	keyboard, screen, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer keyboard.Close()
	defer screen.Close()
	if err := pty.Setsize(screen, &pty.Winsize{Rows: 24, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	pipe, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	for in, want := range map[*os.File]string{
		pipe:   "\n    Accept it?\n    In the file:\n      data: lets the apps read and change /srv/patient-data/2026\n      env: hands on DB_PASSWORD\n",
		screen: "\n    Accept it?\n    In the file:\n      data: lets the apps read and change\n        /srv/patient-data/2026\n      env: hands on DB_PASSWORD\n",
	} {
		var out bytes.Buffer
		(&Front{Out: &out, In: in}).question(q)
		if out.String() != want {
			t.Errorf("on %s:\n%s\nwant\n%s", in.Name(), out.String(), want)
		}
	}
}
