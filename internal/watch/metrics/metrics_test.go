package metrics

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// looked is a board that saw all that there are metrics of, in a project with a hostile name.
func looked(t *testing.T) *Board {
	t.Helper()
	b := NewBoard("0.1.0")
	up, down := supernode.Status{State: supernode.Running, Since: time.Unix(1_700_000_000, 0)}, supernode.Status{State: supernode.Stopped}
	o := front.Overview{Online: 1, Nodes: []front.NodeView{
		{Name: "supernode_1", Grid: front.GridOnline, Runtime: up, Wanted: front.WantedUp},
		{Name: "b\"\n\\\x1b[31m{x=\"1\"} 1", Grid: front.GridOffline, Runtime: down, Wanted: front.WantedUp, Diagnosis: problem.New("node-killed", "", "", "")},
		{Name: "b\"\n\\\x1b[31m{x=\"1\"} 1", Grid: front.GridOffline, Wanted: front.WantedUp}, // twice: no metric is
		{Name: "c\xff", Grid: front.GridOffline, Runtime: down, Wanted: front.WantedDown},
	}, Sites: []front.SiteView{{Name: "st-mary", Nodes: []front.NodeView{{Name: "supernode_1", Grid: front.GridOnline}}}},
		Runs: []front.RunView{{ID: "1", Status: front.RunRunning}, {ID: "2", Status: front.RunFailed}, {ID: "3", Status: front.RunFailed}}}
	for dir, name := range map[string]string{"/a": "study", "/b": "study", "/c": "x\x1b]0;y\x07"} {
		b.Saw(Look{Dir: dir, Project: name, ID: "0123abcd", At: time.Now(), Took: time.Second, Over: o,
			Sent: map[string]int{"webhook": 3}, Failed: map[string]int{"webhook": 2}, GivenUp: map[string]int{"webhook": 0}, Waiting: map[string]int{"webhook": 1}})
	}
	b.Restarted("/a", "supernode_1")
	b.Away("/d", "busy")
	return b
}

// scraped are the metrics as Prometheus' own library reads them.
func scraped(t *testing.T, b *Board) map[string]*dto.MetricFamily {
	t.Helper()
	srv := httptest.NewServer(b.Handler(true))
	defer srv.Close()
	answer, err := http.Get(srv.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d %v", answer.StatusCode, err)
	}
	return families
}

// of returns the value of the metric with these labels.
func of(t *testing.T, families map[string]*dto.MetricFamily, name string, labels ...string) float64 {
	t.Helper()
	for _, m := range families[name].GetMetric() {
		have := map[string]string{}
		for _, l := range m.GetLabel() {
			have[l.GetName()] = l.GetValue()
		}
		fits := true
		for i := 0; i < len(labels); i += 2 {
			fits = fits && have[labels[i]] == labels[i+1]
		}
		if fits {
			return m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	t.Errorf("no %s of %q", name, labels)
	return -1
}

func TestScraped(t *testing.T) {
	b := looked(t)
	f := scraped(t, b)
	project := b.projects["/a"].name
	for _, c := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "flwrup_build_info", []string{"version", "0.1.0"}},
		{1, "flwrup_grid_up", nil}, {1, "flwrup_runtime_up", nil},
		{1, "flwrup_supernode_online", []string{"supernode", "supernode_1"}}, {1, "flwrup_supernode_running", []string{"supernode", "supernode_1"}},
		{1_700_000_000, "flwrup_supernode_start_time_seconds", []string{"supernode", "supernode_1"}},
		{1, "flwrup_supernode_trouble", []string{"code", "node-killed"}},
		{1, "flwrup_supernode_restarts_total", []string{"project", project, "supernode", "supernode_1"}},
		{1, "flwrup_site_supernode_online", []string{"site", "st-mary"}},
		{2, "flwrup_runs", []string{"status", "failed"}}, {1, "flwrup_runs", []string{"status", "running"}}, {0, "flwrup_runs", []string{"status", "pending"}},
		{3, "flwrup_messages_sent_total", []string{"channel", "webhook"}}, {2, "flwrup_message_failures_total", nil}, {1, "flwrup_messages_waiting", nil},
		{0, "flwrup_watched", []string{"project", "not-read"}}, {1, "flwrup_watched", []string{"project", project}},
	} {
		if got := of(t, f, c.name, c.labels...); got != c.want {
			t.Errorf("%s %q is %v, want %v", c.name, c.labels, got, c.want)
		}
	}
	if at := of(t, f, "flwrup_last_look_timestamp_seconds"); time.Since(time.Unix(int64(at), 0)) > time.Minute {
		t.Errorf("looked at %v", at)
	}
	if n := f["flwrup_look_duration_seconds"].GetMetric()[0].GetHistogram().GetSampleCount(); n != 1 {
		t.Errorf("%d looks", n)
	}
	if len(f["flwrup_watched"].GetMetric()) != 4 || !strings.HasPrefix(project, "study") {
		t.Errorf("%v, %q", f["flwrup_watched"], project)
	}
	for _, family := range f {
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.ContainsAny(l.GetValue(), "\x1b\x07\n") {
					t.Errorf("%s: %q", family.GetName(), l.GetValue())
				}
			}
		}
	}
}

