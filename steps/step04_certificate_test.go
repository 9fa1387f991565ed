package steps

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"flwrup/internal/front"
	"flwrup/internal/sitetest"
)

// unwilling is a person who answers no.
type unwilling struct{ sitetest.Heard }

func (*unwilling) Ask(context.Context, front.Question) (string, error) { return "no", nil }

// No SuperGrid needs certificate.conf: whatever it is, step 4 says so and goes on.
func TestCertificateNeverEndsTheWay(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		place func(file string) error
		says  string
	}{
		"no text":         {"\xff\xfe\x00[alt_names]", nil, "not a text"},
		"no names":        {"[dn]\nCN = localhost\n", nil, "names no alternative names"},
		"a folder":        {"", func(f string) error { return os.Mkdir(f, 0o755) }, "a folder"},
		"read-only":       {"[alt_names]\nDNS.1 = a\n", func(f string) error { return os.Chmod(f, 0o444) }, "read-only"},
		"the person's no": {"[v3]\nsubjectAltName = DNS:a\n", nil, "as you chose"},
	} {
		t.Run(name, func(t *testing.T) {
			s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
			file := filepath.Join(s.Dir, "certificate.conf")
			if c.text != "" {
				if err := os.WriteFile(file, []byte(c.text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if c.place != nil {
				if err := c.place(file); err != nil {
					t.Fatal(err)
				}
			}
			st, err := Inspect(t.Context(), s, 4)
			if err == nil && st.State == front.Ready {
				if err = Apply(t.Context(), s, 4, &unwilling{}); err == nil {
					st, err = Inspect(t.Context(), s, 4)
				}
			}
			if err != nil || st.State != front.NotNeeded || !strings.Contains(strings.Join(st.Evidence, " "), c.says) {
				t.Errorf("%+v %v", st, err)
			}
			if now, _ := os.ReadFile(file); string(now) != c.text {
				t.Errorf("changed to %q", now)
			}
		})
	}
	s := siteOn(t, sitetest.NewGrid("1.42.0"), 1)
	file := filepath.Join(s.Dir, "certificate.conf")
	if err := os.WriteFile(file, []byte("[v3]\nsubjectAltName = DNS:a # mine\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Apply(t.Context(), s, 4, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if now, _ := os.ReadFile(file); string(now) != "[v3]\nsubjectAltName = DNS:a, DNS:fleet-supergrid.flower.ai # mine\n" {
		t.Errorf("%q", now)
	}
	if st, err := Inspect(t.Context(), s, 4); err != nil || st.State != front.Done {
		t.Errorf("%+v %v", st, err)
	}
}
