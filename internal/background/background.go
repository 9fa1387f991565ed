// Package background decides, before anybody asks the terminal, whether its background is dark.
//
// Bubble Tea v1 puts that question to the terminal in its own init and waits five seconds where nobody
// answers: a pty in CI, script(1), some remote shells. Every command would pay for it. Go initialises
// packages in the order of their import paths as soon as what they import is ready, so this package, whose
// path sorts before github.com/charmbracelet/bubbletea, goes first. It must therefore import nothing
// that Bubble Tea does not import itself.
package background

import (
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"
)

func init() { lipgloss.SetHasDarkBackground(Dark(os.Getenv("COLORFGBG"))) }

// Dark reads COLORFGBG ("15;0", "0;default;15": foreground first, background last, as rxvt, Konsole and
// others set it). Without it the background is taken to be dark, as most are.
func Dark(colorfgbg string) bool {
	n, err := strconv.Atoi(colorfgbg[strings.LastIndex(colorfgbg, ";")+1:])
	if err != nil {
		return true
	}
	return n != 7 && (n < 9 || n > 15)
}
