//go:build unix

package grid

import (
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"flwrup/internal/require"
)

// ask sends one request to the portal of g, as anybody on this machine can.
func ask(t *testing.T, g *Grid, method, path, body string, headers ...string) (status int, answer string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, g.Ready.Portal+path, strings.NewReader(body))
	must(t, err)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			req.Host = headers[i+1]
		} else {
			req.Header.Set(headers[i], headers[i+1])
		}
	}
	got, err := newClient().Do(req)
	must(t, err)
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	must(t, err)
	return got.StatusCode, string(text)
}

// TestPortalAnswersItsOwnerAlone visits every endpoint of the portal, as others on this machine and web pages
// in the owner's browser would, and the login page as a person would. The portal's files are readable only by
// the owner.
func TestPortalAnswersItsOwnerAlone(t *testing.T) {
	t.Parallel()
	env := require.Flwr(t, require.Newest)
	dir := filepath.Join(t.TempDir(), "grid")
	must(t, os.Mkdir(dir, 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "federations.json"), []byte(`{"federations": {}, "confirmed": []}`), 0o644))
	g := start(t, Options{Dir: dir, Python: require.Program(env, "python")})
	c := newCLI(t, env, g)
	login := c.command(append([]string{"login"}, c.conn...)...)
	must(t, login.Start())
	var waiting Login
	within(t, time.Minute, "a login waits", func() bool {
		s, err := g.State(t.Context())
		must(t, err)
		if len(s.Logins) > 0 {
			waiting = s.Logins[0]
		}
		return len(s.Logins) == 1
	})
	page := strings.TrimPrefix(waiting.URL, g.Ready.Portal)
	if strings.Contains(waiting.URL, waiting.UserCode) || page == waiting.URL {
		t.Fatalf("the link is %s", waiting.URL)
	}

	var table struct{ Routes [][2]string }
	must(t, g.call(t.Context(), http.MethodGet, "/routes", nil, &table))
	if len(table.Routes) < 14 {
		t.Fatalf("only %d endpoints: %v", len(table.Routes), table.Routes)
	}
	own, host := "Bearer "+g.secret, strings.TrimPrefix(g.Ready.Portal, "http://")
	_, port, _ := net.SplitHostPort(host)
	bodies := `{"user_code":"` + waiting.UserCode + `","account":"ada","what":"both","rpc":"*","mode":"internal","node_id":"all"}`
	for _, r := range append(table.Routes, [2]string{"GET", "/"}, [2]string{"GET", "/no-such"}, [2]string{"POST", "/state"}, [2]string{"GET", "/approve"}) {
		method, path := r[0], r[1]
		for name, headers := range map[string][]string{
			"nothing":               nil,
			"another secret":        {"Authorization", "Bearer " + strings.Repeat("A", len(g.secret))},
			"an empty secret":       {"Authorization", "Bearer "},
			"the instance":          {"Authorization", "Bearer " + g.Ready.Instance},
			"a web page":            {"Authorization", own, "Origin", "http://evil.example"},
			"a sandboxed page":      {"Authorization", own, "Origin", "null"},
			"another port's page":   {"Authorization", own, "Origin", "http://127.0.0.1:1"},
			"a rebound name":        {"Authorization", own, "Host", "evil.example:" + port},
			"a rebound name's page": {"Authorization", own, "Host", "evil.example:" + port, "Origin", "http://evil.example:" + port},
			"no port":               {"Authorization", own, "Host", "127.0.0.1"},
		} {
			for _, query := range []string{"", "?user_code=" + waiting.UserCode, "?login=", "?login=" + g.Ready.Instance} {
				if status, answer := ask(t, g, method, path+query, bodies, headers...); status != http.StatusUnauthorized && status != http.StatusForbidden {
					t.Errorf("%s: %s %s%s: %d %s", name, method, path, query, status, answer)
				}
			}
		}
	}
	for _, method := range []string{"PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"} {
		if status, answer := ask(t, g, method, "/state", "", "Authorization", own); status < 400 {
			t.Errorf("%s: %d %s", method, status, answer)
		}
	}
	if status, _ := ask(t, g, "POST", "/fault", strings.Repeat(" ", 17<<10)+bodies, "Authorization", own); status != http.StatusRequestEntityTooLarge {
		t.Errorf("a long body: %d", status)
	}
	if s, err := g.State(t.Context()); err != nil || len(s.Faults) > 0 || len(s.Logins) != 1 || s.Logins[0].Account != "" || s.Logins[0].Denied {
		t.Fatalf("something got through: %+v %v", s, err)
	}

	// The page: a link, and a code that only the terminal shows.
	form := func(code string) string {
		return url.Values{"user_code": {code}, "account": {"ada"}, "decision": {"approve"}}.Encode()
	}
	post := func(code, origin string) (int, string) {
		return ask(t, g, "POST", page, form(code), "Content-Type", "application/x-www-form-urlencoded", "Origin", origin)
	}
	if status, text := ask(t, g, "GET", page, ""); status != http.StatusOK || strings.Contains(text, waiting.UserCode) || !strings.Contains(text, `name="user_code"`) {
		t.Errorf("the page: %d %s", status, text)
	}
	if status, _ := post(waiting.UserCode, "http://evil.example"); status != http.StatusForbidden {
		t.Errorf("another page's form: %d", status)
	}
	if status, text := post("0000-0000", g.Ready.Portal); status != http.StatusOK || !strings.Contains(text, "not the code") {
		t.Errorf("a wrong code: %d %s", status, text)
	}
	if status, text := post(" "+strings.ToLower(waiting.UserCode), g.Ready.Portal); status != http.StatusOK || !strings.Contains(text, "logged in as ada") {
		t.Errorf("the code: %d %s", status, text)
	}
	if status, _ := ask(t, g, "GET", page, ""); status != http.StatusForbidden {
		t.Errorf("a link that was used: %d", status)
	}
	must(t, login.Wait())

	// A code cannot be guessed.
	login = c.command(append([]string{"login"}, c.conn...)...)
	must(t, login.Start())
	t.Cleanup(func() { _ = login.Process.Kill(); _ = login.Wait() })
	within(t, time.Minute, "a second login waits", func() bool {
		s, err := g.State(t.Context())
		must(t, err)
		if len(s.Logins) == 1 {
			waiting = s.Logins[0]
			page = strings.TrimPrefix(waiting.URL, g.Ready.Portal)
		}
		return len(s.Logins) == 1
	})
	for range 5 {
		_, _ = post("0000-0000", g.Ready.Portal)
	}
	if status, _ := post(waiting.UserCode, g.Ready.Portal); status != http.StatusForbidden {
		t.Errorf("after five wrong codes: %d", status)
	}

	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type()&fs.ModeSymlink == 0 {
			if info, err := d.Info(); err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is %v", path, info.Mode())
			}
		}
		return err
	}))
	for _, addr := range []string{g.Ready.Control, g.Ready.Fleet, host} {
		if h, _, err := net.SplitHostPort(addr); err != nil || !net.ParseIP(h).IsLoopback() {
			t.Errorf("listens at %s", addr)
		}
	}
	if shown := fmt.Sprintf("%+v", g.Ready); strings.Contains(shown, g.secret) || len(g.secret) < 32 {
		t.Error("the secret is shown")
	}
	must(t, g.Stop(t.Context()))
	for name, addr := range map[string]string{"portal": host, "control": g.Ready.Control, "fleet": g.Ready.Fleet} {
		if conn, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			conn.Close()
			t.Errorf("%s is open after the end", name)
		}
	}
	again := start(t, Options{Dir: dir, Python: require.Program(env, "python")})
	if again.secret == g.secret {
		t.Error("a second start has the same secret")
	}
}

