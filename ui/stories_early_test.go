package ui

import (
	"errors"
	"fmt"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

var (
	dashboardLink  = front.Link{Label: "Federations dashboard", URL: "https://flower.ai/federations"}
	signUpLink     = front.Link{Label: "Sign up or sign in", URL: "https://flower.ai"}
	connectionFlag = front.Flag{Flag: "supergrid", Means: "the connection in Flower's config.toml that names the grid"}
)

const (
	superGridAt = "SuperGrid: flwr's commands at api.flower.ai"
	itsFleetAt  = "SuperNodes at fleet-supergrid.flower.ai:443"
	image       = "flwr/supernode:1.42.0-py3.13-ubuntu24.04"
	configDiff  = "--- .flwr/config.toml\n+++ .flwr/config.toml\n@@ -1,3 +1,6 @@\n [superlink]\n-default = \"local\"\n+default = \"supergrid\"\n+\n+[superlink.supergrid]\n+address = \"supergrid.flower.ai\"\n"
	dnsDiff     = "--- certificate.conf\n+++ certificate.conf\n@@ -17,3 +17,4 @@\n [alt_names]\n DNS.1 = localhost\n IP.1 = ::1\n+DNS.2 = fleet-supergrid.flower.ai\n"
	scriptDiff  = "--- generate_auth_keys.sh\n+++ generate_auth_keys.sh\n@@ -13,4 +13,4 @@\n \n # the number of SuperNodes\n-NUM_KEYS=2\n+NUM_KEYS=5\n \n"
)

// earlyStories are steps 1 to 8: the work on this machine before the login.
var earlyStories = map[front.StepID]story{
	1: {
		status: map[string]front.Status{
			isDone:  {State: front.Done, Short: "ada", Evidence: []string{"signed in earlier as ada"}},
			isReady: {State: front.Ready, Links: []front.Link{signUpLink}},
		},
		never: never(required, noWaiting, gridless, []string{noBlock, isBlocked}, []string{"it only asks", atWork}),
		plan:  []front.Action{{Says: "open https://flower.ai and choose Sign Up / Sign In at the top right"}},
		err:   errors.New("write .flwrup/ledger.json: no space left on device"),
		asks: []front.Question{{ID: "account", Kind: front.AskChoice, Default: "yes", Ask: "Do you have a Flower account?",
			Help: "An account is free: https://flower.ai. A site that joins a study of others needs none: their coordinator admits its SuperNodes.",
			Choices: []front.Choice{{Value: "yes", Label: "yes", Note: "set up SuperNodes on it; step 9 checks that it works"},
				{Value: "invited", Label: "yes, and others invite us", Note: "your own account and keys, in their federation"},
				{Value: "site", Label: "no, we join a study of others", Note: "this site sends a request; its keys stay here"},
				{Value: "later", Label: "not yet", Note: "create one first, then come back"}}},
			{ID: "found", Kind: front.AskChoice, Default: "use", Ask: "Found 3 keys and federation radiology. Use them?",
				Help: "flwrup found 3 key pairs in keys; federation radiology in pyproject.toml; 3 SuperNodes that run already: container supernode_1, container supernode_2, container supernode_3. Nothing of it is overwritten or removed.",
				Choices: []front.Choice{{Value: "use", Label: "use", Note: "recommended: continue from there"},
					{Value: "own", Label: "start with new keys", Note: "in the folder flwrup-keys; those that are there stay"}}},
			{ID: "federation-joined", Kind: front.AskText, Default: "later", Ask: "Which federation are you invited to?",
				Help: "Its coordinator tells you: @account/name. Type \"later\" to choose from your invitations after the login."},
			{ID: "site", Kind: front.AskText, Ask: "What is your site called?", Help: "As the coordinator knows it, such as St. Mary's Hospital. Unattended: --site."},
			{ID: "contact", Kind: front.AskText, Default: "nobody in particular", Ask: "How does the coordinator reach you?",
				Help: "A name with a telephone number or a mail address: the request says it, and the four words are compared by telephone. Unattended: --contact."}},
	},
	2: {
		status: map[string]front.Status{
			isDone:  {State: front.Done, Short: "@ada/hospitals", Links: []front.Link{dashboardLink}, Evidence: []string{superGridAt, itsFleetAt, "@ada/hospitals", "on the grid: lungs and hearts"}},
			isReady: {State: front.Ready, Links: []front.Link{dashboardLink}, Evidence: []string{superGridAt, itsFleetAt}},
		},
		never: never(required, noWaiting, gridless, []string{noBlock, isBlocked}),
		plan:  []front.Action{{Says: "save the grid and the federation in flwrup.toml"}, {Says: "list your federations", Command: "flwr federation list supergrid", Flags: []front.Flag{connectionFlag}}},
		work:  []any{front.Says{Text: "creating the federation hospitals"}},
		err: problem.New(problem.FedNotFound, "federation @ada/hospital is not in your list", "it does not exist, is archived, or your account is not a member",
			"choose another one in step 2, or ask its owner to invite you"),
		asks: []front.Question{
			{ID: "grid", Kind: front.AskChoice, Default: "supergrid", Ask: "Which grid are the SuperNodes for?",
				Help: "Each grid has its own node IDs: you can register the same keys on several grids, and flwrup keeps them apart.",
				Choices: []front.Choice{{Value: "supergrid", Label: "SuperGrid", Note: "api.flower.ai; 5 keys registered there"}, {Value: "lungs", Label: "lungs", Note: "lungs.example.org:9093, its own CA"},
					{Value: "bare", Label: "bare", Note: "bare.example.org:9093; insecure: a login and SuperNodes with keys need TLS", Disabled: true}, {Value: "other addresses", Label: "other addresses", Note: "type its addresses"}}},
			{ID: "control", Kind: front.AskText, Default: "lungs.example.org:9093", Ask: "What is the grid's address for flwr (control)?",
				Help: "As host:port. Step 3 checks both addresses and says which is which."},
			{ID: "fleet", Kind: front.AskText, Default: "lungs.example.org:9092", Ask: "What is its address for SuperNodes (fleet)?",
				Help: "As host:port. A SuperLink of flwr 1.40 or later has one address for both; an older one has port 9092 for SuperNodes."},
			{ID: "ca", Kind: front.AskText, Default: "public", Ask: "Which file has the grid's CA certificate?",
				Help: "\"public\" if browsers trust its certificate, as with SuperGrid."},
			{ID: "connection", Kind: front.AskText, Default: "lungs", Ask: "What should flwr call this grid?",
				Help: "The name of the connection in Flower's configuration. Under one name flwrup keeps one grid's node IDs: take a name that is there only where the same grid has moved to another address."},
			{ID: "federation", Kind: front.AskChoice, Default: "later", Ask: "Which federation are the SuperNodes for?",
				Choices: []front.Choice{{Value: "later", Label: "choose it after the login", Note: "recommended: from the list of yours"},
					{Value: "type its name", Label: "type its name now", Note: "@account/name, as the dashboard shows it"}}},
			{ID: "federation-typed", Kind: front.AskText, Ask: "What is the federation called?", Help: "Its name as the dashboard shows it, such as @account/name."},
			{ID: "federation", Kind: front.AskChoice, Default: "@ada/hospitals", Ask: "Which federation are the SuperNodes for?", Help: "Only a deployment federation can hold SuperNodes.",
				Choices: []front.Choice{{Value: "@ada/toys", Label: "@ada/toys", Note: "simulation: cannot hold SuperNodes", Disabled: true},
					{Value: "@ada/hospitals", Label: "@ada/hospitals", Note: "lungs and hearts"}, {Value: "create a new one", Label: "create a new one", Note: "you will own it"}}},
			{ID: "federation", Kind: front.AskChoice, Default: "@eve/lungs", Ask: "Which federation are the SuperNodes for?",
				Help:    "Only a deployment federation can hold SuperNodes. Whoever is in a federation can start runs that reach its SuperNodes. Accept only what you expect, from people that you know.",
				Choices: []front.Choice{{Value: "@eve/lungs", Label: "@eve/lungs", Note: "@eve invites you: to choose it accepts"}, {Value: "create a new one", Label: "create a new one", Note: "you will own it"}}},
			{ID: "invitation", Kind: front.AskChoice, Default: "accept", Ask: "Accept the invitation of @eve to @eve/lungs?",
				Help: "Whoever is in a federation can start runs that reach its SuperNodes. Accept only what you expect, from people that you know.",
				Choices: []front.Choice{{Value: "accept", Label: "accept it", Note: "runs of the federation reach your SuperNodes there"}, {Value: "decline", Label: "decline it", Note: "@eve can invite you again"},
					{Value: "later", Label: "neither, now"}}},
			{ID: "federation-name", Kind: front.AskText, Default: "lung-study", Ask: "What should the new federation be called?", Help: "Starts with a letter; letters, digits and hyphens; at most 32 characters."},
		},
	},
	3: {
		status: map[string]front.Status{
			isDone: {State: front.Done, Short: "1.42.0", Evidence: []string{"flwr 1.42.0 (flwrup's own)", "SuperNodes run as Docker containers", image + " is here",
				"212.4 GB of disk free", "control supergrid.flower.ai:443: flwr's commands over HTTP", "fleet fleet-supergrid.flower.ai:443: SuperNodes over HTTP", "the clock agrees with the grid's"},
				Items: []front.Item{{Name: "flwr", State: front.ItemDone, Text: "1.42.0"}, {Name: "docker", State: front.ItemDone, Text: "Docker containers"}, {Name: "image", State: front.ItemDone, Text: image + " is here"},
					{Name: "disk", State: front.ItemDone, Text: "212.4 GB of disk free"}, {Name: "control", State: front.ItemDone, Text: "control supergrid.flower.ai:443: flwr's commands over HTTP"},
					{Name: "fleet", State: front.ItemDone, Text: "fleet fleet-supergrid.flower.ai:443: SuperNodes over HTTP"}, {Name: "clock", State: front.ItemDone, Text: "the clock agrees with the grid's"}}},
			isReady: {State: front.Ready, Items: []front.Item{{Name: "flwr", Text: "there is no flwr on this machine"}, {Name: "runtime", Text: "Docker or plain processes: not chosen yet"}},
				Hints: []string{"the clock is 9s ahead of the grid's: the grid refuses a SuperNode that is more than 5 s ahead of it or 305 s behind: let this machine set its clock by the network: sudo timedatectl set-ntp true"}},
		},
		never: never(required, noWaiting, gridless, []string{noBlock, isBlocked}),
		plan: []front.Action{{Says: "install flwr newest into a separate environment in ~/.local/share/flwrup/flwr", Command: "python3 -m venv ~/.local/share/flwrup/flwr/newest && ~/.local/share/flwrup/flwr/newest/bin/pip install flwr"},
			{Says: "use Docker if it answers and has the image, else plain processes"}},
		work: []any{front.Says{Text: "installing flwr 1.42.0"}, front.Output{Text: "Collecting flwr==1.42.0"}, front.Output{Text: "  Downloading flwr-1.42.0-py3-none-any.whl (912 kB)"},
			front.Output{Text: "Installing collected packages: zipp, wrapt, urllib3, typing-extensions, tomli-w, tomli, shellingham, pygments, protobuf, pathspec"},
			front.Output{Text: "Successfully installed flwr-1.42.0"},
			front.Progress{Label: "pulling " + image, Done: 118_400_000, Total: 296_000_000, Bytes: true}, front.Progress{Label: "unpacking 9 of 14 layers", Done: 9, Total: 14}},
		failed: []any{front.Says{Text: "no containers: Docker is not running: nothing listens at unix:///var/run/docker.sock"}},
		err: &problem.Problem{Code: problem.DockerDown, What: "Docker is not running", Why: "nothing listens at unix:///var/run/docker.sock", Fix: "start it: sudo systemctl start docker",
			Raw: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"},
		asks: []front.Question{
			{ID: "flwr", Kind: front.AskChoice, Default: "newest", Ask: "Which release of flwr?",
				Help: "flwrup installs it into an environment of its own, and changes nothing of yours. It has to be a release that your grid speaks.",
				Choices: []front.Choice{{Value: "newest", Label: "the newest", Note: "recommended: what SuperGrid speaks"},
					{Value: "1.24.0", Label: "flwr 1.24.0", Note: "the release of Flower's written guide; its SuperNodes cannot join a grid of 1.40 or later"},
					{Value: "another", Label: "another release", Note: "ask whoever runs the grid which"}}},
			{ID: "flwr-version", Kind: front.AskText, Default: "1.42.0", Ask: "Which version?", Help: "Such as 1.42.0."},
			{ID: "runtime", Kind: front.AskChoice, Default: "process", Ask: "What should the SuperNodes run in?", Help: "Docker is not running: nothing listens at unix:///var/run/docker.sock: start it: sudo systemctl start docker",
				Choices: []front.Choice{{Value: "process", Label: "plain processes on this machine", Note: "no Docker needed"}, {Value: "docker", Label: "Docker containers", Note: "fix Docker first, then try again"}}},
		},
		extra: []scene{{"done, the grid out of reach", func(m *Model, f *fake, n front.StepID) {
			trouble := "cannot resolve supergrid.flower.ai: DNS on this network does not know the name"
			f.set(n, front.Status{State: front.Done, Short: "1.42.0", Evidence: []string{"flwr 1.42.0 (flwrup's own)", "212.4 GB of disk free"},
				Items: []front.Item{{Name: "flwr", State: front.ItemDone, Text: "1.42.0"}, {Name: "disk", State: front.ItemDone, Text: "212.4 GB of disk free"},
					{Name: "control", State: front.ItemFailed, Text: "supergrid.flower.ai:443: " + trouble}},
				Hints: []string{trouble + ": check the spelling; are you offline, or behind a proxy (HTTPS_PROXY)?"}})
			m.list.learn(f)
		}}},
	},
	4: {
		status: map[string]front.Status{
			isDone:      {State: front.Done, Evidence: []string{"certificate.conf names fleet-supergrid.flower.ai"}},
			isReady:     {State: front.Ready, Evidence: []string{"certificate.conf does not have fleet-supergrid.flower.ai"}},
			isNotNeeded: {State: front.NotNeeded, Why: "the grid's certificate is not made from a certificate.conf here", Evidence: []string{"no certificate.conf in this folder"}},
		},
		never: never(noWaiting, gridless, []string{noBlock, isBlocked}, []string{"it only asks", atWork}),
		plan:  []front.Action{{Says: "add the DNS name to the certificate's names of certificate.conf", Diff: dnsDiff}},
		err: problem.New(problem.BadInput, "the certificate configuration names no alternative names", "it has no section [alt_names], from which a SuperLink's certificate gets its names",
			"take the certificate.conf of Flower's authentication example"),
		asks: []front.Question{confirm("certificate", "Change certificate.conf like this?", "", dnsDiff, "yes")},
	},
	5: {
		status: map[string]front.Status{
			isDone: {State: front.Done, Short: "5", Evidence: []string{"5 SuperNodes wished", "5 key pairs in keys"},
				Hints: []string{"generate_auth_keys.sh line 15 has another number; that does not matter: flwrup makes the keys", "generate_auth_keys.sh deletes existing keys before it makes new ones: do not run it"}},
			isReady: {State: front.Ready, Evidence: []string{"2 key pairs in keys"}},
		},
		never: never(required, noWaiting, gridless, []string{noBlock, isBlocked}, []string{"it only asks", atWork}),
		plan:  []front.Action{{Says: "save the number in flwrup.toml"}},
		err:   problem.New(problem.BadInput, "flwrup.toml is read-only", "", "allow writing with: chmod u+w flwrup.toml"),
		asks: []front.Question{
			{ID: "nodes", Kind: front.AskNumber, Default: "2", Ask: "How many SuperNodes?", Help: "Each takes about 190 MB of memory. You can add more later. 0: all are at other sites, which you admit."},
			confirm("script", "Also put the number into line 15 of generate_auth_keys.sh?", "flwrup makes the keys and never runs that script, which overwrites existing keys.", scriptDiff, "no"),
		},
	},
	6: {
		status: map[string]front.Status{
			isDone: {State: front.Done, Short: "5", Done: 5, Of: 5, Items: five(5, keyItem, 0, ""),
				Evidence: []string{"5 of 5 key pairs in keys", "all matching ECDSA P-384 pairs, private keys readable only by you"}},
			isReady: {State: front.Ready, Short: "2/5", Done: 2, Of: 5, Items: five(5, keyItem, 0, "")[:2], Evidence: []string{"2 of 5 key pairs in keys"},
				Hints: []string{"keys/client_credentials_9.pubhas no private key next to it: move it away"}},
			isBlocked: {State: front.Blocked, By: front.StepCount, Why: "the number of SuperNodes is not chosen yet"},
		},
		never: never(required, noWaiting, gridless),
		plan: append([]front.Action{{Says: "make the folder for the keys, private to you", Command: "mkdir -p keys && chmod 700 keys"}}, each(3, 5, func(i int) front.Action {
			return front.Action{Says: fmt.Sprintf("make the key pair client_credentials_%d", i), Command: fmt.Sprintf(`ssh-keygen -q -t ecdsa -b 384 -N "" -C "" -f keys/client_credentials_%d`, i),
				Flags: []front.Flag{{Flag: "-t", Means: "the kind of key: ECDSA"}, {Flag: "-b", Means: "384 bits: the curve P-384, which every flwr takes"}, {Flag: "-N", Means: "no passphrase: the SuperNode has to read it alone"}}}
		})...),
		work: []any{front.Says{Text: "wrote the public key keys/client_credentials_2.pub"}, front.ItemChanged{Item: front.Item{Name: "client_credentials_3", State: front.ItemDone, Text: fingerprint}},
			front.ItemChanged{Item: front.Item{Name: "client_credentials_4", State: front.ItemDone, Text: fingerprint}}, front.Progress{Label: "keys", Done: 2, Total: 3}},
		asks: []front.Question{{ID: "keys-folder", Kind: front.AskText, Default: "keys", Ask: "Which folder are the keys in?",
			Help: "flwrup makes it if it is missing, private to you, and uses keys that are already in it."}},
		err: problem.New(problem.BadInput, "cannot write keys/client_credentials_3", "permission denied", "let this user write in keys: sudo chown -R ada keys"),
	},
	7: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Evidence: []string{"keys-2026-11-24.age holds all 5 pairs", "opened again and compared byte for byte"}},
			isReady:   {State: front.Ready, Evidence: []string{"5 of 5 key pairs have no backup"}},
			isBlocked: {State: front.Blocked, By: front.StepKeys, Why: "there are no keys yet"},
		},
		never: never(required, noWaiting, gridless),
		plan: []front.Action{{Says: "encrypt all keys into one file, open it again and compare", Command: "tar -c keys | age -p -o keys-2026-11-24.age",
			Flags: []front.Flag{{Flag: "-p", Means: "locks the archive with a passphrase"}}}},
		work: []any{front.Says{Text: "encrypting, opening again, comparing"}},
		err:  problem.New("backup-bad", "the backup came back from disk changed", "the disk or its file system is failing", "write it to another disk"),
		asks: []front.Question{
			{ID: "passphrase", Kind: front.AskSecret, Twice: true, Ask: "A passphrase for the backup",
				Help: "Use several unrelated words. flwrup does not keep the passphrase, and nobody can open the backup without it. Leave it empty if you keep a copy of the keys elsewhere."},
			{ID: "backup-elsewhere", Kind: front.AskAcknowledge, Ask: "Have you backed up all keys elsewhere, where you can reach them?", Help: "flwrup cannot check that."},
		},
	},
	8: {
		status: map[string]front.Status{
			isDone:    {State: front.Done, Evidence: []string{"~/.flwr/config.toml has the connection supergrid: supergrid.flower.ai"}},
			isReady:   {State: front.Ready, Evidence: []string{"~/.flwr/config.toml needs a change: add the connection supergrid"}},
			isBlocked: {State: front.Blocked, By: front.StepTools, Why: "there is no flwr on this machine"},
		},
		never: never(required, noWaiting, gridless, []string{"it only asks", atWork}),
		plan:  []front.Action{{Says: "add the connection supergrid", Diff: configDiff}},
		err:   problem.New(problem.BadInput, "~/.flwr/config.toml has changed meanwhile", "it is no longer what the edit was made for", "look at it again, then repeat the step"),
		asks:  []front.Question{confirm("configuration", "Change ~/.flwr/config.toml like this?", "add the connection supergrid", configDiff, "yes")},
	},
}

const fingerprint = "SHA256:bqW3b9kdX4dYqXq8TzYwbqW3b9kdX4dYqXq8TzYwabc"

func keyItem(i int) string { return fmt.Sprintf("keys/client_credentials_%d %s", i+1, fingerprint) }

// each returns an action for each number from first to last.
func each(first, last int, action func(i int) front.Action) (list []front.Action) {
	for i := first; i <= last; i++ {
		list = append(list, action(i))
	}
	return list
}
