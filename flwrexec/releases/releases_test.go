package releases

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// server is an index on loopback that uv's and pip's settings name; asked counts its questions.
func server(t *testing.T, h http.HandlerFunc) (address string, asked *atomic.Int32) {
	t.Helper()
	asked = new(atomic.Int32)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		h(w, r)
	}))
	t.Cleanup(srv.Close)
	settings(t, srv.URL+"/simple")
	return srv.URL, asked
}

// settings are those of a machine with one index, an own home and no proxy.
func settings(t *testing.T, index string) {
	t.Helper()
	home := t.TempDir()
	for name, value := range map[string]string{
		"HOME": home, "XDG_CACHE_HOME": filepath.Join(home, "cache"), "XDG_CONFIG_HOME": filepath.Join(home, "config"), "XDG_CONFIG_DIRS": filepath.Join(home, "etc"),
		"UV_DEFAULT_INDEX": index, "UV_INDEX_URL": "", "UV_INDEX": "", "UV_EXTRA_INDEX_URL": "", "UV_NO_CONFIG": "1", "UV_CONFIG_FILE": "", "UV_OFFLINE": "", "UV_NO_INDEX": "",
		"PIP_INDEX_URL": index, "PIP_EXTRA_INDEX_URL": "", "PIP_CONFIG_FILE": os.DevNull, "PIP_NO_INDEX": "", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1",
	} {
		t.Setenv(name, value)
	}
}

const asJSON = "application/vnd.pypi.simple.v1+json"

// page answers with an index's page for flwr.
func page(kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/simple/flwr/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", kind)
		fmt.Fprint(w, body)
	}
}

func listed(files string) string {
	return `{"meta":{"api-version":"1.1"},"name":"flwr","files":[` + files + `]}`
}

const mixed = `{"filename":"flwr-1.41.0-py3-none-any.whl","requires-python":"<4.0,>=3.11","yanked":false},
{"filename":"flwr-1.42.0.tar.gz","yanked":"broken"},{"filename":"flwr-1.42.0-py3-none-any.whl","yanked":true},
{"filename":"flwr-1.43.0rc1-py3-none-any.whl"},{"filename":"flwr-1.44.0.dev20270101-py3-none-any.whl"},
{"filename":"flwr-1.45.0-py3-none-any.whl","requires-python":">=3.14"},
{"filename":"flwr-1.9.0-py3-none-any.whl","requires-python":">=3.8"},
{"filename":"flwr-1.41.1-py3-none-any.whl","yanked":true},{"filename":"flwr-1.41.1.tar.gz","requires-python":">=3.11"},
{"filename":"flwr_nightly-1.50.0.dev20270101-py3-none-any.whl"},{"filename":"other-9.9.9-py3-none-any.whl"}`

func TestReleases(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"JSON": page(asJSON, listed(mixed)),
		"HTML only": page("text/html; charset=utf-8", `<!DOCTYPE html><title>Links</title>
<a href="../x#sha256=1" data-requires-python="&lt;4.0,&gt;=3.11">flwr-1.41.0-py3-none-any.whl</a><br/>
<a href="x" data-yanked="broken">flwr-1.42.0.tar.gz</a><a href="x" data-yanked="">flwr-1.42.0-py3-none-any.whl</a>
<a href="x">flwr-1.43.0rc1-py3-none-any.whl</a><a href="x" data-requires-python="&gt;=3.14">flwr-1.45.0-py3-none-any.whl</a>
<a href="x">flwr-1.41.1.tar.gz</a><a href="x">flwr-1.9.0-py3-none-any.whl</a>`),
	} {
		t.Run(name, func(t *testing.T) {
			_, asked := server(t, h)
			l, err := Refresh(t.Context(), false)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range l.Releases {
				got = append(got, r.Version.String())
			}
			if text := strings.Join(got, " "); text != "1.9.0 1.41.0 1.41.1" || l.Newest().String() != "1.41.1" {
				t.Errorf("releases %s, newest %s", text, l.Newest())
			}
			if !strings.HasPrefix(l.Index, "127.0.0.1:") || time.Since(l.At) > time.Minute {
				t.Errorf("%+v", l)
			}
			if again := Kept(); again.Newest() != l.Newest() || again.Index != l.Index {
				t.Errorf("kept %+v", again)
			}
			if _, err := Refresh(t.Context(), false); err != nil || asked.Load() != 1 {
				t.Errorf("asked %d times in a day, %v", asked.Load(), err)
			}
			if _, err := Refresh(t.Context(), true); err != nil || asked.Load() != 2 {
				t.Errorf("asked %d times, once now, %v", asked.Load(), err)
			}
		})
	}
}

