package ui

import (
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/site"
)

// welcomePage comes first where no keys were made yet: what this is, and how much flwrup asks.
type welcomePage struct {
	text
	form *form
}

const eachStep = "each"

func newWelcome(m *Model) *welcomePage {
	return &welcomePage{text{m}, newForm(m.s, &pending{reply: make(chan string, 1), q: front.Question{ID: "pace", Kind: front.AskChoice,
		Default: "needed", Ask: "How much should flwrup ask?",
		Choices: []front.Choice{
			{Value: "needed", Label: "Only when I am needed", Note: "recommended: choices, registration, passphrase, your files"},
			{Value: eachStep, Label: "At each step", Note: "you see the plan of each step before it starts"},
		}}})}
}

func (p *welcomePage) bindings() []key.Binding {
	return append(p.form.bindings(), as(keys.back, "look around first"), keys.quit, keys.help)
}

func (p *welcomePage) update(msg tea.KeyMsg) tea.Cmd {
	if key.Matches(msg, keys.back) {
		return p.m.pop()
	}
	answered, taken := p.form.update(msg)
	if answered {
		p.m.flow.each = <-p.form.p.reply == eachStep
		p.m.flow.lead()
		return p.m.pop()
	}
	if taken {
		return nil
	}
	cmd, _ := p.m.everywhere(msg)
	return cmd
}

func (p *welcomePage) draw(d *doc) {
	s := p.m.s
	if p.m.title.Rehearsal {
		d.heading("Welcome to a rehearsal", "", s.Text)
		d.gap()
		d.para(s.Warn, site.RehearsalIs, 0)
		d.gap()
		d.para(s.Text, "It takes about two minutes. At the end three SuperNodes are online, and an app has run on them.", 0)
	} else {
		d.heading("Welcome to flwrup", "", s.Text)
		d.gap()
		d.para(s.Text, "flwrup takes you through the 16 steps to SuperNodes that are online on a SuperGrid. "+
			"It looks first, and does only what is missing.", 0)
		d.gap()
		d.para(s.Text, "You need a Flower account, and a few minutes. Nothing has been changed so far.", 0)
	}
	d.gap()
	p.form.view(d, d.height)
	d.gap()
	d.para(s.Dim, "Nothing that cannot be undone happens without your word. G changes this answer at any time.", 0)
	d.gap()
	d.line(s.Accent.Render(s.Signs.Current+" Enter") + "  begin")
	d.foot = 1
}
