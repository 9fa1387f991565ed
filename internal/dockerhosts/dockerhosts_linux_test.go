package dockerhosts

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/dockerctl"
	"flwrup/internal/problem"
	"flwrup/internal/require"
	"flwrup/internal/supernode"
)

// places are Places in memory.
type places struct {
	mu     sync.Mutex
	chosen []string
	at     map[string][]string
}

func (p *places) Hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := slices.Clone(p.chosen)
	for _, hosts := range p.at {
		all = append(all, hosts...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func (p *places) Of(node string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if hosts := p.at[node]; len(hosts) > 0 {
		return slices.Clone(hosts)
	}
	return p.chosen[:1]
}

func (p *places) Nodes(host string) (names []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, hosts := range p.at {
		if slices.Contains(hosts, host) {
			names = append(names, name)
		}
	}
	return names
}

func (p *places) Begin(node, host string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.at[node], host) {
		p.at[node] = append([]string{host}, p.at[node]...)
	}
	return nil
}

func (p *places) End(node, host string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at[node] = slices.DeleteFunc(p.at[node], func(h string) bool { return h == host })
	return nil
}

// keyFile writes a private key as flwrup makes them, as far as a container cares.
func keyFile(t *testing.T) string {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(key, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// states lists the nodes as name=state@host.
func states(t *testing.T, r *Runtime, hosts map[string]string) string {
	t.Helper()
	list, err := r.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, st := range list {
		all = append(all, st.Name+"="+string(st.State)+"@"+hosts[st.Host])
	}
	return strings.Join(all, " ")
}

func mustOn(t *testing.T, r *Runtime, host string) *dockerctl.Runtime {
	t.Helper()
	d, err := r.On(host)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// TestTwoHosts runs nodes on two real daemons, one of them through a real sshd. A node moves without a moment in which
// it is on both; a host that is away is said to be, and what may run on it is not started elsewhere.
func TestTwoHosts(t *testing.T) {
	sshd := require.SSH(t)
	t.Setenv("PATH", sshd.Bin+":"+os.Getenv("PATH"))
	one, two := require.PrivateDocker(t), require.PrivateDocker(t)
	image := one.Ticker()
	two.Ticker()
	there := sshd.Address + strings.TrimPrefix(two.Host, "unix://")
	name := map[string]string{one.Host: "one", there: "two"}
	p := &places{chosen: []string{one.Host, there}, at: map[string][]string{}}
	r := New(Options{Project: "hosts", Dir: t.TempDir(), Places: p})
	defer r.Close()
	ctx := context.Background()
	key := keyFile(t)
	spec := func(node, host string) supernode.Spec {
		return supernode.Spec{Name: node, Container: "sn_" + node, Project: "hosts", KeyFile: key, Image: image, Host: host,
			Args: func(key, _ string) []string { return []string{"--key", key} }}
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	is := func(want string) {
		t.Helper()
		if got := states(t, r, name); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
	must(r.Check(ctx))
	must(r.Start(ctx, spec("a", one.Host)))
	must(r.Start(ctx, spec("b", there)))
	is("a=running@one b=running@two")

	// One that runs elsewhere is left alone; stopped, it moves, and nothing of it stays behind.
	must(r.Start(ctx, spec("a", there)))
	is("a=running@one b=running@two")
	must(r.Stop(ctx, "a", 10*time.Second))
	must(r.Start(ctx, spec("a", there)))
	is("a=running@two b=running@two")
	if left, err := mustOn(t, r, one.Host).Leftovers(ctx); err != nil || len(left) > 0 {
		t.Errorf("on the first host: %v %v", left, err)
	}
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	lines := 0
	_ = r.Logs(limited, "a", supernode.LogOptions{Follow: true, Tail: 5}, func(supernode.Line) error { lines++; cancel(); return nil })
	if lines == 0 {
		t.Error("no line of a's log on the second host")
	}

	// The second host is away.
	must(r.Start(ctx, spec("c", one.Host)))
	began := time.Now()
	sshd.Stop()
	is("a=unknown@two b=unknown@two c=running@one")
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("a look took %v", took)
	}
	list, _ := r.List(ctx)
	if away := list[0].Away; away == nil || away.Code != HostAway || !strings.Contains(away.Why, "nothing answers ssh there") {
		t.Errorf("%+v", away)
	}
	if err := r.Check(ctx); err != nil {
		t.Errorf("the first host can still be used: %v", err)
	}
	found, err := r.Preflight(ctx, []supernode.Spec{spec("b", there), spec("d", one.Host)})
	if err != nil || !slices.ContainsFunc(found, func(f supernode.Finding) bool {
		return f.Node == "b" && !f.Warning && f.Problem.Code == problem.DockerDown
	}) || slices.ContainsFunc(found, func(f supernode.Finding) bool { return f.Node == "d" && !f.Warning }) {
		t.Errorf("%+v %v", found, err)
	}
	err = r.Start(ctx, spec("a", one.Host))
	if p := problem.Of(err); p == nil || p.Code != MayRun {
		t.Errorf("a starts on the first host while it may run on the second: %v", err)
	}
	if _, err := r.Leftovers(ctx); err == nil {
		t.Error("nothing is left, on a host that does not answer")
	}

	// And back.
	sshd.Start()
	time.Sleep(awayFor)
	is("a=running@two b=running@two c=running@one")
	for _, n := range []string{"a", "b", "c"} {
		must(r.Stop(ctx, n, 10*time.Second))
		must(r.Remove(ctx, n))
	}
	if left, err := r.Leftovers(ctx); err != nil || len(left) > 0 || len(p.Nodes(there)) > 0 {
		t.Errorf("left: %v %v, noted: %v", left, err, p.at)
	}
	sshd.Forget()
	stranger := New(Options{Project: "hosts", Places: &places{chosen: []string{there}}})
	defer stranger.Close()
	if err := stranger.Check(ctx); problem.Of(err) == nil || !strings.Contains(problem.Of(err).Why, "does not know its host key") {
		t.Errorf("an unknown host key: %v", err)
	}
}
