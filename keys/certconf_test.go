package keys

import (
	"bytes"
	"strings"
	"testing"

	"flwrup/internal/problem"
)

const fleet = "fleet-supergrid.flower.ai"

func TestSetDNS(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"the guide's", "[req_ext]\nsubjectAltName = @alt_names\n\n[alt_names]\nDNS.1 = localhost\nIP.1 = ::1\n",
			"[req_ext]\nsubjectAltName = @alt_names\n\n[alt_names]\nDNS.1 = localhost\nDNS.2 = " + fleet + "\nIP.1 = ::1\n"},
		{"there, with a comment", "[alt_names]\nDNS.1 = localhost\nDNS.2 = " + fleet + "    # added\n", ""},
		{"there without a number", "[alt_names]\nDNS = " + fleet + "\n", ""},
		{"commented out is not there", "[alt_names]\n# DNS.2 = " + fleet + "\nDNS.1 = a\n",
			"[alt_names]\n# DNS.2 = " + fleet + "\nDNS.1 = a\nDNS.2 = " + fleet + "\n"},
		{"gaps", "[alt_names]\nDNS.1 = a\nDNS.7 = b\n[dn]\nC = DE\n", "[alt_names]\nDNS.1 = a\nDNS.7 = b\nDNS.8 = " + fleet + "\n[dn]\nC = DE\n"},
		{"CRLF", "[alt_names]\r\nDNS.1 = a\r\n", "[alt_names]\r\nDNS.1 = a\r\nDNS.2 = " + fleet + "\r\n"},
		{"no line feed at the end", "[alt_names]\nDNS.1 = a", "[alt_names]\nDNS.1 = a\nDNS.2 = " + fleet},
		{"empty section", "[alt_names]\n\n[dn]\n", "[alt_names]\nDNS.1 = " + fleet + "\n\n[dn]\n"},
		{"a section of another name", "[v3]\nsubjectAltName=@names\n[names]\nDNS.1=a\n[alt_names]\nDNS.1=b\n",
			"[v3]\nsubjectAltName=@names\n[names]\nDNS.1=a\nDNS.2=" + fleet + "\n[alt_names]\nDNS.1=b\n"},
		{"the section is missing", "[v3]\nsubjectAltName = critical, @alt_names # c", "[v3]\nsubjectAltName = critical, @alt_names # c\n\n[alt_names]\nDNS.1 = " + fleet + "\n"},
		{"numbers out of order, tight and indented", "[alt_names]\n\tDNS.3=a # c\n\tDNS.1=b\n\tIP.1=::1\n", "[alt_names]\n\tDNS.3=a # c\n\tDNS.1=b\n\tDNS.4=" + fleet + "\n\tIP.1=::1\n"},
		{"a line that goes on in the next", "[alt_names]\nDNS.1 = a\\\nb\nIP.1 = ::1\n", "[alt_names]\nDNS.1 = a\\\nb\nDNS.2 = " + fleet + "\nIP.1 = ::1\n"},
		{"what the request uses, not another certificate", "[req]\nreq_extensions = mine\n[ca]\nsubjectAltName=@ca_names\n[mine]\nsubjectAltName=@names\n[ca_names]\nDNS.1=a\n[names]\nDNS.1=b\n",
			"[req]\nreq_extensions = mine\n[ca]\nsubjectAltName=@ca_names\n[mine]\nsubjectAltName=@names\n[ca_names]\nDNS.1=a\n[names]\nDNS.1=b\nDNS.2=" + fleet + "\n"},
		{"quoted, other case", "[alt_names]\nDNS.1 = \"Fleet-SuperGrid.flower.ai\"\n", ""},
		{"an inline list", "[ v3_req ]\nsubjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1\n", "[ v3_req ]\nsubjectAltName = DNS:localhost,IP:127.0.0.1,IP:::1, DNS:" + fleet + "\n"},
		{"inline, there", "[v3]\nsubjectAltName = DNS:localhost, DNS:FLEET-supergrid.flower.ai\n", ""},
		{"inline, there in a line that goes on", "[v3]\nsubjectAltName = DNS:localhost, \\\n  DNS:" + fleet + "\n", ""},
		{"inline, a comment", "[v3]\nsubjectAltName = critical, DNS:a  # DNS:" + fleet + "\n[x]\n", "[v3]\nsubjectAltName = critical, DNS:a, DNS:" + fleet + "  # DNS:" + fleet + "\n[x]\n"},
		{"inline, goes on", "[v3]\nsubjectAltName = DNS:a, \\\n  DNS:b\nx = 1\n", "[v3]\nsubjectAltName = DNS:a, \\\n  DNS:b, DNS:" + fleet + "\nx = 1\n"},
		{"inline, CRLF and byte order mark", "\ufeffsubjectAltName=DNS:a\r\nx=1\r\n", "\ufeffsubjectAltName=DNS:a, DNS:" + fleet + "\r\nx=1\r\n"},
		{"inline, quoted", "[v3]\nsubjectAltName = \"DNS:a,DNS:b\"\n", "[v3]\nsubjectAltName = \"DNS:a,DNS:b\", DNS:" + fleet + "\n"},
		{"inline, a comma at the end", "[v3]\nsubjectAltName = DNS:a,\n", "[v3]\nsubjectAltName = DNS:a, DNS:" + fleet + "\n"},
		{"inline, empty", "[v3]\nsubjectAltName =\n", "[v3]\nsubjectAltName = DNS:" + fleet + "\n"},
		{"inline for the request, a section for another", "[req]\nreq_extensions = mine\n[ca]\nsubjectAltName=@n\n[mine]\nsubjectAltName=DNS:a\n[n]\nDNS.1=b\n",
			"[req]\nreq_extensions = mine\n[ca]\nsubjectAltName=@n\n[mine]\nsubjectAltName=DNS:a, DNS:" + fleet + "\n[n]\nDNS.1=b\n"},
		{"a reference in a line that goes on", "[v3]\nsubjectAltName = DNS:a, \\\n @names\n[names]\nDNS.1 = b\n", "[v3]\nsubjectAltName = DNS:a, \\\n @names\n[names]\nDNS.1 = b\nDNS.2 = " + fleet + "\n"},
		{"IP addresses only", "[alt_names]\nIP.1 = ::1\n\n# end\n", "[alt_names]\nIP.1 = ::1\nDNS.1 = " + fleet + "\n\n# end\n"},
	} {
		out, changed, err := SetDNS([]byte(c.in), fleet)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if c.want == "" {
			c.want = c.in
		}
		if string(out) != c.want || changed != (c.want != c.in) {
			t.Errorf("%s: changed %v, got\n%q\nwanted\n%q", c.name, changed, out, c.want)
		}
		if again, changed, _ := SetDNS(out, fleet); changed || !bytes.Equal(again, out) {
			t.Errorf("%s: a second time changes it again", c.name)
		}
	}
	for _, in := range []string{"", "[dn]\nC = DE\n", "\xff\xfe[alt_names]", "[alt_names]\x00\n"} {
		out, changed, err := SetDNS([]byte(in), fleet)
		wantCode(t, err, problem.BadInput)
		if changed || string(out) != in {
			t.Errorf("%q: refused, yet changed", in)
		}
	}
	for _, name := range []string{"", "a b", "a\nDNS.9 = evil", "-a.b", "a..b", "a#b"} {
		_, _, err := SetDNS([]byte("[alt_names]\n"), name)
		wantCode(t, err, problem.BadInput)
	}
}

