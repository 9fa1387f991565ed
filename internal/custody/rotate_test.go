package custody

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/fleet"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/sitetest"
	"flwrup/internal/supernode"
)

func TestMain(m *testing.M) {
	OnlineWithin = 300 * time.Millisecond // a Runtime's SuperNode is online at once, or never
	sitetest.Main(m)
}

// once is an Again on a grid whose login lasts.
func once(do func() error) error { return do() }

var yes = map[string]string{"rotate": "yes"}

// world is a site of two SuperNodes that are online, whose backups only their recipient can open. It ends at a call of
// the grid's or the runtime's, and answers nothing then.
type world struct {
	*sitetest.Grid
	t       *testing.T
	s       *site.Site
	rt      *sitetest.Runtime
	deaf    string // a SuperNode with the key in this file stays offline
	calls   int
	last    int // after so many calls it ends; 0: never
	end     context.CancelFunc
	keys    map[string]string // every private key that was ever there, by content
	doubled bool              // one name ran twice, or two with one key
}

func newWorld(t *testing.T) *world {
	w := &world{Grid: sitetest.NewGrid("1.42.0"), t: t, keys: map[string]string{}}
	w.s, _, w.rt = sitetest.InFederation(t, w.Grid, 2)
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	sitetest.Choose(t, w.s, func(c *project.Choices) { c.BackupRecipient = identity.Recipient().String() })
	w.wire()
	return w
}

func (w *world) wire() {
	site.With(w.s, site.Backends{Flwr: w, Runtime: runtime{w.rt, w}})
}

// reopen is the next flwrup.
func (w *world) reopen() {
	w.s.Close()
	s, err := site.Open(site.Options{Dir: w.s.Dir})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { s.Close() })
	w.s, w.last = s, 0
	w.wire()
}

// over counts a call, and reports whether flwrup has ended before it.
func (w *world) over() bool {
	w.keep()
	w.calls++
	return w.last > 0 && w.calls > w.last
}

// done ends flwrup after its last call.
func (w *world) done(err error) error {
	if w.last > 0 && w.calls == w.last {
		w.end()
		return context.Canceled
	}
	return err
}

// keep notes the private keys that are there.
func (w *world) keep() {
	_ = filepath.WalkDir(w.s.Path("keys"), func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasSuffix(path, ".pub") && !strings.HasPrefix(d.Name(), ".") {
			text, _ := os.ReadFile(path)
			w.keys[string(text)] = d.Name()
		}
		return nil
	})
}

func (w *world) Register(ctx context.Context, c flwr.Connection, r flwr.Registration) (flwr.NodeID, error) {
	if w.over() {
		return 0, context.Canceled
	}
	id, err := w.Grid.Register(ctx, c, r)
	return id, w.done(err)
}

func (w *world) AddToFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, f string) error {
	if w.over() {
		return context.Canceled
	}
	return w.done(w.Grid.AddToFederation(ctx, c, id, f))
}

func (w *world) RemoveFromFederation(ctx context.Context, c flwr.Connection, id flwr.NodeID, f string) error {
	if w.over() {
		return context.Canceled
	}
	return w.done(w.Grid.RemoveFromFederation(ctx, c, id, f))
}

func (w *world) Unregister(ctx context.Context, c flwr.Connection, id flwr.NodeID) error {
	if w.over() {
		return context.Canceled
	}
	return w.done(w.Grid.Unregister(ctx, c, id))
}

// runtime is a Runtime whose SuperNodes the grid sees come and go.
type runtime struct {
	*sitetest.Runtime
	w *world
}

func (r runtime) Start(ctx context.Context, spec supernode.Spec) error {
	if r.w.over() {
		return context.Canceled
	}
	for _, name := range r.Running() {
		if (r.Started[name].KeyFile == spec.KeyFile) != (name == spec.Name) {
			r.w.doubled = true
		}
	}
	err := r.Runtime.Start(ctx, spec)
	r.w.SeeOnline(r.Runtime)
	if id, ok := r.w.Keys[spec.KeyFile+".pub"]; ok && strings.HasSuffix(spec.KeyFile, r.w.deaf) && r.w.deaf != "" {
		for i, n := range r.w.Known {
			if n.ID == id {
				r.w.SetStatus(i, flwrexec.StatusOffline)
			}
		}
	}
	return r.w.done(err)
}

