package probe

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"flwrup/internal/problem"
)

// Patience is how long Knock waits for a sign of life. A grid that takes 8 s for an answer is slow, not silent.
const Patience = 8700 * time.Millisecond

// Knock reports why nobody answers at addr: a Problem (grid-unreachable) after o.Limit (0: Patience) without
// a sign of life. Any HTTP answer is a sign of life, whatever it says. Knock returns nil for it, and for an
// immediate failure: flwr's own words say more about that.
func Knock(ctx context.Context, addr string, o Options) *problem.Problem {
	if o.Limit == 0 {
		o.Limit = Patience
	}
	ctx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	r := Result{Address: withPort(addr)}
	host, _, err := net.SplitHostPort(r.Address)
	if err != nil {
		return nil
	}
	conn, err := r.connect(ctx, o, host)
	if err != nil {
		return silence(ctx, r.Problem, err)
	}
	t := r.over(conn, func() (net.Conn, error) { return r.connect(ctx, o, host) })
	defer t.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+r.Address+sides[0].rpc, bytes.NewReader(make([]byte, 5)))
	if err != nil {
		return nil
	}
	req.Header.Set("User-Agent", "flwrup")
	req.Header.Set("Content-Type", "application/grpc")
	req.Header.Set("TE", "trailers")
	res, err := (&http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		return silence(ctx, r.cut(err), err)
	}
	res.Body.Close()
	return nil
}

// silence keeps a Problem only if time has run out.
func silence(ctx context.Context, p *problem.Problem, err error) *problem.Problem {
	if p == nil || errors.Is(err, context.Canceled) {
		return nil
	}
	if !errors.Is(err, context.DeadlineExceeded) && !isTimeout(err) && ctx.Err() == nil {
		return nil
	}
	return &problem.Problem{Code: problem.Unreachable, What: "the grid does not answer", Why: p.Error(), Fix: p.Fix, Err: err}
}
