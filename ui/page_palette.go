package ui

import (
	"slices"
	"strings"

	"github.com/charmbracelet/bubbles/cursor"
	"github.com/charmbracelet/bubbles/key"
	"github.com/charmbracelet/bubbles/textinput"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/sahilm/fuzzy"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
	"flwrup/ui/style"
)

// palettePage finds every command by a few letters of its name, and shows its key and its command line.
type palettePage struct {
	text
	below page
	input textinput.Model
	at    int // of found
}

// showPalette opens it over the page on top. The names of SuperNodes come from the dashboard.
func showPalette(m *Model) tea.Cmd {
	p := &palettePage{text: text{m}, below: m.top(), input: textinput.New()}
	p.input.Prompt = ""
	p.input.Cursor.SetMode(cursor.CursorStatic)
	p.input.Focus()
	cmd := m.makeDash()
	m.push(p)
	return tea.Batch(cmd, m.shown())
}

func (p *palettePage) aside() bool        { return p.below.aside() }
func (p *palettePage) step() front.StepID { return noStep }
func (p *palettePage) copies() []entry    { return nil }

func (p *palettePage) bindings() []key.Binding {
	return []key.Binding{as(keys.enter, "do it"), keymap.Joined("↑↓", "choose", keymap.Up, keymap.Down), keys.back}
}

// found returns the commands that match what is typed, the best first.
func (p *palettePage) found() []command {
	list := commandsOf(p.m, p.below)
	typed := strings.TrimSpace(p.input.Value())
	if typed == "" {
		return list
	}
	var tiers [4][]int
	for _, hit := range fuzzy.FindFrom(typed, named(list)) {
		c := list[hit.Index]
		tier := nearness(strings.ToLower(c.name), strings.ToLower(c.line), strings.Fields(strings.ToLower(typed)))
		tiers[tier] = append(tiers[tier], hit.Index)
	}
	var out []command
	for tier, found := range tiers {
		if tier < len(tiers)-1 { // in the order of the list: what the cursor is on comes first
			slices.Sort(found)
		}
		for _, i := range found {
			out = append(out, list[i])
		}
	}
	return out
}

// nearness ranks what the library found: whole words before scattered letters, names before command lines. "res 4" is to
// restart supernode_4, and not to remove it.
func nearness(name, line string, typed []string) int {
	in := func(text string) bool {
		return !slices.ContainsFunc(typed, func(w string) bool { return !strings.Contains(text, w) })
	}
	switch {
	case in(name) && strings.HasPrefix(name, typed[0]):
		return 0
	case in(name):
		return 1
	case in(line):
		return 2
	}
	return 3
}

// named are commands as the library searches them: by name, and by command line.
type named []command

func (n named) String(i int) string { return n[i].name + "  " + n[i].line }
func (n named) Len() int            { return len(n) }

func (p *palettePage) update(msg tea.KeyMsg) tea.Cmd {
	list := p.found()
	p.at = min(p.at, max(0, len(list)-1))
	switch msg.Type {
	case tea.KeyEsc, tea.KeyCtrlK:
		return p.m.pop()
	case tea.KeyEnter:
		if len(list) == 0 {
			return nil
		}
		cmd := p.m.pop()
		return tea.Batch(cmd, list[p.at].do())
	case tea.KeyUp, tea.KeyShiftTab:
		p.at = (p.at + len(list) - 1) % max(1, len(list))
	case tea.KeyDown, tea.KeyTab:
		p.at = (p.at + 1) % max(1, len(list))
	case tea.KeyPgUp:
		p.at = max(0, p.at-10)
	case tea.KeyPgDown:
		p.at = min(p.at+10, max(0, len(list)-1))
	default:
		p.input, _ = p.input.Update(msg) // the cursor stands still: no command of its own is needed
		p.at = 0
	}
	return nil
}

func (p *palettePage) draw(d *doc) {
	s, list := p.m.s, p.found()
	p.at = min(p.at, max(0, len(list)-1))
	typed := []rune(p.input.Value())
	d.line(s.Heading.Render("Find a command") + "  " + s.Accent.Render(s.Signs.Prompt) + " " + s.Text.Render(string(typed)) + s.Caret(" "))
	d.gap()
	if len(list) == 0 {
		d.para(s.Dim, "No command matches.", 2)
		return
	}
	rows := max(3, d.height-4)
	from := min(max(0, p.at-rows/2), max(0, len(list)-rows))
	shown := list[from:min(from+rows, len(list))]
	wide := 0
	for _, c := range shown {
		wide = max(wide, style.Width(c.name))
	}
	wide = min(wide, d.width*6/10)
	for i, c := range shown {
		cursor, st := "  ", s.Text
		if from+i == p.at {
			cursor, st = s.Accent.Render(s.Signs.Cursor)+" ", s.Selected
		}
		line := cursor + st.Render(s.Pad(s.Cut(c.name, wide), wide)) + "  " + s.Key.Render(s.Pad(c.key, 6))
		if room := d.width - 2 - wide - 2 - 6 - 1; room >= 20 && c.line != "" {
			line += " " + s.Command.Render(s.Cut(c.line, room))
		}
		d.line(line)
	}
	d.gap()
	if c := list[p.at]; c.line != "" {
		d.line(s.Dim.Render("the same in a shell: ") + s.Command.Render(c.line))
	}
}