func (r runtime) Stop(ctx context.Context, name string, grace time.Duration) error {
	if r.w.over() {
		return context.Canceled
	}
	err := r.Runtime.Stop(ctx, name, grace)
	r.w.SeeOnline(r.Runtime)
	return r.w.done(err)
}

// List tells a SuperNode that was started with another key apart.
func (r runtime) List(ctx context.Context) ([]supernode.Status, error) {
	list, err := r.Runtime.List(ctx)
	for i, st := range list {
		list[i].ID = r.Started[st.Name].KeyFile
	}
	return list, err
}

// settled fails the test unless both SuperNodes are online once, all that the grid knows is in the ledger, and no key
// was lost.
func (w *world) settled() {
	t := w.t
	t.Helper()
	o := health.Diagnosed(t.Context(), w.s, 0)
	if o.Online != 2 || len(o.Nodes) != 2 || o.Nodes[0].Name != "supernode_1" || o.Nodes[0].Diagnosis != nil {
		t.Errorf("two online SuperNodes wanted: %+v", o.Nodes)
	}
	if left := w.s.Ledger.Intents(); len(left) > 0 {
		t.Errorf("intents left: %+v", left)
	}
	registered := 0
	for _, n := range w.Known {
		have := slices.IndexFunc(w.s.Ledger.Nodes(), func(r ledger.Node) bool { return r.NodeID == n.ID.String() })
		if have < 0 {
			t.Errorf("the grid knows node %s, and the ledger does not", n.ID)
			continue
		}
		if gone := n.Status == flwrexec.StatusUnregistered; gone != (w.s.Ledger.Nodes()[have].State == ledger.Unregistered) {
			t.Errorf("node %s is %s on the grid, %s in the ledger", n.ID, n.Status, w.s.Ledger.Nodes()[have].State)
		} else if !gone {
			registered++
		}
	}
	if registered != 2 || len(w.Members) != 2 || len(w.rt.Running()) != 2 {
		t.Errorf("%d registered, members %v, running %v", registered, w.Members, w.rt.Running())
	}
	if w.doubled {
		t.Error("a SuperNode ran twice")
	}
	before := w.keys
	w.keys = map[string]string{}
	w.keep()
	for text, name := range before {
		if w.keys[text] == "" {
			t.Errorf("the key %s is gone", name)
		}
	}
}

func TestRotate(t *testing.T) {
	w := newWorld(t)
	old := sitetest.Record(w.s, "supernode_1")
	if err := Rotate(t.Context(), w.s, []string{"supernode_1"}, false, &sitetest.Heard{}, once); !problem.Is(err, problem.NeedsPerson) || len(w.Known) != 2 || len(w.s.Ledger.Intents()) > 0 {
		t.Fatalf("nobody said yes: %v", err)
	}
	person := &sitetest.Scripted{Answers: yes}
	if err := Rotate(t.Context(), w.s, []string{"supernode_1", "supernode_2"}, false, person, once); err != nil {
		t.Fatal(err)
	}
	w.settled()
	if len(w.Known) != 4 || len(person.Asked) != 2 {
		t.Errorf("%v, asked %v", w.Known, person.Asked)
	}
	gone, _ := w.s.Ledger.NodeOn(old.Connection, old.Key)
	if gone.State != ledger.Unregistered || gone.NodeID != old.NodeID || gone.Name != "supernode_1" {
		t.Errorf("%+v", gone)
	}
	if _, err := os.Stat(w.s.Path(gone.KeyFile)); err != nil {
		t.Error(err)
	}
	if b := health.BackupOf(w.s, old.Key); b == "" {
		t.Error("no backup holds the old key")
	}
	m, err := site.MemberNamed(w.s, "supernode_1")
	if err != nil || m.Pair.Fingerprint == old.Key || health.BackupOf(w.s, m.Pair.Fingerprint) == "" {
		t.Errorf("%+v, %v", m, err)
	}
}

