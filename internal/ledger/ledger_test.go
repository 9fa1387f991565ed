package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"flwrup/internal/history"
	"flwrup/internal/problem"
)

func open(t *testing.T, file string) *Ledger {
	t.Helper()
	l, err := Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "Prøject 1", ".flwrup", "ledger.json")
	must(t, os.Mkdir(filepath.Dir(filepath.Dir(file)), 0o700))
	l := open(t, file)
	const big = "16580771915538546953" // above 2^53, where a float would round
	for _, n := range []Node{
		{Key: "SHA256:c", Name: "supernode_10", NodeID: "10", State: Registered},
		{Key: "SHA256:a", Name: "supernode_2", NodeID: big, State: Registered, Connection: "supergrid", Registered: time.Now()},
		{Key: "SHA256:b", Name: "supernode_1", State: Refused},
	} {
		must(t, l.PutNode(n))
	}
	id, err := l.Begin(Intent{Op: "register", Key: "SHA256:d", Before: []string{big, "10"}, Try: 1})
	must(t, err)
	must(t, l.Attest("message sent", "to hello@flower.ai"))
	must(t, l.Attest("message sent", "again"))
	must(t, l.SetAccount("supergrid", "ada"))
	must(t, l.PutBackup(Backup{File: "b.age", SHA256: "00", Fingerprints: []string{"SHA256:a"}, Verified: true}))
	must(t, l.PutRun(Run{ID: big, Status: "pending"}))
	must(t, l.PutRun(Run{ID: big, Status: "finished:completed"}))

	l = open(t, file)
	var names []string
	for _, n := range l.Nodes() {
		names = append(names, n.Name)
	}
	if got := strings.Join(names, " "); got != "supernode_1 supernode_2 supernode_10" {
		t.Errorf("order: %s", got)
	}
	if n, ok := l.NodeByKey("SHA256:a"); !ok || n.NodeID != big {
		t.Errorf("NodeByKey = %+v, %v", n, ok)
	}
	if in := l.Intents(); len(in) != 1 || in[0].ID != id || in[0].Before[0] != big || in[0].At.IsZero() {
		t.Errorf("intents: %+v", in)
	}
	if a, ok := l.Attestation("message sent"); !ok || a.Detail != "again" || a.At.IsZero() {
		t.Errorf("attestation: %+v %v", a, ok)
	}
	if l.Account("supergrid") != "ada" || l.Account("other") != "" {
		t.Errorf("account: %q", l.Account("supergrid"))
	}
	if r := l.Runs(); len(r) != 1 || r[0].Status != "finished:completed" {
		t.Errorf("runs: %+v", r)
	}
	if b := l.Backups(); len(b) != 1 || !b[0].Verified || len(b[0].Fingerprints) != 1 {
		t.Errorf("backups: %+v", b)
	}
	must(t, l.Finish(id, func(d *Data) error {
		return d.PutNode(Node{Key: "SHA256:d", Name: "supernode_3", NodeID: "7", State: Registered})
	}))
	l = open(t, file)
	if n, ok := l.NodeByKey("SHA256:d"); !ok || n.NodeID != "7" || len(l.Intents()) != 0 {
		t.Errorf("after Finish: %v, %+v", ok, l.Intents())
	}
	if runtime.GOOS != "windows" {
		info, err := os.Stat(file)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v", info.Mode())
		}
	}
}

func TestChangeThatFailsChangesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	l := open(t, file)
	must(t, l.PutNode(Node{Key: "SHA256:a", Name: "n1", NodeID: "1", State: Registered}))
	id, err := l.Begin(Intent{Op: "register", Key: "SHA256:b"})
	must(t, err)
	before, err := os.ReadFile(file)
	must(t, err)
	for name, err := range map[string]error{
		"no key":        l.PutNode(Node{Name: "x"}),
		"not a number":  l.PutNode(Node{Key: "SHA256:b", NodeID: "1e5"}),
		"too big":       l.PutNode(Node{Key: "SHA256:b", NodeID: "18446744073709551616"}),
		"ID taken":      l.PutNode(Node{Key: "SHA256:b", NodeID: "1"}),
		"ID taken, end": l.Finish(id, func(d *Data) error { return d.PutNode(Node{Key: "SHA256:b", NodeID: "1"}) }),
		"caller":        l.Change(func(d *Data) error { d.Nodes[0].NodeID = "2"; return errors.New("no") }),
		"secret":        l.Attest("key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
		"no operation":  func() error { _, err := l.Begin(Intent{}); return err }(),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	after, err := os.ReadFile(file)
	must(t, err)
	if string(before) != string(after) || len(l.Intents()) != 1 || l.Nodes()[0].NodeID != "1" {
		t.Errorf("changed:\n%s", after)
	}
}

func TestSameKeyOnTwoConnections(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "ledger.json"))
	must(t, l.PutNode(Node{Key: "SHA256:a", Name: "n1", NodeID: "1", State: Unregistered, Connection: "one"}))
	must(t, l.PutNode(Node{Key: "SHA256:a", Name: "n1", NodeID: "2", State: Registered, Connection: "two"}))
	if n, _ := l.NodeByKey("SHA256:a"); n.NodeID != "2" {
		t.Errorf("NodeByKey: %+v", n)
	}
	if n, ok := l.NodeOn("one", "SHA256:a"); !ok || n.NodeID != "1" {
		t.Errorf("NodeOn: %+v", n)
	}
}

