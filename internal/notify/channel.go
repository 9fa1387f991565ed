package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"flwrup/internal/child"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// The channels of a message.
const (
	byCommand = "command"
	byWebhook = "webhook"
	byMail    = "mail"
)

const (
	oneTry     = 30 * time.Second
	mostSecret = 8 << 10 // bytes of a file with an address or a token
	mostAnswer = 4 << 10 // bytes of an answer that are read
	shownTail  = 200     // characters of an answer, or of a program's last words, that the log shows
)

// channels are those that the settings name.
func (s Settings) channels() (list []string) {
	if len(s.Command) > 0 {
		list = append(list, byCommand)
	}
	if s.Webhook != "" || s.WebhookFile != "" || s.WebhookEnv != "" {
		list = append(list, byWebhook)
	}
	if len(s.Mail) > 0 {
		list = append(list, byMail)
	}
	return list
}

// retryLater is the error of a receiver that says when to try again.
type retryLater struct {
	error
	after time.Duration
}

// sendTo sends a message by one channel. No error has an address or a token in it.
func (d *Desk) sendTo(ctx context.Context, channel string, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, oneTry)
	defer cancel()
	d.mu.Lock()
	o := d.o
	d.mu.Unlock()
	switch channel {
	case byCommand:
		return runCommand(ctx, o, m)
	case byWebhook:
		return post(ctx, o, m)
	case byMail:
		return sendMail(ctx, o, m)
	}
	return fmt.Errorf("no channel %s", channel)
}

// secret reads an address or a token: from a file, or from a variable.
func (o Options) secret(what, file, env string) (string, error) {
	var text string
	switch {
	case file != "":
		if !filepath.IsAbs(file) {
			file = filepath.Join(o.Dir, file)
		}
		b, err := plainfile.ReadAtMost(file, mostSecret)
		if err != nil {
			return "", problem.New(problem.BadInput, "cannot read the file with "+what, problem.Cause(err), "see "+what+" in [notify] of flwrup.toml")
		}
		text = string(b)
	case env != "":
		if text = os.Getenv(env); text == "" {
			return "", problem.New(problem.BadInput, "the variable "+env+" with "+what+" is not set", "", "set it where the watch is started")
		}
	}
	text = strings.TrimSpace(text)
	if text == "" || strings.ContainsAny(text, "\r\n\x00") {
		return "", problem.New(problem.BadInput, "cannot use "+what, "it is empty, or has more than one line", "write one line")
	}
	return text, nil
}

// runCommand starts the program with the message as JSON on its standard input.
func runCommand(ctx context.Context, o Options, m Message) error {
	program := o.Settings.Command[0]
	if strings.ContainsRune(program, filepath.Separator) && !filepath.IsAbs(program) {
		program = filepath.Join(o.Dir, program)
	}
	in, err := json.Marshal(m)
	if err != nil {
		return err
	}
	cmd := child.Tool(ctx, program, o.Settings.Command[1:]...)
	cmd.Env = child.Environ("FLWRUP_TITLE="+m.Title, "FLWRUP_TEXT="+m.Text, "FLWRUP_ID="+m.ID, "FLWRUP_PROJECT="+m.Project)
	cmd.Stdin = bytes.NewReader(append(in, '\n'))
	return ran(ctx, cmd, filepath.Base(program))
}

// ran runs a program to its end; the error has its last words.
func ran(ctx context.Context, cmd *exec.Cmd, name string) error {
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s did not end within %s", name, oneTry)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return errors.New(name + " ended with " + exit.String() + around(": ", out.String()))
	}
	return errors.New("cannot start " + name + ": " + problem.Cause(err))
}

func around(before, text string) string {
	if text = cut(strings.TrimSpace(termsafe.Line(strings.ReplaceAll(text, "\n", " "))), shownTail); text == "" {
		return ""
	}
	return before + text
}

// tail keeps the last of what is written to it.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if over := len(t.b) - mostAnswer; over > 0 {
		t.b = append(t.b[:0], t.b[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.b) }