// flwrup ends after each of its calls in turn, its answer lost. The same command then ends as if nothing had happened,
// or gives the rotation up.
func TestRotationCutShort(t *testing.T) {
	for _, back := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			ctx, end := context.WithCancel(t.Context())
			w.last, w.end = n, end
			err := Rotate(ctx, w.s, []string{"supernode_1"}, false, &sitetest.Scripted{Answers: yes}, once)
			if err == nil {
				if n < 7 {
					t.Errorf("a rotation has %d calls", n-1)
				}
				break
			}
			w.reopen()
			i, open := w.s.Ledger.Data().Rotation("supergrid", "supernode_1")
			err = Rotate(t.Context(), w.s, []string{"supernode_1"}, back, &sitetest.Scripted{Answers: yes}, once)
			final := open && i.Stage == ledger.RotateFinal
			if back && (!open || final) {
				if !problem.Is(err, problem.Usage) {
					t.Errorf("cut after call %d, %+v: %v", n, i, err)
				}
				err = Rotate(t.Context(), w.s, []string{"supernode_1"}, false, &sitetest.Scripted{Answers: yes}, once)
			}
			if err != nil {
				t.Errorf("cut after call %d (%q), then back=%v: %v", n, i.Stage, back, err)
			}
			w.settled()
			if moved := filepath.Base(sitetest.RuntimeOf(t, w.plain()).Started["supernode_1"].KeyFile) != "client_credentials_1"; moved == (back && open && !final) {
				t.Errorf("cut after call %d (%q), back=%v: started with %q", n, i.Stage, back, w.rt.Started["supernode_1"].KeyFile)
			}
		}
	}
}

// plain returns the site with its bare runtime.
func (w *world) plain() *site.Site {
	site.With(w.s, site.Backends{Runtime: w.rt})
	return w.s
}

// A SuperNode that does not come online with its new key has its old one again. The new one stays for another try, or is
// unregistered.
func TestNewKeyStaysOffline(t *testing.T) {
	for _, drop := range []string{"no", "yes"} {
		w := newWorld(t)
		w.deaf = "client_credentials_3"
		err := Rotate(t.Context(), w.s, []string{"supernode_1"}, false, &sitetest.Scripted{Answers: map[string]string{"rotate": "yes", "rotate-drop": drop}}, once)
		if !problem.Is(err, problem.NodeNotOnline) || w.rt.Started["supernode_1"].KeyFile != w.s.Path("keys/client_credentials_1") {
			t.Fatalf("%v, started %v", err, w.rt.Started)
		}
		if drop == "yes" {
			w.settled()
			continue
		}
		if !strings.Contains(problem.Of(err).Fix, "--back") {
			t.Errorf("%+v", problem.Of(err))
		}
		if o := health.Diagnosed(t.Context(), w.s, 0); o.Online != 2 || len(o.Nodes) != 2 {
			t.Errorf("%+v", o.Nodes)
		}
		if o := health.Diagnosed(t.Context(), w.s, 0); len(o.Rotating) != 1 || !strings.Contains(o.KeysSay(), "flwrup rotate supernode_1") {
			t.Errorf("%v, %q", o.Rotating, o.KeysSay())
		}
		if err := fleet.Remove(t.Context(), w.s, []string{"supernode_1"}, true, &sitetest.Scripted{Answers: map[string]string{"unregister": "yes"}}, once); !problem.Is(err, problem.Usage) {
			t.Errorf("removed with two keys on the grid: %v", err)
		}
		w.deaf = ""
		if err := Rotate(t.Context(), w.s, []string{"supernode_1"}, false, &sitetest.Scripted{Answers: yes}, once); err != nil {
			t.Fatal(err)
		}
		w.settled()
		if len(w.Known) != 3 {
			t.Errorf("the second try made another key: %v", w.Known)
		}
	}
}

// TestDownStaysDown: a SuperNode that is down on purpose runs while its rotation shows that the new key works, and is down
// again afterwards.
func TestDownStaysDown(t *testing.T) {
	w := newWorld(t)
	if err := fleet.Operate(t.Context(), w.s, front.StopNodes, []string{"supernode_1"}, &sitetest.Heard{}); err != nil {
		t.Fatal(err)
	}
	old := sitetest.Record(w.s, "supernode_1")
	if err := Rotate(t.Context(), w.s, []string{"supernode_1"}, false, &sitetest.Scripted{Answers: yes}, once); err != nil {
		t.Fatal(err)
	}
	m, err := site.MemberNamed(w.s, "supernode_1") // two records have its name now
	if err != nil {
		t.Fatal(err)
	}
	if now := m.Record; now.NodeID == old.NodeID || slices.Contains(w.rt.Running(), "supernode_1") || site.Wanted(w.s, "supernode_1") != front.WantedDown {
		t.Errorf("it has node ID %s, before %s; running: %v; wanted %s", now.NodeID, old.NodeID, w.rt.Running(), site.Wanted(w.s, "supernode_1"))
	}
}