func TestOneQuestionADay(t *testing.T) {
	status := http.StatusInternalServerError
	_, asked := server(t, func(w http.ResponseWriter, r *http.Request) {
		if status != http.StatusOK {
			w.WriteHeader(status)
			return
		}
		page(asJSON, listed(`{"filename":"flwr-1.42.0-py3-none-any.whl"}`))(w, r)
	})
	if _, err := Refresh(t.Context(), false); err == nil || !strings.Contains(err.Error(), "status 500") {
		t.Fatal(err)
	}
	if l, err := Refresh(t.Context(), false); err != nil || asked.Load() != 1 || !strings.Contains(l.Err, "status 500") {
		t.Errorf("after a failure it was asked %d times: %+v %v", asked.Load(), l, err)
	}
	// A day later.
	file, err := place()
	if err != nil {
		t.Fatal(err)
	}
	age(t, file, 25*time.Hour)
	status = http.StatusOK
	if l, err := Refresh(t.Context(), false); err != nil || l.Newest().String() != "1.42.0" || asked.Load() != 2 || l.Err != "" {
		t.Errorf("asked %d times: %+v %v", asked.Load(), l, err)
	}
	// A failure keeps the answer before.
	age(t, file, 25*time.Hour)
	status = http.StatusBadGateway
	if l, err := Refresh(t.Context(), false); err == nil || l.Newest().String() != "1.42.0" {
		t.Errorf("%+v %v", l, err)
	}
	if l := Kept(); l.Newest().String() != "1.42.0" || l.Err == "" {
		t.Errorf("%+v", l)
	}
	// Another index has another answer.
	t.Setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
	t.Setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
	if l := Kept(); len(l.Releases) > 0 {
		t.Errorf("the other index's: %+v", l)
	}
}

// age makes what is kept older.
func age(t *testing.T, file string, by time.Duration) {
	t.Helper()
	text, err := os.ReadFile(file)
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err == nil {
		k.Tried = k.Tried.Add(-by)
		text, err = json.Marshal(k)
	}
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestHostileAnswers(t *testing.T) {
	many := strings.Repeat(`{"filename":"flwr-1.42.0-py3-none-any.whl"},`, mostFiles+1)
	for name, c := range map[string]struct {
		h    http.HandlerFunc
		says string // of the error
	}{
		"404":           {http.NotFound, "no such package (404)"},
		"401":           {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) }, "asks for a login (401)"},
		"huge":          {func(w http.ResponseWriter, _ *http.Request) { huge(w) }, "longer than 8 MB"},
		"many files":    {page(asJSON, listed(strings.TrimSuffix(many, ","))), "more than 20000 files"},
		"no JSON":       {page(asJSON, "\x1b[2J{"), "no JSON of PEP 691"},
		"other PEP":     {page(asJSON, `{"meta":{"api-version":"2.0"},"files":[]}`), `version "2.0" of PEP 691`},
		"an empty page": {page("text/html", ""), "has no release of flwr"},
		"a login page":  {page("text/html", "<html><a href=/login>\x1b[31mLog in\x07</a></html>"), "has no release of flwr"},
		"odd names":     {page(asJSON, listed(`{"filename":"flwr-1.42.0\u001b[2J-py3-none-any.whl"},{"filename":"flwr-99999.1.1.tar.gz"},{"filename":"flwr-1.42-py3-none-any.whl"}`)), "has no release of flwr"},
		"odd Pythons":   {page(asJSON, listed(`{"filename":"flwr-1.42.0.tar.gz","requires-python":"`+strings.Repeat(">", 2000)+`"},{"filename":"flwr-1.41.0.tar.gz","requires-python":"\u001b[2J"}`)), "has no release of flwr"},
		"in circles":    {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "in circles"},
		"nested deeply": {page(asJSON, strings.Repeat("[", 1<<20)), "no JSON of PEP 691"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, "cannot ask the package index"},
		"a tag for ever": {page("text/html", "<a href=\""+strings.Repeat("x", 1<<20)), "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			server(t, c.h)
			l, err := Refresh(t.Context(), false)
			if p := problem.Of(err); err == nil || !strings.Contains(p.Error(), c.says) {
				t.Fatalf("%v, want %q", err, c.says)
			} else if strings.ContainsAny(p.Error()+p.Fix+Kept().Err, "\x1b\x07") || len(p.Error()) > 400 {
				t.Errorf("%q", p.Error())
			}
			if len(l.Releases) > 0 || len(Kept().Releases) > 0 {
				t.Errorf("%+v", l)
			}
		})
	}
}

