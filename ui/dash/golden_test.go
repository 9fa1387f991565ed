package dash

import (
	"strings"
	"testing"
	"time"

	"flwrup/internal/frametest"
	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/ui/style"
	"flwrup/ui/tally"
)

// boards are the states of the dashboard, each with the keys that are pressed in it.
func boards() (list []struct {
	name string
	o    front.Overview
	keys string
	then func(*Model)
}) {
	add := func(name string, o front.Overview, keys string, then func(*Model)) {
		list = append(list, struct {
			name string
			o    front.Overview
			keys string
			then func(*Model)
		}{name, o, keys, then})
	}
	with := func(change func(o *front.Overview)) front.Overview {
		o := five()
		change(&o)
		return o
	}
	well := with(func(o *front.Overview) {
		o.Nodes[4] = o.Nodes[3]
		o.Nodes[4].Name, o.Nodes[4].NodeID, o.Online = "supernode_5", "4623914040792880723", 5
	})
	add("all online", well, "", nil)
	add("one offline, with its diagnosis", five(), "", nil)
	news := func(needed bool, says, short string) func(*front.Overview) {
		return func(o *front.Overview) { o.Fit = front.Fit{Needed: needed, Says: says, Short: short, Target: "1.42.0"} }
	}
	add("a newer flwr is out", with(news(false, "flwr 1.42.0 is out; supernode_1, supernode_2, supernode_3 and 2 more run 1.41.0", "flwr 1.42.0 is out; 5 SuperNodes run 1.41.0")), "", nil)
	add("the grid moved on", with(news(true, "the grid speaks HTTP to SuperNodes (flwr 1.40 or later); supernode_5 runs 1.24.0: upgrade to 1.42.0", "upgrade to 1.42.0: the grid speaks HTTP, supernode_5 runs 1.24.0")), "", nil)
	add("several offline", with(func(o *front.Overview) {
		o.Online = 1
		o.Nodes[1].Grid, o.Nodes[1].Runtime = front.GridOffline, ended(137)
		o.Nodes[1].Diagnosis = problem.New(problem.NodeNotOnline, "the SuperNode ended", "exit code 137: killed, perhaps for lack of memory", "start it again")
		o.Nodes[2].Grid, o.Nodes[2].Wanted = front.GridOffline, front.WantedDown
		o.Nodes[2].Runtime = ended(0)
		o.Nodes[3].Grid, o.Nodes[3].Runtime = front.GridRegistered, supernode.Status{State: supernode.Starting, Image: o.Nodes[0].Runtime.Image, Ours: true}
	}), "", nil)
	add("grid unreachable", with(func(o *front.Overview) {
		o.GridAt = noon.Add(-10 * time.Minute)
		o.GridErr = problem.New(problem.Unreachable, "the grid cannot be reached", "no answer from supergrid.flower.ai:443", "look at the network")
	}), "", nil)
	add("a remedy each", with(func(o *front.Overview) {
		o.Online = 3
		o.Nodes[1].Runtime = ended(137)
		o.Nodes[1].Diagnosis = problem.New("node-killed", "supernode_2 was killed", "the grid counts it as online for about 40 s more, and accepts its key only after that", "start it again")
		o.Nodes[1].Remedy = &front.Remedy{Says: "start it again", Verb: front.StartNodes, Nodes: []string{"supernode_2"}}
		o.Nodes[4].Remedy = &front.Remedy{Says: "use the image of flwr 1.42.0", Verb: front.OwnImage, Nodes: []string{"supernode_5"}}
	}), "", nil)
	add("rehearsal grid ended", with(func(o *front.Overview) {
		o.Online = 0
		o.GridErr = problem.New(health.GridEnded, "the rehearsal's grid is not running", "it was stopped", "start it again")
		o.Remedy = &front.Remedy{Says: "restart the rehearsal's grid", Verb: front.StartGrid}
	}), "", nil)
	add("not logged in", with(func(o *front.Overview) {
		o.GridAt, o.GridErr, o.Online = time.Time{}, problem.New(problem.NotLoggedIn, "not logged in", "", ""), 0
		for i := range o.Nodes {
			o.Nodes[i].Grid = front.GridUnknown
		}
	}), "", nil)
	add("runtime down", with(func(o *front.Overview) {
		o.RuntimeErr = problem.New(problem.DockerDown, "Docker is not running", "nothing listens at unix:///var/run/docker.sock", "start it: sudo systemctl start docker")
		for i := range o.Nodes {
			o.Nodes[i].Runtime = supernode.Status{}
		}
	}), "", nil)
	add("all ended", with(func(o *front.Overview) {
		o.Online = 0
		for i := range o.Nodes {
			o.Nodes[i].Runtime = ended(i)
		}
	}), "", nil)
	add("no SuperNode", front.Overview{GridAt: noon}, "", nil)
	add("nothing seen yet", front.Overview{}, "", func(m *Model) { m.loaded, m.asking = false, true })
	add("the grid leaves a question open", five(), "", func(m *Model) { m.asking, m.asked = true, m.now().Add(-7*time.Second) })
	add("the grid is being asked", five(), "", func(m *Model) { m.asking = true })
	add("watched elsewhere", five(), "", func(m *Model) { m.Update(Others{Others: front.Others{WatchedBy: 4711}}) })
	add("watched by the service", five(), "", func(m *Model) {
		m.Update(Others{Others: front.Others{WatchedBy: 4711, Service: true, Installed: true}})
	})
	add("the watch service does not run", five(), "", func(m *Model) { m.Update(Others{Others: front.Others{Installed: true}}) })
	add("auto-restart", five(), "", func(m *Model) {
		m.Update(heldMsg{model: m, release: func() {}})
		m.Update(press("j"))
		m.Update(Began{Run{Verb: front.StartNodes, Nodes: []string{"supernode_5"}, ByItself: true}})
	})
	add("fifty", many(50), "pgdown pgdown", nil)
	add("marked", five(), "space space", nil)
	add("all marked, restarting", five(), "A r", nil)
	add("details", five(), "end enter", nil)
	add("the last day", five(), "", func(m *Model) { m.look24(aDay()) })
	add("the first half hour", five(), "", func(m *Model) { m.look24(aHalfHour()) })
	add("details with the last day", five(), "end enter", func(m *Model) { m.look24(aDay()) })
	add("details with the last week", five(), "enter", func(m *Model) {
		m.look24(aDay())
		m.Update(m.Update(press("H"))())
	})
	add("in the log", five(), "tab", nil)
	add("errors in logs, and a run that hangs", with(func(o *front.Overview) {
		o.Nodes, o.Online = append(o.Nodes[:4:4], o.Nodes[3]), 5
		o.Nodes[4].Name = "supernode_5"
		o.Runs[1].Running = noon.Add(-20 * time.Minute)
	}), "", func(m *Model) {
		for i, name := range []string{"supernode_1", "supernode_2", "supernode_4"} {
			m.counts[name] = tally.Count{Errors: 133 + i, LastError: noon.Add(-40 * time.Second), Run: "1762309077582676982", Asked: noon.Add(-8 * time.Minute), Longest: time.Minute}
		}
		m.counts["supernode_5"] = tally.Count{Errors: 2, More: true, LastError: noon.Add(-time.Hour)}
		m.arrange()
	})
	add("runs with rounds", five(), "", func(m *Model) {
		for _, r := range m.have.Runs {
			m.progress[r.ID] = &progress{}
		}
		progressMsg{m, "1762309077582676982", front.RunProgress{Round: 3, Rounds: 5, Metrics: []front.Metric{
			{Round: 1, Name: "accuracy", Value: 0.61}, {Round: 2, Name: "accuracy", Value: 0.83}}}, nil}.take(m)
		progressMsg{m, "8894709339875389874", front.RunProgress{Round: 3, Rounds: 3, Metrics: []front.Metric{
			{Round: 1, Name: "train_loss", Value: 2.1}, {Round: 2, Name: "train_loss", Value: 0.9}, {Round: 3, Name: "train_loss", Value: 0.4}}}, nil}.take(m)
	})
	add("fifty, some not well", with(func(o *front.Overview) {
		*o = many(50)
		for _, i := range []int{7, 23} {
			o.Nodes[i].Grid, o.Nodes[i].Runtime = front.GridOffline, ended(137)
			o.Nodes[i].Diagnosis = problem.New("node-killed", o.Nodes[i].Name+" was killed", "exit code 137", "start it again")
		}
		o.Nodes[30].Runtime, o.Nodes[30].Wanted, o.Nodes[30].Grid = ended(0), front.WantedDown, front.GridOffline
		o.Online = 47
	}), "", nil)
	add("fifty, filtered", many(50), "/ 4 1", nil)
	add("sorted by CPU", five(), "> > >", nil)
	others := with(func(o *front.Overview) {
		o.Sites = []front.SiteView{
			{Name: "st-marys", Title: "St. Mary's Hospital", Contact: "it@st-mary.example", Nodes: []front.NodeView{
				{Name: "st-marys.supernode_1", Grid: front.GridOnline}, {Name: "st-marys.supernode_2", Grid: front.GridOffline,
					Diagnosis: problem.New(health.SiteLost, "st-marys.supernode_2 is offline since 11:02 on 24 November", "it runs at St. Mary's Hospital", "ask St. Mary's Hospital (it@st-mary.example) to run: flwrup status")}}},
			{Name: "city", Title: "City Hospital", Nodes: []front.NodeView{{Name: "city.supernode_1", Grid: front.GridRegistered,
				Diagnosis: problem.New(health.SiteAwaited, "city.supernode_1 was never online", "City Hospital has not taken the reply yet, or its SuperNode does not reach the grid", "ask City Hospital to run: flwrup join reply-city.txt, then flwrup doctor")}}},
		}
	})
	add("other sites", others, "", nil)
	add("another site under the cursor", others, "end", nil)
	add("only other sites", with(func(o *front.Overview) {
		o.Nodes, o.Online = nil, 0
		o.Sites = []front.SiteView{{Name: "city", Title: "City Hospital", Contact: "it@city.example", Nodes: []front.NodeView{{Name: "city.supernode_1", Grid: front.GridOnline}}},
			{Name: "st-marys", Title: "St. Mary's Hospital", Nodes: []front.NodeView{{Name: "st-marys.supernode_1", Grid: front.GridOnline}, {Name: "st-marys.supernode_2", Grid: front.GridRegistered}}}}
	}), "", nil)
	add("by their own logs", with(func(o *front.Overview) { o.FromLogs, o.Runs = true, nil }), "", nil)
	add("an action failed", five(), "x", func(m *Model) {
		m.Update(Ran{Run: Run{Verb: front.StopNodes, Nodes: []string{"supernode_1"}}, Err: problem.New(problem.DockerDown, "Docker is not running", "", "start it: sudo systemctl start docker")})
	})
	return list
}

