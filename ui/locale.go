package ui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// UTF8 reports, from the environment, whether the terminal's locale is UTF-8. The first of LC_ALL, LC_CTYPE
// and LANG that is set decides, as in POSIX. Without any it is the C locale, which is ASCII.
func UTF8(env func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			v = strings.ToLower(v)
			return strings.Contains(v, "utf-8") || strings.Contains(v, "utf8")
		}
	}
	return false
}

// asciiFor are the characters that flwrup's own words use beyond ASCII.
var asciiFor = map[rune]byte{
	'·': '-', '…': '~', '–': '-', '—': '-', '→': '>', '←': '<', '↑': '^', '↓': 'v', '’': '\'', '‘': '\'',
	'“': '"', '”': '"', '✓': '+', '✗': 'X', '◷': '~', '∅': '-', '●': '*', '○': 'o', '≥': '>', '≤': '<', '×': 'x', '•': '*',
	'⇧': '^', '─': '-', '│': '|', '▸': '>', '◆': '*', '░': '.', '█': '#', '\u00a0': ' ',
}

// toASCII replaces every character beyond ASCII by one of the same width.
func toASCII(frame string) string {
	plain := true
	for i := 0; i < len(frame); i++ {
		if frame[i] >= 0x80 {
			plain = false
			break
		}
	}
	if plain {
		return frame
	}
	var b strings.Builder
	b.Grow(len(frame))
	for _, r := range frame {
		if r < 0x80 {
			b.WriteRune(r)
		} else if c, ok := asciiFor[r]; ok {
			b.WriteByte(c)
		} else {
			b.WriteString(strings.Repeat("?", ansi.StringWidth(string(r))))
		}
	}
	return b.String()
}
