package ui

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/admission"
	"flwrup/internal/front"
	"flwrup/internal/termsafe"
	"flwrup/internal/wording"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// form asks one question in the screen. Enter alone takes the default if there is one.
type form struct {
	s      *style.Set
	p      *pending
	input  textinput.Model
	first  string // AskSecret, twice: the first text
	second bool
	cursor int // AskChoice: index; AskConfirm, AskAcknowledge: 0 yes, 1 no, -1 nothing yet
	err    error
}

func newForm(s *style.Set, p *pending) *form {
	f := &form{s: s, p: p, input: textinput.New()}
	f.input.Prompt = ""
	f.input.Cursor.SetMode(cursor.CursorStatic)
	f.input.CharLimit = 4096
	if p.q.Kind == front.AskLetter {
		f.input.CharLimit = 1 << 17 // more than any letter has
	}
	f.input.Focus()
	switch p.q.Kind {
	case front.AskChoice:
		f.cursor = -1
		for i, c := range p.q.Choices {
			if c.Value == p.q.Default && !c.Disabled {
				f.cursor = i
			}
		}
		if f.cursor < 0 && p.q.Default == "" { // where the user must answer, nothing is chosen yet
			return f
		}
		if f.cursor < 0 {
			f.move(1)
		}
	case front.AskConfirm, front.AskAcknowledge:
		f.cursor = -1
		switch p.q.Default {
		case "yes":
			f.cursor = 0
		case "no", "later":
			f.cursor = 1
		}
	}
	return f
}

// typing reports whether letters are text and not key bindings.
func (f *form) typing() bool {
	switch f.p.q.Kind {
	case front.AskText, front.AskSecret, front.AskLetter:
		return true
	}
	return false
}

// no returns the word for a negative answer.
func (f *form) no() string {
	if f.p.q.Kind == front.AskAcknowledge {
		return "later"
	}
	return "no"
}

var errAnswer = errors.New("this needs an answer")

// update handles a key. answered is true once the answer has been sent; taken is false for a key that means
// nothing here.
func (f *form) update(msg tea.KeyMsg) (answered, taken bool) {
	switch f.p.q.Kind {
	case front.AskChoice:
		return f.choose(msg)
	case front.AskConfirm, front.AskAcknowledge:
		return f.decide(msg)
	}
	switch msg.Type {
	case tea.KeyEnter:
		if f.p.q.Kind == front.AskLetter && admission.Unfinished(f.input.Value()) { // a terminal that pastes line by line
			f.input.SetValue(f.input.Value() + " ")
			f.input.CursorEnd()
			return false, true
		}
		return f.submit(), true
	case tea.KeyEsc, tea.KeyCtrlC, tea.KeyPgUp, tea.KeyPgDown:
		return false, false
	case tea.KeyUp, tea.KeyDown:
		if f.p.q.Kind == front.AskNumber {
			f.count(msg.Type == tea.KeyUp)
		}
		return false, true
	}
	if f.p.q.Kind == front.AskNumber && msg.Type == tea.KeyRunes && !msg.Paste && !unicode.IsDigit(msg.Runes[0]) {
		f.err = errors.New("a whole number")
		return false, false // a letter is no part of a number, so it is a key
	}
	if f.p.q.Kind == front.AskLetter { // nothing hidden in a path; in a letter it means nothing
		msg.Runes = slices.DeleteFunc(slices.Clone(msg.Runes), termsafe.Hidden)
	}
	f.input, _ = f.input.Update(msg) // the cursor stands still, so there is no command to pass on
	f.err = nil
	if v := f.value(); v != "" && !f.second {
		f.err = f.valid(v)
	}
	return false, true
}

// count moves a number up or down, where the result is valid.
func (f *form) count(up bool) {
	n, err := strconv.Atoi(f.answer())
	if err != nil {
		return
	}
	if n--; up {
		n += 2
	}
	if text := strconv.Itoa(n); f.valid(text) == nil {
		f.input.SetValue(text)
		f.input.CursorEnd()
		f.err = nil
	}
}

func (f *form) value() string {
	if f.p.q.Kind == front.AskSecret {
		return f.input.Value()
	}
	return strings.TrimSpace(f.input.Value())
}

// answer returns the text that Enter would send.
func (f *form) answer() string {
	if v := f.value(); v != "" {
		return v
	}
	return f.p.q.Default
}

