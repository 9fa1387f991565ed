package install

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// TestSystemCertificates: uv knows public authorities alone. Behind a proxy with its own, those of the machine count,
// and the error says that an index is not trusted, not that the network is away.
func TestSystemCertificates(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-in for uv is a shell script")
	}
	const refused = "echo 'error: client error (Connect): invalid peer certificate: UnknownIssuer' >&2; exit 2"
	for _, c := range []struct{ name, script, version string }{
		{"the machine trusts it", `[ "$UV_SYSTEM_CERTS" = 1 ] || { ` + refused + `; }; grep -q flwr && echo 'flwr==1.42.0'`, "1.42.0"},
		{"nobody trusts it", refused, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			bin := t.TempDir()
			if err := os.WriteFile(filepath.Join(bin, "uv"), []byte("#!/bin/sh\n"+c.script+"\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			t.Setenv("UV_SYSTEM_CERTS", "")
			version, err := newestFlwr(context.Background())
			if version != c.version {
				t.Errorf("%q, %v", version, err)
			}
			if c.version != "" {
				return
			}
			if p := problem.Of(err); !strings.Contains(p.Error(), "certificate is not trusted") || !strings.Contains(p.Fix, "SSL_CERT_FILE") {
				t.Errorf("%v; %s", p, p.Fix)
			}
		})
	}
}

// TestAuthoritiesForBoth: one variable with a file of authorities is enough for uv and for pip.
func TestAuthoritiesForBoth(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want []string
	}{
		{nil, nil},
		{map[string]string{"SSL_CERT_FILE": "/a"}, []string{"PIP_CERT=/a"}},
		{map[string]string{"REQUESTS_CA_BUNDLE": "/a"}, []string{"SSL_CERT_FILE=/a"}},
		{map[string]string{"SSL_CERT_FILE": "/a", "REQUESTS_CA_BUNDLE": "/b"}, nil},
		{map[string]string{"SSL_CERT_FILE": "/a", "PIP_CERT": "/b"}, nil},
	} {
		if got := authorities(func(name string) string { return c.env[name] }); !slices.Equal(got, c.want) {
			t.Errorf("%v: %q, want %q", c.env, got, c.want)
		}
	}
}

// TestUVTakesThePersonsAuthorities: the real uv installs from an index whose authority REQUESTS_CA_BUNDLE names alone.
func TestUVTakesThePersonsAuthorities(t *testing.T) {
	withUV(t)
	plain := index(t, []string{"flwr", "1.42.7"})
	srv, ca := serveTLS(t, plain.Config.Handler)
	useIndex(t, srv.URL)
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("SSL_CERT_FILE", "")
	os.Unsetenv("SSL_CERT_FILE")
	if _, err := newestFlwr(context.Background()); err == nil || !strings.Contains(err.Error(), "certificate is not trusted") {
		t.Errorf("nobody vouches for the index: %v", err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("REQUESTS_CA_BUNDLE", file)
	if version, err := newestFlwr(context.Background()); err != nil || version != "1.42.7" {
		t.Errorf("%q, %v", version, err)
	}
}

// serveTLS serves h with a certificate of an authority of its own, and returns that authority's.
func serveTLS(t *testing.T, h http.Handler) (*httptest.Server, []byte) {
	t.Helper()
	make := func(c, by *x509.Certificate, signer *ecdsa.PrivateKey) (*ecdsa.PrivateKey, []byte) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if signer == nil {
			signer = key
		}
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, c, by, &key.PublicKey, signer)
		if err != nil {
			t.Fatal(err)
		}
		return key, der
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a proxy"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	caKey, caDER := make(ca, ca, nil)
	leafKey, leaf := make(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "index"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}, ca, caKey)
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf}, PrivateKey: leafKey}}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: caDER})
}
