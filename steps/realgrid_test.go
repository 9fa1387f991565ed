//go:build unix

package steps

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/grid"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/require"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
)

// loginTime is how long the trial grid waits for a login's approval.
const loginTime = 8 * time.Second

// pollInterval is how often, in seconds, a SuperNode of flwr 1.42 looks for work; its default is longer.
const pollInterval = "FLWR_SUPEREXEC_TASK_POLL_INTERVAL"

// trial is one real SuperLink with one real flwr, shared by many sites: each subtest has its own keys,
// ledger and node names.
type trial struct {
	version string
	managed bool
	o       grid.Options
	g       *grid.Grid
	flwr    *flwrexec.Session
	home    string
	sites   int
}

func newTrial(t *testing.T, version string) *trial {
	t.Helper()
	env := require.Flwr(t, version)
	found, errs := install.Find(t.Context(), install.FindOptions{Path: env})
	if len(found) != 1 {
		t.Fatal(found, errs)
	}
	dir := t.TempDir()
	x := &trial{version: version, managed: flwr.DialectOf(found[0].Version).Managed, home: filepath.Join(dir, "home")}
	x.o = grid.Options{Dir: filepath.Join(dir, "grid"), Python: found[0].Python, LoginTTL: loginTime}
	if !x.managed {
		x.o.ConfirmNodes = "fleet"
	}
	neutral := filepath.Join(dir, "neutral")
	for _, d := range []string{x.home, neutral} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	x.start(t)
	t.Cleanup(func() {
		if err := grid.StopDir(context.Background(), x.o.Dir); err != nil {
			t.Error(err)
		}
	})
	x.flwr = flwrexec.NewSession(found[0], flwrexec.SessionOptions{FlwrHome: x.home, Dir: neutral})
	t.Cleanup(func() { x.flwr.Close() })
	return x
}

func (x *trial) start(t *testing.T) {
	t.Helper()
	g, err := grid.Start(context.Background(), x.o, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, problem.Of(err).Raw)
	}
	x.g = g
}

// shared is a flwr that outlives the site that uses it.
type shared struct{ *flwrexec.Session }

func (shared) Close() error { return nil }

// federation is one that the grid has, or that a site of the trial may create.
func (x *trial) federation() string {
	if x.managed {
		return "@ada/study"
	}
	return x.g.Ready.Federations[0]
}

