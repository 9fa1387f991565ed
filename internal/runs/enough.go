package runs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/app"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/safego"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// crowd is how many nodes a run would have.
type crowd struct {
	online, all int
	missing     []string // this site's own that are not online
	down        []string // of these, those that do not run
	asked       bool     // one of them was stopped on purpose
}

func countNodes(ctx context.Context, s *site.Site) (crowd, error) {
	var c crowd
	o := health.States(ctx, s)
	if o.GridErr != nil {
		return c, o.GridErr
	}
	for _, n := range o.Nodes {
		if n.Grid != flwrexec.StatusOnline {
			c.missing = append(c.missing, n.Name)
			if st := n.Runtime.State; n.Engine == nil && (st == supernode.Stopped || st == supernode.Absent) {
				c.down = append(c.down, n.Name)
				c.asked = c.asked || n.Wanted == front.WantedDown
			}
		}
	}
	c.online, c.all = o.Online, len(o.Nodes)
	s.Forget(site.ReadMembership)
	d, err := s.Federation(ctx, 0)
	if err != nil { // not every grid tells; our own nodes count then
		return c, nil
	}
	online, all := 0, 0
	for _, n := range d.Nodes {
		switch n.Status {
		case flwrexec.StatusOnline:
			online++
			all++
		case flwrexec.StatusUnregistered:
		default:
			all++
		}
	}
	if all > 0 { // team mates' nodes, too
		c.online, c.all = online, all
	}
	return c, nil
}

// Planned returns how many SuperNodes a run reaches once all are online: those of this folder, and those that it
// admitted for other sites.
func Planned(f site.Folder, d ledger.Data) int {
	n := f.Choices.Nodes
	for _, other := range d.SitesOn(f.Choices.Grid.Connection) {
		n += len(other.Nodes)
	}
	return n
}

// enoughNodes waits until as many nodes are online as the app wants: a run that wants more waits for
// ever, without a word. It gives the run configuration, with the app's own number changed where the
// person wants that.
func enoughNodes(ctx context.Context, s *site.Site, r AppReport, config Config, to front.Sink) (Config, error) {
	if _, ok := r.App.Config["min-nodes"]; ok && s.Rehearsal() && !config.has("min-nodes") {
		config = config.With("min-nodes", Planned(s.Folder(), s.Ledger.Data()))
	}
	limit, said, offered := time.Now().Add(site.OnlineWithin), "", false
	for try := 0; ; try++ {
		c, err := countNodes(ctx, s)
		if err != nil {
			return nil, err
		}
		want := r.App.Wants(r.Found, config.numbers())
		switch {
		case want.Want <= c.online:
			return config, nil
		case want.Want > c.all:
			if err := fewer(ctx, s, r, want, c, to); err != nil {
				return nil, err
			}
			config = config.With(want.Key, c.all)
			continue
		case !offered && len(c.down) > 0:
			offered = true
			switch started, err := startFirst(ctx, s, want, c, to); {
			case err != nil:
				return nil, err
			case !started && !s.Options.Attended:
				return nil, tooFew(s, r, want, c)
			}
			limit = time.Now().Add(site.OnlineWithin)
			continue
		case !s.Options.Attended && time.Now().After(limit):
			return nil, tooFew(s, r, want, c)
		}
		if now := fmt.Sprintf("waiting for nodes: %d of %d online%s", c.online, want.Want, names(", missing ", c.missing)); now != said {
			said = now
			to.Event(front.Says{Text: now})
		}
		if err := safego.Sleep(ctx, site.PollPause(s, try)); err != nil {
			return nil, err
		}
	}
}

// startFirst offers to start the SuperNodes that a run wants and that do not run.
func startFirst(ctx context.Context, s *site.Site, want app.Minimum, c crowd, to front.Sink) (started bool, err error) {
	q := front.Question{ID: "start-first", Kind: front.AskConfirm, Default: "yes",
		Ask:  "Start" + names(" ", c.down) + " first?",
		Help: fmt.Sprintf("The app wants %d nodes, %d of %d are online: the run would wait for the others.", want.Want, c.online, c.all)}
	if c.asked {
		q.Default = "no" // another user may have stopped it
	}
	answer, err := to.Ask(ctx, q)
	if err != nil || answer != "yes" {
		return false, err
	}
	list := make([]site.Member, 0, len(c.down))
	for _, name := range c.down {
		m, err := site.MemberNamed(s, name)
		if err != nil {
			return false, err
		}
		list = append(list, m)
	}
	return true, fleet.BringUp(ctx, s, list, to)
}

// fewer asks whether a run may have fewer nodes than the app wants, where the run config decides it.
func fewer(ctx context.Context, s *site.Site, r AppReport, want app.Minimum, c crowd, to front.Sink) error {
	if want.Key == "" || c.all == 0 {
		return tooFew(s, r, want, c)
	}
	answer, err := to.Ask(ctx, front.Question{ID: "fewer-nodes", Kind: front.AskConfirm, Default: "no",
		Ask:  fmt.Sprintf("Run with %d nodes this time (%s=%d)?", c.all, want.Key, c.all),
		Help: fmt.Sprintf("The app wants %d nodes (%s), and the federation has %d: it would wait forever.", want.Want, want.Key, c.all)})
	if err != nil {
		return err
	}
	if answer != "yes" {
		return tooFew(s, r, want, c)
	}
	return nil
}

func tooFew(s *site.Site, r AppReport, want app.Minimum, c crowd) error {
	where := fmt.Sprintf("%s, line %d: %s", s.Rel(filepath.Join(r.App.Dir, want.File)), want.Line, want.What)
	p := problem.New(problem.NodeNotOnline, fmt.Sprintf("the app wants %d nodes, %d of %d are online", want.Want, c.online, c.all),
		"it would wait for them and say nothing ("+where+")"+names("; missing ", c.missing), "bring the nodes online (`flwrup start`), or add some")
	if want.Key != "" {
		p.Fix += "; or lower " + want.Key + " in its pyproject.toml"
	} else if want.Want > c.all {
		p.Fix += "; or change the number there"
	}
	return p
}

// names joins a list after a word; "" for none.
func names(word string, list []string) string {
	if len(list) == 0 {
		return ""
	}
	if len(list) > 5 {
		return word + strings.Join(list[:5], ", ") + fmt.Sprintf(" and %d more", len(list)-5)
	}
	return word + strings.Join(list, ", ")
}
