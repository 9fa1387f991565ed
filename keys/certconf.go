package keys

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	section string // section it stands in
	header  bool
	key     string // of an entry, else empty
	value   string // without comment and quotes
	indent  string
	equals  string // "=" and the blanks around it
	last    int    // index of the last line that continues it
}

// SetDNS puts `DNS.n = name` under the section that subjectAltName refers to ([alt_names] in the guide). n is
// the number after the highest there. Where subjectAltName is itself the list, `DNS:name` is appended to it.
// All other bytes stay as they are. Nothing changes when the name already exists; a comment does not count.
// A section that is referred to but missing is added at the end. conf is the content of a certificate.conf. A
// conf that is not text, or has no place for names, is a Problem (bad-input).
func SetDNS(conf []byte, name string) (out []byte, changed bool, err error) {
	if len(name) > 253 || !dnsName.MatchString(name) {
		return conf, false, problem.New(problem.BadInput, fmt.Sprintf("%q is not a DNS name", show(name)), "", "give a host name such as fleet-supergrid.flower.ai")
	}
	if !utf8.Valid(conf) || bytes.ContainsRune(conf, 0) {
		return conf, false, problem.New(problem.BadInput, "the certificate configuration is not a text", "it holds bytes that are no UTF-8", "put OpenSSL's configuration in its place")
	}
	lines := parseConf(conf)
	section, list, exists := altNames(lines)
	if list >= 0 {
		return addToList(conf, lines, list, name)
	}
	if section == "" {
		return conf, false, problem.New(problem.BadInput, "the certificate configuration names no alternative names",
			"it has neither a subjectAltName nor a section [alt_names]",
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

	after, highest, number := -1, 0, map[int]bool{} // position: the line to follow
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

// altNames returns the section with the alternative names, and whether the file has it. When the names stand
// in subjectAltName itself, line is that line, else -1. The extensions of a request decide, then any other
// extensions, then [alt_names].
func altNames(lines []confLine) (section string, list int, exists bool) {
	has, extensions := map[string]bool{}, map[string]bool{}
	for _, line := range lines {
		has[line.section] = has[line.section] || line.header
		if line.section == "req" && (line.key == "req_extensions" || line.key == "x509_extensions") {
			extensions[line.value] = true
		}
	}
	found := -1
	for i, line := range lines {
		if line.key != "subjectAltName" || found >= 0 && extensions[lines[found].section] {
			continue
		}
		if found < 0 || extensions[line.section] {
			found = i
		}
	}
	switch {
	case found >= 0:
		value := logical(lines, found)
		if m := altSection.FindStringSubmatch(value); m != nil {
			return m[1], -1, has[m[1]]
		}
		return "", found, true
	case has["alt_names"]:
		return "alt_names", -1, true
	}
	return "", -1, false
}

// logical returns the value of the entry in line i with the lines that continue it.
func logical(lines []confLine, i int) string {
	var text strings.Builder
	for j := i; j <= lines[i].last; j++ {
		body := strings.TrimRight(lines[j].text, "\r\n")
		if j == 0 {
			body = strings.TrimPrefix(body, "\ufeff")
		}
		if j < lines[i].last {
			body = strings.TrimSuffix(body, `\`)
		}
		text.WriteString(body)
	}
	m := confEntry.FindStringSubmatch(text.String())
	if m == nil {
		return ""
	}
	return confValue(m[4])
}

// addToList appends DNS:name to the list in subjectAltName in line i.
func addToList(conf []byte, lines []confLine, i int, name string) ([]byte, bool, error) {
	value := logical(lines, i)
	for item := range strings.SplitSeq(value, ",") {
		if kind, dns, ok := strings.Cut(item, ":"); ok && strings.TrimSpace(kind) == "DNS" && strings.EqualFold(strings.TrimSpace(dns), name) {
			return conf, false, nil
		}
	}
	last := lines[i].last
	body := strings.TrimRight(lines[last].text, "\r\n")
	from := 0
	if last == i {
		from = strings.Index(body, "=") + 1
	}
	end := from + valueEnd(body[from:])
	text := ", DNS:" + name
	switch {
	case value == "":
		text = strings.Repeat(" ", min(1, from)) + "DNS:" + name
	case strings.HasSuffix(value, ","):
		text = " DNS:" + name
	}
	at := end
	for _, line := range lines[:last] {
		at += len(line.text)
	}
	return slices.Concat(conf[:at], []byte(text), conf[at:]), true, nil
}

// valueEnd returns where a value in s ends: before a comment and the blanks around it.
func valueEnd(s string) int {
	quote, end := byte(0), 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			end = i + 1
		case quote != 0 && c == quote:
			quote, end = 0, i+1
		case quote == 0 && (c == '"' || c == '\'' || c == '`'):
			quote, end = c, i+1
		case quote == 0 && c == '#':
			return end
		case c != ' ' && c != '\t':
			end = i + 1
		}
	}
	return end
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

// continues reports whether a line goes on in the next one: it ends with an odd number of backslashes.
func continues(text string) bool {
	body := strings.TrimRight(text, "\r\n")
	return (len(body)-len(strings.TrimRight(body, `\`)))%2 == 1
}

// confValue strips comment, quotes and blanks from a value.
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

// lineEnding returns the ending of line i, or of the nearest line before it that has one.
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

// insertAfter inserts text as a line after line i. A file without a final line ending still has none
// afterwards.
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

// NewCertificateConf returns a whole certificate.conf as in the guide, with name as its second DNS name.
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
