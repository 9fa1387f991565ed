package frametest

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

// Picture is a scene that the documentation shows.
type Picture struct {
	Name  string // of the files: NAME-dark.svg, NAME-light.svg
	Scene string // "step14/at work"
	W, H  int
	Says  string // what it shows, for those who cannot see it

	NoColor, ASCII bool // the terminal has no colours; its locale is not UTF-8
}

var writePictures = flag.Bool("pictures", false, "write the pictures of the documentation")

// Pictures draws scenes as SVG files in dir, on a dark and on a light terminal. A file that is not what is drawn
// fails, as does one that no picture draws. With -pictures it writes and removes them.
func Pictures(t *testing.T, dir string, scenes []Scene, list []Picture) {
	have := map[string]bool{}
	for _, p := range list {
		i := slices.IndexFunc(scenes, func(s Scene) bool { return s.File+"/"+s.Name == p.Scene })
		if i < 0 {
			t.Errorf("%s: no scene %q", p.Name, p.Scene)
			continue
		}
		for _, light := range []bool{false, true} {
			mode, name := Mode{Name: "colour", Light: light, NoColor: p.NoColor, ASCII: p.ASCII}, p.Name+"-dark.svg"
			if light {
				name = p.Name + "-light.svg"
			}
			have[name] = true
			drawn := SVG(scenes[i].Draw(t, mode, p.W, p.H), p.W, p.H, light, p.Says)
			file := filepath.Join(dir, name)
			if *writePictures {
				if err := os.WriteFile(file, drawn, 0o644); err != nil { //nolint:gosec // documentation
					t.Error(err)
				}
				continue
			}
			if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, drawn) {
				t.Errorf("%s is not what flwrup shows: go test ./ui -run TestPictures -pictures draws it (%v)", name, err)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if have[filepath.Base(file)] {
			continue
		}
		if !*writePictures {
			t.Errorf("%s: no picture draws it", file)
		} else if err := os.Remove(file); err != nil {
			t.Error(err)
		}
	}
}

// Sizes in a picture: of a cell, of the letters, and of the border.
const (
	cellW, cellH, letters, border = 8.4, 18.0, 14.0, 16.0
)

// look is how a run of cells is drawn.
type look struct {
	fg, bg                                  string // "#rrggbb"; "" is the terminal's own
	bold, faint, italic, underline, reverse bool
}

// SVG draws a frame as a terminal shows it. Text stays text, in the reader's own monospaced font: every run is as
// wide as its cells, whatever that font is.
func SVG(frame string, w, h int, light bool, title string) []byte {
	back, fore := "#12151b", "#d5d9e0"
	if light {
		back, fore = "#fbfbfa", "#24292f"
	}
	var shapes rectangles
	var texts strings.Builder
	for y, line := range strings.Split(frame, "\n") {
		x, at, from := 0, look{}, 0
		var run strings.Builder
		var lookOf look
		flush := func() {
			text := run.String()
			run.Reset()
			shown := strings.TrimRight(text, " ")
			lead := len(shown) - len(strings.TrimLeft(shown, " "))
			if lookOf.underline {
				shown, lead = text, 0
			}
			cells := ansi.StringWidth(shown) - lead
			if cells <= 0 {
				return
			}
			fmt.Fprintf(&texts, `<text x="%s" y="%s" textLength="%s"%s>%s</text>`+"\n", number(border+float64(from+lead)*cellW), number(border+float64(y)*cellH+13.4),
				number(float64(cells)*cellW), attributes(lookOf, back, fore), escape(shown[lead:]))
		}
		for state := byte(0); line != ""; {
			cell, width, n, next := ansi.DecodeSequence(line, state, nil)
			line, state = line[n:], next
			if width == 0 {
				if strings.HasPrefix(cell, "\x1b[") && strings.HasSuffix(cell, "m") {
					at = at.with(cell[2 : len(cell)-1])
				}
				continue
			}
			bg := at.bg
			if at.reverse {
				bg = orElse(at.fg, fore)
			}
			if bg != "" {
				shapes.add(float64(x), float64(y), float64(width), 1, bg)
			}
			if parts := shape(cell); parts != nil {
				flush()
				ink := orElse(at.fg, fore)
				if at.reverse {
					ink = orElse(at.bg, back)
				}
				for _, p := range parts {
					shapes.add(float64(x)+p[0], float64(y)+p[1], p[2], p[3], ink)
				}
			} else {
				if run.Len() == 0 || at != lookOf {
					flush()
					lookOf, from = at, x
				}
				run.WriteString(cell)
			}
			x += width
		}
		flush()
	}
	width, height := 2*border+float64(w)*cellW, 2*border+float64(h)*cellH
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %s %s" width="%s" height="%s" role="img">
<title>%s</title>
<rect width="100%%" height="100%%" rx="9" fill="%s"/>
`, number(width), number(height), number(width), number(height), escape(title), back)
	shapes.write(&b)
	fmt.Fprintf(&b, `<g font-family="ui-monospace, SF Mono, Cascadia Mono, Menlo, DejaVu Sans Mono, Consolas, monospace" font-size="%s" fill="%s" xml:space="preserve">`+"\n", number(letters), fore)
	b.WriteString(texts.String())
	b.WriteString("</g>\n</svg>\n")
	return b.Bytes()
}

// rectangles are what is not text, in cells.
type rectangles []rectangle

type rectangle struct {
	x, y, w, h float64
	ink        string
}

// add puts a rectangle next to the last one where it goes on with it.
func (r *rectangles) add(x, y, w, h float64, ink string) {
	for i := len(*r) - 1; i >= 0 && i >= len(*r)-4; i-- {
		if last := &(*r)[i]; last.ink == ink && last.y == y && last.h == h && math.Abs(last.x+last.w-x) < 0.01 {
			last.w += w
			return
		}
	}
	*r = append(*r, rectangle{x, y, w, h, ink})
}

func (r rectangles) write(b *bytes.Buffer) {
	for _, c := range r {
		fmt.Fprintf(b, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n", number(border+c.x*cellW), number(border+c.y*cellH), number(c.w*cellW), number(c.h*cellH), c.ink)
	}
}

func number(v float64) string {
	return strings.TrimSuffix(strings.TrimRight(strconv.FormatFloat(v, 'f', 1, 64), "0"), ".")
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // writing to memory does not fail
	return b.String()
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func attributes(l look, back, fore string) string {
	ink := l.fg
	if l.reverse {
		ink = orElse(l.bg, back)
	}
	var b strings.Builder
	if ink != "" && ink != fore {
		fmt.Fprintf(&b, ` fill="%s"`, ink)
	}
	for _, a := range []struct {
		is   bool
		text string
	}{{l.bold, ` font-weight="bold"`}, {l.faint, ` opacity=".6"`}, {l.italic, ` font-style="italic"`}, {l.underline, ` text-decoration="underline"`}} {
		if a.is {
			b.WriteString(a.text)
		}
	}
	return b.String()
}

// arms are the directions of the lines in a character: left, right, up, down.
var arms = map[string]string{"│": "ud", "┬": "lrd", "┴": "lru", "├": "udr", "┤": "udl", "┼": "lrud",
	"┌": "rd", "┐": "ld", "└": "ru", "┘": "lu", "╭": "rd", "╮": "ld", "╰": "ru", "╯": "lu"}

// shape returns the rectangles of a block element or a line, in parts of a cell: x, y, width, height. Fonts draw
// them in different sizes, with gaps between. It returns nil for letters.
func shape(cell string) (parts [][4]float64) {
	const thin, flat = 0.14, 0.07 // of a line: a part of the width, and of the height
	if cell == "─" {              // in one piece, so that a rule is one
		return [][4]float64{{0, 0.5 - flat/2, 1, flat}}
	}
	for _, arm := range arms[cell] {
		switch arm {
		case 'l':
			parts = append(parts, [4]float64{0, 0.5 - flat/2, 0.5 + thin/2, flat})
		case 'r':
			parts = append(parts, [4]float64{0.5 - thin/2, 0.5 - flat/2, 0.5 + thin/2, flat})
		case 'u':
			parts = append(parts, [4]float64{0.5 - thin/2, 0, thin, 0.5 + flat/2})
		case 'd':
			parts = append(parts, [4]float64{0.5 - thin/2, 0.5 - flat/2, thin, 0.5 + flat/2})
		}
	}
	switch r := []rune(cell); {
	case len(r) != 1:
	case r[0] == '▀':
		return [][4]float64{{0, 0, 1, 0.5}}
	case r[0] >= '▁' && r[0] <= '█': // eighths, from below
		n := float64(r[0]-'▁'+1) / 8
		return [][4]float64{{0, 1 - n, 1, n}}
	}
	return parts
}

// with returns l after the parameters of a sequence of colours and styles.
func (l look) with(params string) look {
	list := strings.Split(params, ";")
	for i := 0; i < len(list); i++ {
		n, _ := strconv.Atoi(list[i])
		switch {
		case n == 0:
			l = look{}
		case n == 1:
			l.bold = true
		case n == 2:
			l.faint = true
		case n == 3:
			l.italic = true
		case n == 4:
			l.underline = true
		case n == 7:
			l.reverse = true
		case n == 39:
			l.fg = ""
		case n == 49:
			l.bg = ""
		case n == 38 || n == 48:
			if i+2 >= len(list) || list[i+1] != "5" {
				return l
			}
			c, _ := strconv.Atoi(list[i+2])
			if i += 2; n == 38 {
				l.fg = hex(c)
			} else {
				l.bg = hex(c)
			}
		case n >= 30 && n <= 37:
			l.fg = hex(n - 30)
		case n >= 40 && n <= 47:
			l.bg = hex(n - 40)
		case n >= 90 && n <= 97:
			l.fg = hex(n - 82)
		}
	}
	return l
}

func hex(n int) string {
	r, g, b, _ := color.Color(ansi.IndexedColor(n)).RGBA()
	return fmt.Sprintf("#%02x%02x%02x", r>>8, g>>8, b>>8)
}

// PictureTag shows a picture in Markdown, dark or light as the reader's page is.
func PictureTag(dir string, p Picture) string {
	return fmt.Sprintf(`<picture>
  <source media="(prefers-color-scheme: dark)" srcset="%s%s-dark.svg">
  <img alt="%s" src="%s%s-light.svg">
</picture>`, dir, p.Name, p.Says, dir, p.Name)
}

// Page compares a page of the documentation with what it has to be; with -pictures it writes it.
func Page(t *testing.T, file, text string) {
	t.Helper()
	if *writePictures {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil { //nolint:gosec // documentation
			t.Error(err)
		}
		return
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != text {
		t.Errorf("%s is out of date: go test ./ui -run TestPictures -pictures writes it (%v)", file, err)
	}
}
