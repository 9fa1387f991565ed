package ui

import (
	"errors"
	"fmt"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

const (
	runID       = "8822730199423176450"
	keepOutDiff = "--- lungs/.gitignore\n+++ lungs/.gitignore\n@@ -0,0 +1 @@\n+/data/clinic-a/\n"
	trapDiff    = "--- lungs/server_app.py\n+++ lungs/server_app.py\n@@ -41,4 +41,4 @@\n     result = strategy.start(grid=grid)\n-    np.savez(\"final_model.npz\", *result.arrays.to_numpy_ndarrays())\n+    pass  # flwrup: np.savez(\"final_model.npz\", *result.arrays.to_numpy_ndarrays())\n"
)

var (
	loginOpen = front.LoginOpen{URL: "https://auth.flower.ai/realms/flower/device?user_code=WDJB-MJHT&lang=en&from=the-command-line-of-flwr-1.42",
		Code: "WDJB-MJHT", Since: noon.Add(-40 * time.Second), Expires: noon.Add(560 * time.Second)}
	grown = []string{"once it is reached, it only changes by itself: the dashboard shows it", onGrid}
)

// settingQuestions are those of "change settings".
var settingQuestions = []front.Question{
	{ID: "whose-settings", Kind: front.AskChoice, Default: "all", Ask: "Whose settings?", Help: "A SuperNode's own settings override those of all.",
		Choices: []front.Choice{{Value: "all", Label: "all SuperNodes", Note: "memory: 2g; env: DB_PASSWORD"}, {Value: "supernode_1", Label: "supernode_1"},
			{Value: "supernode_2", Label: "supernode_2", Note: "data: scans:/data/scans"}}},
	{ID: "setting", Kind: front.AskChoice, Default: "done", Ask: "What do you want to change for supernode_2?",
		Choices: []front.Choice{{Value: "done", Label: "nothing else"}, {Value: "node-config", Label: "values for the ClientApp", Note: "partition-id=1 num-partitions=5"},
			{Value: "data", Label: "data folders", Note: "scans:/data/scans"}, {Value: "env", Label: "variables", Note: "as all: DB_PASSWORD"}, {Value: "env-file", Label: "file of variables"},
			{Value: "cpus", Label: "CPU limit"}, {Value: "memory", Label: "memory limit", Note: "as all: 2g"},
			{Value: "gpus", Label: "GPUs", Disabled: true, Note: "no effect on plain processes"}, {Value: "install-packages", Label: "packages of the app"},
			{Value: "lasting", Label: "after a reboot", Note: "come back"}, {Value: "args", Label: "more arguments"}}},
	{ID: "memory", Kind: front.AskText, Default: "2g", Ask: "How much memory at most?", Help: "For example 2g or 512m. A SuperNode that takes more is killed. -: nothing."},
	{ID: "data", Kind: front.AskChoice, Default: "add", Ask: "Which data folder?", Choices: []front.Choice{{Value: "add", Label: "add a folder"}, {Value: "without scans:/data/scans", Label: "take away scans:/data/scans"}}},
	{ID: "data-here", Kind: front.AskText, Ask: "Which folder can the ClientApp see?", Help: "On this machine; relative paths start at this project's folder. -: none."},
	{ID: "data-inside", Kind: front.AskText, Default: "/data/scans", Ask: "Where should the ClientApp find it?", Help: "Its path in the container."},
	confirm("data-write", "Can the ClientApp write to it?", "Whoever starts a run brings the app: say no where it must not change anything.", "", "no"),
	{ID: "env-name", Kind: front.AskText, Default: "-", Ask: "What is the variable called?",
		Help: "flwrup.toml keeps only the name. flwrup takes the value from your environment when it starts the SuperNode, or asks for it. -: none."},
	{ID: "value of DB_PASSWORD", Kind: front.AskSecret, Ask: "Value of DB_PASSWORD?",
		Help: "flwrup.toml hands this variable on to the SuperNodes, and it is not set here. It goes to the SuperNode alone; no file of flwrup's keeps it."},
	{ID: "lasting", Kind: front.AskChoice, Default: "yes", Ask: "Restart containers after a reboot?", Help: "Containers that do not restart are removed with their log when they end, as with docker run --rm.",
		Choices: []front.Choice{{Value: "yes", Label: "come back"}, {Value: "no", Label: "remove them when they end"}}},
	{ID: "args", Kind: front.AskText, Default: "-", Ask: "More arguments for flower-supernode?",
		Help: "Separated by spaces, such as --max-retries 10. An argument with a space in it goes into flwrup.toml. -: none."},
	confirm("restart-now", "Restart supernode_2 now?", "Until then they keep their old settings. A run in progress loses them for some seconds.", "", "no"),
}

// startAction and keyAction are of the plan of one SuperNode that step 13 starts.
func startAction(i int) front.Action {
	name := fmt.Sprintf("supernode_%d", i)
	return front.Action{Says: "start " + name + " from " + image + ", read-only, no capabilities",
		Command: "docker create --name " + name + " --label ai.flower.flwrup=lung-study --cap-drop ALL --security-opt no-new-privileges --read-only --tmpfs /tmp:rw,exec --mount type=volume,dst=/run/supernode --env FLWR_HOME=/tmp/flwr --restart on-failure:5 " + image + " --superlink fleet-supergrid.flower.ai:443 --auth-supernode-private-key /run/supernode/key",
		Flags:   []front.Flag{{Flag: "--cap-drop", Means: "none of root's rights"}, {Flag: "--read-only", Means: "nothing in the container can be changed but /tmp"}}}
}

func keyAction(i int) front.Action {
	return front.Action{Command: fmt.Sprintf("tar -c --owner=49999 --mode=0400 --transform 's|.*|key|' keys/client_credentials_%d | docker cp - supernode_%d:/run/supernode", i, i)}
}

// lateStories are steps 9 to 16: the work with the grid.
var lateStories = map[front.StepID]story{
	9: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Short: "ada", Evidence: []string{"logged in as ada"}},
			isReady:   {State: front.Ready, Evidence: []string{"not logged in"}},
			isBlocked: {State: front.Blocked, By: front.StepConfigure, Why: "flwr does not know the grid yet"},
		},
		never: never(required, noWaiting, gridless),
		plan:  []front.Action{{Says: "log in", Command: "flwr login supergrid", Flags: []front.Flag{connectionFlag}}, {Says: "check that it worked", Command: "flwr supernode list supergrid", Flags: []front.Flag{connectionFlag}}},
		work:  []any{loginOpen},
		err: &problem.Problem{Code: problem.LoginTimeout, What: "nobody approved the login in time", Why: "flwr waits ten minutes for the browser", Fix: "start the login again, and choose \"Yes\" in the browser",
			Raw: "Failed to login: the device code has expired"},
		asks: []front.Question{confirm("approve", "Approve this login as ada for the rehearsal?",
			"On a real grid you open the link and choose \"Yes\". Here you can do the same, with the code; or let flwrup do it.", "", "yes")},
		extra: []scene{
			{"login that asks", func(m *Model, f *fake, n front.StepID) { m.desk.pretend(n, loginOpen, question(questions["confirm"])) }},
			{"login without a code or an end", func(m *Model, f *fake, n front.StepID) {
				m.desk.pretend(n, front.LoginOpen{URL: "https://auth.flower.ai/device", Since: noon.Add(-40 * time.Second)})
			}},
			{"login, QR code", func(m *Model, f *fake, n front.StepID) {
				m.desk.pretend(n, loginOpen)
				m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune("z")})
			}},
		},
	},
	10: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Short: "5/5", Done: 5, Of: 5, Items: five(5, nodeID, 0, ""), Evidence: []string{"5 of 5 registered, according to the ledger"}},
			isReady:   {State: front.Ready, Short: "2/5", Done: 2, Of: 5, Items: five(2, nodeID, front.ItemWaiting, "not registered"), Evidence: []string{"2 of 5 registered, according to the ledger"}},
			isBlocked: {State: front.Blocked, By: front.StepLogin, Why: "the grid takes keys only after a login", Short: "2/5", Items: five(2, nodeID, front.ItemWaiting, "not registered")},
		},
		never: never(required, noWaiting, gridless),
		plan: each(3, 5, func(i int) front.Action {
			return front.Action{Says: fmt.Sprintf("register supernode_%d", i), Irreversible: true, Flags: []front.Flag{connectionFlag},
				Command: fmt.Sprintf("flwr supernode register keys/client_credentials_%d.pub supergrid", i)}
		}),
		work: append(changed(five(3, nodeID, front.ItemWaiting, "not registered")), front.ItemChanged{Item: front.Item{Name: "supernode_4", State: front.ItemWorking, Text: "registering"}},
			front.Ran{Command: "flwr supernode register keys/client_credentials_3.pub supergrid", Took: 2 * time.Second}, front.Progress{Label: "registered", Done: 3, Total: 5}),
		failed: changed(five(2, nodeID, front.ItemFailed, "not a key that flwr takes: it is not ECDSA P-384")),
		err: fmt.Errorf("register keys/client_credentials_3.pub: %w", &problem.Problem{Code: problem.BadKey, What: "flwr does not take this key", Why: "it is not ECDSA P-384",
			Fix: "move the pair away, then make a new one in step 6", Raw: "The provided public key is not valid."}),
		asks: []front.Question{{ID: "reply", Kind: front.AskLetter, Default: "later", Ask: "Which is the coordinator's reply?",
			Help: "Give the path of its file, or paste it as it came. Your request is in request-st-mary.txt, and your words are: bok stung harsh shaft."}},
		extra: append(keyScenes(), scene{"a site waits for its reply", func(m *Model, f *fake, n front.StepID) {
			st := &m.list.steps[n-1]
			st.since = noon.Add(-3 * time.Minute)
			st.plan = []front.Action{{Says: "take the coordinator's reply", Command: "flwrup join FILE"}}
			st.status = front.Status{State: front.Waiting, Person: true, Deed: "take the reply", Short: "0/2", Of: 2,
				Items:    five(0, nodeID, front.ItemWaiting, "not registered")[:2],
				Why:      "send request-st-mary.txt to your coordinator, then take the reply: flwrup join FILE",
				Evidence: []string{"request made 24 November 2026, 11:02: request-st-mary.txt", "your words, for the telephone: bok stung harsh shaft"},
				Letter:   &front.Letter{To: "your coordinator", File: "request-st-mary.txt", Words: "bok stung harsh shaft", Text: pastedLetter}}
		}}, scene{"1,000 items", func(m *Model, f *fake, n front.StepID) {
			var events []any
			for i := range 1000 {
				events = append(events, front.ItemChanged{Item: front.Item{Name: fmt.Sprintf("supernode_%d", i+1), State: front.ItemState(i % 4), Text: "somehow"}})
			}
			m.desk.pretend(n, events...)
		}}),
	},
	11: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Short: "5/5", Done: 5, Of: 5, Items: five(5, nodeID, 0, ""), Evidence: []string{"5 node IDs in the ledger", "all 5 are in @ada/hospitals"}},
			isReady:   {State: front.Ready, Short: "3/5", Done: 3, Of: 5, Items: five(5, nodeID, 0, ""), Evidence: []string{"5 node IDs in the ledger", "2 of 5 are not in @ada/hospitals"}},
			isBlocked: {State: front.Blocked, By: front.StepRegister, Why: "the SuperNodes are not registered yet"},
		},
		never: never(required, noWaiting, gridless),
		plan: each(4, 5, func(i int) front.Action {
			return front.Action{Says: fmt.Sprintf("add supernode_%d to @ada/hospitals", i), Flags: []front.Flag{connectionFlag},
				Command: "flwr federation add-supernode " + nodeIDs[i-1] + " @ada/hospitals supergrid"}
		}),
		work: []any{front.ItemChanged{Item: front.Item{Name: "supernode_4", State: front.ItemDone, Text: nodeIDs[3]}}, front.Progress{Label: "added", Done: 1, Total: 2},
			front.ItemChanged{Item: front.Item{Name: "supernode_5", State: front.ItemWorking, Text: "adding"}}},
		failed: []any{front.ItemChanged{Item: front.Item{Name: "supernode_4", State: front.ItemFailed, Text: "only the federation's owner may do this"}}},
		err: fmt.Errorf("add supernode_4 to @ada/hospitals: %w", &problem.Problem{Code: problem.NotAllowed, What: "the grid does not allow this", Why: "only the federation's owner may add SuperNodes",
			Fix: "ask the owner to add the node IDs, or choose a federation of your own in step 2", Raw: "Permission denied."}),
		asks: []front.Question{{ID: "sent", Kind: front.AskAcknowledge, Ask: "Have you sent the node IDs to Flower Labs?",
			Help: "The message is in node-ids.md. Send it to your contact there; they add the SuperNodes on their side."}},
	},
	12: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Short: "5/5", Done: 5, Of: 5, Links: []front.Link{dashboardLink}, Items: five(5, says("registered"), 0, ""), Evidence: []string{"5 of 5 confirmed"}},
			isBlocked: {State: front.Blocked, By: front.StepHandover, Why: "the node IDs are not handed over yet"},
			onGrid: {State: front.Waiting, Short: "1/5", Done: 1, Of: 5, Links: []front.Link{dashboardLink}, Items: five(1, says("registered"), front.ItemWaiting, "not in @ada/hospitals yet"),
				Evidence: []string{"1 of 5 confirmed"}, Why: "4 of 5 SuperNodes are not confirmed yet", Hints: []string{"flwrup keeps checking; leave it open, or come back later"}},
		},
		never: never(required, noWaiting, []string{"it is the grid's turn, not ours", isReady}),
		plan:  []front.Action{{Says: "see who is in the federation", Command: "flwr federation list supergrid --federation @ada/hospitals", Flags: []front.Flag{{Flag: "--federation", Means: "the federation that the command is about, @account/name"}}}},
		work:  changed(five(1, says("registered"), front.ItemWaiting, "not in @ada/hospitals yet")),
		err: &problem.Problem{Code: problem.Unreachable, What: "the grid cannot be reached", Why: "no answer from supergrid.flower.ai:443", Fix: "look at the network, then try again",
			Raw: "Connection to the SuperLink is unavailable. Please check your network connection and 'address' in the SuperLink configuration."},
		asks: []front.Question{{ID: "confirmed", Kind: front.AskAcknowledge, Default: "later", Ask: "Has Flower Labs confirmed the SuperNodes?",
			Help: "flwrup cannot see it yet. If they have, you can start the SuperNodes: the grid then decides."}},
	},
	13: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Short: "5/5", Done: 5, Of: 5, Items: five(5, says("running"), 0, ""), Evidence: []string{"5 of 5 running as Docker containers"}},
			isReady:   {State: front.Ready, Short: "3/5", Done: 3, Of: 5, Items: five(3, says("running"), front.ItemWaiting, "stopped, exit code 137"), Evidence: []string{"3 of 5 running as Docker containers"}},
			isBlocked: {State: front.Blocked, By: front.StepConfirmation, Why: "the SuperNodes are not confirmed yet", Short: "0/5", Items: five(0, nil, front.ItemWaiting, "not started")},
		},
		never: never(required, noWaiting, gridless),
		plan: []front.Action{
			startAction(4), keyAction(4), {Command: "docker start supernode_4"},
			startAction(5), keyAction(5), {Command: "docker start supernode_5"},
		},
		work: append(changed(five(3, says("running"), front.ItemWorking, "starting")), front.Progress{Label: "pulling " + image, Done: 296_000_000, Total: 296_000_000, Bytes: true},
			front.Progress{Label: "started", Done: 3, Total: 5}),
		failed: changed(five(3, says("running"), front.ItemFailed, "the container name is taken")),
		err: fmt.Errorf("start supernode_4: %w", &problem.Problem{Code: problem.NameTaken, What: "the container name supernode_4 is taken", Why: "a container that flwrup did not make has it",
			Fix: "remove that one: docker rm -f supernode_4", Raw: "Conflict. The container name \"/supernode_4\" is already in use by container 0123456789ab."}),
		asks: append([]front.Question{confirm("own-image", "Start them with "+image+" instead?",
			"image flwr/supernode:1.24.0-py3.13-ubuntu24.04 holds flwr 1.24.0, not 1.42.0: flwr on this machine, the image and the grid must be of one version.", "", "no"),
			{ID: "image-changed", Kind: front.AskChoice, Default: "keep", Ask: "The image " + image + " has changed. Which one should SuperNodes use?",
				Help: "It was sha256:51897126cad6 and is now sha256:5361aca35bb6. Somebody here pulled or built it, or its publisher moved the name.",
				Choices: []front.Choice{{Value: "keep", Label: "the previous one", Note: "sha256:51897126cad6"},
					{Value: "take", Label: "the new one", Note: "sha256:5361aca35bb6; SuperNodes that run take it when they are restarted"}}}}, settingQuestions...),
		extra: []scene{{"settings can be changed first", func(m *Model, f *fake, n front.StepID) {
			f.changed[n] = true
			f.set(n, front.Status{State: front.Ready, Change: true, Short: "3/5", Done: 3, Of: 5, Evidence: []string{"3 of 5 running as Docker containers"}})
			m.list.learn(f)
		}}},
	},
	14: {
		status: map[string]front.Status{
			isDone: {State: front.Done, Short: "5/5", Done: 5, Of: 5, Items: five(5, says("online"), 0, ""), Evidence: []string{"the grid calls 5 of 5 online", "@ada/hospitals: 3 members, 5 nodes, 2 runs"}},
			isReady: {State: front.Ready, Short: "4/5", Done: 4, Of: 5, Items: five(4, says("online"), front.ItemFailed, "image flwr 1.24.0 cannot speak to this grid: HTTP since 1.40"),
				Evidence: []string{"the grid calls 4 of 5 online"}},
			isBlocked: {State: front.Blocked, By: front.StepStart, Why: "the SuperNodes are not started yet"},
		},
		never: never(required, noWaiting, grown),
		plan:  []front.Action{{Says: "ask the grid", Command: "flwr supernode list supergrid", Flags: []front.Flag{connectionFlag}}},
		work: append(changed(five(3, says("online"), front.ItemWorking, "registered")), front.Progress{Label: "online", Done: 3, Total: 5},
			front.NodeLine{Line: supernode.Line{Node: "supernode_4", Text: "INFO :      Starting Flower SuperNode"}},
			front.NodeLine{Line: supernode.Line{Node: "supernode_5", Text: "WARNING :   Connection attempt failed, retrying in 2.34 seconds, 日本語 and tabs\there"}}),
		failed: changed(five(3, says("online"), front.ItemWorking, "offline")),
		err: problem.New(problem.NodeNotOnline, "not online: supernode_4, supernode_5", "image flwr 1.24.0 cannot speak to this grid: HTTP since 1.40",
			"start it again with the image of flwr 1.42.0"),
		asks: []front.Question{confirm("node-id", "Note "+nodeIDs[4]+" for supernode_4?", "supernode_4 is node "+nodeIDs[4]+", and the ledger says "+nodeIDs[3]+
			": the ledger's came \"by elimination\". The SuperNode's own log is right: the grid accepted it under that ID.", "", "yes")},
	},
	15: {
		status: map[string]front.Status{
			isDone: {State: front.Done, Short: runID, Evidence: []string{"run " + runID + " of lungs: finished:completed"}},
			isReady: {State: front.Ready, Evidence: []string{"the app lungs 1.0.0 in lungs", "it wants 2 nodes; 5 are online here"},
				Hints: []string{"server_app.py line 42 writes a file (np.savez): on the grid the run would fail there"}},
			isBlocked:   {State: front.Blocked, By: front.StepOnline, Why: "a run waits, silently, until enough SuperNodes are online"},
			isNotNeeded: {State: front.NotNeeded, Why: "runs are started elsewhere, as you said"},
		},
		never: never(noWaiting, gridless),
		plan: []front.Action{{Says: "comment out, if you agree, np.savez in line 42 of lungs/server_app.py"},
			{Says: "run the app on all online SuperNodes, and follow it", Command: "flwr run lungs supergrid --federation @ada/hospitals --stream",
				Flags: []front.Flag{{Flag: "--federation", Means: "the federation that the command is about, @account/name"}, {Flag: "--stream", Means: "shows the run's log while it runs"}}}},
		work: []any{front.Says{Text: "waiting for nodes: 1 of 2 online, missing supernode_4"}},
		err: &problem.Problem{Code: problem.RunReadOnly, What: "the app could not save final_model.npz", Why: "the ServerApp runs on the grid, where it cannot write files",
			Fix: "comment out what writes the file, then run again", Raw: "OSError: [Errno 30] Read-only file system: 'final_model.npz'"},
		asks: []front.Question{
			{ID: "app", Kind: front.AskChoice, Ask: "Which Flower app do you want to run?", Help: "Its ServerApp runs on the grid, its ClientApp on every SuperNode.", Default: "lungs",
				Choices: []front.Choice{{Value: "lungs", Label: "lungs", Note: "lungs 1.0.0"}, {Value: "new", Label: "make a new one", Note: "downloaded from Flower"},
					{Value: "other", Label: "another folder"}, {Value: "none", Label: "none", Note: "none: somebody else starts the runs"}}},
			{ID: "app-folder", Kind: front.AskText, Ask: "Where is the Flower app?", Help: "The folder with the app's pyproject.toml."},
			confirm("traps", "Comment out np.savez in line 42?", "The ServerApp runs on the grid, where it cannot write files: the run would fail there. flwrup keeps a copy of the file, and you can undo the edit. Answer no to run the app as it is.", trapDiff, "yes"),
			confirm("keep-out", "Keep /data/clinic-a/ out of the app?", "data/clinic-a/patients.json (data of the SuperNodes). flwr would send them to the grid, and the grid to every SuperNode.", keepOutDiff, "yes"),
			confirm("send-all", "Send these files to the grid and to every SuperNode?", "data/clinic-a/patients.json (data of the SuperNodes).", "", "no"),
			confirm("packages", "Run the app anyway?", "The SuperNodes lack torch==2.8.0, which the app's pyproject.toml asks for, so its ClientApp may fail. Better: start the SuperNodes with an image that has them (flwrup.toml: image).", "", "no"),
			confirm("start-first", "Start supernode_4, supernode_5 first?", "The app wants 5 nodes, 3 of 5 are online: the run would wait for the others.", "", "yes"),
			confirm("fewer-nodes", "Run with 5 nodes this time (min-nodes=5)?", "The app wants 8 nodes (min-nodes), and the federation has 5: it would wait forever.", "", "no"),
		},
	},
	16: {
		status: map[string]front.Status{
			isDone:      {State: front.Done, Short: "finished:completed", Evidence: []string{"run " + runID + ": finished:completed"}},
			isReady:     {State: front.Ready, Short: "running", Evidence: []string{"run " + runID + ": running"}},
			isBlocked:   {State: front.Blocked, By: front.StepRun, Why: "no run was started yet"},
			isNotNeeded: {State: front.NotNeeded, Why: "runs are started elsewhere; the dashboard has the SuperNodes' logs"},
		},
		never: never(noWaiting, grown),
		plan: []front.Action{{Says: "follow the run's log", Command: "flwr log " + runID + " supergrid", Flags: []front.Flag{connectionFlag}},
			{Says: "see how it ended", Command: "flwr list supergrid --run-id " + runID, Flags: []front.Flag{{Flag: "--run-id", Means: "the run that the command is about"}}}},
		work: append([]any{front.RunBegan{ID: runID}, front.RunNodes{Chosen: 5, Of: 5},
			front.RunState{Run: front.RunView{ID: runID, App: "ada/lungs 1.0.0", Status: "running", Running: noon.Add(-80 * time.Second), Pending: noon.Add(-83 * time.Second), Here: true}},
			front.Output{Text: "INFO :      [ROUND 9/10]"}, front.Output{Text: "INFO :      configure_train: Sampled 5 nodes (out of 5)"}, front.Output{Text: "INFO :      aggregate_train: Received 5 results and 0 failures"}}, rounds(9)...),
		failed: rounds(2),
		err: &problem.Problem{Code: problem.RunFailed, What: "the app failed: ValueError: all input arrays must have the same shape", Why: "an error in the app's own code", Fix: "read the run's log",
			Raw: "Traceback (most recent call last):\n  File \"lungs/server_app.py\", line 30, in main\nValueError: all input arrays must have the same shape"},
		extra: []scene{{"did", func(m *Model, f *fake, n front.StepID) {
			f.set(n, front.Status{State: front.Done, Short: "finished:completed", Evidence: []string{"run " + runID + ": finished:completed"}})
			m.list.learn(f)
			m.desk.pretend(n, append([]any{front.RunBegan{ID: runID}, front.Output{Text: "INFO :      Run finished 10 round(s) in 93.01s"}}, rounds(10)...)...).end(noon, nil)
		}}},
	},
}