func TestDataAnswersWithoutTheLedger(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	must(t, os.WriteFile(file, []byte(`{"format": 1, "accounts": [{"connection": "one", "account": "ada"}],
		"nodes": [{"key": "SHA256:b", "name": "supernode_10", "state": "registered"}, {"key": "SHA256:a", "name": "supernode_2", "state": "registered"}],
		"attestations": [{"what": "runtime", "detail": "docker"}]}`), 0o600))
	l := open(t, file)
	d := l.Data()
	must(t, l.Change(func(d *Data) error { *d = Data{Format: d.Format}; return nil }))
	if d.Nodes[0].Name != "supernode_2" || d.Nodes[1].Name != "supernode_10" {
		t.Errorf("order after an edit by hand: %+v", d.Nodes)
	}
	a, ok := d.Attestation("runtime")
	if n, found := d.NodeByKey("SHA256:b"); !found || n.Name != "supernode_10" || d.Account("one") != "ada" || !ok || a.Detail != "docker" {
		t.Errorf("%+v", d)
	}
	if _, ok := l.NodeByKey("SHA256:b"); ok || len(l.Nodes()) != 0 || l.Account("one") != "" {
		t.Errorf("the ledger still answers: %+v", l.Data())
	}
}

// earlier is a ledger as flwrup wrote it before ports and wishes had fields.
const earlier = `{
  "format": 1,
  "nodes": [
    {
      "key": "SHA256:a",
      "name": "supernode_1",
      "node-id": "7",
      "state": "registered",
      "connection": "supergrid"
    }
  ],
  "attestations": [
    {
      "what": "runtime",
      "detail": "process",
      "at": "2026-11-26T23:09:36Z"
    },
    {
      "what": "port supernode_10",
      "detail": "21010",
      "at": "2026-11-26T23:09:36Z"
    },
    {
      "what": "port supernode_2",
      "detail": "21002",
      "at": "2026-11-26T23:09:36Z"
    },
    {
      "what": "wanted supernode_10",
      "detail": "up",
      "at": "2026-11-26T23:09:37Z"
    },
    {
      "what": "wanted supernode_2",
      "detail": "down",
      "at": "2026-11-26T23:09:38Z"
    }
  ]
}
`

func TestPortsAndWishesOfAnEarlierFlwrup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	must(t, os.WriteFile(file, []byte(earlier), 0o600))
	l := open(t, file)
	check := func(want ...SuperNode) {
		t.Helper()
		if got := l.Data().SuperNodes; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %+v\nwant %+v", got, want)
		}
		for _, n := range want {
			if got := l.SuperNode(n.Name); !reflect.DeepEqual(got, n) {
				t.Errorf("got  %+v\nwant %+v", got, n)
			}
		}
	}
	at := func(s int) time.Time { return time.Date(2026, 11, 26, 23, 9, s, 0, time.UTC) }
	two := SuperNode{Name: "supernode_2", Port: 21002, Wanted: "down", Asked: at(38)}
	ten := SuperNode{Name: "supernode_10", Port: 21010, Wanted: "up", Asked: at(37)}
	check(two, ten)
	if content, _ := os.ReadFile(file); string(content) != earlier {
		t.Errorf("reading wrote %s", content)
	}

	must(t, l.SetAccount("supergrid", "ada")) // any write keeps them as fields
	content, err := os.ReadFile(file)
	must(t, err)
	if s := string(content); strings.Contains(s, "port supernode") || strings.Contains(s, "wanted supernode") || !strings.Contains(s, `"supernodes": [`) {
		t.Errorf("written: %s", s)
	}
	l = open(t, file)
	check(two, ten)
	if a, ok := l.Attestation("runtime"); !ok || a.Detail != "process" {
		t.Errorf("runtime: %+v %v", a, ok)
	}

	// The earlier flwrup is used again: it keeps the fields, which it does not know, and adds its attestations.
	must(t, os.WriteFile(file, []byte(strings.Replace(string(content), `"attestations": [`, `"attestations": [
    {"what": "wanted supernode_2", "detail": "up", "at": "2026-11-26T23:09:40Z"}, {"what": "port supernode_3", "detail": "21003"},`, 1)), 0o600))
	must(t, l.Reload())
	two.Wanted, two.Asked = "up", at(40)
	check(two, SuperNode{Name: "supernode_3", Port: 21003}, ten)
	must(t, l.Change(func(d *Data) error {
		two = d.SuperNode("supernode_2")
		two.Port = 0
		d.PutSuperNode(two)
		return nil
	}))
	l = open(t, file)
	check(two, SuperNode{Name: "supernode_3", Port: 21003}, ten)
}

