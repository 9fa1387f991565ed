// Package probe finds out what answers at the two addresses of a SuperGrid, without logging in and without a
// key: name, connection, TLS, and whether Flower's Control API (for flwr's commands) or its Fleet API (for
// SuperNodes) is there, over gRPC or over HTTP.
//
// It asks each API for something that needs a login, and sends none. So a SuperLink refuses before it does
// anything. The answers were recorded on flwr 1.24.0, 1.37.0 and 1.42.0:
//
//	API      over   asked for                           there                        not there
//	Control  gRPC   /flwr.proto.Control/ListNodes       UNAUTHENTICATED              UNIMPLEMENTED
//	Fleet    gRPC   /flwr.proto.Fleet/PullMessages      UNAUTHENTICATED              UNIMPLEMENTED
//	Control  HTTP   POST /v1/control/list-nodes         401, JSON                    404, JSON
//	Fleet    HTTP   POST /v1/fleet/pull-messages        415, JSON with code 1002     404, JSON
package probe

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// Transport is the protocol of a SuperLink's API.
type Transport string

const (
	None Transport = "" // the API is not there
	GRPC Transport = "gRPC"
	HTTP Transport = "HTTP"
)

// Over returns HTTP or gRPC.
func Over(http bool) Transport {
	if http {
		return HTTP
	}
	return GRPC
}

// Options says how to ask.
type Options struct {
	CA    string                                // certificate file of a private grid; "": the system's authorities
	Roots []string                              // more files with authorities, from the environment of flwr
	Proxy func(*http.Request) (*url.URL, error) // nil: no proxy
	Limit time.Duration                         // in total; 0: six seconds
}

// Result describes one address. Problem is nil when the address is usable for what it is.
type Result struct {
	Address string    // host:port
	IP      string    // the address that answered; of the proxy where there is one
	Proxy   string    // host:port of the proxy that was used
	Control Transport // the Control API, for flwr's commands
	Fleet   Transport // the Fleet API, for SuperNodes
	Server  string    // the other service it seems to be, in words; "" for a SuperLink
	Took    time.Duration
	// Clock is how far this machine's clock is ahead of the server's, to a second; Dated reports whether the
	// server sent the time at all (over gRPC it does not).
	Clock   time.Duration
	Dated   bool
	Problem *problem.Problem
}

// SuperLink reports whether a SuperLink answers at the address, on the wanted side or the other.
func (r Result) SuperLink() bool { return r.Control != None || r.Fleet != None }

// Address finds out what answers at addr, host or host:port (without a port it is 443). It always returns; a
// failure is in Result.Problem: grid-unreachable (name, connection), grid-untrusted, wrong-service.
func Address(ctx context.Context, addr string, o Options) Result {
	if o.Limit == 0 {
		o.Limit = 6 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	r := Result{Address: withPort(addr)}
	began := time.Now()
	r.ask(ctx, o)
	r.Took = time.Since(began).Round(time.Millisecond)
	return r
}

func withPort(addr string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), "443")
}

// ask fills in r.
func (r *Result) ask(ctx context.Context, o Options) {
	host, _, err := net.SplitHostPort(r.Address)
	if err != nil {
		r.Problem = problem.New(problem.BadInput, fmt.Sprintf("%q is not an address", r.Address), "", "write it as host:port, without https://")
		return
	}
	roots, err := authorities(o)
	if err != nil {
		r.Problem = problem.Of(err)
		return
	}
	connect := func() (net.Conn, error) { return r.connect(ctx, o, host) }
	conn, err := r.connect(ctx, o, host)
	if err != nil {
		return
	}
	untrusted := r.verify(conn.ConnectionState(), host, roots)
	r.identify(ctx, conn, connect)
	if untrusted != nil {
		if r.SuperLink() {
			untrusted.Why += "; a SuperLink answers there"
		}
		r.Problem = untrusted
	}
}

// connect makes the connection and TLS on it; a failure is in r.Problem.
func (r *Result) connect(ctx context.Context, o Options, host string) (*tls.Conn, error) {
	raw, err := r.dial(ctx, o)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline)
	}
	conn := tls.Client(raw, &tls.Config{ServerName: host, InsecureSkipVerify: true, // #nosec G402 -- verified later: the certificate says more than its refusal
		NextProtos: []string{"h2", "http/1.1"}, MinVersion: tls.VersionTLS12})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		r.Problem = r.noTLS(err)
		return nil, err
	}
	return conn, nil
}

// over returns HTTP over conn; more connects again when the server closes it after an answer.
func (r *Result) over(conn net.Conn, more func() (net.Conn, error)) *http.Transport {
	return &http.Transport{ForceAttemptHTTP2: true, DialTLSContext: func(context.Context, string, string) (net.Conn, error) {
		if c := conn; c != nil {
			conn = nil
			return c, nil
		}
		return more()
	}}
}

// authorities returns the certificates to trust; nil means the system's.
func authorities(o Options) (*x509.CertPool, error) {
	files := o.Roots
	var pool *x509.CertPool
	if o.CA != "" {
		files, pool = []string{o.CA}, x509.NewCertPool()
	} else if len(files) > 0 {
		var err error
		if pool, err = x509.SystemCertPool(); err != nil {
			pool = x509.NewCertPool()
		}
	}
	for _, file := range files {
		if err := addFile(pool, file); err != nil && o.CA != "" {
			return nil, err
		}
	}
	return pool, nil
}

