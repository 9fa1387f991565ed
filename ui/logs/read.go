package logs

import (
	"strings"
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
	markTask   // a message of a run came; tasks says when it was answered
	markAnswer // the answer to it
	markDull   // says nothing that the lines around it do not say
	markTrace  // of a traceback, but for its last line
	markRaise  // the last line of a traceback: what was raised
	markRule   // what flwrup knows of the SuperNode, across the log
)

// folded reports whether lines with the mark are left out until someone unfolds them.
func (m mark) folded() bool { return m == markAnswer || m == markDull || m == markTrace }

// words are the meanings of marks, shown in front of the line; "" when the line itself says it.
var words = [...]string{
	markOnline: "online", markRun: "run started", markRunOver: "run over", markRefused: "refused", markRaise: "error", markRule: "",
}

// maxText is the longest text that an entry can hold; termsafe cuts far below it.
const maxText = 1<<16 - 1

// reader turns one node's lines into entries. It knows the lines of flwr 1.24 to 1.42, whose format is
// a padded level, a colon and spaces in front ("INFO :      SuperNode ID: …", flwr/common/logger.py).
type reader struct {
	last    int64
	stamp   int64 // the last time that a line carried
	level   Level // of the line before, for the lines that belong to it
	trace   bool  // within a Python traceback
	alone   bool  // the traceback is an error of its own, and not of the line in front of it
	refused bool  // told since the SuperNode began
	runs    []string
	run     string // of the last line that names one
	open    []openTask
	tasks   uint32 // how many there were so far
}

// openTask is a message without an answer so far.
type openTask struct {
	run, what string
	number    uint32
	came      int64
}

// maxOpen bounds how many messages wait for an answer; a SuperNode works on one or a few at a time.
const maxOpen = 16

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
		e.time = r.stamp
	}
	r.stamp = e.time
	inError, inTrace := r.level == Error, r.trace
	level, skip := r.levelOf(text)
	m, run := r.markOf(text[skip:])
	begins := level == Error && skip > 0
	if m == noMark {
		m = r.markOfTrace(text, skip, inError, inTrace)
		begins = begins || m == markRaise && r.alone
	}
	e.kind, e.skip = newKind(level, m), uint8(skip)
	if line.Time.IsZero() {
		e.kind |= untimed
	}
	at := uint32(len(b.entries))
	if begins || m == markRefused {
		b.errs = append(b.errs, at)
	}
	if level == Warning && skip > 0 {
		b.warns = append(b.warns, at)
	}
	if run != "" {
		b.runs = append(b.runs, run)
	}
	r.task(text[skip:], m, e.time, at, b)
	b.add(text, e)
}

// joins are the lines between two tracebacks of which one led to the other.
var joins = []string{"During handling of the above exception, another exception occurred:",
	"The above exception was the direct cause of the following exception:"}

func joinsTraces(text string) bool { return text == joins[0] || text == joins[1] }

// markOfTrace finds the lines of tracebacks, and those that say nothing.
func (r *reader) markOfTrace(text string, skip int, inError, inTrace bool) mark {
	switch {
	case skip == 0 && joinsTraces(text):
		r.trace, r.level = true, Error
		return markTrace
	case r.trace && skip == 0:
		if !inTrace {
			r.alone = !inError
		}
		return markTrace
	case inTrace && skip == 0 && text != "":
		return markRaise
	}
	switch rest := text[skip:]; {
	case strings.TrimSpace(rest) == "", rest == "Received successfully", rest == "Sent successfully",
		rest == "Start `flwr-clientapp` process" && len(r.open) > 0, rest[0] == '[' && runOf(rest) != "":
		return markDull
	case skip > 0 && webServer(rest):
		return markDull
	}
	return noMark
}

// webServer reports whether a SuperNode's own web server tells of its start: flwr says so in front of it and behind it.
func webServer(text string) bool {
	switch text[0] {
	case 'S':
		return strings.HasPrefix(text, "Started server process [")
	case 'W':
		return text == "Waiting for application startup."
	case 'A':
		return text == "Application startup complete."
	case 'F':
		return text == "FastAPI lifespan: startup"
	case 'U':
		return strings.HasPrefix(text, "Uvicorn running on ")
	}
	return false
}

// task notes a message that came, and its answer.
func (r *reader) task(text string, m mark, at int64, entry uint32, b *batch) {
	switch m {
	case markTask:
		r.tasks++
		if len(r.open) == maxOpen {
			r.open = r.open[:copy(r.open, r.open[1:])]
		}
		r.open = append(r.open, openTask{r.run, strings.Clone(messageOf(text)), r.tasks, at})
		b.tasks = append(b.tasks, taskNews{number: r.tasks, entry: entry, took: waits})
	case markAnswer:
		i := r.waiting(messageOf(text))
		b.tasks = append(b.tasks, taskNews{number: r.open[i].number, entry: entry, took: max(0, at-r.open[i].came)})
		r.open = append(r.open[:i], r.open[i+1:]...)
	case markBegan:
		for _, o := range r.open {
			b.tasks = append(b.tasks, taskNews{number: o.number, entry: entry, took: unanswered})
		}
		r.open = nil
	}
}

// waiting returns which open task an answer belongs to, -1 for none.
func (r *reader) waiting(what string) int {
	for i, o := range r.open {
		if o.run == r.run && o.what == what {
			return i
		}
	}
	return -1
}

// messageOf returns "train" of "Receiving: train message (ID: …)" and of "Sending: train message (ID: …)".
func messageOf(text string) string {
	_, rest, ok := strings.Cut(text, ": ")
	what, _, found := strings.Cut(rest, " message (ID: ")
	if !ok || !found || len(what) > 64 {
		return ""
	}
	return what
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
		case strings.HasPrefix(text, "Sending: ") && r.waiting(messageOf(text)) >= 0:
			return markAnswer, ""
		case strings.HasPrefix(text, "SuperNode terminated gracefully"):
			return markEnded, ""
		}
	case '[':
		if id := runOf(text); id != "" {
			return r.begins(id)
		}
	case 'R':
		if strings.HasPrefix(text, "Receiving: ") && messageOf(text) != "" {
			return markTask, ""
		}
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
			r.run = known
			return noMark, ""
		}
	}
	if len(r.runs) == maxRuns {
		r.runs = r.runs[:copy(r.runs, r.runs[1:])]
	}
	id = strings.Clone(id) // not the whole line
	r.runs, r.run = append(r.runs, id), id
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
