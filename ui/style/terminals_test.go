package style

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/charmbracelet/x/ansi"
)

// emoji are the characters of Unicode that have the property Emoji, up to U+3299; all of U+1F000 and beyond counts as well.
var emoji = func() map[rune]bool {
	all := map[rune]bool{}
	for _, part := range strings.Fields("A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB 25B6 25C0 25FB-25FE " +
		"2600-2604 260E 2611 2614-2615 2618 261D 2620 2622-2623 2626 262A 262E-262F 2638-263A 2640 2642 2648-2653 265F-2660 2663 2665-2666 2668 267B 267E-267F " +
		"2692-2697 2699 269B-269C 26A0-26A1 26A7 26AA-26AB 26B0-26B1 26BD-26BE 26C4-26C5 26C8 26CE-26CF 26D1 26D3-26D4 26E9-26EA 26F0-26F5 26F7-26FA 26FD " +
		"2702 2705 2708-270D 270F 2712 2714 2716 271D 2721 2728 2733-2734 2744 2747 274C 274E 2753-2755 2757 2763-2764 2795-2797 27A1 27B0 27BF " +
		"2934-2935 2B05-2B07 2B1B-2B1C 2B50 2B55 3030 303D 3297 3299") {
		var from, to rune
		if n, _ := fmt.Sscanf(part, "%x-%x", &from, &to); n == 1 {
			to = from
		}
		for r := from; r <= to; r++ {
			all[r] = true
		}
	}
	return all
}()

// TestSignsOfTheTerminal: each character beyond letters that flwrup draws is in the table of docs/terminals.md, takes one
// cell, and is no emoji, nor one that some terminals draw as an emoji.
func TestSignsOfTheTerminal(t *testing.T) {
	page, err := os.ReadFile("../../docs/terminals.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[rune]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| (\S+) \| U\+`).FindAllStringSubmatch(string(page), -1) {
		for _, r := range m[1] {
			listed[r] = true
		}
	}
	if len(listed) < 40 {
		t.Fatalf("only %d characters are in the table", len(listed))
	}
	where := map[rune]string{}
	see := func(text, place string) {
		for _, r := range text {
			if r > unicode.MaxASCII && !unicode.IsLetter(r) && where[r] == "" {
				where[r] = place
			}
		}
	}
	signs := reflect.ValueOf(New(Options{}).Signs)
	for i := range signs.NumField() {
		see(fmt.Sprint(signs.Field(i).Interface()), "Signs."+signs.Type().Field(i).Name)
	}
	files, err := filepath.Glob("../testdata/*.txtar")
	for _, dir := range []string{"dash", "logs"} {
		more, _ := filepath.Glob("../" + dir + "/testdata/*.txtar") // a pattern that is right
		files = append(files, more...)
	}
	if err != nil || len(files) < 15 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		see(string(text), file)
	}
	for r, place := range where {
		switch one := ansi.StringWidth(string(r)); {
		case one != 1:
			t.Errorf("%s: %c U+%04X takes %d cells", place, r, r, one)
		case emoji[r] || r >= 0x1f000:
			t.Errorf("%s: %c U+%04X is an emoji on some terminals", place, r, r)
		case !listed[r]:
			t.Errorf("%s: %c U+%04X is not in docs/terminals.md: look at it on the terminals there, and add a row", place, r, r)
		}
	}
	for _, bad := range "✔▶⚠ℹ↔" {
		if !emoji[bad] {
			t.Errorf("%c is not found", bad)
		}
	}
	if strings.Contains(string(page), "\ufe0f") {
		t.Error("a sign of the table is drawn as an emoji")
	}
}
