package probe

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"flwrup/internal/problem"
)

// For any grid, Knock distinguishes silence from slowness, and leaves all else to flwr's own words.
func TestKnock(t *testing.T) {
	const limit = 400 * time.Millisecond
	listen := func(each func(net.Conn)) string {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				t.Cleanup(func() { c.Close() })
				if each != nil {
					go each(c)
				}
			}
		}()
		return l.Addr().String()
	}
	stuck := make(chan struct{})
	hangs, _ := certified(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}, nil)
	t.Cleanup(func() { close(stuck) })
	slow, _ := certified(t, func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(limit / 2)
		w.WriteHeader(http.StatusNotFound)
	}, nil)
	closed := listen(nil)
	for _, c := range []struct {
		name, addr string
		says       string // "": not silent
	}{
		{"takes the connection, no TLS", closed, "says nothing"},
		{"TLS, and no answer", hangs, "does not answer in time"},
		{"slow", slow, ""},
		{"hangs up", listen(func(c net.Conn) { c.Close() }), ""},
		{"another service", listen(func(c net.Conn) { c.Write([]byte("220 mail\r\n")) }), ""}, //nolint:errcheck
		{"nothing listens", "127.0.0.1:1", ""},
		{"no such name", "no-such-host.invalid:443", ""},
		{"no address", "::::", ""},
	} {
		began := time.Now()
		p := Knock(t.Context(), c.addr, Options{Limit: limit})
		if took := time.Since(began); took > limit+2*time.Second {
			t.Errorf("%s: took %v", c.name, took)
		}
		switch {
		case c.says == "" && p != nil:
			t.Errorf("%s: silent: %v", c.name, p)
		case c.says != "" && (p == nil || p.Code != problem.Unreachable || !strings.Contains(p.Error(), c.says) || p.Fix == ""):
			t.Errorf("%s: %+v", c.name, p)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if p := Knock(gone, closed, Options{Limit: limit}); p != nil {
		t.Errorf("nobody waits any more: %v", p)
	}
}
