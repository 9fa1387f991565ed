package ui

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/notify"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
	"flwrup/steps"
)

// fake is a Work whose world is a table.
type fake struct {
	mu      sync.Mutex
	title   front.Title
	status  [17]front.Status
	errs    [17]error
	plans   [17][]front.Action
	apply   [17]func(ctx context.Context, to front.Sink) error
	inspect func(ctx context.Context, n front.StepID)
	changed map[front.StepID]bool // can be
	undo    map[front.StepID]bool
	looks   [17]int
	applied [17]int
	over    front.Overview
	notify  notify.Settings
	past    func(now time.Time) history.Log // nil: nothing is known
	acted   []string
	act     func(ctx context.Context, to front.Sink) error
	places  []front.Link
	lines   func(node string) []supernode.Line // of a log; nil: one line
	usage   supernode.Usage                    // zero: not known
}

func newFake() *fake {
	f := &fake{title: front.Title{Project: "lung-study", Federation: "@ada/hospitals", Connection: "supergrid", Account: "ada", Flwr: "1.42.0"},
		changed: map[front.StepID]bool{2: true, 5: true}, undo: map[front.StepID]bool{}}
	for n := front.StepAccount; n <= front.StepMonitor; n++ {
		f.status[n] = front.Status{State: front.Ready}
		f.plans[n] = fakePlan(n)
	}
	f.places = []front.Link{{Label: "Documentation", URL: "https://flower.ai/docs/"}, {Label: "Community Slack", URL: "https://flower.ai/join-slack"},
		{Label: "Flower Labs", URL: "mailto:hello@flower.ai"}}
	return f
}

func fakePlan(n front.StepID) []front.Action {
	connection := front.Flag{Flag: "supergrid", Means: "the connection in Flower's config.toml that names the grid"}
	switch n {
	case 1:
		return []front.Action{{Says: "open https://flower.ai and choose Sign Up / Sign In at the top right"}}
	case 6:
		return []front.Action{{Says: "make key pair 1", Command: "ssh-keygen -q -t ecdsa -b 384 -N '' -C '' -f keys/client_credentials_1",
			Flags: []front.Flag{{Flag: "-t ecdsa -b 384", Means: "the curve P-384, which every flwr takes"}, {Flag: "-N ''", Means: "no passphrase: the SuperNode has to read it alone"}}}}
	case 8:
		return []front.Action{{Says: "change ~/.flwr/config.toml", Diff: "--- config.toml\n+++ config.toml\n@@ -1,3 +1,5 @@\n [superlink]\n-default = \"local\"\n+default = \"supergrid\"\n+\n+[superlink.supergrid]\n+address = \"api.flower.ai\"\n"}}
	case 9:
		return []front.Action{{Says: "log in", Command: "flwr login supergrid", Flags: []front.Flag{connection}}}
	case 10:
		var list []front.Action
		for i := 1; i <= 5; i++ {
			list = append(list, front.Action{Says: fmt.Sprintf("register supernode_%d", i), Irreversible: true, Flags: []front.Flag{connection},
				Command: fmt.Sprintf("flwr supernode register keys/client_credentials_%d.pub supergrid", i)})
		}
		return list
	case 13:
		return []front.Action{{Says: "start supernode_1", Command: "docker run -d --name supernode_1 --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp:rw,exec -e FLWR_HOME=/tmp/flwr -v flwrup-supernode_1:/run/supernode flwr/supernode:1.42.0-py3.13-ubuntu24.04 --superlink fleet-supergrid.flower.ai:443 --auth-supernode-private-key /run/supernode/key",
			Flags: []front.Flag{{Flag: "--cap-drop ALL", Means: "none of root's rights"}, {Flag: "--read-only", Means: "nothing in the container can be changed but /tmp"}}}}
	}
	return []front.Action{{Says: "note it in flwrup.toml"}}
}

func (f *fake) Title() front.Title            { f.mu.Lock(); defer f.mu.Unlock(); return f.title }
func (f *fake) Steps() []front.Step           { return steps.Steps() }
func (f *fake) CanChange(n front.StepID) bool { return f.changed[n] }
func (f *fake) SaveMetrics(_ context.Context, run string) (string, error) {
	return "run-" + run + "-metrics.csv", nil
}
func (f *fake) RunProgress(context.Context, string) (front.RunProgress, error) {
	return front.RunProgress{}, nil
}
func (f *fake) CanUndo(n front.StepID) bool { f.mu.Lock(); defer f.mu.Unlock(); return f.undo[n] }

// Look returns the fake: it reads nothing that could be old.
func (f *fake) Look() front.Look { return f }