func huge(w http.ResponseWriter) {
	w.Header().Set("Content-Type", asJSON)
	for range 12 << 20 / 4096 {
		if _, err := w.Write(make([]byte, 4096)); err != nil {
			return
		}
	}
}

func TestSlowIndex(t *testing.T) {
	hold := make(chan struct{})
	t.Cleanup(func() { close(hold) })
	server(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := Refresh(ctx, false); err == nil || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if l := Kept(); !l.Tried.IsZero() {
		t.Errorf("a question that was stopped counts: %+v", l)
	}
	whole := patience
	t.Cleanup(func() { patience = whole })
	patience = 200 * time.Millisecond
	began = time.Now()
	if _, err := Refresh(t.Context(), false); err == nil || !strings.Contains(err.Error(), "no answer within 200ms") || time.Since(began) > 3*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
	if l := Kept(); l.Tried.IsZero() || l.Err == "" {
		t.Errorf("a question without an answer does not count: %+v", l)
	}
}

// A password in the index's address is used, and is neither said nor kept.
func TestPasswordStaysSecret(t *testing.T) {
	const secret = "hunter2secret"
	leaks := func(err error) bool {
		text := fmt.Sprintf("%+v", problem.Of(err))
		return strings.Contains(text, secret) || strings.Contains(text, "someone") // a token may be a name
	}
	refuse := false
	address, _ := server(t, func(w http.ResponseWriter, r *http.Request) {
		if _, p, _ := r.BasicAuth(); p != secret || refuse {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		page(asJSON, listed(`{"filename":"flwr-1.42.0-py3-none-any.whl"}`))(w, r)
	})
	with := strings.Replace(address, "http://", "http://someone:"+secret+"@", 1) + "/simple"
	t.Setenv("UV_DEFAULT_INDEX", with)
	t.Setenv("PIP_INDEX_URL", with)
	l, err := Refresh(t.Context(), false)
	if err != nil || l.Newest().String() != "1.42.0" || strings.Contains(l.Index, "someone") {
		t.Fatalf("%+v %v", l, err)
	}
	file, _ := place()
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), secret) {
		t.Errorf("%s %v", text, err)
	}
	refuse = true
	if _, err := Refresh(t.Context(), true); err == nil || leaks(err) {
		t.Errorf("%v", err)
	}
	t.Setenv("UV_DEFAULT_INDEX", strings.Replace(with, "127.0.0.1", "127.0.0.1.invalid", 1))
	t.Setenv("PIP_INDEX_URL", strings.Replace(with, "127.0.0.1", "127.0.0.1.invalid", 1))
	if _, err := Refresh(t.Context(), true); err == nil || leaks(err) {
		t.Errorf("%v", err)
	}
}

