package dockerctl

import (
	"log/slog"
	"net/http"
	"time"
)

// noted writes each call of the daemon into the debug log: its path, and never a query, a header or a body, which hold
// settings of people.
type noted struct{ next http.RoundTripper }

func (n noted) RoundTrip(q *http.Request) (*http.Response, error) {
	began := time.Now()
	a, err := n.next.RoundTrip(q)
	status := 0
	if a != nil {
		status = a.StatusCode
	}
	slog.Debug("docker", "method", q.Method, "path", q.URL.Path, "status", status, "error", err, "took", time.Since(began))
	return a, err
}