func (f *fake) Inspect(ctx context.Context, n front.StepID) (front.Status, error) {
	if f.inspect != nil {
		f.inspect(ctx, n)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looks[n]++
	return f.status[n], f.errs[n]
}

func (f *fake) Plan(_ context.Context, n front.StepID) ([]front.Action, error) {
	return f.plans[n], nil
}

func (f *fake) set(n front.StepID, st front.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.status[n] = st
}

func (f *fake) Apply(ctx context.Context, n front.StepID, to front.Sink) error {
	f.mu.Lock()
	f.applied[n]++
	do := f.apply[n]
	f.mu.Unlock()
	if do != nil {
		if err := do(ctx, to); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.status[n].State == front.Ready {
		f.status[n] = front.Status{State: front.Done, Evidence: []string{"done by the test"}}
	}
	return nil
}

func (f *fake) Change(ctx context.Context, n front.StepID, to front.Sink) error {
	return f.Apply(ctx, n, to)
}

func (f *fake) Past(from, to time.Time) (history.Timeline, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.past == nil {
		return history.Timeline{}, nil
	}
	return f.past(to).Between(from, to, ""), nil
}

func (f *fake) Others() front.Others { return front.Others{} }

func (f *fake) Notify() notify.Settings { return f.notify }

func (f *fake) HoldWatch() (func(), error) { return func() {}, nil }

func (f *fake) BringUp(ctx context.Context, nodes []string, to front.Sink) error {
	return f.Act(ctx, front.RestartNodes, nodes, to)
}

func (f *fake) Undo(_ context.Context, n front.StepID, _ front.Sink) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.undo[n] = false
	f.status[n] = front.Status{State: front.Ready}
	return nil
}

func (f *fake) Overview(context.Context, time.Duration) front.Overview {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.over
}

func (f *fake) Usage(context.Context, string) (supernode.Usage, error) {
	if f.usage != (supernode.Usage{}) {
		return f.usage, nil
	}
	return supernode.Usage{}, errors.New("no usage here")
}

func (f *fake) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	lines := []supernode.Line{{Node: node, Text: "INFO :      Starting Flower SuperNode"}}
	if f.lines != nil {
		lines = f.lines(node)
	}
	for _, l := range lines {
		if err := each(l); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

func (f *fake) Watch(ctx context.Context, changed func()) error { <-ctx.Done(); return ctx.Err() }

func (f *fake) Act(ctx context.Context, verb front.Verb, nodes []string, to front.Sink) error {
	f.mu.Lock()
	f.acted = append(f.acted, fmt.Sprint(verb, nodes))
	do := f.act
	f.mu.Unlock()
	if do != nil {
		return do(ctx, to)
	}
	return nil
}

func (f *fake) Reference() []front.Action {
	return []front.Action{{Says: "log in", Command: "flwr login supergrid"}, {Says: "list your SuperNodes", Command: "flwr supernode list supergrid"}}
}

func (f *fake) Answers() []front.Answer {
	return front.Answers(front.Place{Dir: "~/lung-study", Keys: "keys", Backup: "keys-backup.age", Cache: "~/.cache/flwrup", Nodes: []string{"supernode_1", "supernode_2"}, Containers: true})
}

func (f *fake) Places() []front.Link { return f.places }

// demo is a fake that behaves like a first onboarding, with pauses; with pace 0 they vanish.
func demo(pace time.Duration) *fake {
	f := newFake()
	f.title = front.Title{Project: "lung-study", Connection: "supergrid"}
	nap := func(ctx context.Context, k int) error {
		select {
		case <-time.After(pace * time.Duration(k)):
			return nil
		case <-ctx.Done():
			return &problem.Problem{Code: problem.Cancelled, What: "stopped", Fix: "run flwrup again to continue from here", Err: ctx.Err()}
		}
	}
	f.inspect = func(ctx context.Context, n front.StepID) { nap(ctx, 1) }
	done := func(n front.StepID, short string, evidence ...string) {
		f.status[n] = front.Status{State: front.Done, Short: short, Evidence: evidence}
	}
	ask := func(n front.StepID, q front.Question, then func(string)) {
		f.apply[n] = func(ctx context.Context, to front.Sink) error {
			a, err := to.Ask(ctx, q)
			if err != nil {
				return err
			}
			f.mu.Lock()
			then(a)
			f.mu.Unlock()
			return nil
		}
	}
	f.status[1].Links = []front.Link{{Label: "Sign up or sign in", URL: "https://flower.ai"}}
	ask(1, front.Question{ID: "account", Kind: front.AskAcknowledge, Default: "yes", Ask: "Do you have a Flower account?",
		Help: "If not: open https://flower.ai, choose Sign Up / Sign In at the top right, then come back."},
		func(string) { done(1, "", "you said so today") })
	ask(2, front.Question{ID: "federation", Kind: front.AskText, Default: "later", Ask: "Which federation are the SuperNodes for?",
		Help: "Its name on the dashboard, such as @account/name; or \"later\"."},
		func(a string) { done(2, a, a) })
	f.apply[3] = func(ctx context.Context, to front.Sink) error {
		v, err := to.Ask(ctx, front.Question{ID: "flwr", Kind: front.AskChoice, Default: "1.42.0", Ask: "Which flwr?",
			Choices: []front.Choice{{Value: "1.42.0", Label: "1.42.0", Note: "the newest"}, {Value: "1.41.0", Label: "1.41.0"},
				{Value: "1.24.0", Label: "1.24.0", Note: "too old for this grid", Disabled: true}}})
		if err != nil {
			return err
		}
		to.Event(front.Says{Text: "installing flwr " + v})
		for i := range 40 {
			to.Event(front.Output{Text: fmt.Sprintf("Collecting package-%d (from flwr==%s)", i, v)})
			to.Event(front.Progress{Label: "flwr/supernode:" + v, Done: int64(i+1) * 7_400_000, Total: 296_000_000, Bytes: true})
			if err := nap(ctx, 1); err != nil {
				return err
			}
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.title.Flwr = v
		done(3, v, "flwr "+v+" in an environment of flwrup's own", "Docker 28.5 answers", "image flwr/supernode:"+v+" is here")
		return nil
	}
	f.status[4] = front.Status{State: front.NotNeeded, Why: "there is no certificate.conf here, and a SuperGrid has a public certificate"}
	ask(5, front.Question{ID: "nodes", Kind: front.AskNumber, Default: "3", Ask: "How many SuperNodes?", Help: "Each takes about 190 MB of memory.",
		Validate: func(s string) error {
			if s == "0" || len(s) > 3 {
				return errors.New("from 1 to 999")
			}
			return nil
		}}, func(a string) { done(5, a, a+" SuperNodes wished") })
	ask(7, front.Question{ID: "passphrase", Kind: front.AskSecret, Twice: true, Ask: "Passphrase for the backup",
		Help: "It is asked for when the keys are restored. Nobody can find it out again."}, func(string) {
		done(7, "", "backup.age holds 3 pairs, opened again and compared")
	})
	ask(8, front.Question{ID: "edit", Kind: front.AskConfirm, Default: "yes", Ask: "Change ~/.flwr/config.toml like this?",
		Diff: fakePlan(8)[0].Diff}, func(string) { done(8, "", "[superlink.supergrid] is there"); f.undo[8] = true })
	f.apply[9] = func(ctx context.Context, to front.Sink) error {
		now := time.Now()
		to.Event(front.LoginOpen{URL: "https://auth.flower.ai/realms/flower/device?user_code=WDJB-MJHT", Code: "WDJB-MJHT", Since: now, Expires: now.Add(10 * time.Minute)})
		if err := nap(ctx, 60); err != nil {
			return err
		}
		to.Event(front.LoginClosed{Approved: true})
		f.mu.Lock()
		defer f.mu.Unlock()
		f.title.Account, f.title.Federation = "ada", "@ada/hospitals"
		done(9, "ada", "logged in as ada")
		return nil
	}
	f.apply[10] = func(ctx context.Context, to front.Sink) error {
		for i := 1; i <= 5; i++ {
			to.Event(front.ItemChanged{Item: front.Item{Name: fmt.Sprintf("supernode_%d", i)}})
		}
		for i := 1; i <= 5; i++ {
			to.Event(front.ItemChanged{Item: front.Item{Name: fmt.Sprintf("supernode_%d", i), State: front.ItemWorking, Text: "registering"}})
			if err := nap(ctx, 10); err != nil {
				return err
			}
			to.Event(front.ItemChanged{Item: front.Item{Name: fmt.Sprintf("supernode_%d", i), State: front.ItemDone, Text: fmt.Sprint(8688387445877465697 + i)}})
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		done(10, "5/5", "5 of 5 registered")
		return nil
	}
	f.status[12] = waitingStatus(12)
	f.apply[13] = func(ctx context.Context, to front.Sink) error {
		return &problem.Problem{Code: problem.DockerDown, What: "the Docker daemon does not answer", Why: "nothing listens on /var/run/docker.sock",
			Fix: "start Docker: `sudo systemctl start docker`", Raw: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"}
	}
	return f
}

func waitingStatus(n front.StepID) front.Status {
	st := front.Status{State: front.Waiting, Short: "1/3", Done: 1, Of: 3, Evidence: []string{"1 of 3 confirmed"},
		Why: "2 of 3 SuperNodes are not confirmed yet", Hints: []string{"flwrup keeps checking; leave it open, or come back later"},
		Person: n == 1, Links: []front.Link{{Label: "Federations dashboard", URL: "https://flower.ai/federations"}}}
	for i := 1; i <= 3; i++ {
		it := front.Item{Name: fmt.Sprintf("supernode_%d", i), Text: "not in @ada/hospitals yet"}
		if i == 1 {
			it.State, it.Text = front.ItemDone, "registered"
		}
		st.Items = append(st.Items, it)
	}
	return st
}
