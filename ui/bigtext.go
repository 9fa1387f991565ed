package ui

import (
	"strings"

	"flwrup/ui/style"
)

// glyphs are letters five rows high, for a code that is read from across the desk. A 0 has a stroke to
// distinguish it from an O.
var glyphs = map[rune][5]string{
	'A': {" ## ", "#  #", "####", "#  #", "#  #"}, 'B': {"### ", "#  #", "### ", "#  #", "### "},
	'C': {" ###", "#   ", "#   ", "#   ", " ###"}, 'D': {"### ", "#  #", "#  #", "#  #", "### "},
	'E': {"####", "#   ", "### ", "#   ", "####"}, 'F': {"####", "#   ", "### ", "#   ", "#   "},
	'G': {" ###", "#   ", "# ##", "#  #", " ###"}, 'H': {"#  #", "#  #", "####", "#  #", "#  #"},
	'I': {"###", " # ", " # ", " # ", "###"}, 'J': {"  ##", "   #", "   #", "#  #", " ## "},
	'K': {"#  #", "# # ", "##  ", "# # ", "#  #"}, 'L': {"#   ", "#   ", "#   ", "#   ", "####"},
	'M': {"#   #", "## ##", "# # #", "#   #", "#   #"}, 'N': {"#   #", "##  #", "# # #", "#  ##", "#   #"},
	'O': {" ## ", "#  #", "#  #", "#  #", " ## "}, 'P': {"### ", "#  #", "### ", "#   ", "#   "},
	'Q': {" ## ", "#  #", "#  #", "# ##", " ###"}, 'R': {"### ", "#  #", "### ", "# # ", "#  #"},
	'S': {" ###", "#   ", " ## ", "   #", "### "}, 'T': {"#####", "  #  ", "  #  ", "  #  ", "  #  "},
	'U': {"#  #", "#  #", "#  #", "#  #", " ## "}, 'V': {"#   #", "#   #", " # # ", " # # ", "  #  "},
	'W': {"#   #", "#   #", "# # #", "## ##", "#   #"}, 'X': {"#   #", " # # ", "  #  ", " # # ", "#   #"},
	'Y': {"#   #", " # # ", "  #  ", "  #  ", "  #  "}, 'Z': {"####", "  # ", " #  ", "#   ", "####"},
	'0': {" ### ", "#  ##", "# # #", "##  #", " ### "}, '1': {" # ", "## ", " # ", " # ", "###"},
	'2': {"### ", "   #", " ## ", "#   ", "####"}, '3': {"### ", "   #", " ## ", "   #", "### "},
	'4': {"#  #", "#  #", "####", "   #", "   #"}, '5': {"####", "#   ", "### ", "   #", "### "},
	'6': {" ## ", "#   ", "### ", "#  #", " ## "}, '7': {"####", "   #", "  # ", " #  ", " #  "},
	'8': {" ## ", "#  #", " ## ", "#  #", " ## "}, '9': {" ## ", "#  #", " ###", "   #", " ## "},
	'-': {"   ", "   ", "###", "   ", "   "},
}

// bigText draws text five rows high, or letter-spaced in one row where that does not fit or a character
// has no large form.
func bigText(s *style.Set, text string, width int) []string {
	rows := make([]string, 5)
	for i, r := range strings.ToUpper(text) {
		g, ok := glyphs[r]
		if !ok {
			rows = nil
			break
		}
		for y := range rows {
			if i > 0 {
				rows[y] += " "
			}
			rows[y] += g[y]
		}
	}
	if len(rows) == 0 || style.Width(rows[0]) > width {
		spaced := strings.Join(strings.Split(text, ""), " ")
		if width > 0 && style.Width(spaced) > width {
			spaced = text
		}
		return []string{s.Selected.Render(spaced)}
	}
	for y := range rows {
		rows[y] = s.Selected.Render(strings.ReplaceAll(rows[y], "#", s.Signs.BarFull))
	}
	return rows
}