// verify checks the certificate's name, time and authorities.
func (r *Result) verify(state tls.ConnectionState, host string, roots *x509.CertPool) *problem.Problem {
	leaf := state.PeerCertificates[0]
	inter := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		inter.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: strings.Trim(host, "[]"), Roots: roots, Intermediates: inter})
	if err == nil {
		return nil
	}
	return untrusted(r.Address, leaf, err)
}

// sides are the two APIs, with the question for each.
var sides = [...]struct {
	rpc, path string
	is        func(*Result) *Transport
}{
	{"/flwr.proto.Control/ListNodes", "/v1/control/list-nodes", func(r *Result) *Transport { return &r.Control }},
	{"/flwr.proto.Fleet/PullMessages", "/v1/fleet/pull-messages", func(r *Result) *Transport { return &r.Fleet }},
}

// identify asks for both APIs over conn, in the protocol that TLS agreed on; connect makes another connection
// when the server closes this one after an answer.
func (r *Result) identify(ctx context.Context, conn *tls.Conn, connect func() (net.Conn, error)) {
	proto := conn.ConnectionState().NegotiatedProtocol
	t := r.over(conn, connect)
	defer t.CloseIdleConnections()
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	ask := func(path string, grpc bool) (a answer, ok bool) {
		var body []byte
		if grpc {
			body = make([]byte, 5) // an empty message
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+r.Address+path, bytes.NewReader(body))
		if err == nil {
			if req.Header.Set("User-Agent", "flwrup"); grpc {
				req.Header.Set("Content-Type", "application/grpc")
				req.Header.Set("TE", "trailers")
			}
			a, err = read(client.Do(req))
		}
		if err != nil {
			r.Problem = r.cut(err)
			return a, false
		}
		r.note(a)
		return a, true
	}
	// Python's gRPC speaks only h2; a gateway in front of an HTTP SuperLink may speak it as well.
	for _, grpc := range []bool{true, false} {
		if grpc && proto != "h2" {
			continue
		}
		for _, side := range sides {
			if grpc {
				if a, ok := ask(side.rpc, true); !ok {
					return
				} else if a.refusedRPC() {
					*side.is(r) = GRPC
				}
				continue
			}
			if a, ok := ask(side.path, false); !ok {
				return
			} else if a.refusedHTTP() {
				*side.is(r) = HTTP
			}
		}
		if r.SuperLink() {
			r.Server = ""
			return
		}
	}
	r.Problem = r.otherServer()
}

// refusedRPC reports a SuperLink's own refusal: UNAUTHENTICATED, PERMISSION_DENIED, INVALID_ARGUMENT or
// FAILED_PRECONDITION. UNIMPLEMENTED comes from a server without that API, UNAVAILABLE from a gateway without
// a server.
func (a answer) refusedRPC() bool {
	return a.grpc == "16" || a.grpc == "7" || a.grpc == "3" || a.grpc == "9"
}

func (a answer) refusedHTTP() bool {
	return a.json && (a.code != 0 || a.status == http.StatusUnauthorized || a.status == http.StatusUnsupportedMediaType)
}

// answer holds those parts of an HTTP answer that identify the server.
type answer struct {
	status int
	grpc   string // grpc-status, from header or trailer
	json   bool   // a JSON object with a "detail", as Flower's own refusals are
	code   int    // Flower's own code in it
	server string // Server header
	title  string // of an HTML page
	date   time.Time
}

func read(res *http.Response, err error) (answer, error) {
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 64<<10))
	if err != nil {
		return answer{}, err
	}
	a := answer{status: res.StatusCode, grpc: res.Header.Get("Grpc-Status"), server: termsafe.Line(res.Header.Get("Server"))}
	if a.grpc == "" {
		a.grpc = res.Trailer.Get("Grpc-Status")
	}
	var object struct {
		Detail any `json:"detail"`
		Code   int `json:"code"`
	}
	if json.Unmarshal(body, &object) == nil && object.Detail != nil {
		a.json, a.code = true, object.Code
	}
	a.title = titleOf(body)
	a.date, _ = http.ParseTime(res.Header.Get("Date")) // zero where there is none
	return a, nil
}

// note keeps facts of an answer other than the API.
func (r *Result) note(a answer) {
	if !a.date.IsZero() {
		// The server writes whole seconds.
		if r.Clock = time.Since(a.date).Truncate(time.Second); r.Clock < 0 {
			r.Clock -= time.Second
		}
		r.Dated = true
	}
	text := fmt.Sprintf("a web server (status %d", a.status)
	if a.grpc != "" {
		text = "a gRPC server (status " + a.grpc
	}
	if a.title != "" {
		text += ", page " + fmt.Sprintf("%q", a.title)
	}
	if a.server != "" {
		text += ", " + a.server
	}
	r.Server = text + ")"
	if a.status == http.StatusForbidden || a.status == http.StatusProxyAuthRequired {
		r.Server = "a proxy or firewall that says no" + strings.TrimPrefix(text, "a web server") + ")"
	}
}

// titleOf returns the title of an HTML page, at most 60 characters.
func titleOf(body []byte) string {
	lower := bytes.ToLower(body)
	i := bytes.Index(lower, []byte("<title>"))
	j := bytes.Index(lower, []byte("</title>"))
	if i < 0 || j < i {
		return ""
	}
	title := []rune(termsafe.Line(strings.Join(strings.Fields(string(body[i+7:j])), " ")))
	if len(title) > 60 {
		title = append(title[:59], '…')
	}
	return string(title)
}
