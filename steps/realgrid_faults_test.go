//go:build unix

package steps

import (
	"context"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

// sweep names the versions of flwr on which every case is tried, at full length (docs/testing.md).
var sweep = os.Getenv("FLWRUP_GRID_SWEEP")

// TestRealGrid runs the steps from the login on with a real SuperLink that makes errors on purpose:
// no key is lost or registered twice, and every node ID is known and right at the end.
func TestRealGrid(t *testing.T) {
	versions := []string{require.Newest, "1.24.0"}
	if sweep != "" {
		versions = strings.Split(sweep, ",")
	}
	t.Setenv(pollInterval, "0.2")
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			t.Parallel() // each has its own grid, and most of it is waiting
			x := newTrial(t, version)
			t.Run("register", x.registering)
			t.Run("grid away", x.gridAway)
			if sweep != "" || !x.managed { // these take long, and differ little between versions
				t.Run("by hand", x.byHand)
			}
			if sweep != "" || x.managed {
				t.Run("no worker", x.noWorker)
				t.Run("login", x.loggingIn)
			}
			if version == require.Newest {
				t.Run("misfits", x.misfits)
			}
			t.Run("federation", x.federations)
			t.Run("expired", x.expiring)
		})
	}
	if slices.Contains(versions, require.Newest) {
		t.Run(require.Newest+" hangs", func(t *testing.T) {
			t.Parallel()
			newTrial(t, require.Newest).hangs(t)
		})
	}
}

// ready returns a site with n keys, logged in.
func (x *trial) ready(t *testing.T, n int, more ...func(*project.Choices)) (*site.Site, map[string]string) {
	s := x.site(t, n, more...)
	x.apply(t, s, front.StepLogin, &person{x: x})
	return s, files(t, s)
}

func (x *trial) registering(t *testing.T) {
	late := 3.0
	if sweep != "" {
		late = 30
	}
	for _, c := range []struct {
		name, mode string
		count      int
	}{
		{"unavailable", "unavailable", 1},
		{"internal error", "internal", 1},
		{"cut before the work", "drop-before", 1},
		{"cut after the work", "drop-after", 1},
		{"cut after the work twice", "drop-after", 2},
		{"delayed", "delay", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, before := x.ready(t, 2)
			x.fault(t, c.mode, c.count, late)
			x.apply(t, s, 10, &person{x: x})
			x.right(t, s, 2, before)
		})
	}
}

