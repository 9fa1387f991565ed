// Package notify tells people who do not look at a screen: once when something is lost for longer than a bearable time,
// once when it is back, and of runs. It decides what is worth a message, keeps what has not been sent yet across restarts,
// and hands messages to a program, a webhook or sendmail. It never sends more than names, states, causes and remedies.
package notify

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Settings is [notify] of flwrup.toml. No field holds a secret.
type Settings struct {
	Command     []string // a program with its arguments
	Webhook     string   // an address without a secret
	WebhookFile string   // or a file with the address
	WebhookEnv  string   // or a variable with it
	Shape       string   // what a webhook gets; "": ShapeJSON
	TokenFile   string   // a file with the token that a webhook wants
	TokenEnv    string   // or a variable with it
	Mail        []string // e-mail addresses
	MailFrom    string   // "": sendmail's own choice
	After       string   // bearable time, such as "3m"; "": DefaultAfter
	Quiet       string   // "22:00-07:00", in local time
	About       []string // AboutNodes, AboutGrid, AboutRuns; none: all of them
	Terminal    string   // notifications of the terminal while a dashboard is open; "": the terminal's own kind
}

// The values of Settings.Shape.
const (
	ShapeJSON   = "json"
	ShapeSlack  = "slack" // Mattermost and Rocket.Chat take it, too
	ShapeMatrix = "matrix"
	ShapeNtfy   = "ntfy"
)

// The values of Settings.About.
const (
	AboutNodes = "supernodes"
	AboutGrid  = "grid" // and the runtime
	AboutRuns  = "runs"
)

// The values of Settings.Terminal.
const (
	TerminalOSC9   = "osc9"
	TerminalOSC777 = "osc777"
	TerminalOff    = "off"
)

// DefaultAfter is how long something is lost before anybody hears of it.
const DefaultAfter = 3 * time.Minute

const mostAfter = 24 * time.Hour

// Sends reports whether somebody gets the messages.
func (s Settings) Sends() bool { return len(s.channels()) > 0 }

// Bearable is how long something is lost before anybody hears of it.
func (s Settings) Bearable() time.Duration {
	if d, err := time.ParseDuration(s.After); err == nil && d >= 0 && d <= mostAfter {
		return d
	}
	return DefaultAfter
}

// Hears reports whether somebody wants to hear of it.
func (s Settings) Hears(what What) bool {
	if len(s.About) == 0 {
		return true
	}
	return slices.Contains(s.About, map[What]string{Node: AboutNodes, Grid: AboutGrid, Runtime: AboutGrid, Run: AboutRuns}[what])
}

// CheckAfter says why v is no bearable time; "" where it is one.
func CheckAfter(v string) string {
	if d, err := time.ParseDuration(v); v != "" && (err != nil || d < 0 || d > mostAfter) {
		return "it takes a time of at most 24h, such as \"3m\" or \"90s\""
	}
	return ""
}

var hours = regexp.MustCompile(`^([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])$`)

// CheckQuiet says why v is no time of quiet; "" where it is one.
func CheckQuiet(v string) string {
	if m := hours.FindStringSubmatch(v); v != "" && (m == nil || m[1]+m[2] == m[3]+m[4]) {
		return "it takes two times of the day, such as \"22:00-07:00\""
	}
	return ""
}

// quiet reports whether now is a time of quiet, by the clock of this machine.
func (s Settings) quiet(now time.Time) bool {
	if s.Quiet == "" || CheckQuiet(s.Quiet) != "" {
		return false
	}
	from, to, _ := strings.Cut(s.Quiet, "-")
	at := now.Local().Format("15:04")
	if from < to {
		return from <= at && at < to
	}
	return at >= from || at < to
}

// CheckWebhook says why v cannot be the address of a webhook in a file that others read; "" where it can.
func CheckWebhook(v string) string {
	if v == "" {
		return ""
	}
	if why := checkAddress(v); why != "" {
		return why
	}
	if hasSecret(v) {
		return "it looks as if it had a secret in it, which must not stand in this file: put it into a file and name that in webhook-file, or into a variable and name that in webhook-env"
	}
	return ""
}

