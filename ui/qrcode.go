package ui

import (
	"strings"

	"rsc.io/qr"

	"flwrup/ui/style"
)

// qrLines draws text as a QR code, two modules a cell, with a quiet zone of two modules. It returns nil when
// it cannot: no Unicode, or too long. Phones want dark on light, so it brings its own colours. Without colour
// it relies on the assumed background.
func qrLines(s *style.Set, text string) []string {
	if s.ASCII {
		return nil
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil
	}
	const quiet = 2
	black := func(x, y int) bool { // qr answers false next to the code
		return code.Black(x-quiet, y-quiet)
	}
	size := code.Size + 2*quiet
	inverted := s.NoColor && s.Dark // drawn cells shine, others are dark
	var out []string
	for y := 0; y < size; y += 2 {
		var b strings.Builder
		for x := range size {
			top, bottom := black(x, y), y+1 < size && black(x, y+1)
			if inverted {
				top, bottom = !top, y+1 < size && !bottom
			}
			switch {
			case top && bottom:
				b.WriteString("█")
			case top:
				b.WriteString("▀")
			case bottom:
				b.WriteString("▄")
			default:
				b.WriteString(" ")
			}
		}
		out = append(out, s.QR.Render(b.String()))
	}
	return out
}