// hangs stops the SuperLink with SIGSTOP: every look says within 10 s that the grid does not answer, one that
// looks at everything, too, and the same site works again afterwards. A grid that only takes 8 s is waited for.
func (x *trial) hangs(t *testing.T) {
	s, _ := x.ready(t, 1)
	x.apply(t, s, 10, &person{x: x})
	neutral := t.TempDir()
	waiting := flwrexec.NewSession(x.flwr.Found(), flwrexec.SessionOptions{FlwrHome: x.home, Dir: neutral, Silent: func(ctx context.Context) error { return site.SilentGrid(ctx, s) }})
	site.With(s, site.Backends{Flwr: waiting})
	if _, err := waiting.Nodes(t.Context(), s.Connection()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(x.g.Ready.PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(x.g.Ready.PID, syscall.SIGCONT) //nolint:errcheck
	said := func(what string, err error, began time.Time) {
		t.Helper()
		if took := time.Since(began); !flwrexec.Silent(err) || !problem.Is(err, problem.Unreachable) || took > 10*time.Second {
			t.Errorf("%s: after %v: %v", what, took, err)
		}
	}
	began := time.Now()
	said("status", health.Overview(t.Context(), s, 0).GridErr, began)
	began = time.Now()
	_, err := Inspect(t.Context(), s, front.StepLogin)
	said("step 9", err, began)
	began = time.Now()
	if st, err := Inspect(t.Context(), s, front.StepOnline); err != nil || st.State != front.Blocked || st.By != front.StepLogin || time.Since(began) > 10*time.Second {
		t.Errorf("step 14, after %v: %+v, %v", time.Since(began), st, err)
	}
	began = time.Now()
	f, _ := s.Session(t.Context())
	_, err = f.StartRun(t.Context(), s.Connection(), s.AppDir(), s.Choices().Federation, "")
	said("run", err, began)
	began, found := time.Now(), false
	Doctor(t.Context(), s, func(f Finding) {
		found = found || f.Problem != nil && strings.Contains(f.Problem.Error(), "does not answer")
	})
	if took := time.Since(began); !found || took > 15*time.Second {
		t.Errorf("doctor: %v after %v", found, took)
	}
	if err := syscall.Kill(x.g.Ready.PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	time.Sleep(6 * time.Second) // the verdict of a moment ago is given again for a while
	if o := health.Overview(t.Context(), s, 0); o.GridErr != nil || o.GridAt.IsZero() {
		t.Errorf("the grid is back: %v", o.GridErr)
	}
	x.fault(t, "delay", 1, 8)
	if err := Act(t.Context(), s, front.AddNode, nil, &person{x: x, answers: map[string]string{"add": "a new one", "passphrase": "correct horse battery"}}); err != nil {
		t.Errorf("a slow grid: %v", err)
	}
}

// gridAway stops the SuperLink before the second key, or while the grid holds the call for it, and
// starts it again when the step has noticed.
func (x *trial) gridAway(t *testing.T) {
	for name, inFlight := range map[string]bool{"between two keys": false, "during a call": true} {
		if inFlight && sweep == "" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			s, before := x.ready(t, 3)
			keys, stopped, started := 0, make(chan error, 1), false
			stop := func() { stopped <- grid.StopDir(context.Background(), x.o.Dir) }
			p := &person{x: x}
			p.each = func(e front.Event) {
				switch e := e.(type) {
				case front.ItemChanged:
					if e.Item.Text != "registering" {
						return
					}
					if keys++; keys != 2 {
						return
					}
					if !inFlight {
						stop()
						return
					}
					x.fault(t, "delay", 1, 4)
					time.AfterFunc(1500*time.Millisecond, stop)
				case front.Says:
					if strings.Contains(e.Text, "trying again") && !started {
						started = true
						if err := <-stopped; err != nil {
							t.Error(err)
						}
						x.start(t)
					}
				}
			}
			defer func() {
				if _, alive := grid.Running(x.o.Dir); !alive {
					x.start(t) // for those that come after
				}
			}()
			x.apply(t, s, 10, p)
			if !started {
				t.Error("the step never noticed that the grid was away")
			}
			x.right(t, s, 3, before)
		})
	}
}

// byHand has keys that the person registered before flwrup came. flwr lists no names, not even those it
// takes, so that only a SuperNode's own log can tell its ID.
func (x *trial) byHand(t *testing.T) {
	s, before := x.ready(t, 2)
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, m := range list {
		id, err := x.flwr.Register(t.Context(), s.Connection(), flwr.Registration{PublicKey: m.Pair.Public, Name: m.Name})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id.String())
	}
	if !x.managed { // nobody is let in yet, so no log tells: both IDs are named, to be confirmed
		err := Apply(t.Context(), s, 10, &person{x: x})
		if !problem.Is(err, problem.NeedsGrid) || !strings.Contains(err.Error(), ids[0]) || !strings.Contains(err.Error(), ids[1]) {
			t.Errorf("needs-grid wanted, with %v, got %v", ids, err)
		}
		for _, id := range ids {
			x.confirm(t, id)
		}
	}
	x.apply(t, s, 10, &person{x: x})
	x.right(t, s, 2, before)
}

func (x *trial) confirm(t *testing.T, id string) {
	t.Helper()
	if err := x.g.Confirm(t.Context(), id); err != nil {
		t.Fatal(err)
	}
}

// noWorker registers with a process a call, as where flwr cannot be held in one, over a lost answer.
func (x *trial) noWorker(t *testing.T) {
	s, before := x.ready(t, 1)
	single := flwrexec.NewSession(x.flwr.Found(), flwrexec.SessionOptions{FlwrHome: x.home, Dir: t.TempDir(), NoWorker: true})
	t.Cleanup(func() { single.Close() })
	site.With(s, site.Backends{Flwr: shared{single}})
	x.fault(t, "drop-after", 1, 0)
	x.apply(t, s, 10, &person{x: x})
	x.right(t, s, 1, before)
}

// deny says no at the login page. The code is the portal's to tell: the link does not carry it.
func (x *trial) deny(t *testing.T, open front.LoginOpen) {
	t.Helper()
	l, err := x.g.LoginAt(context.Background(), open.URL)
	if err == nil {
		err = x.g.Deny(context.Background(), l.UserCode)
	}
	if err != nil {
		t.Error(err)
	}
}

