// Package frametest checks frames of the screen at several sizes, in colour, without colour and in ASCII. It
// keeps those that a reviewer reads in txtar files, one for each step or page.
package frametest

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aymanbagabas/go-udiff"
	"github.com/charmbracelet/x/ansi"
	_ "github.com/charmbracelet/x/exp/golden" // has the flag -update, which teatest brings along as well
	"golang.org/x/tools/txtar"
)

// Mode is a kind of terminal.
type Mode struct {
	Name           string
	NoColor, ASCII bool
	Light          bool // background; only pictures have it
}

// Modes are the terminals that frames are drawn for, Sizes their columns and rows. Every scene is kept at the
// first size.
var (
	Modes = []Mode{{Name: "colour"}, {Name: "plain", NoColor: true}, {Name: "ascii", NoColor: true, ASCII: true}}
	Sizes = [][2]int{{80, 24}, {40, 15}, {120, 40}, {200, 60}}
)

// Scene is one state of a screen.
type Scene struct {
	File string // of testdata, without .txtar
	Name string // unique in File
	Draw func(t testing.TB, mode Mode, w, h int) string

	// Whole is set for a whole screen, which fills every line. A part may leave lines short.
	Whole bool

	// OwnASCII says why the ASCII frame is not the plain one with other signs; empty if it is.
	OwnASCII string
}

// frame is the name of a scene's frame in a file: columns, rows, and the mode unless it is plain.
func frame(size [2]int, mode Mode) string {
	name := fmt.Sprintf("%dx%d", size[0], size[1])
	if mode.Name != "plain" {
		name += "-" + mode.Name
	}
	return name
}

var frameName = regexp.MustCompile(`^(.+)/(\d+)x(\d+)(-colour|-ascii)?$`)

// Golden draws every scene at every size and mode and checks the frames. The files in testdata keep each scene
// at 80x24 without colour, its ASCII frame if it has its own, and the frames that also names, such as
// "step03/done/120x40-colour"; these may have a size of their own. A frame that differs from its file fails,
// as does one that is missing or that no scene draws. With -update, Golden writes the files and removes
// those without a scene. A package calls it once.
func Golden(t *testing.T, scenes []Scene, also ...string) {
	var files []string
	byFile := map[string][]Scene{}
	sizes := map[string][][2]int{}
	keep := map[string]bool{}
	for _, s := range scenes {
		if byFile[s.File] == nil {
			files = append(files, s.File)
		}
		byFile[s.File] = append(byFile[s.File], s)
		key := s.File + "/" + s.Name
		if sizes[key] != nil {
			t.Errorf("two scenes are called %s", key)
		}
		sizes[key] = slices.Clone(Sizes)
		keep[key+"/"+frame(Sizes[0], Modes[1])] = true
		if s.OwnASCII != "" {
			keep[key+"/"+frame(Sizes[0], Modes[2])] = true
		}
	}
	for _, name := range also {
		m := frameName.FindStringSubmatch(name)
		if m == nil || sizes[m[1]] == nil || keep[name] {
			t.Errorf("%s: not a frame, not a scene, or kept already", name)
			continue
		}
		var size [2]int
		fmt.Sscan(m[2]+" "+m[3], &size[0], &size[1])
		if !slices.Contains(sizes[m[1]], size) {
			sizes[m[1]] = append(sizes[m[1]], size)
		}
		keep[name] = true
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel() // some scenes wait for what they show
			kept := &txtar.Archive{Comment: []byte("Frames of the screen, written by go test ./ui/... -update\n\n")}
			for _, s := range byFile[file] {
				for _, f := range s.frames(t, sizes[file+"/"+s.Name]) {
					if keep[file+"/"+f.Name] {
						kept.Files = append(kept.Files, f)
					}
				}
			}
			compare(t, filepath.Join("testdata", file+".txtar"), kept)
		})
	}
	stale, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stale {
		switch file := strings.TrimSuffix(filepath.Base(path), ".txtar"); {
		case byFile[file] != nil:
		case !updating():
			t.Errorf("%s has no scene; go test ./ui/... -update removes it", path)
		default:
			if err := os.Remove(path); err != nil {
				t.Error(err)
			}
		}
	}
}

// frames draws the scene in every mode and checks each frame, also against those of the other modes.
func (s Scene) frames(t *testing.T, sizes [][2]int) (list []txtar.File) {
	own := false
	for _, size := range sizes {
		drawn := make([]string, len(Modes))
		for k, mode := range Modes {
			name := s.Name + "/" + frame(size, mode)
			drawn[k] = s.Draw(t, mode, size[0], size[1])
			Check(t, name, drawn[k], size[0], size[1], mode)
			for l := range strings.SplitSeq(drawn[k], "\n") {
				if n := ansi.StringWidth(l); s.Whole && n != size[0] {
					t.Errorf("%s: %d cells of %d on a whole screen: %q", name, n, size[0], l)
				}
			}
			list = append(list, txtar.File{Name: name, Data: []byte(trim(drawn[k]))})
		}
		colour, plain, ascii := drawn[0], drawn[1], drawn[2]
		if said(colour) != said(plain) {
			t.Errorf("%s/%s: without colour it says something else:\n%s", s.Name, frame(size, Modes[1]),
				udiff.Unified("colour", "plain", ansi.Strip(colour)+"\n", plain+"\n"))
		}
		if err := sameInASCII(plain, ascii); err != nil {
			own = true
			if s.OwnASCII == "" {
				t.Errorf("%s/%s: %v", s.Name, frame(size, Modes[2]), err)
			}
		}
	}
	if s.OwnASCII != "" && !own {
		t.Errorf("%s: the ASCII frame is the plain one with other signs; %q is no longer true", s.Name, s.OwnASCII)
	}
	return list
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

// trim drops the blanks at the end of each line and the empty lines at the end. Check has counted them.
func trim(frame string) string {
	lines := strings.Split(frame, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	text := strings.TrimRight(strings.Join(lines, "\n"), "\n")
	if text == "" {
		return ""
	}
	return text + "\n"
}

// Check reports a frame that has not h lines, a line wider than w, a control character, a sequence that is no
// colour, or a character that the mode cannot show.
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

func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// compare compares the frames with a file, frame by frame, or writes the file.
func compare(t *testing.T, path string, kept *txtar.Archive) {
	t.Helper()
	drawn := txtar.Format(kept)
	if updating() {
		if err := os.WriteFile(path, drawn, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) == string(drawn) && len(txtar.Parse(have).Files) == len(kept.Files) {
		return
	}
	t.Errorf("%s is not what is drawn; go test ./ui/... -update writes it, git diff shows the difference", path)
	was := map[string]string{}
	for _, f := range txtar.Parse(have).Files {
		was[f.Name] = string(f.Data)
	}
	for _, f := range kept.Files {
		want, ok := was[f.Name]
		delete(was, f.Name)
		if !ok {
			t.Errorf("%s has no frame %s", path, f.Name)
		} else if want != string(f.Data) {
			t.Errorf("%s", udiff.Unified(path+" "+f.Name, "drawn", want, string(f.Data)))
		}
	}
	for name := range was {
		t.Errorf("%s has %s, but no scene draws it", path, name)
	}
}
