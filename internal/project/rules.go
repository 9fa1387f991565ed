package project

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"

	"flwrup/internal/admission"
	"flwrup/internal/hostpath"
	"flwrup/internal/nodeconfig"
	"flwrup/internal/notify"
)

// rule says which values a field takes; the zero rule takes any one line of text.
type rule struct {
	why     func(value string) string // "" when the value is fine
	pattern string                    // the same as a regular expression, where there is one
	values  []string                  // or all that it takes
}

// MaxNodes is the largest number of SuperNodes in one project.
const MaxNodes = 1000

var (
	federation  = regexp.MustCompile(`^(@[^/\s@]+/[^/\s@]+|[\p{L}\p{N}_][^/\s@]*)$`) // as the grids write it; never a flag
	contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.+-]+$`)                // as `docker context create` takes it
	plainName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)
	nodeName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$`)
	nodeKey     = regexp.MustCompile(`^supernode_[1-9][0-9]{0,3}$`)
	versionText = regexp.MustCompile(`^[0-9]+\.[0-9]+[0-9A-Za-z.+_-]*$`)
	cpuCount    = regexp.MustCompile(`^(0\.0*[1-9][0-9]*|[1-9][0-9]*(\.[0-9]+)?)$`)
	memorySize  = regexp.MustCompile(`^[1-9][0-9]{0,6}[mg]$`)
	pidCount    = regexp.MustCompile(`^(6[4-9]|[7-9][0-9]|[1-9][0-9]{2,6})$`)
	gpuChoice   = regexp.MustCompile(`^(all|[1-9][0-9]*|device=[A-Za-z0-9-]+(,[A-Za-z0-9-]+)*)$`)
	variable    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	hostPort    = regexp.MustCompile(`^(\[[0-9A-Fa-f:.%]+\]|[A-Za-z0-9._-]+)(:([0-9]{1,5}))?$`)
)

func matching(re *regexp.Regexp, why string) rule {
	return rule{pattern: "^$|" + re.String(), why: func(v string) string {
		if v == "" || re.MatchString(v) {
			return ""
		}
		return why
	}}
}

// limit is matching, or Unlimited.
func limit(re *regexp.Regexp, why string) rule {
	fits := matching(re, why+", or \""+Unlimited+"\"")
	return rule{pattern: fits.pattern + "|^" + Unlimited + "$", why: func(v string) string {
		if v == Unlimited {
			return ""
		}
		return fits.why(v)
	}}
}

func oneOf(values ...string) rule {
	return rule{values: values, why: func(v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return "it takes \"" + strings.Join(values, "\", \"") + "\""
	}}
}

func notEmpty(v string) string {
	if strings.TrimSpace(v) == "" {
		return "it is empty"
	}
	return ""
}

func nodeCount(v string) string {
	if n, err := strconv.Atoi(v); err != nil || n < 0 || n > MaxNodes {
		return fmt.Sprintf("it takes 0 to %d", MaxNodes)
	}
	return ""
}

func image(v string) string {
	if v == "" {
		return ""
	}
	if _, err := reference.ParseAnyReference(v); err != nil {
		return "it is not the name of an image"
	}
	return ""
}

func connectionName(v string) string {
	if v == "default" || !plainName.MatchString(v) {
		return "it is not the name of a connection"
	}
	return ""
}

// Check says why value does not fit a key of flwrup.toml; nil when it does. The [node.…] tables have CheckNode.
func Check(key, value string) error { return checkOf(fields, key, value) }

// CheckAddress says what is wrong with an address for grid.control or grid.fleet; nil when it is valid.
func CheckAddress(v string) error { return asError(address(v)) }

// CheckConnection says what is wrong with a name for grid.connection; nil when it is valid.
func CheckConnection(v string) error { return asError(connectionName(v)) }

func asError(why string) error {
	if why == "" {
		return nil
	}
	return errors.New(why)
}

func address(v string) string {
	m := hostPort.FindStringSubmatch(v)
	if v == "" {
		return ""
	}
	if m == nil {
		return "an address is host or host:port, without https://"
	}
	if port, _ := strconv.Atoi(m[3]); m[3] != "" && (port < 1 || port > 65535) {
		return "ports are 1 to 65535"
	}
	return ""
}

func noSecretKey(v string) string {
	if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(v)), "AGE-SECRET-KEY-") {
		return "it is a secret key, which must not stand in this file"
	}
	return ""
}

// siteName and contact stand in the letters of internal/admission, whose rules they have.
func siteName(v string) string { return unlessEmpty(v, admission.CheckSite) }

func contact(v string) string { return unlessEmpty(v, admission.CheckContact) }

func unlessEmpty(v string, check func(string) error) string {
	if v == "" {
		return ""
	}
	if err := check(v); err != nil {
		return err.Error()
	}
	return ""
}

