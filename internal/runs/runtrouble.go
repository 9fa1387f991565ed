package runs

import (
	"context"
	"regexp"
	"strconv"
	"sync"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// The ServerApp only counts the SuperNodes that failed in a round; what went wrong there stands in their
// own logs, which no grid keeps. A strategy may take it calmly, and the run completes with nothing learnt.

var failures = regexp.MustCompile(`aggregate_\w+: Received \d+ (?:results|replies) and (\d+) failures`)

// failedIn counts the failures of SuperNodes that a line of a run's log tells of.
func failedIn(line string) int {
	m := failures.FindStringSubmatch(line)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// nodesFailed says, from the logs of this site's SuperNodes, why they failed in a run; nil when the logs do
// not tell.
func nodesFailed(ctx context.Context, s *site.Site, id string) *problem.Problem {
	names, err := TookPart(ctx, s, id)
	if err != nil && len(names) == 0 {
		return nil
	}
	var mu sync.Mutex
	found := map[string]*problem.Problem{}
	_ = site.Each(ctx, names, func(ctx context.Context, name string) error {
		var lines []string
		for _, l := range site.LastLines(ctx, s, name, site.LookBack) {
			if kind, detail := flwrexec.Landmark(l.Text); len(lines) > 0 || kind == flwrexec.MarkRun && detail == id {
				lines = append(lines, l.Text)
			}
		}
		p := flwrexec.DiagnoseNodeLog(lines, flwrexec.NodeHints{})
		mu.Lock()
		defer mu.Unlock()
		if p != nil && p.Code == app.Broken {
			found[name] = p
		}
		return nil
	})
	for _, name := range names {
		p := found[name]
		if p == nil {
			continue
		}
		q := *p
		q.What = "on " + name
		if n := len(found) - 1; n > 0 {
			q.What += " (and " + strconv.Itoa(n) + " more)"
		}
		q.What += " " + p.What
		return &q
	}
	return nil
}
