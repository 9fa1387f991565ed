package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// arrived is a request that a webhook got.
type arrived struct {
	method, path, auth string
	body               map[string]any
}

// receiver is a webhook on loopback that answers with a status.
func receiver(t *testing.T, status int) (address string, got *[]arrived) {
	t.Helper()
	got = new([]arrived)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := arrived{method: r.Method, path: r.URL.Path, auth: r.Header.Get("Authorization")}
		text, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(text, &a.body); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		*got = append(*got, a)
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.Header().Set("Retry-After", "90")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "no \x1b[31msuch\x07 hook "+r.URL.Path+" "+r.Header.Get("Authorization"))
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

func message() Message {
	m := Message{ID: "0123456789abcdef", At: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), Project: "study <a> & b", Attempt: 1,
		Entries: []Entry{{Kind: Lost, What: Node, Name: "klinik-ä", At: time.Now(), Code: "node-killed", Cause: "killed", Fix: "flwrup start klinik-ä"}}}
	m.write()
	return m
}

func deskOf(t *testing.T, s Settings) *Desk {
	t.Helper()
	d, err := Open(Options{Dir: t.TempDir(), Project: "study", Settings: s})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestShapes(t *testing.T) {
	for _, c := range []struct{ shape, path, method, at, want string }{
		{"", "/hook", "POST", "/hook", `{"attempt":1,"id":"0123456789abcdef","project":"study <a> & b","title":"study <a> & b: klinik-ä is lost"}`},
		{ShapeSlack, "/services/x", "POST", "/services/x", `{"text":"*study &lt;a&gt; &amp; b: klinik-ä is lost*`},
		{ShapeMatrix, "/_matrix/client/v3/rooms/!a:b.c/send/m.room.message", "PUT", "/_matrix/client/v3/rooms/!a:b.c/send/m.room.message/0123456789abcdef", `{"msgtype":"m.text"}`},
		{ShapeNtfy, "/flwrup", "POST", "/", `{"topic":"flwrup","priority":4,"title":"study <a> & b: klinik-ä is lost"}`},
		{ShapeNtfy, "/below/flwrup/", "POST", "/below/", `{"topic":"flwrup"}`},
	} {
		address, got := receiver(t, 200)
		d := deskOf(t, Settings{Webhook: address + c.path, Shape: c.shape})
		if err := d.sendTo(t.Context(), byWebhook, message()); err != nil {
			t.Fatalf("%s: %v", c.shape, err)
		}
		a := (*got)[0]
		var want map[string]any
		if err := json.Unmarshal([]byte(strings.TrimSuffix(c.want, `*`)+map[bool]string{true: `*"}`}[c.shape == ShapeSlack]), &want); err != nil {
			t.Fatal(err)
		}
		for key, v := range want {
			have := a.body[key]
			if text, is := have.(string); is && c.shape == ShapeSlack {
				have, _, _ = strings.Cut(text, "\n")
			}
			if have != v {
				t.Errorf("%s: %s is %v, want %v", c.shape, key, a.body[key], v)
			}
		}
		if a.method != c.method || a.path != c.at || a.auth != "" {
			t.Errorf("%s: %s %s", c.shape, a.method, a.path)
		}
	}
}

// Tokens and addresses with a secret come from files and variables, and no error repeats them.
func TestSecretsStayOutOfErrors(t *testing.T) {
	for _, status := range []int{403, http.StatusFound} {
		address, got := receiver(t, status)
		file := filepath.Join(t.TempDir(), "hook")
		if err := os.WriteFile(file, []byte(address+"/T0/topsecret\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Setenv("HOOK_TOKEN", "tk_verysecret")
		d := deskOf(t, Settings{WebhookFile: file, TokenEnv: "HOOK_TOKEN"})
		err := d.sendTo(t.Context(), byWebhook, message())
		if err == nil || strings.Contains(err.Error(), "secret") || strings.ContainsAny(err.Error(), "\x1b\x07") || !strings.Contains(err.Error(), "such") {
			t.Errorf("%v", err)
		}
		var later *retryLater
		if !errors.As(err, &later) || later.after != 90*time.Second {
			t.Errorf("when to try again is not heard: %v", err)
		}
		if len(*got) != 1 || (*got)[0].auth != "Bearer tk_verysecret" {
			t.Errorf("%+v", *got)
		}
	}
	for name, s := range map[string]Settings{
		"nobody there":   {Webhook: "http://127.0.0.1:1/topsecret"},
		"no file":        {WebhookFile: "missing-topsecretfile"},
		"no variable":    {WebhookEnv: "FLWRUP_NO_SUCH_VARIABLE"},
		"in the clear":   {WebhookEnv: "CLEAR_HOOK"},
		"several lines":  {WebhookEnv: "LONG_HOOK"},
		"no such scheme": {WebhookEnv: "ODD_HOOK"},
	} {
		t.Setenv("CLEAR_HOOK", "http://hooks.example.org/topsecret")
		t.Setenv("LONG_HOOK", "https://hooks.example.org/topsecret\nX: y")
		t.Setenv("ODD_HOOK", "file:///topsecret")
		if err := deskOf(t, s).sendTo(t.Context(), byWebhook, message()); err == nil || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCommandAndMail(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs a shell")
	}
	dir := t.TempDir()
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	page := script("page", `printf '%s|%s|%s' "$FLWRUP_TITLE" "$FLWRUP_ID" "$1" >"$2"; cat >"$2.json"`)
	out := filepath.Join(dir, "out; rm x")
	d := deskOf(t, Settings{Command: []string{page, "$(id)", out}})
	if err := d.sendTo(t.Context(), byCommand, message()); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(out); string(text) != message().Title+"|0123456789abcdef|$(id)" {
		t.Errorf("%s", text)
	}
	var m Message
	if text, err := os.ReadFile(out + ".json"); err != nil || json.Unmarshal(text, &m) != nil || m.Entries[0].Name != "klinik-ä" {
		t.Errorf("%v: %+v", err, m)
	}
	d.Set("study", Settings{Command: []string{script("fails", "echo 'no \033[31mpager' >&2; exit 3")}})
	if err := d.sendTo(t.Context(), byCommand, message()); err == nil || !strings.Contains(err.Error(), "no pager") || strings.Contains(err.Error(), "\x1b") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("%v", err)
	}
	d.Set("study", Settings{Command: []string{filepath.Join(dir, "missing")}})
	if err := d.sendTo(t.Context(), byCommand, message()); err == nil {
		t.Error("a program that is not there")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	d.Set("study", Settings{Command: []string{script("hangs", "sleep 60")}})
	if err := d.sendTo(ctx, byCommand, message()); err == nil || !strings.Contains(err.Error(), "did not end") {
		t.Errorf("%v", err)
	}

	script("sendmail", `printf '%s\n' "$@" >"`+filepath.Join(dir, "args")+`"; cat >"`+filepath.Join(dir, "mail")+`"`)
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	for _, from := range []string{"", "flwrup@clinic.example"} {
		d.Set("study", Settings{Mail: []string{"it@clinic.example", "ada@clinic.example"}, MailFrom: from})
		if err := d.sendTo(t.Context(), byMail, message()); err != nil {
			t.Fatal(err)
		}
		args, _ := os.ReadFile(filepath.Join(dir, "args"))
		if want := "-i\n" + map[bool]string{true: "-f\n" + from + "\n"}[from != ""] + "--\nit@clinic.example\nada@clinic.example\n"; string(args) != want {
			t.Errorf("%q, want %q", args, want)
		}
		text, _ := os.ReadFile(filepath.Join(dir, "mail"))
		got, err := netmail.ReadMessage(bytes.NewReader(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
		if subject != message().Title || err != nil || got.Header.Get("Message-ID") != "<0123456789abcdef@flwrup.invalid>" || got.Header.Get("Auto-Submitted") != "auto-generated" || (got.Header.Get("From") != "") != (from != "") {
			t.Errorf("%v: %q %+v", err, subject, got.Header)
		}
		if body, _ := io.ReadAll(got.Body); !strings.Contains(string(body), "flwrup start") || got.Header.Get("To") == "" {
			t.Errorf("%s", body)
		}
	}
}

func TestSendTest(t *testing.T) {
	address, got := receiver(t, 200)
	d := deskOf(t, Settings{Webhook: address, Command: []string{filepath.Join(t.TempDir(), "missing")}})
	results := d.SendTest(t.Context())
	if len(results) != 2 || results[byWebhook] != nil || results[byCommand] == nil || len(*got) != 1 || (*got)[0].body["title"] != "study: test" {
		t.Errorf("%v, %+v", results, *got)
	}
}

func TestSettings(t *testing.T) {
	fits := func(check func(string) string, list ...string) {
		t.Helper()
		for _, v := range list {
			if why := check(v); why != "" {
				t.Errorf("%q: %s", v, why)
			}
		}
	}
	unfit := func(check func(string) string, list ...string) {
		t.Helper()
		for _, v := range list {
			why := check(v)
			if why == "" {
				t.Errorf("%q is taken", v)
			}
			if len(v) > 12 && strings.Contains(why, v) {
				t.Errorf("the reason repeats %q", v)
			}
		}
	}
	fits(CheckWebhook, "", "https://ntfy.example.org/flwrup-clinic", "https://mattermost.clinic.example/hooks/study-watch", "http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:1/",
		"https://matrix.example.org/_matrix/client/v3/rooms/!OGEhHVWSdvArJzumhm:matrix.org/send/m.room.message", "https://relay.example/flwrup?site=munich", "https://x.example/api/v2/alerts/supernodes-of-the-lung-study")
	unfit(CheckWebhook, "hooks.example.org", "ftp://x.example/y", "http://relay.example/x", "https://", "mailto:x@y.z",
		"https://hooks.slack.com/services/T024BE7LD/B0FAKE/XXXXaaaa1111bbbb2222cccc", "https://discord.com/api/webhooks/1234567890/aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789", "https://u:p@x.example/y",
		"https://x.example/y?token=a", "https://x.example/y?access_token=b", "https://chat.example.org/hooks/6bq3xp7jm3bk8mz4o9w1c5nzqr", "https://x.example/y?u=8f14e45fceea167a5a36dedd4bea2543",
		"https://ntfy.sh/Zt7Qm2Xk9Rw4Lp8s", "https://x.example/1b4e28ba-2fa1-11d2-883f-0016d3cca427")
	fits(CheckPath, "", "secrets/hook", "/etc/flwrup/slack", "~/hook", "hook.txt", "slack-hook")
	unfit(CheckPath, "https://hooks.slack.com/x", "xoxb-1234567890-abcdef", "6bq3xp7jm3bk8mz4o9w1c5nzqr")
	fits(CheckEnv, "", "SLACK_HOOK", "FLWRUP_HOSPITAL_OF_ST_MARY_TOKEN_2")
	unfit(CheckEnv, "syt_YWRh_abcdefghijkl", "A=b", "x-y", "6bq3xp7jm3bk8mz4o9w1c5nzqr", "aB3dE5fG7hI9jK1lM3nO5")
	fits(CheckCommand, "/usr/local/bin/page", "--urgent", "notify-send \"$FLWRUP_TITLE\"", "--token=$TOKEN", "--token-file=/etc/x", "https://pager.example/x", "--level=high")
	unfit(CheckCommand, "Authorization: Bearer abcdefghijk", "--token=abc", "api_key=abc", "xoxb-1234567890-abcdef", "https://hooks.slack.com/services/T024BE7LD/B0FAKE/XXXXaaaa1111bbbb2222cccc")
	fits(CheckMail, "", "it@clinic.example")
	unfit(CheckMail, "it", "-oQ/tmp@x.example", "IT <it@x.example>", "a@b.c, d@e.f", "a@b.c\nBcc: x@y.z")
	fits(CheckAfter, "", "0s", "90s", "3m", "24h")
	unfit(CheckAfter, "3", "25h", "-1s", "soon")
	fits(CheckQuiet, "", "22:00-07:00", "12:00-13:30")
	unfit(CheckQuiet, "22-7", "24:00-07:00", "07:00-07:00", "22:00")
	fits(CheckAbout, AboutGrid, AboutNodes, AboutRuns)
	unfit(CheckAbout, "", "all")
	fits(func(v string) string { return CheckShape(ShapeMatrix, v) }, "", "https://x/_matrix/client/v3/rooms/!a:b/send/m.room.message")
	unfit(func(v string) string { return CheckShape(ShapeMatrix, v) }, "https://x/y")
}
