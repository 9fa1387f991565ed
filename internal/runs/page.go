package runs

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"flwrup/flwrexec"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/atomicfile"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/termsafe"
)

// Bounds of what is kept of a run.
const (
	linesBefore = 30  // the first sign of a failure, with what led to it
	linesAfter  = 15  // and what followed
	tailLines   = 60  // of the run's own log, where it did not complete
	pageLine    = 400 // characters
	pageBytes   = 1 << 20
	pages       = 200 // runs; the oldest go
	pageNodes   = 1000
)

// Page is what is known of a run that is over: the logs of SuperNodes go with their containers, and grids keep no more
// than a run's own log. Its texts are safe for a terminal.
type Page struct {
	ID      string     `json:"id"`
	App     string     `json:"app,omitempty"`
	Status  string     `json:"status"`
	Details string     `json:"details,omitempty"` // why it failed, where the grid says so
	Pending time.Time  `json:"pending,omitzero"`
	Running time.Time  `json:"running,omitzero"`
	Over    time.Time  `json:"over,omitzero"`
	Nodes   []PageNode `json:"nodes"`         // of this folder that took part
	Log     []string   `json:"log,omitempty"` // the end of the run's own log, where it did not complete
	Kept    time.Time  `json:"kept,omitzero"` // when all of this was written down; zero: it was read just now
}

// PageNode is a SuperNode that took part in a run.
type PageNode struct {
	Name   string   `json:"name"`
	Failed string   `json:"failed,omitempty"` // its log's own words about the first failure in the run
	Log    []string `json:"log,omitempty"`    // its log around that
}

// ReadPage returns the page of a run: as it was kept when the run ended, else from the grid and the logs that are left.
func ReadPage(ctx context.Context, s *site.Site, run string) (Page, error) {
	id, err := flwr.ParseRunID(run)
	if err != nil {
		return Page{}, err
	}
	text, err := plainfile.ReadAtMost(pageFile(s, id.String()), pageBytes)
	var p Page
	if err == nil && json.Unmarshal(text, &p) == nil && p.ID == id.String() {
		return p.clean(), nil
	}
	f, err := s.Session(ctx)
	if err != nil {
		return Page{}, err
	}
	found, err := f.Run(ctx, s.Connection(), id)
	if err != nil {
		return Page{}, err
	}
	var tail []string
	if found.Ended() && !found.Completed() {
		_ = RunLog(ctx, s, run, func(l string) { tail = append(tail, l) }) // the page says the rest without it
	}
	return pageOf(ctx, s, found, tail), nil
}

func pageFile(s *site.Site, id string) string { return s.StateDir("runs", id+".json") }

// pageOf puts the page of a run together from the logs of the SuperNodes here.
func pageOf(ctx context.Context, s *site.Site, run flwrexec.Run, tail []string) Page {
	v := health.RunView(s.Ledger.Data(), run)
	p := Page{ID: v.ID, App: v.App, Status: string(v.Status), Details: v.Details, Pending: v.Pending, Running: v.Running, Over: v.Over, Nodes: []PageNode{}}
	if v.Status.Ended() && v.Status != front.RunCompleted {
		p.Log = tail
	}
	names, _ := TookPart(ctx, s, v.ID) // without a runtime nobody is known to have taken part
	var mu sync.Mutex
	_ = site.Each(ctx, names, func(ctx context.Context, name string) error {
		var lines []string
		for _, l := range site.LastLines(ctx, s, name, site.LookBack) {
			lines = append(lines, l.Text)
		}
		n := PageNode{Name: name}
		n.Failed, n.Log = aroundFailure(lines, v.ID)
		mu.Lock()
		defer mu.Unlock()
		p.Nodes = append(p.Nodes, n)
		return nil
	})
	slices.SortFunc(p.Nodes, func(a, b PageNode) int {
		return cmp.Compare(slices.Index(names, a.Name), slices.Index(names, b.Name))
	})
	return p.clean()
}

// raised is how a SuperNode's log announces an exception.
const raised = "ClientApp raised an exception"

