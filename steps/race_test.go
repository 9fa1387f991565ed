package steps

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/atomicfile"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// TestVerbsAndLooks changes one site in every way at the same time while others look at it. Run it with -race;
// FLWRUP_ROUNDS is the number of rounds.
func TestVerbsAndLooks(t *testing.T) {
	rounds := 20
	if text := os.Getenv("FLWRUP_ROUNDS"); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil || rounds < 1 {
			t.Fatalf("FLWRUP_ROUNDS is %q", text)
		}
	}
	ctx := t.Context()
	s, g, rt := inFederation(t, 2)
	site.With(s, site.Backends{Flwr: busyGrid{g, rt}})
	for _, fleet := range []string{"127.0.0.1:2", "127.0.0.1:1"} { // both are accepted from now on
		sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Control, c.Grid.Fleet = "127.0.0.1:1", fleet })
	}

	var writers, lookers sync.WaitGroup
	write := func(name string, once func(i int) error) {
		writers.Go(func() {
			for i := range rounds {
				if err := once(i); err != nil {
					t.Errorf("%s, round %d: %v", name, i, err)
					return
				}
			}
		})
	}
	write("verbs", func(i int) error {
		for _, verb := range []front.Verb{front.StopNodes, front.StartNodes, front.RestartNodes} {
			if err := Act(ctx, s, verb, nil, &sitetest.Heard{}); err != nil {
				return fmt.Errorf("%s: %w", verb, err)
			}
		}
		return nil
	})
	write("settings", func(i int) error {
		return Act(ctx, s, front.ChangeSettings, []string{"supernode_1"}, &settler{settings: []string{"args", "env"}, answers: map[string]string{
			"args": fmt.Sprintf("--max-retries %d", i+1), "env-name": fmt.Sprintf("FLWRUP_TEST_%d", i)}})
	})
	write("number", func(i int) error {
		return Change(ctx, s, 5, &sitetest.Scripted{Answers: map[string]string{"nodes": strconv.Itoa(2 + i%2)}})
	})
	write("file edits", func(int) error {
		if err := Change(ctx, s, 4, &sitetest.Scripted{Answers: map[string]string{"certificate": "yes"}}); err != nil {
			return err
		}
		return site.Undo(ctx, s, 4)
	})
	write("choices", func(i int) error {
		return s.Change(func(c *project.Choices) error {
			c.All.PIDs = strconv.Itoa(100 + i)
			return nil
		})
	})
	write("a person's edits", func(i int) error {
		if err := byEditor(s.Dir, i); err != nil {
			return err
		}
		return s.TakeEdits()
	})

	done := make(chan struct{})
	look := func(name string, once func() error) {
		lookers.Go(func() {
			for {
				if err := once(); err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	look("overview", func() error {
		o := health.Overview(ctx, s, 0)
		for _, n := range o.Nodes {
			if err := site.Logs(ctx, s, n.Name, supernode.LogOptions{}, func(supernode.Line) error { return nil }); err != nil {
				return err
			}
		}
		s.Title()
		fleet.Reference(s)
		return o.FileErr
	})
	look("steps", func() error {
		for n := front.StepAccount; n <= front.StepMonitor; n++ {
			if _, err := Inspect(ctx, s, n); err != nil && !strings.Contains(err.Error(), "127.0.0.1") {
				return fmt.Errorf("step %d: %w", n, err)
			}
			Plan(ctx, s, n)
			site.CanUndo(s, n)
		}
		return nil
	})
	writers.Wait()
	close(done)
	lookers.Wait()

	if err := byEditor(s.Dir, rounds); err != nil {
		t.Fatal(err)
	}
	if err := s.TakeEdits(); err != nil {
		t.Fatal(err)
	}
	if kept, err := project.Load(s.Dir); err != nil || !reflect.DeepEqual(kept, s.Choices()) || kept.Name != fmt.Sprintf("study-%d", rounds) {
		t.Errorf("%v; flwrup.toml has\n%+v, the site has\n%+v", err, kept, s.Choices())
	}
}

var (
	nameLine  = regexp.MustCompile(`(?m)^name = "[^"]*"`)
	fleetLine = regexp.MustCompile(`(?m)^fleet = "[^"]*"`)
)

// byEditor writes round i into the name and the fleet's address of flwrup.toml, as an editor does.
func byEditor(dir string, i int) error {
	text, err := os.ReadFile(project.File(dir))
	if err != nil {
		return err
	}
	text = nameLine.ReplaceAll(text, fmt.Appendf(nil, `name = "study-%d"`, i))
	text = fleetLine.ReplaceAll(text, fmt.Appendf(nil, `fleet = "127.0.0.1:%d"`, 1+i%2))
	return atomicfile.Write(project.File(dir), text, 0o644)
}

// busyGrid is a fakeGrid that sees at once whether SuperNodes run, and has a run.
type busyGrid struct {
	*sitetest.Grid
	rt *sitetest.Runtime
}

func (g busyGrid) Nodes(ctx context.Context, c flwr.Connection) ([]flwrexec.Node, error) {
	g.Grid.SeeOnline(g.rt)
	return g.Grid.Nodes(ctx, c)
}

func (busyGrid) Runs(context.Context, flwr.Connection) ([]flwrexec.Run, error) {
	return []flwrexec.Run{{ID: 7}}, nil
}

func (busyGrid) Run(context.Context, flwr.Connection, flwr.RunID) (flwrexec.Run, error) {
	return flwrexec.Run{ID: 7}, nil
}

// settler changes some settings, one after the other.
type settler struct {
	sitetest.Heard
	settings []string
	answers  map[string]string
}

func (p *settler) Ask(ctx context.Context, q front.Question) (string, error) {
	if a, ok := p.answers[q.ID]; ok {
		return a, nil
	}
	if q.ID == "setting" && len(p.settings) > 0 {
		next := p.settings[0]
		p.settings = p.settings[1:]
		return next, nil
	}
	if q.Kind == front.AskSecret {
		return "a secret", nil
	}
	return p.Heard.Ask(ctx, q)
}
