package watch

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"flwrup/internal/health"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/sitetest"
)

// hook is a webhook on loopback.
func hook(t *testing.T) (address string, got chan notify.Message) {
	got = make(chan notify.Message, 100)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m notify.Message
		if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
			t.Error(err)
		}
		got <- m
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/flwrup", got
}

// Each look is handed on: a SuperNode that the grid lost reaches the webhook, with the command that helps, and so does its
// return, after a restart of the watch in between.
func TestTellsPeople(t *testing.T) {
	g := sitetest.NewGrid("1.42.0")
	s, g, rt := sitetest.InFederation(t, g, 2)
	address, got := hook(t)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Notify = notify.Settings{Webhook: address, After: "0s"} })
	var said []health.WatchEvent
	begin := func() (w *watcher, end func()) {
		w = &watcher{dir: s.Dir, site: s, each: oneAtATime(func(e health.WatchEvent) { said = append(said, e) })}
		return w, w.openDesk(t.Context())
	}
	heard := func(want string) notify.Message {
		t.Helper()
		select {
		case m := <-got:
			if m.Title != s.Choices().Name+": "+want {
				t.Errorf("heard %q, want %q", m.Title, want)
			}
			return m
		case <-time.After(10 * time.Second):
			t.Fatalf("not heard: %s; said %v", want, said)
		}
		return notify.Message{}
	}

	w, end := begin()
	w.tell(t.Context(), health.Looked(t.Context(), s), false)
	if err := rt.Stop(t.Context(), "supernode_2", 0); err != nil {
		t.Fatal(err)
	}
	g.SeeOnline(rt)
	w.tell(t.Context(), health.Looked(t.Context(), s), false)
	if m := heard("supernode_2 is lost"); m.Entries[0].Fix != "flwrup start supernode_2" || m.Entries[0].Code == "" || strings.Contains(m.Text, s.Dir) {
		t.Errorf("%+v", m)
	}
	end()
	if len(said) != 1 || said[0].Kind != health.WatchTold {
		t.Errorf("said %v", said)
	}

	g.SetStatus(1, "online")
	if err := rt.Start(t.Context(), rt.Started["supernode_1"]); err != nil {
		t.Fatal(err)
	}
	spec := rt.Started["supernode_1"]
	spec.Name, spec.KeyFile = "supernode_2", strings.Replace(spec.KeyFile, "_1", "_2", 1)
	if err := rt.Start(t.Context(), spec); err != nil {
		t.Fatal(err)
	}
	w, end = begin()
	defer end()
	for range 4 {
		w.tell(t.Context(), health.Looked(t.Context(), s), false)
		time.Sleep(time.Second)
	}
	heard("supernode_2 is back")
	if len(got) > 0 {
		t.Errorf("heard again: %+v", <-got)
	}
}

// A state that cannot be read does not keep anybody from watching, nor from hearing.
func TestUnreadableState(t *testing.T) {
	s, g, rt := sitetest.InFederation(t, sitetest.NewGrid("1.42.0"), 1)
	address, got := hook(t)
	sitetest.Choose(t, s, func(c *project.Choices) { c.Notify = notify.Settings{Webhook: address, After: "0s"} })
	if err := os.Mkdir(notify.File(s.StateDir()), 0o700); err != nil {
		t.Fatal(err)
	}
	var said []health.WatchEvent
	w := &watcher{dir: s.Dir, site: s, each: oneAtATime(func(e health.WatchEvent) { said = append(said, e) })}
	end := w.openDesk(t.Context())
	defer end()
	if len(said) != 1 || said[0].Kind != health.WatchNotTold || said[0].Fix == "" {
		t.Errorf("%+v", said)
	}
	if err := rt.Stop(t.Context(), "supernode_1", 0); err != nil {
		t.Fatal(err)
	}
	g.SeeOnline(rt)
	w.tell(t.Context(), health.Looked(t.Context(), s), false)
	select {
	case <-got:
	case <-time.After(10 * time.Second):
		t.Error("nobody hears of it")
	}
}

// A test message needs somebody who gets it, and an acceptance of what came with the folder.
func TestTestMessage(t *testing.T) {
	s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1)
	if _, err := TestMessage(t.Context(), s.Dir); !problem.Is(err, problem.BadInput) || problem.Of(err).Fix == "" {
		t.Errorf("%v", err)
	}
	address, got := hook(t)
	dir := sitetest.Clone(t, "nodes = 1\n[notify]\nwebhook = \""+address+"\"\n")
	if _, err := TestMessage(t.Context(), dir); !problem.Is(err, problem.NotAccepted) || len(got) > 0 {
		t.Errorf("%v, %d sent", err, len(got))
	}
	sitetest.Choose(t, s, func(c *project.Choices) { c.Notify.Webhook = address })
	results, err := TestMessage(t.Context(), s.Dir)
	if err != nil || results["webhook"] != nil || len(got) != 1 {
		t.Errorf("%v %v, %d sent", results, err, len(got))
	}
}
