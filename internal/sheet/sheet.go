// Package sheet writes tables that leave flwrup: as CSV for a spreadsheet, as Markdown for a message.
// Their cells come from grids and apps, and whoever opens the table must get text and numbers only.
package sheet

import (
	"encoding/csv"
	"regexp"
	"strings"

	"flwrup/internal/termsafe"
)

// CSV writes rows as RFC 4180 has it, with CR LF at the end of each. Every cell goes through Cell.
func CSV(rows [][]string) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, c := range row {
			cells[i] = Cell(c)
		}
		_ = w.Write(cells) // a strings.Builder never fails
	}
	w.Flush()
	return b.String()
}

var number = regexp.MustCompile(`^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)

// formula finds where a spreadsheet would see the beginning of a formula: at the beginning of the cell, and
// behind what separates cells where commas do not. Excel takes the full-width signs as well.
var formula = regexp.MustCompile(`(^|[,;|\t"'])([\s\p{Z}"'` + "`" + `]*)([=+\-@%＝＋－＠])`)

// Cell makes text harmless in a spreadsheet: an apostrophe stands before each sign that would begin a
// formula. A number stays a number, a minus within a word stays as it is.
func Cell(text string) string {
	text = termsafe.Line(text)
	if number.MatchString(text) {
		return text
	}
	text = strings.ReplaceAll(text, "\t", " ")
	return formula.ReplaceAllString(text, "$1$2'$3")
}

// Markdown makes text literal in a Markdown table or line: no link, image, HTML, code or emphasis comes of
// it, and no cell ends early.
func Markdown(text string) string {
	text = strings.ReplaceAll(termsafe.Line(text), "\t", " ")
	var b strings.Builder
	for i, r := range text {
		switch {
		case strings.ContainsRune("\\`*{}[]<>()#!|~&$^", r),
			r == '_' && !inWord(text, i),
			r == ':' && strings.HasPrefix(text[i:], ":/"), // https://… becomes a link
			r == '.' && i >= 3 && strings.EqualFold(text[i-3:i], "www"),
			(r == '-' || r == '+' || r == '=') && strings.TrimSpace(text[:i]) == "":
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// inWord reports whether the underscore at i joins two letters or digits: then it emphasises nothing.
func inWord(text string, i int) bool {
	return i > 0 && i+1 < len(text) && wordByte(text[i-1]) && wordByte(text[i+1])
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