func TestFieldsOfANewerFlwrup(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	must(t, os.WriteFile(file, []byte(`{"format": 1, "mood": {"a": 18446744073709551615},
		"nodes": [{"key": "SHA256:a", "name": "n1", "node-id": "1", "state": "registered", "rack": [7, 8]},
		          {"key": "SHA256:b", "name": "n2", "state": "registered"}],
		"attestations": [{"what": "x", "by": "ada"}]}`), 0o600))
	l := open(t, file)
	must(t, l.PutNode(Node{Key: "SHA256:a", Name: "n1", NodeID: "1", State: Unregistered}))
	must(t, l.PutNode(Node{Key: "SHA256:0", Name: "n0", State: Registered}))
	content, err := os.ReadFile(file)
	must(t, err)
	var got struct {
		Format int
		Mood   json.RawMessage
		Nodes  []struct {
			Key, State string
			Rack       []int
		}
		Attestations []struct{ What, By string }
	}
	must(t, json.Unmarshal(content, &got))
	if !strings.Contains(string(got.Mood), "18446744073709551615") || got.Format != 1 {
		t.Errorf("top level: %s", content)
	}
	for _, n := range got.Nodes {
		if (n.Key == "SHA256:a") != (len(n.Rack) == 2) {
			t.Errorf("rack went astray: %s", content)
		}
	}
	if got.Nodes[1].State != Unregistered || got.Attestations[0].By != "ada" {
		t.Errorf("records: %s", content)
	}
}

func TestUnreadable(t *testing.T) {
	good := `{"format": 1, "nodes": [{"key": "SHA256:a", "name": "n1", "node-id": "1", "state": "registered"}]}`
	for _, c := range []struct{ name, content, previous, fix, why string }{
		{"cut short", good[:40], good, "cp ", "line 1"},
		{"empty", "", good, "cp ", "unexpected end"},
		{"no copy", "{", "", "no good copy", "line 1"},
		{"bad copy", "{", "[]", "no good copy", "line 1"},
		{"third line", "{\"format\": 1,\n\"runs\": [],\n\"nodes\": 7}", good, "cp ", "line 3"},
		{"not ours", `{"a": 1}`, "", "no good copy", `no "format"`},
		{"newer", `{"format": 2}`, good, "newer flwrup", "format 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "with space", "ledger.json")
			must(t, os.MkdirAll(filepath.Dir(file), 0o700))
			must(t, os.WriteFile(file, []byte(c.content), 0o600))
			if c.previous != "" {
				must(t, os.WriteFile(previousOf(file), []byte(c.previous), 0o600))
			}
			_, err := Open(file)
			p := problem.Of(err)
			if p == nil || p.Code != problem.BadInput || !strings.Contains(p.Fix, c.fix) || !strings.Contains(p.Why, c.why) {
				t.Fatalf("%#v", p)
			}
			if now, _ := os.ReadFile(file); string(now) != c.content {
				t.Errorf("touched: %q", now)
			}
		})
	}
}

func TestRemovedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	l := open(t, file)
	must(t, l.Attest("a", ""))
	must(t, l.Attest("b", ""))
	must(t, os.Remove(file))
	if _, err := Open(file); !problem.Is(err, problem.BadInput) {
		t.Errorf("opened beside its previous generation: %v", err)
	}
	must(t, l.Attest("c", "")) // whoever still holds it restores it
	if _, ok := open(t, file).Attestation("a"); !ok {
		t.Error("lost what was held")
	}
}

