package probe

import (
	"bufio"
	"context"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"

	"flwrup/internal/problem"
)

// dial connects, through a proxy where there is one; a failure is in r.Problem.
func (r *Result) dial(ctx context.Context, o Options) (net.Conn, error) {
	target := r.Address
	var proxy *url.URL
	if o.Proxy != nil {
		var err error
		if proxy, err = o.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: r.Address}}); err != nil {
			r.Problem = problem.New(problem.BadInput, "the address of the proxy cannot be read", err.Error(), "correct HTTPS_PROXY")
			return nil, err
		}
	}
	if proxy != nil && (proxy.Scheme == "http" || proxy.Scheme == "") {
		r.Proxy = proxy.Host
		if target = proxy.Host; proxy.Port() == "" {
			target = net.JoinHostPort(proxy.Hostname(), "80")
		}
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", target)
	if err != nil {
		at := *r
		at.Address = target
		if r.Problem = at.unreachable(err); r.Proxy != "" {
			r.Problem.Why += " (it is the proxy of HTTPS_PROXY)"
		}
		return nil, err
	}
	if a, ok := conn.RemoteAddr().(*net.TCPAddr); ok {
		r.IP = a.IP.String()
	}
	if r.Proxy == "" {
		return conn, nil
	}
	if err := r.tunnel(ctx, conn, proxy); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// tunnel asks the proxy for a way through.
func (r *Result) tunnel(ctx context.Context, conn net.Conn, proxy *url.URL) error {
	if deadline, ok := ctx.Deadline(); ok {
		_ = conn.SetDeadline(deadline)
	}
	req := &http.Request{Method: http.MethodConnect, URL: &url.URL{Opaque: r.Address}, Host: r.Address, Header: http.Header{}}
	if u := proxy.User; u != nil {
		pass, _ := u.Password()
		req.Header.Set("Proxy-Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.Username()+":"+pass)))
	}
	err := req.Write(conn)
	var res *http.Response
	if err == nil {
		res, err = http.ReadResponse(bufio.NewReader(conn), req)
	}
	if err != nil {
		r.Problem = &problem.Problem{Code: problem.Unreachable, What: "the proxy " + r.Proxy + " gives no answer", Why: plain(err),
			Fix: "check HTTPS_PROXY", Err: err}
		return err
	}
	res.Body.Close()
	if res.StatusCode != http.StatusOK {
		r.Problem = problem.New(problem.NotAllowed, "the proxy "+r.Proxy+" does not let "+r.Address+" through", "it says "+res.Status,
			"ask who runs the proxy, or name the host in NO_PROXY")
		return r.Problem
	}
	return nil
}