// TestPortalHasOneDoor: only the guard's caller parses a request, and its two tables hold all that it does.
func TestPortalHasOneDoor(t *testing.T) {
	source, err := embedded.ReadFile("supergrid/portal.py")
	must(t, err)
	if n := len(regexp.MustCompile(`self\.path\b`).FindAll(source, -1)); n != 1 {
		t.Errorf("%d places look at a request's path", n)
	}
	if n := strings.Count(string(source), "def do_"); n != 1 {
		t.Errorf("%d methods of HTTP have a way of their own", n)
	}
}

// TestRuntimeIsItsOwners: other users of this machine cannot get the data that flwr's helper processes fetch
// without a secret.
func TestRuntimeIsItsOwners(t *testing.T) {
	t.Parallel()
	env := require.Flwr(t, require.Newest)
	g := start(t, Options{Dir: t.TempDir(), Python: require.Program(env, "python")})
	// Only root can become another user; everybody can hide that the request comes from here.
	cmd := exec.Command(require.Program(env, "python"), "-c", `
import http.client, os, ssl, sys
host, port = sys.argv[1].split(":")
tls = ssl._create_unverified_context()
def ask(path, headers={}):
    c = http.client.HTTPSConnection(host, int(port), context=tls, timeout=10)
    c.request("POST", path, b"", {"Content-Type": "application/protobuf", **headers})
    return c.getresponse().status
print(ask("/v1/runtime/acquire-task"), ask("/v1/runtime/acquire-task", {"X-Forwarded-For": "10.0.0.1"}), flush=True)
if os.getuid() == 0:
    os.setgid(20001)
    os.setuid(20001)
    for path in "/v1/runtime/acquire-task", "/v1/runtime/other", "/v1/responses", "/openapi.json", "/":
        print(path, ask(path), ask(path, {"X-Forwarded-For": "127.0.0.1"}), ask(path, {"Forwarded": "for=127.0.0.1"}), flush=True)
    print("fleet", ask("/v1/fleet/activate-node") != 403)
`, g.Ready.Control)
	out, err := cmd.CombinedOutput()
	want := "200 200\n"
	if os.Geteuid() == 0 {
		for _, path := range []string{"/v1/runtime/acquire-task", "/v1/runtime/other", "/v1/responses", "/openapi.json", "/"} {
			want += path + " 403 403 403\n"
		}
		want += "fleet True\n"
	}
	if err != nil || string(out) != want {
		t.Errorf("%v: got\n%swant\n%s", err, out, want)
	}
}
