package dockerctl

import (
	"context"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"

	"flwrup/internal/safego"
)

// Watch calls changed whenever one of the project's containers was made, started, ended, paused or removed,
// and whenever the daemon stopped or returned. It reconnects on its own and ends with ctx, which is no error.
func (r *Runtime) Watch(ctx context.Context, changed func()) error {
	wait := backoff{first: 300 * time.Millisecond, most: 10 * time.Second}
	for {
		if r.ready(ctx) != nil { // the daemon is away: that is a change as well
			changed()
			if safego.Sleep(ctx, wait.next()) != nil {
				return nil
			}
			continue
		}
		limited, cancel := context.WithCancel(ctx)
		messages, errs := r.cli.Events(limited, events.ListOptions{Filters: filters.NewArgs(
			filters.Arg("type", string(events.ContainerEventType)), filters.Arg("label", LabelProject+"="+r.project))})
		changed() // the stream begins here; nobody saw events before it
		r.drain(messages, errs, func() { wait.reset(); changed() })
		cancel()
		if ctx.Err() != nil {
			return nil
		}
		if safego.Sleep(ctx, wait.next()) != nil {
			return nil
		}
	}
}

// drain hands events on until the stream ends.
func (r *Runtime) drain(messages <-chan events.Message, errs <-chan error, changed func()) {
	for {
		select {
		case m := <-messages:
			switch m.Action {
			case events.ActionCreate, events.ActionStart, events.ActionDie, events.ActionStop, events.ActionDestroy,
				events.ActionOOM, events.ActionPause, events.ActionUnPause, events.ActionRestart, events.ActionKill, events.ActionRename:
				changed()
			}
		case <-errs:
			return
		}
	}
}