// client sends no message on to another address, and asks no other proxy than the person's.
var client = &http.Client{
	Timeout:       oneTry,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// post sends the message to the webhook.
func post(ctx context.Context, o Options, m Message) error {
	s := o.Settings
	address := s.Webhook
	if s.WebhookFile != "" || s.WebhookEnv != "" {
		var err error
		if address, err = o.secret("the webhook's address", s.WebhookFile, s.WebhookEnv); err != nil {
			return err
		}
		if why := checkAddress(address); why != "" {
			return problem.New(problem.BadInput, "cannot use the webhook's address", why, "")
		}
	}
	method, address, body, err := shaped(s.Shape, address, m)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return errors.New("cannot use the webhook's address")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "flwrup")
	r.Header.Set("Idempotency-Key", m.ID)
	if s.TokenFile != "" || s.TokenEnv != "" {
		token, err := o.secret("the webhook's token", s.TokenFile, s.TokenEnv)
		if err != nil {
			return err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err := client.Do(r)
	if err != nil {
		var wrapped *url.Error // its text has the address, and that may be a secret
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		if ctx.Err() != nil || wrapped != nil && wrapped.Timeout() {
			return errors.New(r.URL.Host + " did not answer in time")
		}
		return errors.New("cannot reach " + r.URL.Host + around(": ", err.Error()))
	}
	defer answer.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(answer.Body, mostAnswer))
	if answer.StatusCode/100 == 2 {
		return nil
	}
	err = errors.New(r.URL.Host + " answered " + strconv.Itoa(answer.StatusCode) + around(": ", without(string(said), address, r.Header.Get("Authorization"))))
	if seconds, bad := strconv.Atoi(answer.Header.Get("Retry-After")); bad == nil && seconds > 0 {
		return &retryLater{err, time.Duration(min(seconds, 3600)) * time.Second}
	}
	return err
}

// without takes secrets out of what a receiver answered.
func without(text, address, token string) string {
	for _, secret := range []string{address, strings.TrimPrefix(token, "Bearer ")} {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	if u, err := url.Parse(address); err == nil && len(u.Path) > 1 {
		text = strings.ReplaceAll(text, u.Path, "…")
	}
	return text
}

// shaped returns the request that a kind of webhook wants.
func shaped(shape, address string, m Message) (method, to string, body []byte, err error) {
	method, to = http.MethodPost, address
	var v any = m
	switch shape {
	case ShapeSlack: // https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
		v = map[string]string{"text": "*" + slackText(m.Title) + "*\n" + slackText(m.Text)}
	case ShapeMatrix: // https://spec.matrix.org/latest/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid
		method, to = http.MethodPut, strings.TrimRight(address, "/")+"/"+m.ID
		v = map[string]string{"msgtype": "m.text", "body": m.Title + "\n" + m.Text}
	case ShapeNtfy: // https://docs.ntfy.sh/publish/#publish-as-json
		u, perr := url.Parse(address)
		if perr != nil {
			return "", "", nil, errors.New("cannot use the webhook's address")
		}
		i := strings.LastIndex(strings.TrimRight(u.Path, "/"), "/")
		topic := strings.TrimRight(u.Path, "/")[i+1:]
		if topic == "" {
			return "", "", nil, problem.New(problem.BadInput, "the webhook's address has no topic", "ntfy's is https://HOST/TOPIC", "")
		}
		u.Path, u.RawPath = u.Path[:i+1], ""
		priority, tag := 3, "white_check_mark"
		if m.urgent() {
			priority, tag = 4, "warning"
		}
		to = u.String()
		v = map[string]any{"topic": topic, "title": m.Title, "message": m.Text, "priority": priority, "tags": []string{tag}}
	}
	body, err = json.Marshal(v)
	return method, to, body, err
}

// slackText keeps names from becoming links and mentions.
func slackText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// CheckShape says why an address does not fit the shape of its webhook; "" where it does.
func CheckShape(shape, address string) string {
	if shape == ShapeMatrix && address != "" && !strings.HasSuffix(strings.TrimRight(address, "/"), "/send/m.room.message") {
		return "a Matrix address is https://HOST/_matrix/client/v3/rooms/ROOM/send/m.room.message"
	}
	return ""
}

// sendmails are the places of the program where PATH does not have it.
var sendmails = []string{"sendmail", "/usr/sbin/sendmail", "/usr/lib/sendmail"}

// sendMail hands the message to this machine's sendmail.
func sendMail(ctx context.Context, o Options, m Message) error {
	program := ""
	for _, name := range sendmails {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		return problem.New(problem.BadInput, "cannot send e-mail", "this machine has no sendmail", "install one, such as postfix or msmtp, or use a webhook")
	}
	text, err := mailText(o.Settings, m)
	if err != nil {
		return err
	}
	args := []string{"-i"}
	if o.Settings.MailFrom != "" {
		args = append(args, "-f", o.Settings.MailFrom)
	}
	cmd := child.Tool(ctx, program, append(append(args, "--"), o.Settings.Mail...)...)
	cmd.Stdin = bytes.NewReader(text)
	return ran(ctx, cmd, "sendmail")
}

// mailText is the message as an e-mail. The same message has the same Message-ID.
func mailText(s Settings, m Message) ([]byte, error) {
	e := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if s.MailFrom != "" {
		if err := e.From(s.MailFrom); err != nil {
			return nil, err
		}
	}
	if err := e.To(s.Mail...); err != nil {
		return nil, err
	}
	e.Subject(m.Title)
	e.SetMessageIDWithValue(m.ID + "@flwrup.invalid")
	e.SetDateWithValue(m.At)
	e.SetGenHeader("Auto-Submitted", "auto-generated")
	e.SetBodyString(mail.TypeTextPlain, m.Text+"\n")
	var b bytes.Buffer
	_, err := e.WriteTo(&b)
	return b.Bytes(), err
}