func (f *form) valid(v string) error {
	if f.p.q.Kind == front.AskNumber {
		if _, err := strconv.Atoi(v); err != nil {
			return errors.New("a whole number")
		}
	}
	if f.p.q.Validate != nil {
		return f.p.q.Validate(v)
	}
	return nil
}

func (f *form) submit() bool {
	v := f.answer()
	if f.second {
		if f.input.Value() != f.first {
			f.err = errors.New("that is not what was typed before; type it again from the start")
			f.second, f.first = false, ""
			f.input.SetValue("")
			return false
		}
		f.send(f.first)
		return true
	}
	if err := f.valid(v); err != nil {
		f.err = err
		return false
	}
	if v == "" && f.p.q.Validate == nil {
		f.err = errAnswer
		return false
	}
	if f.p.q.Kind == front.AskSecret && f.p.q.Twice && f.value() != "" {
		f.first, f.second, f.err = v, true, nil
		f.input.SetValue("")
		return false
	}
	f.send(v)
	return true
}

// send sends the answer to the waiting job and forgets the typed text.
func (f *form) send(v string) {
	f.p.reply <- v
	f.first = ""
	f.input.SetValue("")
}

func (f *form) choose(msg tea.KeyMsg) (answered, taken bool) {
	switch {
	case key.Matches(msg, keys.up):
		f.move(-1)
	case key.Matches(msg, keys.down), msg.Type == tea.KeyTab:
		f.move(1)
	case key.Matches(msg, keys.enter):
		if f.cursor < 0 {
			f.err = errAnswer
			return false, true
		}
		c := f.p.q.Choices[f.cursor]
		if f.p.q.Validate != nil {
			if f.err = f.p.q.Validate(c.Value); f.err != nil {
				return false, true
			}
		}
		f.send(c.Value)
		return true, true
	default:
		n, err := strconv.Atoi(msg.String())
		if err != nil || n < 1 || n > len(f.p.q.Choices) {
			return false, false
		}
		if c := f.p.q.Choices[n-1]; c.Disabled {
			f.err = errors.New("not possible: " + c.Note)
		} else {
			f.cursor, f.err = n-1, nil
		}
	}
	return false, true
}

// move goes to the next choice that can be taken.
func (f *form) move(by int) {
	f.err = nil
	list := f.p.q.Choices
	for i, n := 0, f.cursor; i < len(list); i++ {
		if n += by; n < 0 {
			n = len(list) - 1
		} else if n >= len(list) {
			n = 0
		}
		if !list[n].Disabled {
			f.cursor = n
			return
		}
	}
}

func (f *form) decide(msg tea.KeyMsg) (answered, taken bool) {
	switch msg.String() {
	case "y", "Y":
		f.send("yes")
		return true, true
	case "n", "N":
		f.send(f.no())
		return true, true
	case "left", "up", "k":
		f.cursor = 0
	case "right", "down", "j":
		f.cursor = 1
	case "tab":
		f.cursor = 1 - max(f.cursor, 0)
	case "enter":
		switch f.cursor {
		case 0:
			f.send("yes")
		case 1:
			f.send(f.no())
		default:
			f.err = errors.New("y or n")
			return false, true
		}
		return true, true
	default:
		return false, false
	}
	return false, true
}

// view draws the question into d. room is how many lines it may take when it can choose.
func (f *form) view(d *doc, room int) {
	q, s := f.p.q, f.s
	if q.Diff != "" {
		for _, l := range diffLines(s, q.Diff, d.width-2) {
			d.line("  " + l)
		}
		d.gap()
	}
	start := len(d.lines)
	d.para(s.Heading, q.Ask, 0)
	if q.Help != "" {
		for _, l := range strings.Split(q.Help, "\n") {
			d.para(s.Dim, l, 0)
		}
	}
	d.gap()
	switch q.Kind {
	case front.AskChoice:
		f.viewChoices(d, room-(len(d.lines)-start)-1)
	case front.AskConfirm, front.AskAcknowledge:
		f.viewButtons(d)
	default:
		f.viewInput(d)
	}
	if f.err != nil {
		d.para(s.Bad, s.Signs.Failed+" "+termsafe.Line(f.err.Error()), 0)
	}
	d.focusFrom(start)
}

