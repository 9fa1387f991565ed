package notify

import (
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	mostScreen = 700 // bytes of a sequence that GNU Screen passes on
	mostNotice = 200 // characters of a text
)

// Sequence returns what makes a terminal show a notification of entries: OSC 9, or OSC 777 for terminals that know that
// alone. It is "" where the person wants none, and for a terminal that would print it.
func Sequence(project string, list []Entry, kind string, env func(string) string) string {
	term := env("TERM")
	if kind == TerminalOff || term == "" || term == "dumb" || term == "linux" || len(list) == 0 {
		return ""
	}
	m := Message{Project: projectName(project)}
	var lines []string
	for _, e := range list {
		e = e.clean()
		m.Entries = append(m.Entries, e)
		lines = append(lines, e.Line())
	}
	m.write()
	title, body := inSequence("flwrup "+m.Title), inSequence(strings.Join(lines, ", "))
	if kind == "" && (strings.HasPrefix(term, "foot") || strings.HasPrefix(term, "rxvt") || env("VTE_VERSION") != "") {
		kind = TerminalOSC777
	}
	seq := ansi.Notify(title)
	if kind == TerminalOSC777 {
		seq = ansi.URxvtExt("notify", title, body)
	}
	switch {
	case env("TMUX") != "":
		return ansi.TmuxPassthrough(seq)
	case strings.HasPrefix(term, "screen"):
		return ansi.ScreenPassthrough(seq, mostScreen)
	}
	return seq
}

// inSequence makes text part of a sequence: no control character ends it, and no semicolon begins another field.
func inSequence(text string) string {
	return cut(strings.ReplaceAll(Entry{Cause: text}.clean().Cause, ";", ","), mostNotice)
}
