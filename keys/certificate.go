package keys

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"flwrup/internal/problem"
)

var (
	confSection = regexp.MustCompile(`^\s*\[\s*([^\]\s]+)\s*\]`)
	confDNS     = regexp.MustCompile(`^\s*DNS(?:\.(\d+))?\s*=\s*([^#\s]+)`)
	confAlt     = regexp.MustCompile(`^\s*subjectAltName\s*=\s*@([^\s#]+)`)
)

// SetDNS puts `DNS.n = name` into the section of an OpenSSL configuration that holds the alternative
// names: the one that subjectAltName = @section names, else [alt_names]. n is the next free number; the
// line comes behind the last DNS line of the section. All other bytes stay: comments, order, line
// endings. changed is false when the section names it already. Without such a section it is a Problem
// (bad-input).
func SetDNS(conf []byte, name string) (out []byte, changed bool, err error) {
	lines := bytes.SplitAfter(conf, []byte("\n"))
	section := "alt_names"
	for _, line := range lines {
		if m := confAlt.FindSubmatch(line); m != nil {
			section = string(m[1])
		}
	}
	in, after, highest := false, -1, 0
	for i, line := range lines {
		if m := confSection.FindSubmatch(line); m != nil {
			if in = string(m[1]) == section; in && after < 0 {
				after = i
			}
			continue
		}
		m := confDNS.FindSubmatch(line)
		if !in || m == nil {
			continue
		}
		if strings.EqualFold(string(m[2]), name) {
			return conf, false, nil
		}
		after = i
		if n, err := strconv.Atoi(string(m[1])); err == nil {
			highest = max(highest, n)
		}
	}
	if after < 0 {
		return nil, false, problem.New(problem.BadInput, "certificate.conf has no section ["+section+"]",
			"the alternative names of the certificate stand there", "add the lines [alt_names] and DNS.1 = localhost, and subjectAltName = @alt_names under [req_ext]")
	}
	ending := "\n"
	if bytes.Contains(conf, []byte("\r\n")) {
		ending = "\r\n"
	}
	before := bytes.Join(lines[:after+1], nil)
	added := fmt.Sprintf("DNS.%d = %s", highest+1, name)
	if !bytes.HasSuffix(before, []byte("\n")) { // no line feed at the end of the file: none behind ours either
		added = ending + added
	} else {
		added += ending
	}
	return bytes.Join([][]byte{before, []byte(added), bytes.Join(lines[after+1:], nil)}, nil), true, nil
}

var keyCount = regexp.MustCompile(`^(\s*local\s+num_clients=\$\{1:-)([^}]*)(\}.*)$`)

// SetKeyCount puts n into generate_auth_keys.sh of Flower's authentication example, on its line
// `local num_clients=${1:-N}` (line 15 in the guide), and gives that line's number. A script without
// that line is a Problem (bad-input).
func SetKeyCount(script []byte, n int) (out []byte, line int, changed bool, err error) {
	lines := strings.SplitAfter(string(script), "\n")
	for i, text := range lines {
		bare := strings.TrimRight(text, "\r\n")
		m := keyCount.FindStringSubmatch(bare)
		if m == nil {
			continue
		}
		want := strconv.Itoa(n)
		if m[2] == want {
			return script, i + 1, false, nil
		}
		lines[i] = m[1] + want + m[3] + text[len(bare):]
		return []byte(strings.Join(lines, "")), i + 1, true, nil
	}
	return nil, 0, false, problem.New(problem.BadInput, "generate_auth_keys.sh has no line local num_clients=${1:-N}",
		"it is not that of Flower's authentication example", "leave it: flwrup makes the keys itself")
}

// NewCertificateConf gives a complete certificate.conf, as the guide has it, with name among the
// alternative names.
func NewCertificateConf(name string) []byte {
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
DNS.1 = localhost
DNS.2 = ` + name + `
IP.1 = ::1
IP.2 = 127.0.0.1
`)
}