// ended is a container that has ended with a code.
func ended(code int) supernode.Status {
	st := five().Nodes[0].Runtime
	st.State, st.ExitCode = supernode.Stopped, code
	return st
}

func TestFrames(t *testing.T) {
	var list []frametest.Scene
	for _, b := range boards() {
		list = append(list, frametest.Scene{File: "dashboard", Name: b.name,
			Draw: func(t testing.TB, mode frametest.Mode, w, h int) string {
				m := testModel(t, b.o, w, h, style.Options{NoColor: mode.NoColor, ASCII: mode.ASCII, Dark: true})
				for i, n := range b.o.Nodes {
					if n.Runtime.State != supernode.Running {
						continue
					}
					m.usage[n.Name] = &usage{asked: noon}
					for k := range i%5 + 2 {
						m.took(usageMsg{m, n.Name, supernode.Usage{CPU: float64(i%5*10 + k), Memory: uint64(187+i) << 20}, nil})
					}
				}
				for _, k := range strings.Fields(b.keys) {
					m.Update(press(k))
				}
				if b.then != nil {
					b.then(m)
					m.stale = true
				}
				return m.View()
			}})
	}
	frametest.Golden(t, list,
		"dashboard/one offline, with its diagnosis/40x15",
		"dashboard/one offline, with its diagnosis/80x24-colour",
		"dashboard/several offline/80x24-ascii",
		"dashboard/fifty/120x40",
		"dashboard/other sites/120x40",
		"dashboard/details/120x40",
		"dashboard/the last day/120x40",
		"dashboard/details with the last day/80x24-ascii",
		"dashboard/details with the last day/40x15")
}
