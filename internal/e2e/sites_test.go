//go:build linux

package e2e

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"flwrup/internal/admission"
	"flwrup/internal/require"
)

// TestSites goes the way of a coordinator and two sites without an account in real containers, changes the letters on
// their way, and kills flwrup while it admits and joins: at three moments of each, at ten with FLWRUP_KILLS=10.
func TestSites(t *testing.T) {
	require.Image(t, require.Newest)
	h := newHome(t, require.Newest)
	base := filepath.Join(h.dir, "study")
	s := &study{home: h, base: base, coordinator: filepath.Join(base, "coordinator"), sites: []string{filepath.Join(base, "site-1"), filepath.Join(base, "site-2")}}
	projects := map[string]string{}
	t.Cleanup(func() {
		for _, dir := range append(slices.Clone(s.sites), s.coordinator) {
			if _, err := os.Stat(dir); err == nil {
				h.run("down", "--yes", "--remove", "--dir", dir)
			}
		}
	})
	said := h.must("rehearse", "--sites", "2", "--yes", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--dir", base).out
	if !strings.Contains(said, "Received 3 results and 0 failures") {
		t.Errorf("no round of the run reached three SuperNodes:\n%s", tail(said))
	}
	for _, dir := range append(slices.Clone(s.sites), s.coordinator) {
		projects[dir] = projectID(t, dir)
	}

	s.complete()
	s.privateKeysStay()
	s.stopped()
	s.admittedTwice()
	s.refused()
	s.killed("admit")
	s.killed("join")
	s.removed("admit-0")
	s.removed("site-2")
	s.saysRemoved(s.sites[1])

	for _, dir := range []string{s.sites[0], s.sites[1], s.coordinator} {
		h.must("down", "--yes", "--dir", dir)
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is still there after down", dir)
		}
		if left := containersWith(t, projects[dir], ""); len(left) > 0 {
			t.Errorf("containers of %s left: %v", filepath.Base(dir), left)
		}
	}
	if left := processesOf(h.dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
}

// TestSitesOnly: a coordinator without a SuperNode of its own runs an app over a site's.
func TestSitesOnly(t *testing.T) {
	require.Image(t, require.Newest)
	h := newHome(t, require.Newest)
	base := filepath.Join(h.dir, "study")
	s := &study{home: h, base: base, coordinator: filepath.Join(base, "coordinator"), sites: []string{filepath.Join(base, "site-1")}}
	t.Cleanup(func() {
		for _, dir := range append(slices.Clone(s.sites), s.coordinator) {
			if _, err := os.Stat(dir); err == nil {
				h.run("down", "--yes", "--remove", "--dir", dir)
			}
		}
	})
	said := h.must("rehearse", "--sites", "1", "--nodes", "0", "--yes", "--keep", "--flwr", require.Newest, "--runtime", "docker", "--dir", base).out
	if !strings.Contains(said, "Received 1 results and 0 failures") {
		t.Errorf("no round of the run reached the site:\n%s", tail(said))
	}
	got := s.status(s.coordinator).Data
	if len(got.Nodes) != 0 || len(got.Runs) != 1 || got.Runs[0].Status != "finished:completed" || len(s.onGrid()) != 1 {
		t.Errorf("%+v, on the grid %v", got, s.onGrid())
	}
	if n := s.ofSite("site-1"); len(n) != 1 || n[0].Grid != "online" {
		t.Errorf("%+v", n)
	}
	if keys, err := filepath.Glob(filepath.Join(s.coordinator, "keys", "*")); err != nil || len(keys) != 0 {
		t.Errorf("the coordinator has keys: %v, %v", keys, err)
	}
	for _, dir := range []string{s.sites[0], s.coordinator} {
		id := projectID(t, dir)
		h.must("down", "--yes", "--dir", dir)
		if left := containersWith(t, id, ""); len(left) > 0 {
			t.Errorf("containers of %s left: %v", filepath.Base(dir), left)
		}
	}
}

// study is a rehearsal of a coordinator and sites.
type study struct {
	*home
	base, coordinator string
	sites             []string // folders
}

type studyNode struct {
	Name, Grid, State string
	ID                string `json:"node_id"`
	Key               string `json:"key_fingerprint"`
	Diagnosis         *struct{ Code, Message, Fix string }
}

// studyStatus is the part of `flwrup status --json` that the test looks at.
type studyStatus struct {
	Data struct {
		Nodes []studyNode
		Sites []struct {
			Name  string
			Nodes []studyNode
		}
		FromLogs bool `json:"from_logs"`
		Runs     []struct{ Status string }
	}
}

func (s *study) status(dir string) studyStatus {
	s.t.Helper()
	var got studyStatus
	if text := s.run("status", "--json", "--dir", dir).out; json.Unmarshal([]byte(text), &got) != nil {
		s.t.Fatalf("not the JSON envelope: %s", tail(text))
	}
	return got
}

// ofSite returns what the coordinator's status says about the SuperNodes of a site.
func (s *study) ofSite(name string) []studyNode {
	s.t.Helper()
	for _, site := range s.status(s.coordinator).Data.Sites {
		if site.Name == name {
			return site.Nodes
		}
	}
	s.t.Fatalf("the coordinator's status has no site %s", name)
	return nil
}

// onGrid returns the status of every node as flwr itself lists it, by ID.
func (s *study) onGrid() map[string]string {
	s.t.Helper()
	var list struct {
		Nodes []struct {
			ID     string `json:"node-id"`
			Status string
		}
	}
	if err := json.Unmarshal([]byte(s.flwrDoes(s.coordinator, "supernode list", "--format json")), &list); err != nil {
		s.t.Fatal(err)
	}
	found := map[string]string{}
	for _, n := range list.Nodes {
		found[n.ID] = n.Status
	}
	return found
}

// complete compares the finished rehearsal with flwr's own word and with the sites' own status.
func (s *study) complete() {
	t := s.t
	t.Helper()
	got := s.status(s.coordinator).Data
	if len(got.Runs) != 1 || got.Runs[0].Status != "finished:completed" {
		t.Errorf("one completed run wanted, got %+v", got.Runs)
	}
	grid := s.onGrid()
	if len(grid) != 3 {
		t.Errorf("three nodes on the grid wanted: %v", grid)
	}
	for i, dir := range s.sites {
		name := filepath.Base(dir)
		at := s.ofSite(name)
		own := s.status(dir).Data
		if len(at) != 1 || at[0].Grid != "online" || grid[at[0].ID] != "online" {
			t.Errorf("site %d is not online for the coordinator: %+v, on the grid %v", i+1, at, grid)
			continue
		}
		if !own.FromLogs || len(own.Nodes) != 1 || own.Nodes[0].Grid != "online" || own.Nodes[0].ID != at[0].ID || own.Nodes[0].Key != at[0].Key {
			t.Errorf("site %d says %+v, the coordinator %+v", i+1, own, at)
		}
	}
}

// privateKeysStay looks for the private key of each folder in all files of the others, and in all letters.
func (s *study) privateKeysStay() {
	t := s.t
	t.Helper()
	type file struct{ name, forms string }
	var files []file
	letters := 0
	err := filepath.WalkDir(s.base, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		forms := string(text) + "\n" + strings.ReplaceAll(string(text), "\n", "")
		for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
			forms += string(block.Bytes)
			if strings.HasPrefix(block.Type, "FLWRUP ") {
				letters++
			}
		}
		files = append(files, file{path, forms})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if letters != 4 {
		t.Errorf("%d letters found, two requests and two replies wanted", letters)
	}
	for _, dir := range append(slices.Clone(s.sites), s.coordinator) {
		own := filepath.Join(dir, "keys", "client_credentials_1")
		secrets, found := secretsIn(t, own), false
		for _, f := range files {
			for _, secret := range secrets {
				switch {
				case !strings.Contains(f.forms, secret):
				case f.name == own:
					found = true
				default:
					t.Errorf("the private key of %s is in %s", filepath.Base(dir), f.name)
				}
			}
		}
		if !found {
			t.Errorf("the search does not find %s in its own file", own)
		}
	}
}

// secretsIn returns the private number of a key as it may be written in a file: bytes, hexadecimal, base64 from each
// of three offsets.
func secretsIn(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := ssh.ParseRawPrivateKey(text)
	if err != nil {
		t.Fatal(err)
	}
	number, err := parsed.(*ecdsa.PrivateKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	number = bytes.TrimLeft(number, "\x00") // as a file has it
	forms := []string{string(number), hex.EncodeToString(number)}
	for offset := range 3 { // without the characters that hold bits of what is around
		coded := base64.StdEncoding.EncodeToString(append(make([]byte, offset), number...))
		forms = append(forms, strings.TrimRight(coded, "=")[4:len(number)])
	}
	return forms
}

// stopped stops the SuperNode of a site and starts it again.
func (s *study) stopped() {
	t := s.t
	t.Helper()
	s.must("stop", "--dir", s.sites[0])
	eventually(t, 2*time.Minute, func() string {
		n := s.ofSite("site-1")[0]
		if n.Grid == "offline" && n.Diagnosis != nil && n.Diagnosis.Code == "site-lost" &&
			strings.Contains(n.Diagnosis.Fix, "Site 1 (it@site-1.example)") && strings.Contains(n.Diagnosis.Fix, "flwrup ") {
			return ""
		}
		return "stopped at the site, and the coordinator's status says " + n.Grid
	})
	if n := s.ofSite("site-2")[0]; n.Grid != "online" {
		t.Errorf("site 1 was stopped, and site 2 is %s", n.Grid)
	}
	s.must("start", "--dir", s.sites[0])
	eventually(t, 3*time.Minute, func() string {
		n, own := s.ofSite("site-1")[0], s.status(s.sites[0]).Data.Nodes[0]
		if n.Grid == "online" && n.Diagnosis == nil && own.Grid == "online" {
			return ""
		}
		return "started again: " + n.Grid + " for the coordinator, " + own.Grid + " at the site"
	})
}

// admittedTwice admits the requests of the rehearsal once more, both at once. The replies before stay as *.old.
func (s *study) admittedTwice() {
	t := s.t
	t.Helper()
	before, nodes := s.onGrid(), append(s.ofSite("site-1"), s.ofSite("site-2")...)
	args := []string{"admit", "--json", "--dir", s.coordinator}
	for _, dir := range s.sites {
		name := filepath.Base(dir)
		args = append(args, filepath.Join(dir, "request-"+name+".txt"))
		reply := s.replyTo(name)
		if err := os.Rename(reply, reply+".old"); err != nil {
			t.Fatal(err)
		}
	}
	s.must(args...)
	late, _ := s.asks("late") // nobody says its words: the reply before is told all the same
	r := s.run("admit", filepath.Join(s.sites[0], "request-site-1.txt"), filepath.Join(late, "request-late.txt"), "--json", "--dir", s.coordinator)
	var told struct {
		OK   bool
		Data struct{ Replies []struct{ File string } }
	}
	if err := json.Unmarshal([]byte(r.out), &told); err != nil || r.code != 3 || told.OK || len(told.Data.Replies) != 1 || told.Data.Replies[0].File != "reply-site-1.txt" {
		t.Errorf("one of two admitted: exit %d, %v, %+v\n%s", r.code, err, told, tail(r.out))
	}
	after := append(s.ofSite("site-1"), s.ofSite("site-2")...)
	if len(s.onGrid()) != len(before) || len(after) != len(nodes) {
		t.Errorf("admitted twice: %d nodes on the grid, before %d", len(s.onGrid()), len(before))
	}
	for i, n := range nodes {
		if after[i].ID != n.ID || after[i].Key != n.Key || before[n.ID] == "" {
			t.Errorf("admitted twice: %+v, before %+v", after[i], n)
		}
	}
}

func (s *study) replyTo(site string) string {
	return filepath.Join(s.coordinator, "reply-"+site+".txt")
}

// refused offers a site replies that it must not take. None of them changes anything in its folder.
func (s *study) refused() {
	t := s.t
	t.Helper()
	dir := s.sites[0]
	s.must("join", s.replyTo("site-1"), "--json", "--dir", dir) // signed as before: no words
	held := func() string {
		var all []byte
		for _, name := range []string{"flwrup.toml", "grid-ca.pem", filepath.Join(".flwrup", "ledger.json")} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, text...)
		}
		return string(all)
	}
	whole, err := os.ReadFile(s.replyTo("site-1"))
	if err != nil {
		t.Fatal(err)
	}
	altered := func(at int) string { // the nth byte inside of the armour
		block, _ := pem.Decode(whole)
		changed := bytes.Clone(block.Bytes)
		changed[at] ^= 1
		block.Bytes = changed
		file := filepath.Join(s.dir, "altered-"+strconv.Itoa(at)+".txt")
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	typo := filepath.Join(s.dir, "typo.txt")
	half := bytes.Clone(whole)
	half[len(half)/2] ^= 1
	if err := os.WriteFile(typo, half, 0o600); err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(whole)
	before := held()
	for _, c := range []struct{ file, why string }{
		{s.replyTo("site-2"), "it answers the request of Site 2, which is not of this folder"},
		{s.replyTo("site-1") + ".old", "it is older than the one taken"},
		{typo, "cannot read the reply"},
		{altered(40), "it was changed on the way"},                       // its payload
		{altered(len(block.Bytes) - 1), "it was changed on the way"},     // its signature
		{filepath.Join(dir, "request-site-1.txt"), "request"},            // not a reply
		{filepath.Join(dir, "keys", "client_credentials_1.pub"), "repl"}, // no letter
	} {
		r := s.run("join", c.file, "--json", "--dir", dir)
		got := parse(t, r.out)
		if r.code != 1 || got.Error == nil || got.Error.Code != "bad-input" || !strings.Contains(got.Error.Message, c.why) || got.Error.Fix == "" {
			t.Errorf("%s: exit %d, %+v; wanted: %s", filepath.Base(c.file), r.code, got.Error, c.why)
		}
	}
	if held() != before {
		t.Error("a refused reply changed the folder of the site")
	}
}

// killed ends `flwrup admit` or `flwrup join` with SIGKILL at moments spread over its way, each for a site of its own,
// and runs it again: it must end as if nothing had happened.
func (s *study) killed(command string) {
	t := s.t
	t.Helper()
	n := 3
	if all, err := strconv.Atoi(os.Getenv("FLWRUP_KILLS")); err == nil && all > 0 {
		n = all
	}
	var whole time.Duration
	killed := 0
	for i := range n + 1 {
		name := command + "-" + strconv.Itoa(i)
		dir, words := s.asks(name)
		args := []string{"admit", filepath.Join(dir, "request-"+name+".txt"), "--words", words, "--json", "--dir", s.coordinator}
		if command == "join" {
			admitted := s.must(args...)
			args = []string{"join", s.replyTo(name), "--words", wordsIn(t, admitted.out), "--trust", "--json", "--dir", dir}
		}
		began := time.Now()
		if i == 0 { // how long the whole way takes
			s.must(args...)
			whole = time.Since(began)
		} else {
			moment := whole * time.Duration(2*i-1) / time.Duration(2*n)
			ctx, cancel := context.WithTimeout(context.Background(), moment) // at its end: SIGKILL
			err := s.command(ctx, args...).Run()
			cancel()
			took := time.Since(began)
			t.Logf("flwrup %s: ended after %d ms of %d: %v", command, took.Milliseconds(), whole.Milliseconds(), err)
			switch {
			case err == nil: // it had ended before the kill: the next moments are those of a shorter way
				whole = min(whole, took)
			case err.Error() != "signal: killed":
				t.Errorf("flwrup %s, before the kill: %v", command, err)
			default:
				killed++
			}
		}
		again := s.must(args...)
		s.admitted(name)
		if command == "join" {
			grid, nodes := s.onGrid(), s.status(dir).Data.Nodes
			if len(nodes) != 2 {
				t.Errorf("%s has %d SuperNodes, 2 wanted", name, len(nodes))
			}
			for _, n := range nodes {
				if n.Grid != "online" || n.State != "running" || grid[n.ID] != "online" {
					t.Errorf("%s has not joined: %+v\n%s", name, n, tail(again.out))
				}
			}
			id := projectID(t, dir)
			s.must("down", "--remove", "--dir", dir)
			if left := containersWith(t, id, ""); len(left) > 0 {
				t.Errorf("containers of %s left: %v", name, left)
			}
		}
	}
	if killed == 0 {
		t.Errorf("flwrup %s had ended before every kill", command)
	}
}

// removed removes a site, killed once on its way: its SuperNodes are unregistered and out of the federation, the
// coordinator no longer has it, and another site is as before.
func (s *study) removed(name string) {
	t := s.t
	t.Helper()
	var ids []string
	for _, n := range s.ofSite(name) {
		ids = append(ids, n.ID)
	}
	if len(ids) == 0 {
		t.Fatalf("%s has no SuperNode", name)
	}
	if r := s.run("remove", "--site", name, "--dir", s.coordinator); r.code != 3 || s.onGrid()[ids[0]] == "unregistered" {
		t.Errorf("removed without a yes: exit %d\n%s", r.code, tail(r.out))
	}
	args := []string{"remove", "--site", name, "--yes", "--json", "--dir", s.coordinator}
	ctx, cancel := context.WithTimeout(context.Background(), 1500*time.Millisecond) // at its end: SIGKILL
	err := s.command(ctx, args...).Run()
	cancel()
	t.Logf("flwrup remove --site %s, ended after 1.5 s: %v", name, err)
	if r := s.run(args...); r.code != 0 && !(r.code == 2 && strings.Contains(r.out, "there is no site")) { // it had been removed before the kill
		t.Errorf("gone on after the kill: exit %d\n%s", r.code, tail(r.out))
	}
	grid, federation := s.onGrid(), s.flwrDoes(s.coordinator, "federation list", "--federation @ada/rehearsal --format json")
	for _, id := range ids {
		if grid[id] != "unregistered" || strings.Contains(federation, id) {
			t.Errorf("%s is removed, and node %s is %s\n%s", name, id, grid[id], federation)
		}
	}
	for _, site := range s.status(s.coordinator).Data.Sites {
		if site.Name == name {
			t.Errorf("%s is removed, and the coordinator still has it: %+v", name, site)
		}
	}
	if n := s.ofSite("site-1")[0]; n.Grid != "online" {
		t.Errorf("%s is removed, and site 1 is %s", name, n.Grid)
	}
	if r := s.run(args...); r.code != 2 || !strings.Contains(r.out, "there is no site") {
		t.Errorf("removed twice: exit %d\n%s", r.code, tail(r.out))
	}
}

// saysRemoved waits until the flwrup of a removed site says so, from its SuperNode's log, and removes the SuperNode.
func (s *study) saysRemoved(dir string) {
	t := s.t
	t.Helper()
	eventually(t, 4*time.Minute, func() string {
		n := s.status(dir).Data.Nodes[0]
		if n.Grid == "unregistered" && n.Diagnosis != nil && n.Diagnosis.Code == "node-unregistered" && strings.Contains(n.Diagnosis.Message, "coordinator") {
			return ""
		}
		return "removed by the coordinator, and its own status says " + n.Grid
	})
	s.must("remove", "supernode_1", "--unregister", "--yes", "--dir", dir)
	if left := s.status(dir).Data.Nodes; len(left) > 0 {
		t.Errorf("removed, and still there: %+v", left)
	}
}

// asks makes a site with two SuperNodes and its request.
func (s *study) asks(name string) (dir, words string) {
	t := s.t
	t.Helper()
	dir = filepath.Join(s.base, name)
	s.sites = append(s.sites, dir)
	got := s.must("request", "--nodes", "2", "--site", name, "--json", "--dir", dir)
	var request struct{ Data struct{ Words string } }
	if err := json.Unmarshal([]byte(got.out), &request); err != nil || request.Data.Words == "" {
		t.Fatalf("no words: %v\n%s", err, got.out)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "passphrase"), []byte("only for this test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "flwrup.toml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	chosen := strings.NewReplacer(`runtime = "auto"`, `runtime = "docker"`, "host-network = false", "host-network = true", `container-prefix = ""`,
		`container-prefix = "`+projectID(t, dir)+`_"`, `backup-passphrase-file = ""`, `backup-passphrase-file = "../../passphrase"`).Replace(string(text))
	if err := os.WriteFile(file, []byte(chosen), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, request.Data.Words
}

func wordsIn(t *testing.T, text string) string {
	t.Helper()
	var admitted struct {
		Data struct{ Replies []struct{ Words string } }
	}
	if err := json.Unmarshal([]byte(text), &admitted); err != nil || len(admitted.Data.Replies) != 1 {
		t.Fatalf("one reply wanted: %v\n%s", err, text)
	}
	return admitted.Data.Replies[0].Words
}

// admitted compares what the coordinator's ledger, its reply and the grid say about a site: each key is registered,
// once, under the same node ID, and the grid has no node that nobody knows.
func (s *study) admitted(name string) {
	t := s.t
	t.Helper()
	ids, known := map[string]string{}, map[string]bool{} // by key; all IDs that flwrup knows
	all := s.status(s.coordinator).Data
	for _, n := range all.Nodes {
		known[n.ID] = true
	}
	for _, site := range all.Sites {
		for _, n := range site.Nodes {
			known[n.ID] = true
			if site.Name == name {
				ids[n.Key] = n.ID
			}
		}
	}
	text, err := os.ReadFile(s.replyTo(name))
	if err != nil {
		t.Fatal(err)
	}
	replies, err := admission.OpenReplies(text)
	if err != nil || len(replies) != 1 || len(replies[0].Nodes) != 2 || len(ids) != 2 {
		t.Fatalf("%s: one reply for two SuperNodes wanted: %v, %+v; status says %v", name, err, replies, ids)
	}
	grid := s.onGrid()
	for _, n := range replies[0].Nodes {
		if ids[n.Fingerprint] != n.NodeID || grid[n.NodeID] == "" {
			t.Errorf("%s: node ID %s in the reply, %q in the ledger, %q on the grid", n.Name, n.NodeID, ids[n.Fingerprint], grid[n.NodeID])
		}
	}
	for id, status := range grid {
		if !known[id] && status != "unregistered" {
			t.Errorf("%s: the grid lists %s, which flwrup does not know", name, id)
		}
	}
	federation := s.flwrDoes(s.coordinator, "federation list", "--federation @ada/rehearsal --format json")
	for key, id := range ids {
		if !strings.Contains(federation, id) {
			t.Errorf("%s is not in the federation (key %s)", id, key)
		}
	}
}
