// Package plain is the front end without a screen: questions and lines on a pipe, a dumb terminal, a
// screen reader or a script. It drives the same steps through the same events as the wizard.
//
// Its rules: one fact a line, no line is ever redrawn, no colour, a sign at the start of a line is
// followed by a word. No line of text is longer than 200 characters. What programs print is indented. A question comes
// before what helps to answer it, and ends with its default in brackets; an empty answer takes it. Progress goes to the
// log line by line, and not more than every two seconds. A person gets commands on request; for one who listens, signs
// are words.
package plain

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/charmbracelet/x/ansi"
	"golang.org/x/term"

	"flwrup/internal/admission"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/wording"
)

// Front is a steps.Sink that writes lines to Out and reads answers from In.
type Front struct {
	Out   io.Writer
	In    *os.File // nil or not attended: every question gets its default
	Yes   bool     // answer every question with its default
	Quiet bool     // no lines at all: --json
	// Spoken is for people who listen: words instead of signs.
	Spoken bool
	// Commands shows a person the commands of each step; without, ? at a question does.
	Commands bool
	// Progress gets what happens as JSON, an object a line, for programs; nil: nobody wants it.
	Progress io.Writer

	mu       sync.Mutex
	step     front.Step // that is being done
	hidden   []string   // commands of its plan that were not shown
	reader   *bufio.Reader
	lastBar  time.Time
	lastDone int64
	metrics  map[int]map[string]float64
	names    []string // of metrics, as they first came
	sawRun   string
	progress string
	waited   time.Duration // for answers
}

// line writes a line of text, broken where it is too long.
func (f *Front) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if f.Spoken {
		text = spoken(text)
	}
	for _, l := range strings.Split(text, "\n") {
		for _, l := range Folded(l) {
			f.whole(l)
		}
	}
}

// whole writes a line that a person copies, or that a program wrote.
func (f *Front) whole(text string) {
	if !f.Quiet {
		fmt.Fprintln(f.Out, text)
	}
}

// attended reports whether a person answers the questions.
func (f *Front) attended() bool { return !f.Yes && f.In != nil }

// Event writes what happened.
func (f *Front) Event(e front.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if line, ok := lineOf(e); ok {
		f.record(line)
	}
	switch e := e.(type) {
	case front.StepBegan:
		f.line("\n%2d  %s", e.Step.ID(), e.Step.Title())
		f.step = e.Step
	case front.Planned:
		f.planned(e.Actions)
	case front.StepEnded:
		f.stepEnded(e)
	case front.Says:
		f.line("    %s", e.Text)
	case front.Output:
		f.whole("      " + e.Text)
	case front.Progress:
		f.bar(e)
	case front.ItemChanged:
		f.line("    %s %s  %s", e.Item.State.Severity().Sign(false), e.Item.Name, e.Item.Text)
	case front.LoginOpen:
		if e.Warn != "" {
			f.line("    ! check this link first: %s", e.Warn)
		}
		f.line("    open this page in a browser, on this machine or any other, and approve:")
		f.whole("\n" + e.URL + "\n")
		switch {
		case e.Typed:
			f.line("    type this code there: %s", e.Code)
		case e.Code != "":
			f.line("    that page has to show this code: %s", e.Code)
		}
	case front.LoginClosed:
		if e.Approved {
			f.line("    approved")
		}
	case front.NodeLine:
		f.whole("      " + e.Line.Node + " | " + e.Line.Text)
	case front.RunBegan:
		if f.sawRun != e.ID {
			f.sawRun, f.metrics, f.names = e.ID, nil, nil
			f.line("    run %s", e.ID)
		}
	case front.Metric:
		f.metric(e)
	case front.Letter:
		f.line("    the letter to %s is in %s: send it, it holds nothing secret", e.To, e.File)
		f.line("    your words, for the telephone: %s", e.Words)
	}
}

// manyActions is how many actions of a plan a person wants to hear.
const manyActions = 6

// planned says why there is the step that began, and what it would do.
func (f *Front) planned(actions []front.Action) {
	f.line("    %s", f.step.Why())
	f.hidden = nil
	for _, a := range actions {
		if a.Command != "" && f.attended() && !f.Commands {
			f.hidden = append(f.hidden, a.Command)
		}
	}
	for i, a := range actions {
		if i == manyActions && len(actions) > i+1 {
			f.line("    - and %d more: `flwrup plan` has them all", len(actions)-i)
			break
		}
		if a.Says != "" {
			f.line("    - %s", a.Says)
		}
		if a.Command != "" && len(f.hidden) == 0 {
			f.whole("        " + a.Command)
		}
	}
	if n := len(f.hidden); n > 0 {
		f.line("    (%s; type ? at a question to see what runs, or start again with --commands)", wording.Count(n, "command"))
	}
}

// showHidden writes the commands of the step that were left out.
func (f *Front) showHidden() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.hidden) == 0 {
		f.line("    no commands in this step")
	}
	for _, c := range f.hidden {
		f.whole("        " + c)
	}
}