func variableName(v string) string {
	switch {
	case strings.Contains(v, "="):
		return "it takes the name of a variable alone: values, which may be secret, stay out of this file"
	case !variable.MatchString(v):
		return "it is not the name of an environment variable"
	}
	return ""
}

// notifyMisfit names a key of [notify] that does not go with another one, and says why; "" where all do.
func (c *Choices) notifyMisfit() (path []string, why string) {
	n := c.Notify
	two := func(a, b string) bool { return a != "" && b != "" }
	switch {
	case two(n.WebhookFile, n.WebhookEnv) || two(n.Webhook, n.WebhookFile+n.WebhookEnv):
		return []string{"notify", "webhook"}, "there are two: webhook, webhook-file and webhook-env are three places for one address"
	case two(n.TokenFile, n.TokenEnv):
		return []string{"notify", "token-file"}, "there are two: token-file and token-env are two places for one token"
	}
	return []string{"notify", "shape"}, notify.CheckShape(n.Shape, n.Webhook)
}

// nodeConfig checks values for the ClientApp as flwr reads them.
func nodeConfig(v string) string {
	if err := nodeconfig.Check(v); err != nil {
		return err.Error()
	}
	return ""
}

// location checks "latitude,longitude" as flwr does.
func location(v string) string {
	if v == "" {
		return ""
	}
	north, east, ok := strings.Cut(v, ",")
	lat, err := strconv.ParseFloat(strings.TrimSpace(north), 64)
	lon, err2 := strconv.ParseFloat(strings.TrimSpace(east), 64)
	if !ok || err != nil || err2 != nil || !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180) {
		return "it takes latitude,longitude in degrees, such as \"48.14,11.58\""
	}
	return ""
}

// dataFolder checks host:container[:rw].
func dataFolder(v string) string {
	host, inside, _ := ParseData(v)
	if filepath.IsAbs(host) {
		if why := hostpath.Closed(host); why != "" {
			return "cannot give a SuperNode the folder " + host + ": " + why
		}
	}
	switch clean := path.Clean(inside); {
	case inside == "":
		return "it takes \"folder here:folder in the container\", with \":rw\" behind it where the node may write"
	case !strings.HasPrefix(inside, "/") || clean == "/":
		return "the folder in the container begins with / and is not / itself"
	case clean == "/app" || clean == "/tmp" || clean == "/run/supernode" || strings.HasPrefix(clean, "/run/supernode/") ||
		clean == "/python" || strings.HasPrefix(clean, "/python/"):
		return clean + " in the container belongs to the SuperNode"
	}
	return ""
}

// ParseData splits an entry of data into the folder on this machine, the folder in the container, and whether
// the node may write to it. inside is "" when the entry is malformed.
func ParseData(v string) (host, inside string, write bool) {
	rest, write := strings.CutSuffix(v, ":rw")
	if !write {
		rest = strings.TrimSuffix(rest, ":ro")
	}
	i := strings.LastIndexByte(rest, ':')
	if i <= 0 {
		return "", "", false
	}
	return rest[:i], rest[i+1:], write
}

// ParseMemory returns the bytes of a memory entry; 0 for "" and malformed entries, -1 for Unlimited.
func ParseMemory(v string) int64 {
	if v == Unlimited {
		return -1
	}
	if !memorySize.MatchString(v) {
		return 0
	}
	n, _ := strconv.ParseInt(v[:len(v)-1], 10, 64)
	if v[len(v)-1] == 'g' {
		return n << 30
	}
	return n << 20
}

// ParsePIDs returns the number of a pids entry; 0 for "" and malformed entries, -1 for Unlimited.
func ParsePIDs(v string) int64 {
	if v == Unlimited {
		return -1
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// dockerHost takes the name of a Docker context, or an address as DOCKER_HOST takes it.
func dockerHost(v string) string {
	if !strings.Contains(v, "://") {
		return unlessEmpty(v, func(v string) error {
			if !contextName.MatchString(v) {
				return errors.New("it is neither the name of a Docker context nor an address such as ssh://USER@HOST")
			}
			return nil
		})
	}
	u, err := url.Parse(v)
	switch {
	case err != nil:
		return "it is not an address"
	case !slices.Contains([]string{"ssh", "tcp", "unix", "npipe"}, u.Scheme):
		return "flwrup reaches Docker by ssh://, tcp:// and unix:// alone"
	case strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User.Username(), "-") || u.RawQuery != "" || u.Fragment != "":
		return "it does not name a Docker host"
	}
	if _, has := u.User.Password(); has {
		return "it holds a password: ssh takes a key, and tcp certificates from a Docker context"
	}
	return ""
}
