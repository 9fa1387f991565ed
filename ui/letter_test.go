package ui

import (
	"strings"
	"testing"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/ui/dash"
	"flwrup/ui/keymap"
)

const pastedLetter = "-----BEGIN FLWRUP REQUEST-----\nAAAA3nsiZm9ybWF0IjoxLCJzaXRlIjoiU2l0ZSAxIiwiY29udGFj\nBBBB\n-----END FLWRUP REQUEST-----\n"

// asksForLetter returns a model whose page asks for a request, and the question.
func asksForLetter(t *testing.T) (*Model, *pending) {
	t.Helper()
	m := still(newFake(), front.StepOnline, 120, 40, Options{NoColor: true})
	openDash(t, m)
	m.verb.act(dash.Run{Verb: front.AdmitSite})
	p := question(front.Question{ID: "request", Kind: front.AskLetter, Ask: "Which request?"})
	m.desk.job.take(m, []any{p}, 0)
	return m, p
}

// TestLetterIsPasted: a letter is taken whole however a terminal pastes it, nothing of it reaches the screen, and no
// letter of it is a key.
func TestLetterIsPasted(t *testing.T) {
	hostile := "Dear Ada \x1b]0;gotcha\x07\u202e\n" + pastedLetter
	for name, paste := range map[string]func(m *Model){
		"bracketed": func(m *Model) {
			m.Update(tea.KeyMsg{Type: tea.KeyRunes, Paste: true, Runes: []rune(hostile)})
		},
		"line by line": func(m *Model) {
			for _, l := range strings.Split(strings.TrimSpace(pastedLetter), "\n") {
				m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(l)})
				if l != "-----END FLWRUP REQUEST-----" {
					m.Update(keymap.Press(keymap.Enter))
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, p := asksForLetter(t)
			paste(m)
			view := m.View()
			if len(p.reply) != 0 || !strings.Contains(view, "characters pasted") || strings.Contains(view, "AAAA3nsi") || strings.ContainsAny(view, "\u202e\x07") {
				t.Fatalf("answered %d\n%s", len(p.reply), view)
			}
			m.Update(keymap.Press(keymap.Enter))
			if len(p.reply) != 1 {
				t.Fatal("Enter sends nothing")
			}
			if got := <-p.reply; !strings.Contains(strings.Join(strings.Fields(got), "\n"), strings.Join(strings.Fields(pastedLetter), "\n")) {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestLetterIsCopied: c copies the letter that a verb has written.
func TestLetterIsCopied(t *testing.T) {
	m, _ := asksForLetter(t)
	j := m.desk.job
	j.take(m, []any{front.Letter{To: "St. Mary", File: "reply-st-mary.txt", Words: "four words they see", Text: pastedLetter}}, 0)
	j.end(m.now(), nil)
	if view := m.View(); !strings.Contains(view, "reply-st-mary.txt") || !strings.Contains(view, "four words they see") {
		t.Error(view)
	}
	if list := m.top().copies(); len(list) != 1 || list[0].text != pastedLetter {
		t.Errorf("%+v", list)
	}
}
