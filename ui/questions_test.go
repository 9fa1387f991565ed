package ui

import (
	"os"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
)

// arises are the places that docs/questions.md names.
var arises = map[string]func(t *testing.T, w, h int) *Model{
	"the first page": func(_ *testing.T, w, h int) *Model {
		m := still(world(1), 1, w, h, Options{NoColor: true})
		m.push(newWelcome(m))
		return m
	},
	"the steps or the dashboard": atScene(10, isReady),
	"the dashboard": func(t *testing.T, w, h int) *Model {
		m := still(world(16), 16, w, h, Options{NoColor: true})
		openDash(t, m)
		return m
	},
	"step 1, to do":         atScene(1, isReady),
	"step 6, done":          atScene(6, isDone),
	"step 10, to do":        atScene(10, isReady),
	"step 10, at work":      atScene(10, atWork),
	"step 11, its question": atScene(11, "asks: sent"),
	"step 12, waiting":      atScene(12, onGrid),
}

func atScene(n front.StepID, name string) func(*testing.T, int, int) *Model {
	return func(t *testing.T, w, h int) *Model {
		f := world(n)
		m := still(f, n, w, h, Options{NoColor: true})
		for _, sc := range scenes(n) {
			if sc.name == name {
				sc.make(m, f, n)
				return m
			}
		}
		t.Fatalf("step %d has no scene %q", n, name)
		return nil
	}
}

// TestTenQuestions presses the keys of docs/questions.md where each question arises, and reads its answer.
func TestTenQuestions(t *testing.T) {
	page, err := os.ReadFile("../docs/questions.md")
	if err != nil {
		t.Fatal(err)
	}
	var asked []string
	for _, line := range strings.Split(string(page), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		if len(cells) != 5 || cells[0] == "question" {
			continue
		}
		ask, where, pressed, answer := cells[0], cells[1], strings.Fields(strings.ReplaceAll(cells[2], "`", "")), cells[3]
		asked = append(asked, ask)
		if cells[2] == "none" {
			pressed = nil
		}
		if len(pressed) > 2 {
			t.Errorf("%s: %d keys", ask, len(pressed))
		}
		for _, size := range [][2]int{{80, 24}, {120, 40}} {
			open := arises[where]
			if open == nil {
				t.Fatalf("%s: the test does not know %q", ask, where)
			}
			m := open(t, size[0], size[1])
			seen := oneLine(m.View())
			for _, k := range pressed {
				if k == "pgdn" {
					k = "pgdown"
				}
				before := m.View()
				_, cmd := m.Update(keymap.Type(k))
				pump(t, m, cmd, func(frame string) bool { return frame != before || m.leaving })
				seen += oneLine(m.View())
			}
			if ask == "How do I come back?" { // said when the screen is gone: TestComeBack of internal/e2e
				if !m.leaving {
					t.Errorf("%s: %v does not leave", ask, pressed)
				}
			} else if !strings.Contains(seen, answer) {
				t.Errorf("%s: %s, %v at %v do not say %q:\n%s", ask, where, pressed, size, answer, m.View())
			}
			m.cancel(nil)
		}
	}
	for _, a := range newFake().Answers() {
		if len(asked) == 0 || asked[0] != a.Ask {
			t.Fatalf("docs/questions.md lacks %q here: %q", a.Ask, asked)
		}
		asked = asked[1:]
	}
}

// oneLine returns the text of the main column in one line, as a person reads it.
func oneLine(view string) string {
	var words []string
	for _, l := range strings.Split(view, "\n") {
		if _, right, found := strings.Cut(l, "│ "); found {
			l = right
		}
		words = append(words, strings.Fields(l)...)
	}
	return strings.Join(words, " ") + "\n"
}
