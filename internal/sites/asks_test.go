package sites

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// letterIn returns the letter that was offered to be sent.
func letterIn(t *testing.T, to *sitetest.Scripted) front.Letter {
	t.Helper()
	for _, e := range slices.Backward(to.Events()) {
		if l, ok := e.(front.Letter); ok {
			return l
		}
	}
	t.Fatalf("no letter: %+v", to.Events())
	return front.Letter{}
}

// TestExchange: the whole way by questions, with letters given by path, dropped on the terminal, or pasted with a mail
// around them.
func TestExchange(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	for name, given := range map[string]func(s *site.Site, l front.Letter) string{
		"by path": func(s *site.Site, l front.Letter) string { return filepath.Join(s.Dir, l.File) },
		"dropped": func(s *site.Site, l front.Letter) string { return "'" + filepath.Join(s.Dir, l.File) + "'" },
		"pasted": func(_ *site.Site, l front.Letter) string {
			return "Dear all, \x1b]0;gotcha\x07 here it is: " + strings.ReplaceAll(l.Text, "\n", " ") + " Kind regards"
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := asSite(t, name, 1)
			first := &sitetest.Scripted{}
			if err := Exchange(t.Context(), s, first); err != nil || len(first.Asked) != 0 {
				t.Fatalf("%v, asked %v", err, first.Asked)
			}
			request := letterIn(t, first)
			if text, err := os.ReadFile(filepath.Join(s.Dir, request.File)); err != nil || string(text) != request.Text {
				t.Fatalf("%v: the letter is not that in %s", err, request.File)
			}
			to := &sitetest.Scripted{Answers: map[string]string{"request": given(s, request), "words": "yes"}}
			if err := AdmitAsked(t.Context(), coordinator, to, once); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(to.Last["words"].Ask, request.Words) || strings.Contains(to.Said(), "gotcha") {
				t.Errorf("%q; %s", to.Last["words"].Ask, to.Said())
			}
			reply := letterIn(t, to)
			none := &sitetest.Scripted{}
			if err := Exchange(t.Context(), s, none); err != nil || !slices.Equal(none.Asked, []string{"reply"}) || letterIn(t, none).Text != request.Text {
				t.Errorf("without a reply: %v, asked %v", err, none.Asked)
			}
			back := &sitetest.Scripted{Answers: map[string]string{"reply": given(coordinator, reply), "words": "yes"}}
			if err := Exchange(t.Context(), s, back); err != nil {
				t.Fatal(err)
			}
			if list, _, _ := site.Members(s); !list[0].Known() || !strings.Contains(back.Last["words"].Ask, reply.Words) {
				t.Errorf("the reply was not taken: %+v", back.Last)
			}
		})
	}
}

// TestAskedInVain: what is no request is refused with a reason, and registers nothing.
func TestAskedInVain(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	request, _ := requestOf(t, asSite(t, "St. Mary", 1))
	for name, answer := range map[string]string{
		"no such file": "nowhere.txt",
		"half of it":   string(request.Text[:len(request.Text)/2]),
		"a key":        "-----BEGIN OPENSSH PRIVATE KEY-----",
		"a folder":     coordinator.Dir,
	} {
		err := AdmitAsked(t.Context(), coordinator, &sitetest.Scripted{Answers: map[string]string{"request": answer, "words": "yes"}}, once)
		if p := problem.Of(err); err == nil || p.Fix == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(g.Known) != 1 || len(coordinator.Ledger.Data().Sites) != 0 {
		t.Errorf("%+v", g.Known)
	}
}