func (f *form) viewInput(d *doc) {
	s := f.s
	prompt := s.Accent.Render(s.Signs.Prompt) + " "
	runes, pos := []rune(f.input.Value()), f.input.Position()
	if f.p.q.Kind == front.AskSecret {
		runes = []rune(strings.Repeat(s.Signs.Hidden, len(runes)))
	}
	if len(runes) == 0 {
		hint := f.p.q.Default
		switch {
		case f.second:
			hint = "once more, the same"
		case f.p.q.Kind == front.AskSecret:
			hint = "hidden as you type"
		}
		d.line(prompt + s.Caret(" ") + s.Dim.Render(termsafe.Line(hint)))
		return
	}
	if f.p.q.Kind == front.AskLetter && admission.IsLetter(f.input.Value()) {
		text := wording.Count(len(runes), "character") + " pasted"
		if admission.Unfinished(f.input.Value()) {
			text += "; the end of the letter is missing"
		}
		d.line(prompt + s.Text.Render(text) + s.Caret(" "))
		return
	}
	// Show the part around the cursor.
	room := max(d.width-4, 1)
	from := 0
	for style.Width(string(runes[from:pos])) > room {
		from++
	}
	at, rest := " ", ""
	if pos < len(runes) {
		at, rest = string(runes[pos]), string(runes[pos+1:])
	}
	d.line(prompt + string(runes[from:pos]) + s.Caret(at) + rest)
}

// Notes of a few choices are shown in full, on lines of their own where they need it.
const fewChoices, fewIndent = 6, 4

func (f *form) viewChoices(d *doc, room int) {
	s, list := f.s, f.p.q.Choices
	wide := 0
	for _, c := range list {
		wide = max(wide, style.Width(c.Label))
	}
	wide = min(wide, max(d.width*3/5, 10))
	room = max(room, 4)
	from := 0
	if len(list) > room {
		from = min(max(f.cursor-room/2, 0), len(list)-room)
		list = list[from : from+room]
	}
	for i, c := range list {
		mark, st := "  ", s.Text
		switch {
		case from+i == f.cursor:
			mark, st = s.Accent.Render(s.Signs.Cursor)+" ", s.Selected
		case c.Disabled:
			st = s.Dim
		}
		note := c.Note
		if c.Disabled {
			note = "not possible: " + note
		}
		head := mark + st.Render(s.Pad(c.Label, wide)) + "  "
		if indent := wide + 4; style.Width(note) > d.width-indent && len(f.p.q.Choices) <= fewChoices {
			lines := style.Wrap(note, max(d.width-indent, 1))
			if indent > d.width/2 { // next to the label there is hardly room
				lines = append([]string{""}, style.Wrap(note, max(d.width-fewIndent, 1))...)
				indent = fewIndent
			}
			d.line(head + s.Dim.Render(lines[0]))
			for _, l := range lines[1:] {
				d.line(strings.Repeat(" ", indent) + s.Dim.Render(l))
			}
			continue
		}
		d.line(head + s.Dim.Render(note))
	}
	if from > 0 || from+len(list) < len(f.p.q.Choices) {
		d.line(s.Dim.Render("  " + strconv.Itoa(f.cursor+1) + " of " + strconv.Itoa(len(f.p.q.Choices))))
	}
}

func (f *form) viewButtons(d *doc) {
	s := f.s
	words := []string{"Yes", "No"}
	if f.p.q.Kind == front.AskAcknowledge {
		words[1] = "Later"
	}
	var buttons []string
	for i, w := range words {
		if i == f.cursor {
			buttons = append(buttons, s.Accent.Render(s.Signs.Cursor)+s.Button.Render(" "+w+" "))
		} else {
			buttons = append(buttons, " "+s.Text.Render(" "+w+" "))
		}
	}
	d.line(strings.Join(buttons, " "))
}

// bindings are the keys that mean something in this form.
func (f *form) bindings() []key.Binding {
	take := as(keys.enter, "take it")
	switch f.p.q.Kind {
	case front.AskChoice:
		return []key.Binding{take, keymap.Joined("↑↓", "choose", keymap.Up, keymap.Down)}
	case front.AskConfirm, front.AskAcknowledge:
		return []key.Binding{take, keymap.Yes, as(keymap.No, f.no())}
	case front.AskNumber:
		return []key.Binding{take, keymap.Joined("↑↓", "more, fewer", keymap.Up, keymap.Down)}
	}
	return []key.Binding{take}
}
