package ui

import (
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/safego"
	"flwrup/internal/weblink"
	"flwrup/internal/wording"
)

// entry is one text to copy or one link to open.
type entry struct{ label, text string }

// pick is the choice between several of them.
type pick struct {
	list []entry
	at   int
	open bool // open it, else copy it
}

func (p pick) verb() string {
	if p.open {
		return "open it"
	}
	return "copy it"
}

// copies are the texts that the page on top offers to copy.
func (m *Model) copies() []entry {
	var list []entry
	commands := func(plan []front.Action) {
		for _, a := range plan {
			if a.Command != "" {
				list = append(list, entry{a.Says, a.Command})
			}
		}
	}
	switch m.top() {
	case pageReference:
		commands(m.work.Reference())
		return list
	case pagePlaces:
		for _, l := range m.work.Places() {
			list = append(list, entry{l.Label, l.URL})
		}
		return list
	case pageRaw:
		return []entry{{"what was said", m.rawText()}}
	case pageFlags:
		commands(m.steps[m.at].plan)
		return list
	}
	if l := m.login(); l != nil {
		list = append(list, entry{"the link", l.URL})
		return list
	}
	v := &m.steps[m.at]
	if m.top() == pageStep {
		if p := m.failure(); p != nil {
			for _, c := range ticked(p.Fix) {
				list = append(list, entry{"to set it right", c})
			}
		}
		list = append(list, v.hand...)
		commands(v.plan)
		for _, l := range v.status.Links {
			list = append(list, entry{l.Label, l.URL})
		}
		if text, ok := v.nodeIDs(); ok {
			list = append(list, entry{"all names and node IDs", text})
		}
	}
	if j := m.last[max(m.shownStep(), 0)]; j != nil && len(j.output) > 0 && !j.over {
		list = append(list, entry{"the output", strings.Join(j.output, "\n") + "\n"})
	}
	return list
}

// nodeIDs gives name and node ID of every item that has one, a line each.
func (v *stepView) nodeIDs() (string, bool) {
	var b strings.Builder
	for _, it := range v.status.Items {
		if _, err := strconv.ParseUint(it.Text, 10, 64); err == nil {
			b.WriteString(it.Name + "\t" + it.Text + "\n")
		}
	}
	return b.String(), b.Len() > 0
}

func (m *Model) copyWords() string {
	if len(m.steps[m.at].plan) > 0 || m.failure() != nil {
		for _, a := range m.steps[m.at].plan {
			if a.Command != "" {
				return "copy command"
			}
		}
	}
	return "copy"
}

// ticked gives the parts of a text between backquotes: commands to type.
func ticked(text string) []string {
	var out []string
	parts := strings.Split(text, "`")
	for i := 1; i < len(parts)-1; i += 2 {
		out = append(out, parts[i])
	}
	return out
}

// copyWhat copies what the page offers, or asks which of it.
func (m *Model) copyWhat() tea.Cmd {
	list := m.copies()
	switch len(list) {
	case 0:
		m.message, m.bad = "nothing to copy here", true
		return nil
	case 1:
		return m.copyText(list[0].text, list[0].label)
	}
	m.pick = pick{list: list}
	m.push(pagePick)
	return nil
}

// copyText puts text on the clipboard through the terminal (OSC 52), which works over SSH as well. No
// terminal says whether it did so; what was copied is shown.
func (m *Model) copyText(text, what string) tea.Cmd {
	out, env := m.out, m.o.env
	return func() tea.Msg {
		if err := out.clipboard(text, env); err != nil {
			return saidMsg{text: "could not copy: " + err.Error(), bad: true}
		}
		shown := strings.Join(strings.Fields(text), " ")
		if what != "" && what != shown {
			shown = what + ": " + shown
		}
		return saidMsg{text: "copied " + shown}
	}
}

// clipboard writes the sequence that sets the terminal's clipboard, wrapped as screen and tmux want it.
func (o *lockedOutput) clipboard(text string, env func(string) string) error {
	seq := osc52.New(text)
	if _, err := o.Write([]byte(seq.String())); err != nil {
		return err
	}
	switch {
	case env("TMUX") != "":
		seq = seq.Tmux()
	case strings.HasPrefix(env("TERM"), "screen"):
		seq = seq.Screen()
	default:
		return nil
	}
	_, err := o.Write([]byte(seq.String()))
	return err
}