// TestNames: Prometheus' own linter has nothing to say about names, units and help.
func TestNames(t *testing.T) {
	var ours []*dto.MetricFamily
	families, err := looked(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if strings.HasPrefix(f.GetName(), prefix) {
			ours = append(ours, f)
		}
	}
	if len(ours) != len(all)+1 {
		t.Errorf("%d metrics of %d were seen", len(ours), len(all)+1)
	}
	problems, err := promlint.NewWithMetricFamilies(ours).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("%v %v", problems, err)
	}
}

// While the grid or the runtime does not answer, nothing is said of what only they know.
func TestUnknownIsLeftOut(t *testing.T) {
	b := NewBoard("0.1.0")
	o := front.Overview{GridErr: errors.New("x"), RuntimeErr: errors.New("y"), Nodes: []front.NodeView{{Name: "a", Wanted: front.WantedUp}}, Runs: []front.RunView{{ID: "1"}}}
	b.Saw(Look{Dir: "/a", Project: "study", At: time.Now(), Over: o})
	f := scraped(t, b)
	if of(t, f, "flwrup_grid_up") != 0 || of(t, f, "flwrup_runtime_up") != 0 || of(t, f, "flwrup_supernode_wanted") != 1 {
		t.Error("what is not there is not said")
	}
	for _, name := range []string{"flwrup_supernode_online", "flwrup_supernode_running", "flwrup_runs"} {
		if f[name] != nil {
			t.Errorf("%s: %v", name, f[name])
		}
	}
}

// /healthz is about the watch, not about the SuperNodes: 503 for looks that are too old, and for a folder that is not watched.
func TestHealth(t *testing.T) {
	b := NewBoard("0.1.0")
	now := time.Now()
	b.now = func() time.Time { return now }
	ask := func() (int, Health) {
		w := httptest.NewRecorder()
		b.Handler(true).ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/healthz", nil))
		var h Health
		if err := json.Unmarshal(w.Body.Bytes(), &h); err != nil {
			t.Fatal(err)
		}
		return w.Code, h
	}
	b.Saw(Look{Dir: "/a", Project: "study", At: now, Over: front.Overview{GridErr: errors.New("x")}})
	if code, h := ask(); code != 200 || !h.OK || h.Projects[0].Project != "study" {
		t.Errorf("%d %+v", code, h)
	}
	now = now.Add(lateAfter + time.Second)
	if code, h := ask(); code != 503 || h.OK || h.Projects[0].Ago != 301 {
		t.Errorf("%d %+v", code, h)
	}
	b.Saw(Look{Dir: "/a", Project: "study", At: now})
	b.Away("/b", "busy")
	if code, h := ask(); code != 503 || h.Projects[0].Why != "busy" || !h.Projects[1].OK {
		t.Errorf("%d %+v", code, h)
	}
}

// A browser's page that leads its own name to this machine gets nothing, and neither does any method but GET.
func TestWhoIsAnswered(t *testing.T) {
	b := NewBoard("0.1.0")
	for _, c := range []struct {
		method, host string
		local        bool
		want         int
	}{
		{"GET", "127.0.0.1:9464", true, 200}, {"GET", "localhost", true, 200}, {"GET", "[::1]:9464", true, 200}, {"GET", "evil.example", true, 421}, {"GET", "evil.example:9464", true, 421},
		{"GET", "study.clinic.example", false, 200}, {"POST", "localhost", true, 405},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(c.method, "http://x/metrics", nil)
		r.Host = c.host
		b.Handler(c.local).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s %s, local %v: %d", c.method, c.host, c.local, w.Code)
		}
	}
}