// TestNoWayDown: an index that leads from https to http is left.
func TestNoWayDown(t *testing.T) {
	plain, asked := server(t, page(asJSON, listed(mixed)))
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, plain+r.URL.Path, http.StatusFound) }))
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("UV_DEFAULT_INDEX", secure.URL+"/simple")
	t.Setenv("PIP_INDEX_URL", secure.URL+"/simple")
	t.Setenv("SSL_CERT_FILE", "")
	if _, err := Refresh(t.Context(), true); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("nobody vouches for it: %v", err)
	}
	t.Setenv("REQUESTS_CA_BUNDLE", ca)
	if _, err := Refresh(t.Context(), true); err == nil || !strings.Contains(err.Error(), "from https to http") || asked.Load() > 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

func TestOfflineAsksNobody(t *testing.T) {
	_, asked := server(t, http.NotFound)
	t.Setenv("UV_OFFLINE", "1")
	t.Setenv("PIP_NO_INDEX", "1")
	if _, err := Refresh(t.Context(), true); !problem.Is(err, Unknown) || asked.Load() > 0 {
		t.Errorf("%v, asked %d times", err, asked.Load())
	}
}

// A file that somebody else has changed is checked again as an answer is.
func TestKeptIsCheckedAgain(t *testing.T) {
	server(t, page(asJSON, listed(`{"filename":"flwr-1.42.0-py3-none-any.whl"}`)))
	if _, err := Refresh(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	file, _ := place()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"1.42.0"`, `"1.42.0\u001b[2J"`, 1)
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := Kept(); len(l.Releases) != 0 {
		t.Errorf("%+v", l)
	}
	if err := os.WriteFile(file, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l, err := Refresh(t.Context(), false); err != nil || l.Newest().String() != "1.42.0" {
		t.Errorf("%+v %v", l, err)
	}
}

func TestNightly(t *testing.T) {
	server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", asJSON)
		fmt.Fprint(w, listed(`{"filename":"flwr_nightly-1.43.0.dev20261019-py3-none-any.whl"},{"filename":"flwr_nightly-1.43.0.dev20261026-py3-none-any.whl"},
{"filename":"flwr-nightly-1.43.0.dev20261020.tar.gz"},{"filename":"flwr-1.99.0-py3-none-any.whl"}`))
	})
	if v, err := Nightly(t.Context()); err != nil || v.String() != "1.43.0.dev20261026" {
		t.Errorf("%s %v", v, err)
	}
}

func TestTakesPython(t *testing.T) {
	for _, c := range []struct {
		requires string
		minor    int
		want     bool
	}{
		{"", 10, true}, {"<4.0,>=3.11", 10, false}, {"<4.0,>=3.11", 13, true}, {">=3.9.2", 9, true}, {">=3.10,<3.13", 13, false}, {"~=3.10", 12, true}, {"nonsense", 12, false},
	} {
		if got := (Release{Python: c.requires}).TakesPython(c.minor); got != c.want {
			t.Errorf("%q and 3.%d: %v", c.requires, c.minor, got)
		}
	}
}

// FuzzAnswer reads what an index may answer: releases are numbers and nothing else, and there are not too many.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(listed(mixed)), true)
	f.Add([]byte(`<a href="x" data-requires-python="&gt;=3.11" data-yanked>flwr-1.41.0-py3-none-any.whl</a>`), false)
	f.Add([]byte(`<a><a></a>flwr-1.41.0.tar.gz`), false)
	f.Fuzz(func(t *testing.T, body []byte, isJSON bool) {
		read := fromHTML
		if isJSON {
			read = fromJSON
		}
		files, err := read(body)
		if err != nil {
			if len(err.Error()) > 200 {
				t.Errorf("%q", err)
			}
			return
		}
		for _, r := range installable(releasesOf("flwr", files), []int{11}) {
			if v, ok := release(r.Version.String()); !ok || v != r.Version || !r.TakesPython(11) {
				t.Errorf("%+v", r)
			}
		}
	})
}
