package probe

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// certified is a web server with a certificate made from tmpl, and the file of its CA.
func certified(t *testing.T, handler http.HandlerFunc, change func(*x509.Certificate)) (addr, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	if change != nil {
		change(c)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.StartTLS()
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.Listener.Addr().String(), ca
}

func page(status int, title string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close") // the second question needs another connection
		w.Header().Set("Server", "acme")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<html><TITLE>%s\x1b[2J</title>", title)
	}
}

func wants(t *testing.T, r Result, code problem.Code, says string) {
	t.Helper()
	if r.Problem == nil || r.Problem.Code != code || !strings.Contains(r.Problem.Error()+" | "+r.Problem.Fix, says) || r.Problem.Fix == "" {
		t.Errorf("want %s with %q, got %+v", code, says, r.Problem)
	}
	if r.Problem != nil && strings.Contains(r.Problem.Error(), "\x1b") {
		t.Errorf("unsafe: %q", r.Problem.Error())
	}
}

func TestNotASuperLink(t *testing.T) {
	ctx := t.Context()
	addr, ca := certified(t, page(404, "Not here"), nil)
	wants(t, Address(ctx, addr, Options{CA: ca}), WrongService, `a web server (status 404, page "Not here", acme`)
	addr, ca = certified(t, page(403, "Blocked by Acme"), nil)
	wants(t, Address(ctx, addr, Options{CA: ca}), problem.NotAllowed, "Blocked by Acme")

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := l.Addr().String()
	wants(t, Address(ctx, silent, Options{Limit: 300 * time.Millisecond}), problem.Unreachable, "says nothing")
	l.Close()
	wants(t, Address(ctx, silent, Options{}), problem.Unreachable, "nothing listens")
	plain := httptest.NewServer(page(200, ""))
	defer plain.Close()
	wants(t, Address(ctx, plain.Listener.Addr().String(), Options{}), WrongService, "does not speak TLS")
	wants(t, Address(ctx, "no-such-host.invalid", Options{}), problem.Unreachable, "no-such-host.invalid")
	wants(t, Address(ctx, addr, Options{CA: ca + ".none"}), problem.BadInput, "CA certificate")
	if err := os.WriteFile(ca, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, Address(ctx, addr, Options{CA: ca}), problem.BadInput, "no certificate in PEM")
}

func TestCertificates(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*x509.Certificate)
		says   string
	}{
		{"other name", func(c *x509.Certificate) { c.IPAddresses, c.DNSNames = nil, []string{"fleet.example"} }, "it is for fleet.example"},
		{"ran out", func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "expired on"},
		{"not yet", func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
		}, "set the clock"},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, ca := certified(t, page(404, ""), c.change)
			wants(t, Address(t.Context(), addr, Options{CA: ca}), problem.Untrusted, c.says)
		})
	}
	addr, ca := certified(t, page(404, ""), nil)
	wants(t, Address(t.Context(), addr, Options{}), problem.Untrusted, `signed by "test CA"`)
	if r := Address(t.Context(), addr, Options{Roots: []string{ca}}); r.Problem == nil || r.Problem.Code != WrongService {
		t.Errorf("the environment's authorities do not count: %+v", r.Problem)
	}
}

// TestProxy goes through a proxy that lets one address pass.
func TestProxy(t *testing.T) {
	addr, ca := certified(t, page(404, "behind"), nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil || req.Method != http.MethodConnect || req.Host != addr {
					fmt.Fprint(c, "HTTP/1.1 403 Forbidden\r\n\r\n")
					return
				}
				to, err := net.Dial("tcp", addr)
				if err != nil {
					return
				}
				defer to.Close()
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
				go io.Copy(to, c)
				io.Copy(c, to)
			}()
		}
	}()
	o := Options{CA: ca, Proxy: http.ProxyURL(&url.URL{Scheme: "http", Host: l.Addr().String()})}
	r := Address(t.Context(), addr, o)
	if wants(t, r, WrongService, "behind"); r.Proxy != l.Addr().String() {
		t.Errorf("%+v", r)
	}
	wants(t, Address(t.Context(), "127.0.0.1:1", o), problem.NotAllowed, "403 Forbidden")
}

// TestClock reads the server's time, and Flower's own refusals.
func TestClock(t *testing.T) {
	addr, ca := certified(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
		if r.URL.Path == "/v1/fleet/pull-messages" {
			w.WriteHeader(415)
			fmt.Fprint(w, `{"code":1002,"detail":"Unsupported Content-Type."}`)
			return
		}
		w.WriteHeader(404)
		fmt.Fprint(w, `{"detail":"Not Found"}`)
	}, nil)
	r := Address(context.Background(), addr, Options{CA: ca})
	if r.Problem != nil || r.Fleet != HTTP || r.Control != None || !r.Dated || r.Clock < 59*time.Minute || r.Clock > 61*time.Minute {
		t.Errorf("%+v", r)
	}
}