// aroundFailure returns the words of the first failure in a run that a SuperNode's log tells of, and the lines around it;
// nothing where it tells of none.
func aroundFailure(lines []string, id string) (says string, around []string) {
	begin, end, failed := -1, len(lines), -1
	for i, l := range lines {
		switch kind, detail := flwrexec.Landmark(l); {
		case kind == flwrexec.MarkRun && detail == id && begin < 0:
			begin = i
		case kind == flwrexec.MarkRun && detail != id && begin >= 0:
			end = min(end, i)
		case kind != flwrexec.MarkFailed || begin < 0 || i >= end:
		case failed < 0:
			failed, says = i, cmp.Or(detail, l)
		case says == raised: // the exception itself comes behind its traceback
			says = cmp.Or(detail, says)
		}
	}
	if failed < 0 {
		return "", nil
	}
	return says, lines[max(begin, failed-linesBefore):min(end, failed+1+linesAfter)]
}

// keepPage writes the page of a run that is over. It is an extra: where it cannot be written the run's end is told all the
// same.
func keepPage(ctx context.Context, s *site.Site, run flwrexec.Run, tail []string) {
	if s.Options.ReadOnly {
		return
	}
	p := pageOf(ctx, s, run, tail)
	p.Kept = time.Now().UTC().Truncate(time.Second)
	text, err := json.MarshalIndent(p, "", "  ")
	if err != nil || len(text) > pageBytes || ctx.Err() != nil {
		return
	}
	dir := s.StateDir("runs")
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return
	}
	if info, err := os.Lstat(dir); err != nil || !info.IsDir() {
		return
	}
	if atomicfile.Write(pageFile(s, p.ID), append(text, '\n'), 0o600) == nil {
		forgetPages(dir)
	}
}

// forgetPages removes the oldest pages where there are too many.
func forgetPages(dir string) {
	all, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(all) <= pages {
		return
	}
	age := map[string]time.Time{}
	for _, f := range all {
		if info, err := os.Lstat(f); err == nil {
			age[f] = info.ModTime()
		}
	}
	slices.SortFunc(all, func(a, b string) int { return age[a].Compare(age[b]) })
	for _, f := range all[:len(all)-pages] {
		os.Remove(f)
	}
}

// clean makes the texts of a page safe and short, whoever wrote it.
func (p Page) clean() Page {
	for _, s := range []*string{&p.App, &p.Status, &p.Details} {
		*s = pageText(*s)
	}
	p.Log = pageLines(p.Log, tailLines)
	if len(p.Nodes) > pageNodes {
		p.Nodes = p.Nodes[:pageNodes]
	}
	for i := range p.Nodes {
		n := &p.Nodes[i]
		n.Name, n.Failed, n.Log = pageText(n.Name), pageText(n.Failed), pageLines(n.Log, linesBefore+1+linesAfter)
	}
	return p
}

func pageLines(lines []string, most int) (list []string) {
	for _, l := range lines[max(0, len(lines)-most):] {
		list = append(list, pageText(l))
	}
	return list
}

func pageText(s string) string {
	s = termsafe.Line(s)
	if r := []rune(s); len(r) > pageLine {
		s = string(r[:pageLine-1]) + "…"
	}
	return s
}

// Compared is a run with its metrics, for a comparison.
type Compared struct {
	Run     front.RunView
	Metrics []front.Metric
}

// Compare reads the metrics of several runs.
func Compare(ctx context.Context, s *site.Site, ids []string) ([]Compared, error) {
	all, err := Runs(ctx, s, time.Minute)
	if err != nil {
		return nil, err
	}
	var list []Compared
	for _, id := range ids {
		i := slices.IndexFunc(all, func(r front.RunView) bool { return r.ID == id })
		if i < 0 {
			return nil, problem.New(problem.RunNotFound, "the grid lists no run "+id, "", "flwrup runs lists those of the account")
		}
		metrics, err := RunMetrics(ctx, s, id)
		if err != nil {
			return nil, err
		}
		list = append(list, Compared{all[i], metrics})
	}
	return list, nil
}
