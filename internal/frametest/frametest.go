// Package frametest holds frames of the screen against golden files: at three sizes, in colour, without
// colour, and in ASCII. Every frame is held to its size, to what its terminal can show, and to saying
// without colour what it says in colour.
package frametest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	_ "github.com/charmbracelet/x/exp/golden" // has the flag -update, which teatest brings along as well
)

// Mode is a kind of terminal.
type Mode struct {
	Name           string
	NoColor, ASCII bool
}

// Modes are the terminals that frames are drawn for, Sizes their columns and rows.
var (
	Modes = []Mode{{Name: "colour"}, {"plain", true, false}, {"ascii", true, true}}
	Sizes = [][2]int{{40, 15}, {80, 24}, {120, 40}}
)

// Golden draws every named scene at every size and mode with draw, checks the frames, and compares them
// with one file for a size and mode in testdata. With -update it writes these files.
func Golden(t *testing.T, names []string, draw func(t testing.TB, scene int, mode Mode, w, h int) string) {
	for _, size := range Sizes {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) {
			files := make([]strings.Builder, len(Modes))
			for i, name := range names {
				frames := make([]string, len(Modes))
				for k, mode := range Modes {
					frames[k] = draw(t, i, mode, size[0], size[1])
					Check(t, name, frames[k], size[0], size[1], mode)
					fmt.Fprintf(&files[k], "=== %s\n", name)
					for _, l := range strings.Split(frames[k], "\n") {
						files[k].WriteString(strings.TrimRight(l, " ") + "\n")
					}
				}
				if said(frames[0]) != said(frames[1]) {
					t.Errorf("%s: without colour it says something else:\n%s\nin colour:\n%s", name, frames[1], ansi.Strip(frames[0]))
				}
			}
			for k, mode := range Modes {
				compare(t, filepath.Join("testdata", fmt.Sprintf("%dx%d-%s.golden", size[0], size[1], mode.Name)), files[k].String())
			}
		})
	}
}

// said is what can be read in a frame. A cursor shows as "_" where there is no colour to reverse, and a QR
// code is drawn the other way round.
func said(frame string) string {
	frame = ansi.Strip(strings.ReplaceAll(frame, "\x1b[7m \x1b[0m", "_"))
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("█▀▄ ", r) {
			return -1
		}
		return r
	}, frame)
}

// Check holds a frame to its size and mode: h lines, none wider than w, no control characters, and no
// sequences but those of colours.
func Check(t testing.TB, what, frame string, w, h int, mode Mode) {
	t.Helper()
	lines := strings.Split(frame, "\n")
	if len(lines) != h {
		t.Errorf("%s: %d lines of %d", what, len(lines), h)
	}
	for _, l := range lines {
		if n := ansi.StringWidth(l); n > w {
			t.Errorf("%s: %d cells of %d: %q", what, n, w, l)
		}
		seen := ansi.Strip(l)
		for _, r := range seen {
			if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x7f && mode.ASCII {
				t.Errorf("%s: %q in %q", what, r, l)
				break
			}
		}
		if mode.NoColor && seen != l {
			t.Errorf("%s: styling where none is wanted: %q", what, l)
		}
	}
	var state byte
	for rest := frame; rest != ""; {
		seq, _, n, next := ansi.DecodeSequence(rest, state, nil)
		state, rest = next, rest[n:]
		if strings.HasPrefix(seq, "\x1b") && !(strings.HasPrefix(seq, "\x1b[") && strings.HasSuffix(seq, "m")) {
			t.Errorf("%s: %q is no colour", what, seq)
		}
	}
}

func compare(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	head := ""
	for i := range g {
		if strings.HasPrefix(g[i], "=== ") {
			head = g[i]
		}
		if i >= len(w) || g[i] != w[i] {
			was := "nothing"
			if i < len(w) {
				was = w[i]
			}
			t.Fatalf("%s line %d, %s:\n got %q\nwant %q\n(go test ./ui/... -update writes it anew; look at the difference)", file, i+1, head, g[i], was)
		}
	}
	t.Fatalf("%s has more than is drawn", file)
}
