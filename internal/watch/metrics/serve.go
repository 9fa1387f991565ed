package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"flwrup/internal/problem"
	"flwrup/internal/safego"
)

// Address reads what a person gives as an address: HOST:PORT, or a port of this machine alone. local reports whether nobody
// else reaches it.
func Address(v string) (address string, local bool, why string) {
	if _, err := strconv.ParseUint(v, 10, 16); err == nil {
		v = "127.0.0.1:" + v
	}
	host, port, err := net.SplitHostPort(v)
	if n, nerr := strconv.ParseUint(port, 10, 16); err != nil || nerr != nil || n == 0 && port != "0" {
		return "", false, "it takes HOST:PORT, such as 127.0.0.1:9464"
	}
	ip := net.ParseIP(host)
	if host != "" && host != "localhost" && ip == nil {
		return "", false, "it takes an address in numbers, such as 127.0.0.1:9464"
	}
	return v, host == "localhost" || ip != nil && ip.IsLoopback(), ""
}

// Serve answers Prometheus at an address until ctx ends. listening hears the address once it is open.
func Serve(ctx context.Context, address string, b *Board, listening func(address string)) error {
	_, local, why := Address(address)
	if why != "" {
		return problem.New(problem.BadInput, "cannot show metrics at "+address, why, "")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		code, fix := problem.BadInput, "choose another address: --metrics 127.0.0.1:PORT"
		if errors.Is(err, syscall.EADDRINUSE) {
			code, fix = problem.PortTaken, "choose another port: --metrics 127.0.0.1:PORT"
		}
		return &problem.Problem{Code: code, What: "cannot show metrics at " + address, Why: problem.Cause(err), Fix: fix, Err: err}
	}
	srv := &http.Server{Handler: b.Handler(local), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: 16 << 10}
	stop := context.AfterFunc(ctx, func() {
		short, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if srv.Shutdown(short) != nil {
			_ = srv.Close()
		}
	})
	defer stop()
	listening(l.Addr().String())
	if err := safego.Call("showing metrics", func() error { return srv.Serve(l) }); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

const index = `flwrup watch

/metrics   for Prometheus
/healthz   whether the watch lives: 200, else 503
`

// Handler answers requests. local: it listens on this machine alone, and then a page in a browser, which may lead its own
// name to this machine, gets nothing.
func (b *Board) Handler(local bool) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(b.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second, EnableOpenMetrics: true}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		h := b.health()
		w.Header().Set("Content-Type", "application/json")
		if !h.OK {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(h)
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, index)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		if local && !ownName(r.Host) {
			http.Error(w, "this answers on this machine alone", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// ownName reports whether the host of a request is this machine's own.
func ownName(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return strings.EqualFold(host, "localhost") || ip != nil && ip.IsLoopback()
}