func (x *trial) loggingIn(t *testing.T) {
	t.Run("denied", func(t *testing.T) { // flwr polls on until the login's time is over
		s := x.site(t, 1)
		x.logOut(t)
		err := Apply(t.Context(), s, front.StepLogin, &person{x: x, login: func(o front.LoginOpen) {
			x.deny(t, o)
		}})
		if !problem.Is(err, problem.LoginTimeout) {
			t.Errorf("login-timeout wanted, got %v", err)
		}
		x.apply(t, s, front.StepLogin, &person{x: x})
	})
	t.Run("denied in a rehearsal", func(t *testing.T) { // its grid tells at once, though flwr does not
		s := x.site(t, 1)
		x.logOut(t)
		sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Rehearsal = true })
		s.Options.Attended = true
		site.With(s, site.Backends{Grid: x.g})
		began := time.Now()
		err := Apply(t.Context(), s, front.StepLogin, &person{x: x, waits: "approve", login: func(o front.LoginOpen) {
			began = time.Now()
			x.deny(t, o)
		}})
		if !problem.Is(err, problem.LoginTimeout) || !strings.Contains(err.Error(), "denied") || problem.Of(err).Fix == "" {
			t.Errorf("a denied login wanted, got %v", err)
		}
		if took := time.Since(began); took > loginTime/2 {
			t.Errorf("noticed after %v", took)
		}
		sitetest.Choose(t, s, func(c *project.Choices) { c.Grid.Rehearsal = false }) // the trial's own grid is not the site's to end
		x.apply(t, s, front.StepLogin, &person{x: x})
	})
	for _, c := range []struct{ rpc, mode string }{{"GetLoginDetails", "unavailable"}, {"GetLoginDetails", "drop-before"}, {"GetAuthTokens", "unavailable"},
		{"GetAuthTokens", "internal"}, {"GetAuthTokens", "drop-after"}} {
		if sweep == "" && (c.mode == "drop-before" || c.mode == "internal") {
			continue
		}
		t.Run(c.rpc+" "+c.mode, func(t *testing.T) {
			s := x.site(t, 1)
			x.logOut(t)
			if err := x.g.Fault(t.Context(), grid.Fault{RPC: c.rpc, Mode: c.mode}); err != nil {
				t.Fatal(err)
			}
			x.apply(t, s, front.StepLogin, &person{x: x})
		})
	}
	t.Run("cancelled by the person", func(t *testing.T) {
		s := x.site(t, 1)
		x.logOut(t)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		err := Apply(ctx, s, front.StepLogin, &person{x: x, login: func(front.LoginOpen) { cancel() }})
		if !problem.Is(err, problem.Cancelled) {
			t.Errorf("cancelled wanted, got %v", err)
		}
		if took := time.Since(began); took > loginTime {
			t.Errorf("cancelling took %v", took)
		}
		x.apply(t, s, front.StepLogin, &person{x: x})
	})
	t.Run("approved late", func(t *testing.T) {
		s := x.site(t, 1)
		x.logOut(t)
		p := &person{x: x}
		p.login = func(o front.LoginOpen) { time.AfterFunc(loginTime/2, func() { p.approve(o) }) }
		x.apply(t, s, front.StepLogin, p)
	})
}

// federations: one that was named never becomes another one unasked.
func (x *trial) federations(t *testing.T) {
	named := func(id string, create bool) func(*project.Choices) {
		return func(c *project.Choices) { c.Federation, c.CreateFederation = id, create }
	}
	refused := func(t *testing.T, id string, code problem.Code, word string) {
		t.Helper()
		s := x.site(t, 1, named(id, false))
		err := Apply(t.Context(), s, front.StepLogin, &person{x: x})
		if !problem.Is(err, code) || !strings.Contains(err.Error(), word) || problem.Of(err).Fix == "" {
			t.Errorf("%s wanted, with %q and what to do, got %v", code, word, err)
		}
		if s.Choices().Federation != id {
			t.Errorf("the federation became %s", s.Choices().Federation)
		}
	}
	t.Run("unknown", func(t *testing.T) { refused(t, "@ada/nosuch", problem.FedNotFound, "not in your list") })
	if !x.managed {
		return
	}
	t.Run("simulation", func(t *testing.T) { refused(t, "@ada/workspace", problem.BadInput, "simulation") })
	t.Run("created, answer lost", func(t *testing.T) {
		s := x.site(t, 1, named("@ada/lost", true))
		if err := x.g.Fault(t.Context(), grid.Fault{RPC: "CreateFederation", Mode: "drop-after"}); err != nil {
			t.Fatal(err)
		}
		x.apply(t, s, front.StepLogin, &person{x: x})
		if s.Choices().Federation != "@ada/lost" {
			t.Errorf("the federation is %s", s.Choices().Federation)
		}
	})
}

// expiring ends the session before each of the steps 10 to 16. Where the grid lets a SuperNode in only
// after its confirmation, step 12 waits for that.
func (x *trial) expiring(t *testing.T) {
	s, before := x.ready(t, 2, func(c *project.Choices) {
		if x.managed {
			c.Federation = "@ada/walk"
		}
	})
	logins := 0
	for n := front.StepRegister; n <= front.StepMonitor; n++ {
		x.logOut(t)
		p := &person{x: x, answers: map[string]string{"sent": "yes"}}
		if n == 12 && !x.managed {
			x.unconfirmed(t, s, p)
			x.logOut(t)
		}
		x.apply(t, s, n, p)
		logins += p.logins
		x.right(t, s, 2, before)
	}
	x.mixedUp(t, s)
	x.right(t, s, 2, before)
	if logins < 5 {
		t.Errorf("the person was brought back to the login %d times", logins)
	}
	if runs := s.Ledger.Runs(); len(runs) != 1 || runs[0].Status != "finished:completed" {
		t.Errorf("one completed run wanted, got %+v", runs)
	}
	if sweep != "" {
		x.unregistered(t, s)
	}
}

