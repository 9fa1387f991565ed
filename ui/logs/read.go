package logs

import (
	"strings"
	"time"
	"unicode/utf8"

	"flwrup/internal/supernode"
	"flwrup/internal/termsafe"
)

// Level is the severity of a line.
type Level uint8

// Levels, rising. None is for a line without a level: the output of an app.
const (
	None Level = iota
	Debug
	Info
	Warning
	Error
)

func (l Level) String() string {
	return [...]string{"none", "debug", "info", "warning", "error"}[l]
}

// mark is a landmark in a SuperNode's life, or a remark of flwrup's own between its lines.
type mark uint8

const (
	noMark mark = iota
	markBegan
	markOnline
	markRun
	markRunOver
	markRefused
	markRetry
	markBack
	markEnded
	markNote
)

// words are the meanings of marks, shown in front of the line; "" when the line itself says it.
var words = [...]string{
	markBegan: "", markOnline: "online", markRun: "run started", markRunOver: "run over",
	markRefused: "refused", markRetry: "", markBack: "", markEnded: "", markNote: "",
}

// maxText is the longest text that an entry can hold; termsafe cuts far below it.
const maxText = 1<<16 - 1

// reader turns one node's lines into entries. It knows the lines of flwr 1.24 to 1.42, whose format is
// a padded level, a colon and spaces in front ("INFO :      SuperNode ID: …", flwr/common/logger.py).
type reader struct {
	last    int64
	level   Level // of the line before, for the lines that belong to it
	trace   bool  // within a Python traceback
	refused bool  // told since the SuperNode began
	dense   bool  // empty lines are left out
	runs    []string
}

// maxRuns bounds how many runs a reader remembers as begun.
const maxRuns = 64

// read adds line to b.
func (r *reader) read(line supernode.Line, b *batch) {
	text := line.Text
	if !tame(text) {
		text = termsafe.Line(text)
		if len(text) > maxText {
			text = strings.ToValidUTF8(text[:maxText], "")
		}
	}
	e := entry{time: line.Time.UnixNano()}
	if line.Time.IsZero() {
		e.time = time.Now().UnixNano()
	}
	inError := r.level == Error
	level, skip := r.levelOf(text)
	if r.dense && strings.TrimSpace(text[skip:]) == "" {
		return
	}
	m, run := r.markOf(text[skip:])
	begins := level == Error && skip > 0 || !inError && strings.HasPrefix(text, "Traceback (")
	e.kind, e.skip = newKind(level, m), uint8(skip)
	if line.Time.IsZero() {
		e.kind |= untimed
	}
	if begins || m == markRefused {
		b.errs = append(b.errs, uint32(len(b.entries)))
	}
	if run != "" {
		b.runs = append(b.runs, run)
	}
	b.add(text, e)
}

// tame reports whether text is surely safe: short, printable ASCII and tabs. Other text goes through termsafe
// once more; a source that has done so already loses nothing by it.
func tame(text string) bool {
	if len(text) > termsafe.MaxLine {
		return false
	}
	for i := 0; i < len(text); i++ {
		if c := text[i]; c < 0x20 && c != '\t' || c >= 0x7f {
			return false
		}
	}
	return true
}

var levels = [...]struct {
	word  string
	level Level
}{
	{"INFO", Info}, {"WARNING", Warning}, {"ERROR", Error}, {"DEBUG", Debug}, {"CRITICAL", Error},
	{"FATAL", Error}, {"WARN", Warning},
}

// levelOf returns the line's level and how many bytes its prefix has.
func (r *reader) levelOf(text string) (Level, int) {
	if l, n := prefix(text); n > 0 {
		r.level, r.trace = l, false
		return l, n
	}
	switch {
	case strings.HasPrefix(text, "Traceback (most recent call last)"):
		r.level, r.trace = Error, true
		return Error, 0
	case text != "" && (text[0] == ' ' || text[0] == '\t' || text[0] == '>'):
		return r.level, 0 // continues the line before
	case r.trace && text != "": // the exception itself, the last line of a traceback
		r.trace = false
		r.level = None
		return Error, 0
	case r.trace:
		return Error, 0
	}
	r.level = glog(text)
	return r.level, 0
}

