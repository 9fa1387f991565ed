package sites

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/admission"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

func TestMain(m *testing.M) { sitetest.Main(m) }

// asSite returns a site without an account, with keys for n SuperNodes.
func asSite(t *testing.T, name string, n int) *site.Site {
	t.Helper()
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), n)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Site = project.SiteChoice{Name: name, Contact: "it@" + name} })
	sitetest.MakeKeys(t, s)
	return s
}

func requestOf(t *testing.T, s *site.Site) (Letter, admission.SealedRequest) {
	t.Helper()
	letter, err := Request(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := admission.OpenRequests(letter.Text)
	if err != nil || len(opened) != 1 || opened[0].Words() != letter.Words {
		t.Fatalf("%v, %+v, words %q", err, opened, letter.Words)
	}
	return letter, opened[0]
}

// admitted returns the reply of coordinator to the request of s.
func admitted(t *testing.T, coordinator, s *site.Site) Letter {
	t.Helper()
	_, r := requestOf(t, s)
	reply, err := Admit(t.Context(), coordinator, r, r.Words(), &sitetest.Heard{})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// TestAdmission: a site's request is admitted, and its reply gives the site node IDs, grid and flwr. All of it again
// changes nothing.
func TestAdmission(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	s := asSite(t, "St. Mary", 2)
	for range 2 {
		reply := admitted(t, coordinator, s)
		if err := Join(t.Context(), s, reply.Text, reply.Words, &sitetest.Heard{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(g.Known) != 3 || len(g.Members) != 2 {
		t.Errorf("%d nodes on the grid, %d in the federation", len(g.Known), len(g.Members))
	}
	record, ok := coordinator.Ledger.Data().SiteNamed(coordinator.Choices().Grid.Connection, "st-mary")
	if !ok || len(record.Nodes) != 2 || len(record.Requests) != 1 || record.Contact != "it@St. Mary" {
		t.Fatalf("%+v", record)
	}
	list, _, err := site.Members(s)
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	for i, m := range list {
		if !m.Known() || m.Record.NodeID != record.Nodes[i].NodeID || m.Record.How != "reply" {
			t.Errorf("%s: %+v", m.Name, m.Record)
		}
	}
	c := s.Choices()
	if c.Federation != coordinator.Choices().Federation || c.Flwr.Version != "1.42.0" || c.Grid.Fleet == "" {
		t.Errorf("%+v", c)
	}
	if list, _, _ := site.Members(coordinator); len(list) != 1 {
		t.Errorf("the coordinator's own SuperNodes: %d", len(list))
	}
}

// TestNoKeyTravels: the letters and the coordinator's folder hold no private key of a site.
func TestNoKeyTravels(t *testing.T) {
	coordinator := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 1)
	s := asSite(t, "St. Mary", 2)
	reply := admitted(t, coordinator, s)
	secrets := map[string]bool{}
	files, err := filepath.Glob(filepath.Join(s.Folder().KeysDir(), "client_credentials_?"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		key, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range strings.Split(string(key), "\n")[3:6] { // behind the public part
			secrets[line] = true
		}
	}
	letter, _ := requestOf(t, s)
	looked := 0
	look := func(name string, text []byte) {
		looked++
		for secret := range secrets {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds a private key", name)
			}
		}
	}
	look("the request", letter.Text)
	look("the reply", reply.Text)
	err = filepath.WalkDir(coordinator.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, rerr := os.ReadFile(path)
			look(path, text)
			return rerr
		}
		return err
	})
	if err != nil || looked < 6 {
		t.Errorf("%d files looked at, %v", looked, err)
	}
}

// TestRepliesAreRefused: a reply for another site, an altered one, an older one, one of another coordinator, and one
// whose words differ change nothing.
func TestRepliesAreRefused(t *testing.T) {
	coordinator := sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 1)
	s, other := asSite(t, "St. Mary", 1), asSite(t, "City Hospital", 1)
	good, foreign := admitted(t, coordinator, s), admitted(t, coordinator, other)
	altered := []byte(strings.Replace(string(good.Text), "A", "B", 1))
	for name, c := range map[string]struct {
		text        []byte
		words, says string
	}{
		"for another site": {foreign.Text, foreign.Words, "it answers the request of City Hospital"},
		"altered":          {altered, good.Words, ""},
		"other words":      {good.Text, foreign.Words, "the words differ"},
		"a request":        {mustRead(t, s, "request-st-mary.txt"), good.Words, ""},
		"two replies":      {append(append([]byte{}, good.Text...), foreign.Text...), good.Words, "the text has 2 replies"},
	} {
		err := Join(t.Context(), s, c.text, c.words, &sitetest.Heard{})
		if p := problem.Of(err); err == nil || p.Fix == "" || !strings.Contains(p.What+": "+p.Why, c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if list, _, _ := site.Members(s); list[0].Known() || s.Choices().Grid.Fleet != "" {
			t.Fatalf("%s: it was taken", name)
		}
	}

	if err := Join(t.Context(), s, good.Text, good.Words, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Ledger.Change(func(d *ledger.Data) error { // as if a newer one had been taken
		c := d.Coordinators[0]
		c.Made = c.Made.Add(time.Hour)
		d.PutCoordinator(c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := Join(t.Context(), s, good.Text, good.Words, &sitetest.Heard{}); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("an older reply: %v", err)
	}

	newer := admitted(t, coordinator, s) // of the same second, it may be
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		c := d.Coordinators[0]
		c.Made = time.Time{}
		d.PutCoordinator(c)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := Join(t.Context(), s, newer.Text, newer.Words, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if err := Join(t.Context(), s, good.Text, good.Words, &sitetest.Heard{}); err == nil || !strings.Contains(err.Error(), "older") {
		t.Errorf("the reply before, of the same second: %v", err)
	}

	impostor := admitted(t, sitetest.Registered(t, sitetest.NewGrid("1.42.0"), 1), s)
	to := &sitetest.Scripted{Answers: map[string]string{"words": "no"}}
	if err := Join(t.Context(), s, impostor.Text, "", to); err == nil || len(to.Asked) != 1 {
		t.Errorf("another coordinator: %v, asked %v", err, to.Asked)
	}
}

// TestWordsAreCompared: a request whose words differ registers nothing, and nobody answers for the person.
func TestWordsAreCompared(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	coordinator := sitetest.Registered(t, g, 1)
	_, r := requestOf(t, asSite(t, "St. Mary", 1))
	for name, err := range map[string]error{
		"wrong words": admitErr(t, coordinator, r, "four wrong words here", &sitetest.Heard{}),
		"a no":        admitErr(t, coordinator, r, "", &sitetest.Scripted{Answers: map[string]string{"words": "no"}}),
		"nobody":      admitErr(t, coordinator, r, "", front.Unattended(&sitetest.Heard{})),
	} {
		if err == nil {
			t.Errorf("%s: admitted", name)
		}
	}
	if len(g.Known) != 1 || len(coordinator.Ledger.Data().Sites) != 0 {
		t.Errorf("%d nodes, %+v", len(g.Known), coordinator.Ledger.Data().Sites)
	}
	if err := admitErr(t, coordinator, r, strings.ToUpper(" "+r.Words()), &sitetest.Heard{}); err != nil {
		t.Errorf("the right words in another case: %v", err)
	}
}

func admitErr(t *testing.T, coordinator *site.Site, r admission.SealedRequest, words string, to front.Sink) error {
	t.Helper()
	_, err := Admit(t.Context(), coordinator, r, words, to)
	return err
}

// TestAdmissionCutShort: an answer of the grid's that got lost is settled by admitting the request again.
func TestAdmissionCutShort(t *testing.T) {
	for _, done := range []bool{true, false} {
		g := sitetest.NewGrid("1.42.0")
		coordinator := sitetest.Registered(t, g, 1)
		s := asSite(t, "St. Mary", 2)
		_, r := requestOf(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		g.Faults["register"] = []sitetest.Fault{{}, {Done: done, Err: sitetest.ErrCut, After: cancel}}
		if _, err := Admit(ctx, coordinator, r, r.Words(), &sitetest.Heard{}); err == nil {
			t.Fatal("no error")
		}
		reply := admitted(t, coordinator, s)
		if err := Join(t.Context(), s, reply.Text, reply.Words, &sitetest.Heard{}); err != nil {
			t.Fatal(err)
		}
		if len(g.Known) != 3 {
			t.Errorf("done %v: %d nodes", done, len(g.Known))
		}
	}
}

// TestAFileOfAPersonStays: a letter takes no other file's place.
func TestAFileOfAPersonStays(t *testing.T) {
	s := asSite(t, "St. Mary", 1)
	file := filepath.Join(s.Dir, "request-st-mary.txt")
	if err := os.WriteFile(file, []byte("mine\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Request(t.Context(), s); err == nil || problem.Of(err).Fix == "" {
		t.Errorf("%v", err)
	}
	if text := mustRead(t, s, "request-st-mary.txt"); string(text) != "mine\n" {
		t.Errorf("%q", text)
	}
}

// TestNewKeysNeedANewRequest: a request is kept as long as it is for the keys that are there.
func TestNewKeysNeedANewRequest(t *testing.T) {
	s := asSite(t, "St. Mary", 1)
	first, _ := requestOf(t, s)
	if again, _ := requestOf(t, s); again.Words != first.Words {
		t.Errorf("words %q, then %q", first.Words, again.Words)
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Nodes = 2 })
	sitetest.MakeKeys(t, s)
	if second, r := requestOf(t, s); second.Words == first.Words || len(r.Nodes) != 2 {
		t.Errorf("words %q, %d nodes", second.Words, len(r.Nodes))
	}
}

func mustRead(t *testing.T, s *site.Site, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestShortNames(t *testing.T) {
	for title, short := range map[string]string{"St. Mary's Hospital": "st-marys-hospital", "Klinikum München": "klinikum-m-nchen", "病院": "site",
		"A very long name of an institution": "a-very-long-name-of-an-i", "  -- ": "site"} {
		if got := shortName(title); got != short {
			t.Errorf("%q: %q, want %q", title, got, short)
		}
	}
}