// checkAddress says why nothing is sent to an address, whether it has a secret or not. It never repeats the address.
func checkAddress(v string) string {
	u, err := url.Parse(v)
	switch {
	case err != nil || u.Host == "" || u.Opaque != "":
		return "it is not an address such as https://HOST/PATH"
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback(u.Hostname()):
	case u.Scheme == "http":
		return "messages would travel in the clear: it takes https://, and http:// on this machine alone"
	default:
		return "it takes an address that begins with https://"
	}
	return ""
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

var (
	secretName = regexp.MustCompile(`(?i)(token|secret|passw|passphrase|api-?_?key|^key$|^sig$|signature|auth|bearer|credential|^code$|^k$)`)
	secretText = regexp.MustCompile(`(?i)\b(bearer|basic)\s+\S{8,}|\b(gh[pousr]_|glpat-|xox[abprs]-|sk-|hf_|AKIA|eyJ|syt_|tk_)[A-Za-z0-9_.-]{8,}`)
	setting    = regexp.MustCompile(`^-{0,2}([A-Za-z_-]+)[=:]\s*(\S.*)$`)
)

// hasSecret reports whether an address looks as if whoever knows it may use it.
func hasSecret(v string) bool {
	u, err := url.Parse(v)
	if err != nil {
		return false
	}
	if _, has := u.User.Password(); has || u.User != nil && opaque(u.User.Username()) || secretText.MatchString(v) {
		return true
	}
	for name, values := range u.Query() {
		if secretName.MatchString(name) || slices.ContainsFunc(values, opaque) {
			return true
		}
	}
	for _, part := range strings.Split(u.Path+"/"+u.Fragment, "/") {
		if strings.HasPrefix(part, "!") || strings.HasPrefix(part, "#") { // a room of Matrix: who may write there needs a token
			continue
		}
		if opaque(part) {
			return true
		}
	}
	return false
}

// opaque reports whether a word is more likely made by chance than by a person.
func opaque(word string) bool {
	letters, digits, upper, lower, changes := 0, 0, 0, 0, 0
	var last rune
	longest, run := 0, 0
	for _, r := range word {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsUpper(r):
			letters, upper = letters+1, upper+1
		case unicode.IsLetter(r):
			letters, lower = letters+1, lower+1
		case r == '-' || r == '_' || r == '.' || r == '~':
			run, last = 0, r
			continue
		default:
			return false
		}
		if last != 0 && (unicode.IsDigit(r) != unicode.IsDigit(last) || unicode.IsUpper(r) != unicode.IsUpper(last)) {
			changes++
		}
		last = r
		run++
		longest = max(longest, run)
	}
	switch {
	case longest >= 24: // no word is so long
		return true
	case letters+digits >= 16 && digits > 0 && letters > 0 && changes >= 4:
		return true
	case longest >= 16 && upper > 0 && lower > 0 && changes >= 6:
		return true
	}
	return false
}

// CheckPath says why v cannot be the path of a file with a secret; "" where it can.
func CheckPath(v string) string {
	switch {
	case v == "":
	case strings.Contains(v, "://"):
		return "it takes the path of a file, not an address"
	case secretText.MatchString(v) || !strings.ContainsAny(v, `/\.`) && opaque(v):
		return "it looks like a secret, which must not stand in this file: it takes the path of a file that has it"
	}
	return ""
}

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// CheckEnv says why v cannot be the name of a variable with a secret; "" where it can.
func CheckEnv(v string) string {
	switch {
	case v == "":
	case !variable.MatchString(v):
		return "it takes the name of a variable alone: values, which may be secret, stay out of this file"
	case secretText.MatchString(v) || opaque(v) && strings.ToUpper(v) != v:
		return "it looks like a secret, which must not stand in this file: it takes the name of a variable that has it"
	}
	return ""
}

// CheckCommand says why an argument of the command must not stand in a file that others read; "" where it may.
func CheckCommand(v string) string {
	secret := secretText.MatchString(v) || strings.Contains(v, "://") && hasSecret(v)
	if m := setting.FindStringSubmatch(v); m != nil && secretName.MatchString(m[1]) && !strings.ContainsAny(m[2], "$/") {
		secret = true
	}
	if secret {
		return "it looks as if it had a secret in it, which must not stand in this file: have the command read it from a file or a variable"
	}
	return ""
}

// CheckMail says why v is no e-mail address; "" where it is one.
func CheckMail(v string) string {
	a, err := mail.ParseAddress(v)
	if v != "" && (err != nil || a.Address != v || strings.HasPrefix(v, "-")) {
		return "it is not an e-mail address"
	}
	return ""
}

// CheckAbout says why v is nothing to hear of; "" where it is.
func CheckAbout(v string) string {
	if !slices.Contains([]string{AboutNodes, AboutGrid, AboutRuns}, v) {
		return fmt.Sprintf("it takes %q, %q and %q", AboutNodes, AboutGrid, AboutRuns)
	}
	return ""
}
