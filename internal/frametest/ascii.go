package frametest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"flwrup/ui/style"
)

// inASCII are the ways to write a character beyond ASCII: the signs of the two tables of style, the lines of a
// chart, and what words and logs of flwr use. Any other one becomes "?", once a cell.
var inASCII = func() map[string][]string {
	all := map[string][]string{
		"┤": {"|"}, "┼": {"+"}, "├": {"+"}, "└": {"+"}, "╭": {"*"}, "╮": {"*"}, "╯": {"*"}, "╰": {"*"},
		"─": {"*"}, "│": {"*"}, // of a curve; the signs have them as rules
		"→": {">"}, "×": {"x"},
	}
	wide := reflect.ValueOf(style.New(style.Options{}).Signs)
	plain := reflect.ValueOf(style.New(style.Options{ASCII: true}).Signs)
	for i := range wide.NumField() {
		switch from := wide.Field(i).Interface().(type) {
		case string:
			all[from] = append(all[from], plain.Field(i).String())
		case []string:
			to := plain.Field(i).Interface().([]string)
			for k, sign := range from {
				if len(to) == len(from) {
					all[sign] = append(all[sign], to[k])
				} else { // a spinner with fewer pictures
					all[sign] = append(all[sign], to...)
				}
			}
		}
	}
	return all
}()

// sameInASCII reports where the ASCII frame differs from the plain one in more than its signs.
func sameInASCII(plain, ascii string) error {
	from, to := strings.Split(plain, "\n"), strings.Split(ascii, "\n")
	if len(from) != len(to) {
		return fmt.Errorf("%d lines in ASCII, %d without", len(to), len(from))
	}
	for i := range from {
		if !sameLine(from[i], to[i], false) && !sameLine(from[i], to[i], true) {
			return fmt.Errorf("line %d in ASCII is not the plain one:\n%s\n%s", i+1, from[i], to[i])
		}
	}
	return nil
}

// sameLine compares a line cell by cell. A log writes one "?" for a wide character: with narrow, so does this,
// and what follows may be moved by blanks.
func sameLine(plain, ascii string, narrow bool) bool {
	moved := false
	for state := byte(0); plain != ""; {
		cell, w, n, next := ansi.DecodeSequence(plain, state, nil)
		plain, state = plain[n:], next
		if narrow && w > 1 {
			moved, w = true, 1
		}
		if len(ascii) < w || !spells(ascii[:w], cell) {
			return false
		}
		ascii = ascii[w:]
		if moved && cell == " " {
			plain, ascii = strings.TrimLeft(plain, " "), strings.TrimLeft(ascii, " ")
		}
	}
	return ascii == "" || moved && strings.Trim(ascii, " ") == ""
}

// spells reports whether ascii stands for the cell.
func spells(ascii, cell string) bool {
	if len(cell) == 1 {
		return ascii == cell
	}
	if ways := inASCII[cell]; ways != nil {
		return slices.Contains(ways, ascii)
	}
	return ascii == strings.Repeat("?", len(ascii))
}