func FuzzSetDNS(f *testing.F) {
	f.Add([]byte("[alt_names]\r\nDNS.1 = a # b\r\n\r\n[dn]\r\nC=DE"))
	f.Add([]byte("subjectAltName=@x\n[x]"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out, changed, err := SetDNS(in, fleet)
		if err != nil || !changed {
			return
		}
		at := bytes.Index(out, []byte(fleet))
		rest := len(out) - len(in)
		for from := max(0, at-rest); from <= at; from++ { // taking the new line out gives the old file
			if from+rest <= len(out) && bytes.Equal(append(bytes.Clone(out[:from]), out[from+rest:]...), in) {
				return
			}
		}
		t.Errorf("more than one line differs:\n%q\n%q", in, out)
	})
}

func TestSetKeyCount(t *testing.T) {
	script := "#!/bin/bash\n\ngenerate_client_credentials() {\r\n    local num_clients=${1:-2}    # line\r\n    for ((i=1; i<=num_clients; i++))\n"
	out, line, changed, err := SetKeyCount([]byte(script), 5)
	if want := strings.Replace(script, ":-2}", ":-5}", 1); err != nil || !changed || line != 4 || string(out) != want {
		t.Errorf("line %d, changed %v, %v\n%q", line, changed, err, out)
	}
	if _, _, changed, _ := SetKeyCount(out, 5); changed {
		t.Error("the same number changed it again")
	}
	if out, _, _, err := SetKeyCount([]byte("local num_clients=${1:-<NUM_SUPERNODES>}"), 3); err != nil || string(out) != "local num_clients=${1:-3}" {
		t.Errorf("the guide's mark: %q %v", out, err)
	}
	if _, _, _, err := SetKeyCount([]byte("echo hello\n"), 5); err == nil {
		t.Error("another script was taken")
	}
}

func TestNewCertificateConfNamesTheFleet(t *testing.T) {
	conf := NewCertificateConf(fleet)
	if out, changed, err := SetDNS(conf, fleet); err != nil || changed || !bytes.Equal(out, conf) {
		t.Errorf("SetDNS finds something to do in a new file: changed %v, %v", changed, err)
	}
}

func TestScriptDeletesKeys(t *testing.T) {
	for script, want := range map[string]bool{
		"KEY_DIR=keys\nrm -f $KEY_DIR/*\n":        true,
		"rm -rf \"${KEY_DIR}\"/*\n":               true,
		"# rm -f $KEY_DIR/*\nmkdir -p $KEY_DIR\n": false,
	} {
		if got := ScriptDeletesKeys([]byte(script)); got != want {
			t.Errorf("%q: %v", script, got)
		}
	}
}