func TestAddress(t *testing.T) {
	for v, want := range map[string]string{"9464": "127.0.0.1:9464 true", "127.0.0.1:9464": "127.0.0.1:9464 true", "localhost:1": "localhost:1 true", "[::1]:1": "[::1]:1 true", "127.0.0.1:0": "127.0.0.1:0 true",
		"0.0.0.0:9464": "0.0.0.0:9464 false", ":9464": ":9464 false", "10.0.0.1:1": "10.0.0.1:1 false", "x": "", "": "", "a.example:1": "", "127.0.0.1:99999": "", "127.0.0.1:": "", "70000": ""} {
		got, local, why := Address(v)
		if text := strings.TrimSpace(got + " " + map[bool]string{true: "true", false: "false"}[local]); (why != "") != (want == "") || why == "" && text != want {
			t.Errorf("%q: %q %q", v, text, why)
		}
	}
}

// TestServe: it answers at once, says where, ends with its context, and names a port that is taken.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	at, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- Serve(ctx, "127.0.0.1:0", looked(t), func(address string) { at <- address }) }()
	address := <-at
	answer, err := http.Get("http://" + address + "/")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	answer.Body.Close()
	if !strings.Contains(string(text), "/healthz") {
		t.Errorf("%s", text)
	}
	if err := Serve(t.Context(), address, looked(t), func(string) {}); !problem.Is(err, problem.PortTaken) {
		t.Errorf("%v", err)
	}
	cancel()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("it does not end")
	}
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		c.Close()
		t.Error("it listens on")
	}
}

// TestPagesNameWhatExists: the Grafana dashboard and the page about metrics name all metrics, and none that does not exist.
func TestPagesNameWhatExists(t *testing.T) {
	families, err := looked(t).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	have := map[string][]string{} // labels by metric
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				have[f.GetName()] = append(have[f.GetName()], l.GetName())
			}
		}
		if f.GetType() == dto.MetricType_HISTOGRAM {
			for _, part := range []string{"_bucket", "_sum", "_count"} {
				have[f.GetName()+part] = append(have[f.GetName()], "le")
			}
		}
	}
	raw, err := os.ReadFile("../../../docs/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Query, Name string }
		}
	}
	if err := json.Unmarshal(raw, &board); err != nil {
		t.Fatal(err)
	}
	metric, matcher, by := regexp.MustCompile(`\b[a-z]+_[a-z_]+\b`), regexp.MustCompile(`(\w+)\{([^}]*)\}`), regexp.MustCompile(`\bby \(([^)]*)\)`)
	functions := []string{"histogram_quantile", "label_values", "count_values"}
	queries, named := 0, map[string]bool{}
	check := func(where, query string) {
		queries++
		found := 0
		bare := regexp.MustCompile(`"[^"]*"|\$__?\w+`).ReplaceAllString(query, "")
		for _, name := range metric.FindAllString(bare, -1) {
			if slices.Contains(functions, name) {
				continue
			}
			found++
			if named[name] = true; have[name] == nil {
				t.Errorf("%s: no metric %s", where, name)
			}
		}
		if found == 0 {
			t.Errorf("%s: %q names no metric", where, query)
		}
		for _, m := range matcher.FindAllStringSubmatch(query, -1) {
			for _, pair := range strings.Split(m[2], ",") {
				if name := strings.TrimSpace(strings.TrimRight(strings.SplitN(pair, "\"", 2)[0], "=~!")); !slices.Contains(have[m[1]], name) {
					t.Errorf("%s: %s has no label %q", where, m[1], name)
				}
			}
		}
		for _, m := range by.FindAllStringSubmatch(query, -1) {
			for _, name := range strings.Split(m[1], ",") {
				if name = strings.TrimSpace(name); name != "le" && !slices.ContainsFunc(slices.Collect(maps.Values(have)), func(labels []string) bool { return slices.Contains(labels, name) }) {
					t.Errorf("%s: no label %q", where, name)
				}
			}
		}
	}
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			check(p.Title, target.Expr)
		}
	}
	for _, v := range board.Templating.List {
		if v.Query != "" && v.Query != "prometheus" {
			check("variable "+v.Name, v.Query)
		}
	}
	if queries < 10 {
		t.Errorf("only %d queries", queries)
	}
	page, err := os.ReadFile("../../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile("`(flwrup_\\w+)").FindAllStringSubmatch(string(page), -1) {
		if have[name[1]] == nil {
			t.Errorf("docs/metrics.md: no metric %s", name[1])
		}
	}
	for name := range have {
		if base := regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, ""); strings.HasPrefix(name, prefix) && base == name && !strings.Contains(string(page), "`"+name) {
			t.Errorf("docs/metrics.md does not name %s", name)
		}
	}
}
