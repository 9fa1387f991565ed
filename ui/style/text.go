package style

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"flwrup/internal/front"
)

// Width returns how many cells text takes; styling counts nothing.
func Width(text string) int {
	for i := 0; i < len(text); i++ {
		if text[i] < 0x20 || text[i] > 0x7e {
			return ansi.StringWidth(text)
		}
	}
	return len(text) // printable ASCII: a cell a byte
}

// Cut shortens text to width cells, with an ellipsis for the part that is left out.
func (s *Set) Cut(text string, width int) string {
	if width <= 0 {
		return ""
	}
	if Width(text) <= width {
		return text
	}
	return ansi.Truncate(text, width, s.Signs.Ellipsis)
}

// Pad cuts text to width cells or fills it up with blanks to exactly that.
func (s *Set) Pad(text string, width int) string {
	have := Width(text)
	if have > width {
		text = s.Cut(text, width)
		have = Width(text)
	}
	if have < width {
		text += strings.Repeat(" ", width-have)
	}
	return text
}

// Fit makes a block exactly width × height: lines cut or padded, missing ones added, surplus dropped.
func (s *Set) Fit(lines []string, width, height int) []string {
	out := make([]string, max(height, 0))
	for i := range out {
		if i < len(lines) {
			out[i] = s.Pad(lines[i], width)
		} else {
			out[i] = strings.Repeat(" ", max(width, 0))
		}
	}
	return out
}

// Wrap breaks text at blanks into lines of at most width cells; a longer word is broken anywhere.
func Wrap(text string, width int) []string {
	if width <= 0 {
		return nil
	}
	return strings.Split(ansi.Wrap(text, width, ""), "\n")
}

// HardWrap breaks text into pieces of exactly width cells and adds nothing, so that the pieces joined are the
// text again: for text that the user selects with the mouse.
func HardWrap(text string, width int) []string {
	if width <= 0 {
		return nil
	}
	return strings.Split(ansi.Hardwrap(text, width, true), "\n")
}

// Bar returns a bar of width cells, done of total full.
func (s *Set) Bar(done, total int64, width int) string {
	if width <= 0 || total <= 0 {
		return ""
	}
	full := int(float64(width) * float64(min(max(done, 0), total)) / float64(total))
	return s.Accent.Render(strings.Repeat(s.Signs.BarFull, full)) +
		s.Faint.Render(strings.Repeat(s.Signs.BarEmpty, width-full))
}

// Age writes a duration as people say it, in at most four characters up to days: 4s, 12m, 3h, 2d.
func Age(d time.Duration) string {
	switch {
	case d < 0:
		return "0s"
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dd", int(d.Hours()/24))
}

// Uptime writes how long something has gone on, in steps, so that the screen stands still: 45s, 7m, 1h 07m, 3d 04h.
func Uptime(d time.Duration) string {
	switch m := int(d.Minutes()); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, int(d.Seconds())))
	case m < 60:
		return fmt.Sprintf("%dm", m)
	case m < 24*60:
		return fmt.Sprintf("%dh %02dm", m/60, m%60)
	default:
		return fmt.Sprintf("%dd %02dh", m/60/24, m/60%24)
	}
}

// Took writes how long something took that is over: 0.4s, 52s, 8m 52s, 1h 07m, 3d 04h.
func Took(d time.Duration) string {
	switch {
	case d < 10*time.Second:
		return fmt.Sprintf("%.1fs", max(0, d.Seconds()))
	case d >= time.Minute && d < time.Hour:
		return fmt.Sprintf("%dm %02ds", int(d.Minutes()), int(d.Seconds())%60)
	}
	return Uptime(d)
}

// Clock writes a duration as a running clock: 0:07, 12:30, 1:02:03.
func Clock(d time.Duration) string {
	n := max(int(d.Seconds()), 0)
	if n >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", n/3600, n/60%60, n%60)
	}
	return fmt.Sprintf("%d:%02d", n/60, n%60)
}

// RunClock writes how long a run has been in its present state, or took in all once it is over.
func RunClock(r front.RunView, now time.Time) string {
	if d := r.Clock(now); r.Status.Ended() {
		return Took(d)
	} else {
		return Clock(d)
	}
}

// Bytes writes a size with a unit: 188M, 1.2G.
func Bytes(n uint64) string {
	f, units := float64(n), "BKMGT"
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if f < 10 && i > 2 {
		return fmt.Sprintf("%.1f%c", f, units[i])
	}
	return fmt.Sprintf("%.0f%c", f, units[i])
}

// Caret draws the cursor of a text field on top of one character.
func (s *Set) Caret(on string) string {
	if !s.NoColor {
		return s.Match.Render(on)
	}
	if on == " " {
		return "_"
	}
	return "|" + on
}