// site makes a new project with n keys whose connection is the trial's grid: steps 6 and 8 are done.
func (x *trial) site(t *testing.T, n int, more ...func(*project.Choices)) *site.Site {
	t.Helper()
	x.sites++
	dir := t.TempDir()
	if err := grid.WriteApp(dir, false); err != nil {
		t.Fatal(err)
	}
	app := filepath.Join(dir, "pyproject.toml")
	b, err := os.ReadFile(app)
	if err == nil {
		err = os.WriteFile(app, []byte(strings.Replace(string(b), "num-server-rounds = 3", "num-server-rounds = 1", 1)), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	s, err := site.Open(site.Options{Dir: dir, Create: true, Choose: func(c *project.Choices) {
		c.Nodes, c.Federation, c.CreateFederation, c.Runtime = n, x.federation(), x.managed, project.RuntimeProcess
		c.Flwr.Home, c.Flwr.Version = x.home, x.version
		c.Grid.Control, c.Grid.Fleet, c.Grid.CA = x.g.Ready.Control, x.g.Ready.Fleet, x.g.Ready.CA
		c.Node = map[string]project.NodeChoice{}
		for i := 1; i <= n; i++ {
			c.Node[project.NodeKey(i)] = project.NodeChoice{Name: fmt.Sprintf("site%d-node%d", x.sites, i),
				NodeConfig: fmt.Sprintf("partition-id=%d num-partitions=%d", i-1, n), Env: []string{pollInterval}}
		}
		for _, m := range more {
			m(c)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	site.With(s, site.Backends{Flwr: shared{x.flwr}})
	t.Cleanup(func() {
		if err := fleet.TearDown(context.Background(), s, &sitetest.Heard{}, true); err != nil {
			t.Error(err)
		}
		s.Close()
	})
	for _, step := range []front.StepID{front.StepKeys, front.StepConfigure} {
		x.apply(t, s, step, &person{x: x})
	}
	return s
}

// apply does a step and fails the test unless it is done then.
func (x *trial) apply(t *testing.T, s *site.Site, n front.StepID, p *person) {
	t.Helper()
	began := time.Now()
	if err := Apply(t.Context(), s, n, p); err != nil {
		t.Fatalf("step %d: %v\n%s\nbefore that:\n%s", n, err, problem.Of(err).Raw, p.Said())
	}
	if st, err := Inspect(t.Context(), s, n); err != nil || st.State != front.Done {
		t.Fatalf("step %d is %s after it was done: %s %v %v", n, st.State, st.Why, st.Evidence, err)
	}
	t.Logf("step %d: %.1f s", n, time.Since(began).Seconds())
}

// fault makes the next count registrations go wrong.
func (x *trial) fault(t *testing.T, mode string, count int, seconds float64) {
	t.Helper()
	if err := x.g.Fault(t.Context(), grid.Fault{RPC: "RegisterNode", Mode: mode, Count: count, Seconds: seconds}); err != nil {
		t.Fatal(err)
	}
}

// logOut ends every session on the grid, tokens to renew it included.
func (x *trial) logOut(t *testing.T) {
	t.Helper()
	if err := x.g.Expire(t.Context(), "", "both"); err != nil {
		t.Fatal(err)
	}
}

// person is the Sink of somebody who approves every login at once, unless told otherwise, and gives
// answers where there are some, else defaults.
type person struct {
	sitetest.Heard
	x       *trial
	login   func(front.LoginOpen) // in place of approving
	each    func(front.Event)
	answers map[string]string
	waits   string // the ID of a question that they never answer

	count  sync.Mutex
	logins int
}

func (p *person) Event(e front.Event) {
	p.Heard.Event(e)
	if p.each != nil {
		p.each(e)
	}
	open, ok := e.(front.LoginOpen)
	if !ok {
		return
	}
	p.count.Lock()
	p.logins++
	p.count.Unlock()
	if p.login != nil {
		p.login(open)
		return
	}
	p.approve(open)
}

// approve says yes at the login page. A wrong code shows in the login itself, which then is not approved.
func (p *person) approve(open front.LoginOpen) {
	l, err := p.x.g.LoginAt(context.Background(), open.URL)
	if err == nil {
		err = p.x.g.Approve(context.Background(), l.UserCode, "ada")
	}
	if err != nil {
		p.Heard.Event(front.Says{Text: "approving failed: " + err.Error()})
	}
}

func (p *person) Ask(ctx context.Context, q front.Question) (string, error) {
	if q.ID == p.waits {
		<-ctx.Done()
		return "", ctx.Err()
	}
	if a, ok := p.answers[q.ID]; ok {
		return a, nil
	}
	return p.Heard.Ask(ctx, q)
}

// files returns the content of every file in the site's folder of keys.
func files(t *testing.T, s *site.Site) map[string]string {
	t.Helper()
	all := map[string]string{}
	entries, err := os.ReadDir(s.Folder().KeysDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(s.Folder().KeysDir(), e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(b)
	}
	return all
}

// right fails the test unless the grid has exactly one node for each of the site's n keys, the ledger
// knows each by that node's ID, nothing is left open, and no key file differs from before.
func (x *trial) right(t *testing.T, s *site.Site, n int, before map[string]string) {
	t.Helper()
	state, err := x.g.State(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string][]string{} // fingerprint → node IDs
	for _, node := range state.Nodes {
		block, _ := pem.Decode([]byte(node.PublicKey))
		if block == nil {
			t.Fatalf("node %s has no key in PEM: %q", node.NodeID, node.PublicKey)
		}
		key, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		public, err := ssh.NewPublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		f := ssh.FingerprintSHA256(public)
		nodes[f] = append(nodes[f], node.NodeID)
	}
	list, _, err := site.Members(s)
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != n {
		t.Errorf("%d SuperNodes, %d wanted", len(list), n)
	}
	for _, m := range list {
		if ids := nodes[m.Pair.Fingerprint]; len(ids) != 1 || m.Record.NodeID != ids[0] {
			t.Errorf("%s is %q in the ledger (%s), the grid has its key as %v", m.Name, m.Record.NodeID, m.Record.How, ids)
		}
	}
	if left := s.Ledger.Intents(); len(left) > 0 {
		t.Errorf("intents left: %+v", left)
	}
	if now := files(t, s); fmt.Sprint(now) != fmt.Sprint(before) {
		t.Error("the files of the keys have changed")
	}
	if len(state.Faults) > 0 {
		t.Errorf("faults that never came about: %+v", state.Faults)
	}
}