// prefix reads "INFO :      " and "INFO:     ": a level's word, spaces, a colon, spaces.
func prefix(text string) (Level, int) {
	for _, l := range levels {
		rest, ok := strings.CutPrefix(text, l.word)
		if !ok {
			continue
		}
		rest, ok = strings.CutPrefix(strings.TrimLeft(rest, " "), ":")
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, " ")
		if n := len(text) - len(rest); n < 64 {
			return l.level, n
		}
	}
	return None, 0
}

// glog reads the level letter of gRPC's own lines: "I1123 02:12:55.963651   15495 file.cc:1] …".
func glog(text string) Level {
	if len(text) < 6 || text[5] != ' ' || strings.Trim(text[1:5], "0123456789") != "" {
		return None
	}
	switch text[0] {
	case 'I':
		return Info
	case 'W':
		return Warning
	case 'E', 'F':
		return Error
	}
	return None
}

// markOf finds the landmarks of a SuperNode's log and the run that began, if one did. Texts from
// flwr/supernode/start_client_internal.py, the retry invokers and recorded sessions of 1.24 to 1.42.
func (r *reader) markOf(text string) (mark, string) {
	if text == "" {
		return noMark, ""
	}
	switch text[0] {
	case 'S':
		switch {
		case strings.HasPrefix(text, "SuperNode ID: "):
			r.refused = false
			return markOnline, ""
		case strings.HasPrefix(text, "Starting Flower SuperNode"):
			r.refused = false
			return markBegan, ""
		case strings.HasPrefix(text, "SuperNode terminated gracefully"):
			return markEnded, ""
		}
	case '[':
		if id := runOf(text); id != "" {
			return r.begins(id)
		}
	case 'R':
		if strings.HasPrefix(text, "Run ID ") && strings.Contains(text, " is not in `RUNNING` status") ||
			strings.HasPrefix(text, "Run transitioned to a non-`RUNNING` status") {
			return markRunOver, ""
		}
	case 'C':
		switch {
		case strings.HasPrefix(text, "Connection attempt failed, retrying in "):
			return markRetry, ""
		case strings.HasPrefix(text, "Connection successful after "):
			return markBack, ""
		}
	}
	if !r.refused && r.level == Error && (strings.Contains(text, "Failed to activate SuperNode") ||
		strings.Contains(text, "No SuperNode found with the given public key") ||
		strings.Contains(text, "could not be activated") || strings.HasPrefix(text, "Exit Code: 305")) {
		r.refused = true
		return markRefused, ""
	}
	return noMark, ""
}

// runOf returns the run ID of "[RUN 1762309077582676982]" and "[RUN 17…, ROUND 2]".
func runOf(text string) string {
	rest, ok := strings.CutPrefix(text, "[RUN ")
	if !ok {
		return ""
	}
	end := 0
	for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
		end++
	}
	if end == 0 || end == len(rest) || rest[end] != ']' && rest[end] != ',' {
		return ""
	}
	return rest[:end]
}

func (r *reader) begins(id string) (mark, string) {
	for _, known := range r.runs {
		if known == id {
			return noMark, ""
		}
	}
	if len(r.runs) == maxRuns {
		r.runs = r.runs[:copy(r.runs, r.runs[1:])]
	}
	id = strings.Clone(id) // not the whole line
	r.runs = append(r.runs, id)
	return markRun, id
}

// fold returns the first place of the lower-case ASCII needle in text, whatever text's case; -1 if none.
func fold(text []byte, needle string) int {
	first := needle[0]
	for i := 0; i+len(needle) <= len(text); i++ {
		if lower(text[i]) != first {
			continue
		}
		j := 1
		for j < len(needle) && lower(text[i+j]) == needle[j] {
			j++
		}
		if j == len(needle) {
			return i
		}
	}
	return -1
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func ascii(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
