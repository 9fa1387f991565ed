package flwrexec

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// recorded is one command of a recorded session of the real flwr.
type recorded struct {
	name, command  string
	exit           int
	stdout, stderr string
}

var recordedHead = regexp.MustCompile(`^exit (\d+)`)

// transcript reads testdata/transcripts/VERSION.txt.
func transcript(t *testing.T, version string) map[string]recorded {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "transcripts", version+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]recorded{}
	for _, block := range strings.Split("\n"+string(b), "\n=== ")[1:] {
		name, rest, _ := strings.Cut(block, "\n")
		r := recorded{}
		r.command, rest, _ = strings.Cut(rest, "\n")
		head, rest, _ := strings.Cut(rest, "\n")
		if m := recordedHead.FindStringSubmatch(head); m != nil {
			r.exit, _ = strconv.Atoi(m[1])
		}
		rest = strings.TrimPrefix(rest, "--- stdout\n")
		r.stdout, r.stderr, _ = strings.Cut(rest, "--- stderr\n")
		// The number before the name differs between versions; a repeated name gets a #2.
		_, r.name, _ = strings.Cut(name, "-")
		if strings.HasPrefix(name, "names-") {
			r.name = name
		}
		key := r.name
		for n := 2; ; n++ {
			if _, there := all[key]; !there {
				break
			}
			key = r.name + "#" + strconv.Itoa(n)
		}
		all[key] = r
	}
	if len(all) < 80 {
		t.Fatalf("only %d commands in the transcript of %s", len(all), version)
	}
	return all
}

var transcribed = []string{"1.24.0", "1.26.1", "1.33.0", "1.42.0"}

func TestTranscriptsAreAnswersOrErrors(t *testing.T) {
	// Every JSON answer of every command in every version is read, one way or another.
	for _, v := range transcribed {
		for key, r := range transcript(t, v) {
			if !strings.Contains(r.command, "--format json") {
				continue
			}
			var to any
			switch {
			case strings.Contains(r.command, "supernode list"):
				to = new(nodesAnswer)
			case strings.Contains(r.command, "--federation @") && strings.Contains(r.command, "federation list"), strings.Contains(r.command, "federation show"):
				to = new(detailsAnswer)
			case strings.Contains(r.command, "federation list"):
				to = new(federationsAnswer)
			case strings.Contains(r.command, "flwr list"):
				to = new(runsAnswer)
			}
			err := decode(output{stdout: r.stdout, stderr: r.stderr, code: r.exit}, to)
			failed := strings.Contains(r.stdout, `"success": false`) || r.exit != 0
			if (err != nil) != failed {
				t.Errorf("%s %s: %s: failed %v, read as %v", v, key, r.command, failed, err)
			}
		}
	}
}

func TestNodesOfEveryVersion(t *testing.T) {
	for _, v := range transcribed {
		r := transcript(t, v)["list-after-unregister-json"]
		var a nodesAnswer
		if err := decode(output{stdout: r.stdout}, &a); err != nil {
			t.Fatal(v, err)
		}
		nodes, err := a.nodes()
		if err != nil || len(nodes) < 3 {
			t.Fatalf("%s: %d nodes, %v", v, len(nodes), err)
		}
		count := map[string]int{}
		for _, n := range nodes {
			count[n.Status]++
			if n.Owner != "ada" || n.ID == 0 || n.Created.Year() != 2026 {
				t.Errorf("%s: %+v", v, n)
			}
			if !strings.Contains(r.stdout, n.ID.String()) {
				t.Errorf("%s: %s is not what flwr wrote", v, n.ID)
			}
			if n.Status == StatusUnregistered && (n.OnlineFor < 1e9 || n.Online.IsZero() || n.Deleted.IsZero()) {
				t.Errorf("%s: %+v", v, n)
			}
		}
		if count[StatusUnregistered] != 2 {
			t.Errorf("%s: %v", v, count)
		}
	}
}

func TestFederationsOfEveryVersion(t *testing.T) {
	for v, want := range map[string]struct{ list, id, details string }{
		"1.24.0": {"federation-list-json", "flowerlabs", "federation-show-with-runs-json"},
		"1.26.1": {"federation-list-json", "@flowerlabs/default", "federation-details-with-runs-json"},
		"1.33.0": {"federation-list-after-json", "@ada/study", "federation-details-with-runs-json"},
		"1.42.0": {"federation-list-after-json", "@ada/study", "federation-details-with-runs-json"},
	} {
		all := transcript(t, v)
		var list federationsAnswer
		if err := decode(output{stdout: all[want.list].stdout}, &list); err != nil {
			t.Fatal(v, err)
		}
		ids := map[string]Federation{}
		for _, f := range list {
			ids[f.ID] = f
		}
		if _, ok := ids[want.id]; !ok {
			t.Errorf("%s: %+v", v, list)
		}
		if f, ok := ids["@ada/workspace"]; ok && !f.Simulation {
			t.Errorf("%s: the workspace is for simulation: %+v", v, f)
		}
		var d detailsAnswer
		if err := decode(output{stdout: all[want.details].stdout}, &d); err != nil {
			t.Fatal(v, err)
		}
		if len(d.Members) == 0 || len(d.Nodes) < 3 || len(d.Runs) < 4 {
			t.Fatalf("%s: %+v", v, d)
		}
		if r := d.Runs[0]; r.FabID != "rig/numpyfl" || r.FabVersion != "1.0.0" || !r.Ended() || r.Elapsed == 0 || r.ID == 0 {
			t.Errorf("%s: %+v", v, r)
		}
	}
}

func TestRunsOfEveryVersion(t *testing.T) {
	for _, v := range transcribed {
		all := transcript(t, v)
		var a runsAnswer
		if err := decode(output{stdout: all["list-runs-json"].stdout}, &a); err != nil {
			t.Fatal(v, err)
		}
		states := map[string]int{}
		runs, err := a.runs()
		if err != nil {
			t.Fatal(v, err)
		}
		for _, r := range runs {
			states[r.StatusText()]++
			if r.Federation == "" || r.FabID != "rig/numpyfl" || r.Pending.IsZero() || !strings.Contains(all["list-runs-json"].stdout, r.ID.String()) {
				t.Errorf("%s: %+v", v, r)
			}
		}
		if states["finished:completed"] < 1 || states["finished:failed"] < 2 || states["finished:stopped"] != 1 {
			t.Errorf("%s: %v", v, states)
		}
	}
}

func TestMetricsOfEveryVersion(t *testing.T) {
	for _, v := range transcribed {
		r := transcript(t, v)["run-stream"]
		var p MetricsParser
		var found []Metric
		for _, l := range safeLines(r.stdout) {
			found = append(found, p.Line(l)...)
		}
		if p.Rounds < 2 || len(found) != 2*p.Rounds {
			t.Fatalf("%s: %d rounds, %+v", v, p.Rounds, found)
		}
		if m := found[1]; m.Round != 1 || m.Phase != PhaseEvaluate || m.Name != "eval_loss" || m.Value < 1.66 || m.Value > 1.67 {
			t.Errorf("%s: %+v", v, m)
		}
		// The tables at the end alone hold the same numbers, rounded.
		_, table, _ := strings.Cut(r.stdout, "Final results:")
		p, found = MetricsParser{}, nil
		for _, l := range safeLines(table) {
			found = append(found, p.Line(l)...)
		}
		if len(found) < 4 || found[len(found)-1].Name != "eval_loss" || found[0].Round != 1 {
			t.Errorf("%s: from the tables: %+v", v, found)
		}
	}
}