func (f *Front) stepEnded(e front.StepEnded) {
	stands := e.Status.Severity()
	switch {
	case e.Err != nil:
		stands = front.Failing
	case e.Status.State == front.Ready || e.Status.State == front.Blocked: // it was to be done
		stands = front.Warning
	}
	text := e.Status.Why
	if len(e.Status.Evidence) > 0 && e.Status.State != front.NotNeeded {
		text = strings.Join(e.Status.Evidence, "; ")
	}
	if e.Status.State == front.NotNeeded {
		text = "not needed: " + e.Status.Why
	}
	f.line("%2d %s %s  %s", e.Step.ID(), stands.Sign(false), e.Step.Name(), text)
	if e.Err == nil {
		for _, hint := range e.Status.Hints {
			f.line("     ! %s", hint)
		}
	}
	if e.Step.ID() == front.StepMonitor {
		f.table()
	}
}

// bar writes how far some work is, when it ends and at most every two seconds before.
func (f *Front) bar(p front.Progress) {
	full := p.Total > 0 && p.Done >= p.Total
	if f.progress == p.Label && f.lastDone == p.Done && p.Total > 0 {
		return
	}
	if f.progress == p.Label && !full && time.Since(f.lastBar) < 2*time.Second {
		return
	}
	f.progress, f.lastDone, f.lastBar = p.Label, p.Done, time.Now()
	switch {
	case p.Total == 0:
		f.line("    %s", p.Label)
	case p.Bytes:
		f.line("    %s: %d of %d MB", p.Label, p.Done>>20, p.Total>>20)
	case full && p.Total > 1:
		f.line("    %s: %d of %d", p.Label, p.Done, p.Total)
	}
}

func (f *Front) metric(m front.Metric) {
	if f.metrics == nil {
		f.metrics = map[int]map[string]float64{}
	}
	if f.metrics[m.Round] == nil {
		f.metrics[m.Round] = map[string]float64{}
	}
	f.metrics[m.Round][m.Name] = m.Value
	for _, n := range f.names {
		if n == m.Name {
			return
		}
	}
	f.names = append(f.names, m.Name)
}

// Table writes the metrics of all rounds of the run that was followed, a round a line; nothing where there
// are none.
func (f *Front) Table() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table()
}

func (f *Front) table() {
	if len(f.metrics) == 0 {
		return
	}
	head := "    round"
	for _, n := range f.names {
		head += fmt.Sprintf("  %14s", n)
	}
	f.line("\n%s", head)
	last := 0
	for r := range f.metrics {
		last = max(last, r)
	}
	for r := 0; r <= last; r++ {
		values, ok := f.metrics[r]
		if !ok {
			continue
		}
		row := fmt.Sprintf("    %5d", r)
		for _, n := range f.names {
			if v, ok := values[n]; ok {
				row += fmt.Sprintf("  %14.6g", v)
			} else {
				row += fmt.Sprintf("  %14s", "-")
			}
		}
		f.line("%s", row)
	}
}

// Metrics returns the run's metrics so far: by round, and the names in the order they came.
func (f *Front) Metrics() (map[int]map[string]float64, []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.metrics, f.names
}

// Ask puts a question to the person, or answers its default when nobody is there.
func (f *Front) Ask(ctx context.Context, q front.Question) (string, error) {
	if f.Yes || f.In == nil {
		if q.Default != "" {
			line := event{Event: "question", ID: q.ID, Text: q.Ask}
			if q.Kind != front.AskSecret {
				line.Answer = q.Default
			}
			f.mu.Lock()
			f.record(line)
			f.mu.Unlock()
			return q.Default, nil
		}
		p := problem.New(problem.NeedsPerson, "needs an answer: "+q.Ask, q.Help, unattended(q.ID))
		return "", p
	}
	f.mu.Lock()
	f.question(q)
	f.mu.Unlock()
	began := time.Now()
	defer func() {
		f.mu.Lock()
		f.waited += time.Since(began)
		f.mu.Unlock()
	}()
	for {
		answer, err := f.answer(ctx, q)
		if err != nil {
			return "", err
		}
		if answer == "?" && q.Kind != front.AskSecret {
			f.showHidden()
			continue
		}
		if answer == "" {
			answer = q.Default
		}
		if answer, err = normal(q, answer); err == nil {
			return answer, nil
		}
		f.line("    %v", err)
	}
}

// Waited is how long questions have waited for the person's answers.
func (f *Front) Waited() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waited
}

// unattended says how a question can be answered without a person.
func unattended(id string) string {
	switch id {
	case "passphrase":
		return "give --passphrase-file FILE or --backup-recipient age1…, or run flwrup in a terminal"
	case "federation":
		return "give --federation NAME, or run flwrup in a terminal"
	case "app":
		return "give --app DIR (or --app none), or run flwrup in a terminal"
	}
	if variable, ok := strings.CutPrefix(id, "value of "); ok {
		return "set " + variable + " in the environment, or run flwrup in a terminal, without --yes"
	}
	return "run flwrup in a terminal, without --yes"
}