func TestTwoLedgersSeeEachOther(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	a, b := open(t, file), open(t, file)
	must(t, a.PutNode(Node{Key: "SHA256:a", Name: "n1", NodeID: "1", State: Registered}))
	must(t, b.PutNode(Node{Key: "SHA256:b", Name: "n2", NodeID: "2", State: Registered}))
	must(t, a.Reload())
	if len(a.Nodes()) != 2 {
		t.Errorf("%+v", a.Nodes())
	}
}

// TestTwoWriters: two flwrups that note something at the same time lose nothing of each other's.
func TestTwoWriters(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".flwrup", "ledger.json")
	var wg sync.WaitGroup
	for who := range 2 {
		l := open(t, file)
		wg.Go(func() {
			for i := range 20 {
				if err := l.PutRun(Run{ID: fmt.Sprintf("%d%02d", who, i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if runs := open(t, file).Runs(); len(runs) != 40 {
		t.Errorf("%d of 40 runs are noted", len(runs))
	}
}

// TestRemovedFolder: a flwrup that is still open does not bring back a project that another one removed.
func TestRemovedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "project")
	must(t, os.Mkdir(dir, 0o700))
	l := open(t, filepath.Join(dir, ".flwrup", "ledger.json"))
	must(t, l.Attest("a", ""))
	must(t, os.RemoveAll(dir))
	if err := l.Attest("b", ""); !problem.Is(err, WriteFailed) {
		t.Error(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the folder is back")
	}
}

func TestReadersBesideAWriter(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.json")
	l := open(t, file)
	must(t, l.Attest("begin", ""))
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-done:
					return
				default:
					if _, err := Open(file); err != nil {
						t.Error(err)
						return
					}
				}
			}
		}()
	}
	var writers sync.WaitGroup
	for _, op := range []string{"register", "add", "run"} {
		writers.Add(1)
		go func() {
			defer writers.Done()
			for range 20 {
				id, err := l.Begin(Intent{Op: op})
				if err == nil {
					err = l.Finish(id, nil)
				}
				if err != nil {
					t.Error(err)
				}
			}
		}()
	}
	writers.Wait()
	close(done)
	wg.Wait()
	if len(l.Intents()) != 0 {
		t.Errorf("%+v", l.Intents())
	}
}

func TestReadOnlyFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "not-a-folder", "ledger.json")
	must(t, os.WriteFile(filepath.Dir(file), nil, 0o600))
	if _, err := Open(file); err == nil {
		t.Fatal("no error")
	} else if p := problem.Of(err); p.Code != problem.BadInput || p.Fix == "" {
		t.Errorf("%#v", p)
	}
}

func TestHistory(t *testing.T) {
	file := filepath.Join(t.TempDir(), ".flwrup", "ledger.json")
	l := open(t, file)
	id, err := l.Begin(Intent{Op: "register", Name: "supernode_1"})
	must(t, err)
	must(t, l.Abandon(id, "the grid said no\x1b[2J\nsecond line"))
	content, err := os.ReadFile(history.File(filepath.Dir(file)))
	must(t, err)
	if s := string(content); strings.Count(s, "\n") != 1 || strings.Contains(s, "\x1b") || !strings.Contains(s, "register supernode_1 given up") {
		t.Errorf("%q", s)
	}
	if len(l.Intents()) != 0 {
		t.Errorf("%+v", l.Intents())
	}
}

func TestNodesAreInNaturalOrder(t *testing.T) {
	order := []string{"", "a", "a1", "a01", "a2", "a2b", "a10", "a18446744073709551616", "b"}
	l := open(t, filepath.Join(t.TempDir(), "ledger.json"))
	for i, name := range slices.Backward(order) {
		must(t, l.PutNode(Node{Key: "SHA256:" + strconv.Itoa(i), Name: name, State: Refused}))
	}
	var got []string
	for _, n := range l.Nodes() {
		got = append(got, n.Name)
	}
	if !slices.Equal(got, order) {
		t.Errorf("got %q", got)
	}
}

func BenchmarkBeginFinish(b *testing.B) {
	l, err := Open(filepath.Join(b.TempDir(), "ledger.json"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		id, err := l.Begin(Intent{Op: "register"})
		if err == nil {
			err = l.Finish(id, nil)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
