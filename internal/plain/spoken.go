package plain

import (
	"regexp"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

// longest is how long a line of a text gets. What a person types or copies stays in one piece.
const longest = 200

// sentence is the end of one, where a long line is broken first.
var sentence = regexp.MustCompile(`[.;:] `)

// Folded breaks a line of text into lines that a screen reader reads in one breath: after a sentence, else between
// words. Further lines are indented as the first.
func Folded(text string) []string {
	lead := text[:len(text)-len(strings.TrimLeft(text, " "))]
	var lines []string
	for ansi.StringWidth(text) > longest {
		at := 0
		for _, m := range sentence.FindAllStringIndex(text, -1) {
			if ansi.StringWidth(text[:m[1]-1]) <= longest {
				at = m[1]
			}
		}
		if at <= len(lead)+longest/4 {
			at = strings.LastIndexByte(ansi.Truncate(text, longest, ""), ' ') + 1
		}
		if at <= len(lead) { // one long word
			break
		}
		lines = append(lines, strings.TrimRight(text[:at], " "))
		text = lead + text[at:]
	}
	return append(lines, text)
}

// sign is a sign at the start of a line, after the number of a step.
var sign = regexp.MustCompile(`^( *(?:\d+ )?)([✓✗∅◷!·…?]) +`)

// spoken returns a line about steps for people who hear it: a word for its sign.
func spoken(line string) string {
	return withWords(line, map[string]string{"✓": "done: ", "✗": "failed: ", "∅": "not needed: ", "◷": "waiting: ", "!": "attention: ", "…": "working: "})
}

// Unsigned returns a line that has words for its state already: without its sign.
func Unsigned(line string) string { return withWords(line, map[string]string{"!": "attention: "}) }

// withWords replaces the sign of a line by its word; a sign without one is left out.
func withWords(line string, words map[string]string) string {
	m := sign.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	return m[1] + words[m[2]] + line[len(m[0]):]
}