// links are the pages that may be opened from the page on top.
func (m *Model) links() []entry {
	var list []entry
	if m.top() == pagePlaces {
		for _, l := range m.work.Places() {
			list = append(list, entry{l.Label, l.URL})
		}
		return list
	}
	if l := m.login(); l != nil {
		return []entry{{"the login", l.URL}}
	}
	if m.top() == pageStep {
		for _, l := range m.steps[m.at].status.Links {
			list = append(list, entry{l.Label, l.URL})
		}
	}
	return list
}

func (m *Model) openWhat() tea.Cmd {
	if l := m.login(); l != nil && l.Warn != "" && m.top() != pagePlaces {
		m.message, m.bad = "not opened: "+l.Warn+"; c copies it", true
		return nil
	}
	list := m.links()
	switch len(list) {
	case 0:
		m.message, m.bad = "no link here", true
		return nil
	case 1:
		return m.openLink(list[0].text)
	}
	m.pick = pick{list: list, open: true}
	m.push(pagePick)
	return nil
}

var errNoDisplay = errors.New("no display on this machine")

// openLink opens a page in the person's browser, never one inside this terminal.
func (m *Model) openLink(url string) tea.Cmd {
	open := m.o.open
	return func() tea.Msg {
		if why := weblink.Bad(url); why != "" {
			return saidMsg{text: "not opened: " + why, bad: true}
		}
		if err := open(url); err != nil {
			return saidMsg{text: "no browser opens here: open " + url + " on any machine, c copies it", bad: true}
		}
		return saidMsg{text: "opened " + url}
	}
}

// launch starts a program and lets it run; an error is one that it ended with at once.
func launch(cmd *exec.Cmd) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 2)
	safego.Go("wait for the browser", func(err error) { ended <- err }, func() { ended <- cmd.Wait() })
	select {
	case err := <-ended:
		return err
	case <-time.After(2 * time.Second):
		return nil
	}
}

func (m *Model) inPick(msg tea.KeyMsg) tea.Cmd {
	p := &m.pick
	n, err := strconv.Atoi(msg.String())
	switch {
	case key.Matches(msg, keys.up):
		p.at = (p.at + len(p.list) - 1) % len(p.list)
	case key.Matches(msg, keys.down), msg.Type == tea.KeyTab:
		p.at = (p.at + 1) % len(p.list)
	case key.Matches(msg, keys.back, keys.quit):
		return m.pop()
	case key.Matches(msg, keys.enter):
		return tea.Batch(m.pop(), m.picked())
	case err == nil && n >= 1 && n <= len(p.list):
		p.at = n - 1
		return tea.Batch(m.pop(), m.picked())
	}
	return nil
}

func (m *Model) picked() tea.Cmd {
	e := m.pick.list[m.pick.at]
	if m.pick.open {
		return m.openLink(e.text)
	}
	return m.copyText(e.text, "")
}

func (m *Model) pickPage(d *doc) {
	s, p := m.s, m.pick
	title := "Copy which one?"
	if p.open {
		title = "Open which one?"
	}
	m.heading(d, title, "", s.Text)
	for i, e := range p.list {
		if len(p.list)*3 <= m.bodyHeight() {
			d.gap()
		}
		start := len(d.lines)
		cursor, st := "  ", s.Command
		if i == p.at {
			cursor, st = s.Accent.Render(s.Signs.Cursor)+" ", s.Selected
		}
		number := s.Dim.Render(s.Pad(itoa(i+1), 3))
		if e.label != "" && len(p.list) <= 9 {
			d.line(cursor + number + s.Dim.Render(e.label))
			number, cursor = "   ", "  "
		}
		text := strings.Split(strings.TrimRight(e.text, "\n"), "\n")
		for k, l := range text {
			if k == 3 {
				d.line("     " + s.Dim.Render(s.Signs.Ellipsis+" "+wording.Count(len(text)-k, "more line")))
				break
			}
			for _, part := range breakCommand(expandTabs(l), d.width-5) {
				d.line(cursor + number + st.Render(part))
				number, cursor = "   ", "  "
			}
		}
		if i == p.at {
			d.focusFrom(start)
		}
	}
}
