package fit

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"flwrup/flwrexec/releases"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// TestAsk: an open dashboard has the index asked in the background, once, unless flwrup.toml says no, and never for a
// rehearsal.
func TestAsk(t *testing.T) {
	var asked atomic.Int32
	hold := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		<-hold
		w.Header().Set("Content-Type", "application/vnd.pypi.simple.v1+json")
		fmt.Fprint(w, `{"meta":{"api-version":"1.0"},"files":[{"filename":"flwr-1.43.0-py3-none-any.whl"}]}`)
	}))
	t.Cleanup(srv.Close)
	answer := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(answer)
	home := t.TempDir()
	for name, value := range map[string]string{"HOME": home, "XDG_CACHE_HOME": home + "/cache", "UV_DEFAULT_INDEX": srv.URL + "/simple", "PIP_INDEX_URL": srv.URL + "/simple", "UV_INDEX": "",
		"UV_EXTRA_INDEX_URL": "", "UV_NO_CONFIG": "1", "PIP_CONFIG_FILE": os.DevNull, "PIP_EXTRA_INDEX_URL": "", "UV_OFFLINE": "", "PIP_NO_INDEX": "", "NO_PROXY": "127.0.0.1"} {
		t.Setenv(name, value)
	}
	open := func(change func(*project.Choices)) *site.Site {
		s := sitetest.Open(t, sitetest.NewGrid("1.42.0"), 1)
		sitetest.Choose(t, s, change)
		return s
	}
	for name, change := range map[string]func(*project.Choices){
		"check-releases = false": func(c *project.Choices) { c.Flwr.Check = false },
		"a rehearsal":            func(c *project.Choices) { c.Grid.Rehearsal = true },
	} {
		Ask(t.Context(), open(change))
		time.Sleep(300 * time.Millisecond)
		if n := asked.Load(); n > 0 {
			t.Fatalf("%s: asked %d times", name, n)
		}
	}
	s := open(func(*project.Choices) {})
	began := time.Now()
	Ask(t.Context(), s)
	Ask(t.Context(), s) // while the first waits
	if took := time.Since(began); took > time.Second {
		t.Errorf("a screen waited %v", took)
	}
	for range 100 {
		if asked.Load() > 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	answer()
	for range 100 {
		if releases.Kept().Newest().String() == "1.43.0" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	Ask(t.Context(), open(func(*project.Choices) {})) // another project of the same user
	time.Sleep(300 * time.Millisecond)
	if n := asked.Load(); n != 1 || releases.Kept().Newest().String() != "1.43.0" {
		t.Errorf("asked %d times, kept %+v", n, releases.Kept())
	}
	p := s.Look(t.Context(), site.Want{Parts: Reads})
	if f := Judge(&p); f.Out.Newest().String() != "1.43.0" || f.Why != "flwr 1.43.0 is out, and newer than this flwrup knows: flwrup doctor --flwr 1.43.0 compares it" {
		t.Errorf("%+v", f)
	}
}
