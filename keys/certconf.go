package keys

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"flwrup/internal/problem"
)

// The syntax is that of OpenSSL's config(5): [section], key = value, '#' starts a comment anywhere
// outside quotes, a backslash at the end of a line continues it.
var (
	confSection = regexp.MustCompile(`^\s*\[\s*([^\]]*?)\s*\]`)
	confEntry   = regexp.MustCompile(`^(\s*)([^\s=#\[][^=#]*?)(\s*=\s*)(.*)$`)
	dnsKey      = regexp.MustCompile(`^DNS\.([0-9]+)$`)
	altSection  = regexp.MustCompile(`(?:^|,)\s*@\s*([^\s,]+)`)
	dnsName     = regexp.MustCompile(`^(\*\.)?([A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`)
)

// confLine is one line of the file, and what it means.
type confLine struct {
	text    string // with its line ending
	section string // that it stands in
	header  bool
	key     string // of an entry, else empty
	value   string // without comment and quotes
	indent  string
	equals  string // "=" and the blanks around it
	last    int    // index of the last line that a backslash continues it on
}

// SetDNS puts `DNS.n = name` under the section that subjectAltName refers to ([alt_names] in the
// guide), n being the number after the highest there. All other bytes stay as they are, and nothing
// changes when some DNS.n of that section is name already; a comment does not count. Where the section
// is referred to but missing it is added at the end. conf is the content of a certificate.conf.
func SetDNS(conf []byte, name string) (out []byte, changed bool, err error) {
	if len(name) > 253 || !dnsName.MatchString(name) {
		return conf, false, problem.New(problem.BadInput, fmt.Sprintf("%q is no DNS name", show(name)), "", "give a host name such as fleet-supergrid.flower.ai")
	}
	lines := parseConf(conf)
	section, exists := altNames(lines)
	if section == "" {
		return conf, false, problem.New(problem.BadInput, "the certificate configuration names no alternative names",
			"it has neither subjectAltName = @alt_names nor a section [alt_names]",
			"add `subjectAltName = @alt_names` to its extensions, and a section [alt_names]")
	}
	if !exists {
		end := lineEnding(lines, len(lines)-1)
		text := "[" + section + "]" + end + "DNS.1 = " + name + end
		if len(conf) > 0 {
			text = end + text
			if !endsLine(conf) {
				text = end + text
			}
		}
		return append(bytes.Clone(conf), text...), true, nil
	}

	after, highest, number := -1, 0, map[int]bool{} // after: the line to follow
	indent, equals := "", " = "
	follow := func(i int, line confLine) { after, indent, equals = line.last, line.indent, line.equals }
	lastEntry, header := -1, -1
	for i, line := range lines {
		if line.section != section {
			continue
		}
		if line.header {
			header = i
		}
		if line.key == "" {
			continue
		}
		lastEntry = i
		if line.key != "DNS" && !strings.HasPrefix(line.key, "DNS.") {
			continue
		}
		if strings.EqualFold(line.value, name) {
			return conf, false, nil
		}
		follow(i, line)
		if m := dnsKey.FindStringSubmatch(line.key); m != nil {
			if n, err := strconv.Atoi(m[1]); err == nil && n < 1<<30 {
				number[n] = true
				highest = max(highest, n)
			}
		}
	}
	if after < 0 && lastEntry >= 0 {
		follow(lastEntry, lines[lastEntry])
	}
	if after < 0 {
		after = header
	}
	next := highest + 1
	for number[next] {
		next++
	}
	return insertAfter(lines, after, fmt.Sprintf("%sDNS.%d%s%s", indent, next, equals, name)), true, nil
}