// unregistered takes a SuperNode off the grid while it runs: it ends with 0, and that is not called health.
func (x *trial) unregistered(t *testing.T, s *site.Site) {
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	m := list[1]
	id, err := flwr.ParseNodeID(m.Record.NodeID)
	if err == nil {
		err = x.flwr.Unregister(t.Context(), s.Connection(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	for {
		v := health.Diagnosed(t.Context(), s, 0).Nodes[1]
		if v.Runtime.State == supernode.Stopped {
			t.Logf("ended after %.0f s with %d: %v", time.Since(began).Seconds(), v.Runtime.ExitCode, v.Diagnosis)
			if v.Diagnosis == nil || v.Diagnosis.Code != flwrexec.NodeUnregistered {
				t.Errorf("node-unregistered wanted, got %+v", v.Diagnosis)
			}
			return
		}
		if time.Since(began) > 90*time.Second {
			t.Fatalf("it runs on: %+v", v)
		}
		time.Sleep(time.Second)
	}
}

// mixedUp gives two SuperNodes that are online each other's node ID in the ledger: their own logs settle it.
func (x *trial) mixedUp(t *testing.T, s *site.Site) {
	if err := s.Ledger.Change(func(d *ledger.Data) error {
		d.Nodes[0].NodeID, d.Nodes[1].NodeID = d.Nodes[1].NodeID, d.Nodes[0].NodeID
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if o := health.Overview(t.Context(), s, 0); o.Nodes[0].Diagnosis == nil || o.Nodes[0].Diagnosis.Code != health.NodeIDDiffers {
		t.Errorf("the ledger is wrong, and the diagnosis %+v", o.Nodes[0].Diagnosis)
	}
	x.apply(t, s, 14, &person{x: x})
}

// unconfirmed sees that a SuperNode is refused and that the walk stops at step 12, to go on later; then
// the grid's staff confirm the nodes.
func (x *trial) unconfirmed(t *testing.T, s *site.Site, p *person) {
	err := walkOne(t.Context(), s, confirmation{}, p)
	if !problem.Is(err, problem.NeedsGrid) {
		t.Errorf("step 12 has to wait for the grid, got %v", err)
	}
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	m := list[0]
	if _, err := fleet.IDFromLog(t.Context(), s, m, map[string]bool{m.Record.NodeID: true}, p); !problem.Is(err, problem.NodeRefused) {
		t.Errorf("a SuperNode that is not confirmed has to be refused, got %v", err)
	}
	if st, err := Inspect(t.Context(), s, 13); err != nil || st.State != front.Blocked || st.By != 12 {
		t.Errorf("step 13 is %s by %d, %v", st.State, st.By, err)
	}
	for _, m := range list {
		x.confirm(t, m.Record.NodeID)
	}
	s.Forget()
}

// TestRehearsalGridDied: a grid that was killed is not called running, and whoever waits for it has it
// started again, at the same addresses.
func TestRehearsalGridDied(t *testing.T) {
	env := require.Flwr(t, require.Newest)
	found, errs := install.Find(t.Context(), install.FindOptions{Path: env})
	if len(found) != 1 {
		t.Fatal(found, errs)
	}
	s, err := site.Open(site.Options{Dir: t.TempDir(), Create: true, Rehearsal: true})
	if err != nil {
		t.Fatal(err)
	}
	session := flwrexec.NewSession(found[0], flwrexec.SessionOptions{FlwrHome: t.TempDir(), Dir: t.TempDir()})
	site.With(s, site.Backends{Flwr: session})
	t.Cleanup(func() {
		if err := fleet.TearDown(context.Background(), s, &sitetest.Heard{}, false); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	if err := site.StartGrid(t.Context(), s, found[0], &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	if !site.GridUp(s) {
		t.Fatal("the grid was started, and is not called running")
	}
	began, _ := site.GridRunning(s)
	first := began.Ready
	if err := syscall.Kill(first.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for limit := time.Now().Add(10 * time.Second); site.GridUp(s); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("a grid that was killed is still called running")
		}
	}
	if err := site.HoldOn(t.Context(), s, &sitetest.Heard{}, 1, sitetest.ErrCut); err != nil {
		t.Fatal(err)
	}
	restarted, _ := site.GridRunning(s)
	if now := restarted.Ready; !site.GridUp(s) || now.PID == first.PID || now.Control != first.Control || now.Fleet != first.Fleet {
		t.Errorf("started again as %+v, was %+v", now, first)
	}
}
