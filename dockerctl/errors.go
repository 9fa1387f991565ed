package dockerctl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/docker/docker/client"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// DiskFull says that the daemon's disk is full.
const DiskFull problem.Code = "disk-full"

// explain makes a Problem of errors that the user can act on; other errors say what failed. The error of an
// ended ctx is returned as it is.
func (r *Runtime) explain(ctx context.Context, err error, doing string) error {
	var p *problem.Problem
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &p):
		return err
	case client.IsErrConnectionFailed(err), errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s: %w", doing, unreachable(r, err))
	case strings.Contains(err.Error(), "no space left on device"):
		p := problem.New(DiskFull, doing+": the daemon's disk is full", "",
			"free some space: `docker system df` shows what takes it, `docker image prune` removes unused images")
		p.Raw, p.Err = safe(err), err
		return p
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// safe returns an error's text, fit for a terminal.
func safe(err error) string {
	return termsafe.Line(strings.ReplaceAll(err.Error(), "\n", " "))
}