// rounds are the numbers of n rounds of a run.
func rounds(n int) (events []any) {
	for r := 1; r <= n; r++ {
		events = append(events, front.Metric{Round: r, Phase: "evaluate", Name: "accuracy", Value: 1 - 1/float64(r+1)}, front.Metric{Round: r, Phase: "train", Name: "loss", Value: 2 / float64(r)})
	}
	return events
}

// keyScenes are the pages that a key opens, over step 10, and the screens outside every step's story.
func keyScenes() (list []scene) {
	for _, k := range []string{"?", ":", "h", "Q", "e", "c", "v", "q"} {
		list = append(list, scene{"key " + k, func(m *Model, f *fake, n front.StepID) {
			f.plans[n] = fakePlan(10)
			m.list.learn(f)
			if k == "q" || k == "v" {
				m.desk.pretend(n, front.Says{Text: "registering"}, front.Output{Text: "said by flwr"}, front.Ran{Command: "flwr supernode register keys/client_credentials_1.pub supergrid"})
			}
			m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)})
		}})
	}
	typed := func(m *Model, text string) {
		m.Update(tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(text)})
	}
	return append(list,
		scene{"number, not valid", func(m *Model, f *fake, n front.StepID) {
			q := questions["number"]
			q.Validate = func(string) error { return errors.New("5 are registered: unregister one on the dashboard first") }
			m.desk.pretend(n, question(q))
			typed(m, "2")
		}},
		scene{"secret, second time", func(m *Model, f *fake, n front.StepID) {
			m.desk.pretend(n, question(questions["secret"]))
			typed(m, "pässword")
			m.Update(tea.KeyMsg{Type: tea.KeyEnter})
		}},
		scene{"secret, not the same", func(m *Model, f *fake, n front.StepID) {
			m.desk.pretend(n, question(questions["secret"]))
			typed(m, "pässword")
			m.Update(tea.KeyMsg{Type: tea.KeyEnter})
			typed(m, "passwort")
			m.Update(tea.KeyMsg{Type: tea.KeyEnter})
		}},
		scene{"cannot be looked at", func(m *Model, f *fake, n front.StepID) {
			f.errs[n] = problem.New(problem.Unreachable, "the grid cannot be reached", "no answer from supergrid.flower.ai:443", "look at the network, then try again")
			m.list.learn(f)
		}},
		scene{"being stopped", func(m *Model, f *fake, n front.StepID) {
			m.desk.pretend(n, front.Says{Text: "registering"})
			m.desk.stop()
		}},
	)
}
