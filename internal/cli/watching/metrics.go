package watching

import (
	"context"
	"sync"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/watch"
	"flwrup/internal/watch/metrics"
)

// CheckMetrics says why v is no address for metrics; "" where it is one.
func CheckMetrics(v string) string {
	_, _, why := metrics.Address(v)
	return why
}

// withMetrics shows what the watch sees while do runs.
func withMetrics(ctx context.Context, h Host, at string, o *watch.Options, do func(context.Context) error) error {
	address, err := openTo(ctx, h, at)
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	board := metrics.NewBoard(h.Version)
	open, failed := make(chan string, 1), make(chan error, 1)
	var done sync.WaitGroup
	done.Add(1)
	safego.Go("showing metrics", func(err error) { failed <- err; done.Done() }, func() {
		defer done.Done()
		if err := metrics.Serve(ctx, address, board, func(address string) { open <- address }); err != nil {
			failed <- err
		}
	})
	select {
	case err := <-failed:
		return err
	case address := <-open:
		h.note("metrics at http://" + address + "/metrics")
	}
	o.Board = board
	err = do(ctx)
	end()
	done.Wait()
	return err
}

// openTo returns the address to listen at. One that others reach is asked about, or said where nobody can be asked.
func openTo(ctx context.Context, h Host, at string) (string, error) {
	address, local, why := metrics.Address(at)
	if why != "" {
		return "", problem.New(problem.Usage, "cannot use --metrics", why, "")
	}
	const says = "whoever reaches that address reads names and states of your SuperNodes, sites and runs, without a password"
	switch {
	case local:
	case !h.Attended() || *h.Lines:
		h.note(address + " is open to other machines: " + says)
	default:
		answer, err := h.Ask(ctx, front.Question{ID: "metrics", Kind: front.AskConfirm, Default: "no", Ask: "Show metrics at " + address + "?", Help: says + ". 127.0.0.1:PORT is for this machine alone."})
		if err != nil {
			return "", err
		}
		if answer != "yes" {
			return "", problem.New(problem.NeedsPerson, "nothing was started", "you did not want to show metrics at "+address, "choose an address of this machine: --metrics 127.0.0.1:9464")
		}
	}
	return address, nil
}