// altNames gives the section with the alternative names, and whether the file has it: what
// subjectAltName refers to in the extensions of a request, else anywhere, else [alt_names].
func altNames(lines []confLine) (section string, exists bool) {
	requested, anywhere, has := "", "", map[string]bool{}
	extensions := map[string]bool{}
	for _, line := range lines {
		has[line.section] = has[line.section] || line.header
		if line.section == "req" && (line.key == "req_extensions" || line.key == "x509_extensions") {
			extensions[line.value] = true
		}
	}
	for _, line := range lines {
		if line.key != "subjectAltName" {
			continue
		}
		if m := altSection.FindStringSubmatch(line.value); m != nil {
			if extensions[line.section] && requested == "" {
				requested = m[1]
			}
			if anywhere == "" {
				anywhere = m[1]
			}
		}
	}
	for _, s := range []string{requested, anywhere} {
		if s != "" {
			return s, has[s]
		}
	}
	if has["alt_names"] {
		return "alt_names", true
	}
	return "", false
}

func parseConf(conf []byte) []confLine {
	var lines []confLine
	section := ""
	for i, text := range bytes.SplitAfter(conf, []byte("\n")) {
		if len(text) == 0 {
			break
		}
		line := confLine{text: string(text), section: section, last: i}
		body := strings.TrimRight(line.text, "\r\n")
		if i == 0 {
			body = strings.TrimPrefix(body, "\ufeff")
		}
		if i > 0 && continues(lines[i-1].text) {
			for j := i - 1; j >= 0; j-- { // belongs to the entry that it continues
				lines[j].last = i
				if j == 0 || !continues(lines[j-1].text) {
					break
				}
			}
			lines = append(lines, line)
			continue
		}
		if m := confSection.FindStringSubmatch(body); m != nil {
			section = m[1]
			line.section, line.header = section, true
		} else if m := confEntry.FindStringSubmatch(body); m != nil {
			line.indent, line.key, line.equals, line.value = m[1], strings.TrimSpace(m[2]), m[3], confValue(m[4])
		}
		lines = append(lines, line)
	}
	return lines
}

// continues tells whether a line goes on in the next one: an odd number of backslashes at its end.
func continues(text string) bool {
	body := strings.TrimRight(text, "\r\n")
	return (len(body)-len(strings.TrimRight(body, `\`)))%2 == 1
}

// confValue takes comment, quotes and blanks off a value.
func confValue(s string) string {
	var out strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			out.WriteByte(s[i])
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\'' || c == '`'):
			quote = c
		case quote == 0 && c == '#':
			return strings.TrimSpace(out.String())
		default:
			out.WriteByte(c)
		}
	}
	return strings.TrimSpace(out.String())
}

func endsLine(b []byte) bool { return len(b) > 0 && b[len(b)-1] == '\n' }

// lineEnding is that of line i, or of the nearest line before it that has one.
func lineEnding(lines []confLine, i int) string {
	for ; i >= 0; i-- {
		if strings.HasSuffix(lines[i].text, "\r\n") {
			return "\r\n"
		}
		if strings.HasSuffix(lines[i].text, "\n") {
			return "\n"
		}
	}
	return "\n"
}

// insertAfter puts text on a line of its own after line i. A file that ends without a line ending
// still does afterwards.
func insertAfter(lines []confLine, i int, text string) []byte {
	end := lineEnding(lines, i)
	var out bytes.Buffer
	for j, line := range lines {
		out.WriteString(line.text)
		if j != i {
			continue
		}
		if strings.HasSuffix(line.text, "\n") {
			out.WriteString(text + end)
		} else {
			out.WriteString(end + text)
		}
	}
	return out.Bytes()
}

// NewCertificateConf gives a whole certificate.conf as the guide has it, with name as its second DNS
// name.
func NewCertificateConf(name string) []byte {
	names := "DNS.1 = localhost\n"
	if name != "" && name != "localhost" {
		names += "DNS.2 = " + name + "\n"
	}
	return []byte(`[req]
default_bits = 4096
prompt = no
default_md = sha256
req_extensions = req_ext
distinguished_name = dn

[dn]
C = DE
ST = HH
O = Flower
CN = localhost

[req_ext]
subjectAltName = @alt_names

[alt_names]
` + names + `IP.1 = ::1
IP.2 = 127.0.0.1
`)
}