func (f *Front) question(q front.Question) {
	f.line("")
	f.line("    %s", q.Ask)
	if q.Diff != "" {
		for _, l := range strings.Split(strings.TrimRight(q.Diff, "\n"), "\n") {
			f.whole("      " + l)
		}
	}
	if q.Help != "" {
		for _, l := range strings.Split(q.Help, "\n") {
			f.indented(l)
		}
	}
	for i, c := range q.Choices {
		note := ""
		if c.Note != "" {
			note = " (" + c.Note + ")"
		}
		if c.Disabled {
			f.line("     -  %s%s", c.Label, note)
		} else {
			f.line("    %2d  %s%s", i+1, c.Label, note)
		}
	}
}

// noBreak stands for a hyphen while a line is broken.
const noBreak = "\ue000"

// indented writes a line of help. On a terminal it is broken between words, and what follows is indented deeper.
func (f *Front) indented(l string) {
	text := strings.TrimLeft(l, " ")
	lead := "    " + l[:len(l)-len(text)]
	if width, _, err := term.GetSize(int(f.In.Fd())); err == nil && width > 0 {
		text = strings.ReplaceAll(text, "-", noBreak) // a path stays in one piece
		text = strings.ReplaceAll(ansi.Wordwrap(text, max(width-len(lead)-3, 20), ""), noBreak, "-")
	}
	f.line("%s", lead+strings.ReplaceAll(text, "\n", "\n"+lead+"  "))
}

// letterLimit is how many bytes of a pasted letter are read, more than any has.
const letterLimit = 1 << 17

func (f *Front) answer(ctx context.Context, q front.Question) (string, error) {
	prompt := "    Answer"
	switch q.Kind {
	case front.AskConfirm, front.AskAcknowledge:
		prompt += ", yes or no [" + map[bool]string{true: "yes", false: "no"}[q.Default == "yes"] + "]"
	case front.AskSecret:
		prompt += ", hidden as you type"
	default:
		if q.Kind == front.AskChoice {
			prompt += ", a number or a name"
		}
		if q.Default != "" {
			prompt += " [" + q.Default + "]"
		}
	}
	fmt.Fprint(f.Out, prompt+": ")
	if q.Kind != front.AskSecret {
		text, err := f.read(ctx)
		for err == nil && q.Kind == front.AskLetter && admission.Unfinished(text) && len(text) < letterLimit {
			var line string
			line, err = f.read(ctx)
			text += "\n" + line
		}
		return text, err
	}
	secret, err := f.secret(ctx)
	if err != nil || !q.Twice || secret == "" {
		return secret, err
	}
	fmt.Fprint(f.Out, "    Again, hidden as you type: ")
	again, err := f.secret(ctx)
	if err == nil && again != secret {
		f.line("    the two differ: type it again")
		return f.answer(ctx, q)
	}
	return secret, err
}

// read returns one line of input; it returns when ctx ends, too. The goroutine that waits for the terminal
// then ends with the process: nothing can take a read of a terminal back.
func (f *Front) read(ctx context.Context) (string, error) {
	if f.reader == nil {
		f.reader = bufio.NewReader(f.In)
	}
	return await(ctx, func() (string, error) {
		text, err := f.reader.ReadString('\n')
		if err != nil && (text == "" || !errors.Is(err, io.EOF)) {
			return "", problem.New(problem.NeedsPerson, "no answer", "the input has ended", "run flwrup in a terminal, or with --yes")
		}
		return strings.TrimSpace(text), nil
	})
}

func (f *Front) secret(ctx context.Context) (string, error) {
	fd := int(f.In.Fd())
	if !term.IsTerminal(fd) {
		return f.read(ctx)
	}
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	text, err := await(ctx, func() (string, error) {
		b, err := term.ReadPassword(fd)
		return string(b), err
	})
	if err != nil {
		_ = term.Restore(fd, state)
	}
	f.line("")
	return text, err
}

func await(ctx context.Context, read func() (string, error)) (string, error) {
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	safego.Go("read an answer", func(err error) { done <- result{err: err} }, func() {
		text, err := read()
		done <- result{text, err}
	})
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case r := <-done:
		return r.text, r.err
	}
}

// normal turns what was typed into an answer to q, or says what is wrong with it.
func normal(q front.Question, text string) (string, error) {
	switch q.Kind {
	case front.AskChoice:
		for i, c := range q.Choices {
			if (text == c.Value || text == fmt.Sprint(i+1)) && !c.Disabled {
				return c.Value, nil
			}
		}
		return "", fmt.Errorf("type a number from the list")
	case front.AskConfirm, front.AskAcknowledge:
		switch strings.ToLower(text) {
		case "y", "yes":
			return "yes", nil
		case "n", "no", "", "later":
			if q.Kind == front.AskAcknowledge {
				return "later", nil
			}
			return "no", nil
		}
		return "", fmt.Errorf("type yes or no")
	}
	if q.Validate != nil {
		if err := q.Validate(text); err != nil {
			return "", err
		}
	}
	return text, nil
}
