package ui

import (
	"errors"
	"os/exec"
	"strings"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/notify"
	"flwrup/internal/safego"
	"flwrup/internal/weblink"
)

// outside is everything beyond the frame: the clipboard of the terminal and the user's browser.
type outside struct {
	out  *lockedOutput
	env  func(string) string
	open func(url string) error
}

// copy puts text on the clipboard through the terminal (OSC 52), which works over SSH as well. No terminal
// reports success, so the screen shows the copied text.
func (o *outside) copy(text, what string) tea.Cmd {
	out, env := o.out, o.env
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

// notify shows a notification of the terminal.
func (o *outside) notify(project string, list []notify.Entry, kind string) tea.Cmd {
	out, seq := o.out, notify.Sequence(project, list, kind, o.env)
	return func() tea.Msg {
		_, _ = out.Write([]byte(seq)) // a terminal that takes none shows the dashboard all the same
		return nil
	}
}

// browse opens a page in the user's browser, never in this terminal.
func (o *outside) browse(url string) tea.Cmd {
	open := o.open
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

// launch starts a program and lets it run; it returns an error only if the program ends with one at once.
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

var errNoDisplay = errors.New("no display on this machine")
