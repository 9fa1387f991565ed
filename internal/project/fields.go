package project

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"flwrup/internal/notify"
	"flwrup/internal/problem"
)

// field is one key of flwrup.toml, and the only place for its name, meaning and valid values. ref returns a
// *string, *int, *bool, *[]string or **bool.
type field[T any] struct {
	key     string // with its table: grid.fleet
	comment string
	ref     func(*T) any
	check   rule
}

func (f field[T]) path() []string { return strings.Split(f.key, ".") }

var fields = []field[Choices]{
	{"name", "what the project is called", func(c *Choices) any { return &c.Name }, rule{why: notEmpty}},
	{"nodes", "number of SuperNodes here; 0: not decided yet, or see sites-only", func(c *Choices) any { return &c.Nodes }, rule{why: nodeCount}},
	{"sites-only", "no SuperNode here: all are at other sites, which you admit; it counts while nodes is 0", func(c *Choices) any { return &c.SitesOnly }, rule{}},
	{"federation", "\"@account/name\"; a bare name with flwr 1.25 or older; \"\": not decided yet", func(c *Choices) any { return &c.Federation }, matching(federation, "it is neither @account/name nor a bare name")},
	{"create-federation", "make the federation when it does not exist (flwr 1.27 or later)", func(c *Choices) any { return &c.CreateFederation }, rule{}},
	{"keys", "folder of the key pairs; keep it out of version control", func(c *Choices) any { return &c.Keys }, rule{why: notEmpty}},
	{"runtime", "\"docker\", \"process\", or \"auto\": containers where Docker works", func(c *Choices) any { return &c.Runtime }, oneOf(RuntimeAuto, RuntimeDocker, RuntimeProcess)},
	{"image", "image of the SuperNode containers; \"\": the official one of the flwr version", func(c *Choices) any { return &c.Image }, rule{why: image}},
	{"host-network", "containers share the network of the machine", func(c *Choices) any { return &c.HostNetwork }, rule{}},
	{"container-prefix", "what container names begin with; \"\": supernode_", func(c *Choices) any { return &c.ContainerPrefix }, matching(plainName, "container names are letters, digits, '_', '.' and '-', the first one a letter or digit")},
	{"app", "folder of the Flower app to run, or @publisher/name to fetch it from Flower's hub", func(c *Choices) any { return &c.App }, rule{}},
	{"backup", "file of the encrypted key backup", func(c *Choices) any { return &c.Backup }, rule{}},
	{"backup-recipient", "age recipient (age1...) that a backup is encrypted to; \"\": a passphrase", func(c *Choices) any { return &c.BackupRecipient }, rule{why: noSecretKey}},
	{"backup-passphrase-file", "file with the passphrase of a backup that nobody attends; keep it out of version control", func(c *Choices) any { return &c.BackupPassphrase }, rule{}},

	{"flwr.version", "wanted version; \"\": the installed one, else the newest", func(c *Choices) any { return &c.Flwr.Version }, matching(versionText, "it is not a version")},
	{"flwr.path", "flwr program, or the folder of its environment; \"\": looked for", func(c *Choices) any { return &c.Flwr.Path }, rule{}},
	{"flwr.home", "FLWR_HOME; \"\": your own (~/.flwr)", func(c *Choices) any { return &c.Flwr.Home }, rule{}},
	{"flwr.check-releases", "ask the package index once a day which releases are out; false: never", func(c *Choices) any { return &c.Flwr.Check }, rule{}},

	{"grid.connection", "name of the connection in Flower's configuration", func(c *Choices) any { return &c.Grid.Connection }, rule{why: connectionName}},
	{"grid.control", "address that flwr talks to; \"\": the official one", func(c *Choices) any { return &c.Grid.Control }, rule{why: address}},
	{"grid.fleet", "address that SuperNodes talk to; \"\": the official one", func(c *Choices) any { return &c.Grid.Fleet }, rule{why: address}},
	{"grid.ca", "CA certificate of a private grid; \"\": a public certificate", func(c *Choices) any { return &c.Grid.CA }, rule{}},
	{"grid.rehearsal", "the grid is a rehearsal on this machine", func(c *Choices) any { return &c.Grid.Rehearsal }, rule{}},

	{"site.name", "this site, where somebody else coordinates the federation; \"\": the SuperNodes are of your own account", func(c *Choices) any { return &c.Site.Name }, rule{why: siteName}},
	{"site.contact", "whom the coordinator calls", func(c *Choices) any { return &c.Site.Contact }, rule{why: contact}},

	{"notify.command", "program that gets each message as JSON on its standard input, with its arguments", func(c *Choices) any { return &c.Notify.Command }, rule{why: notify.CheckCommand}},
	{"notify.webhook", "address that gets each message; one with a secret in it goes into a file or a variable", func(c *Choices) any { return &c.Notify.Webhook }, rule{why: notify.CheckWebhook}},
	{"notify.webhook-file", "file with that address; keep it out of version control", func(c *Choices) any { return &c.Notify.WebhookFile }, rule{why: notify.CheckPath}},
	{"notify.webhook-env", "variable with that address", func(c *Choices) any { return &c.Notify.WebhookEnv }, rule{why: notify.CheckEnv}},
	{"notify.shape", "how a webhook wants it: \"json\", \"slack\" (Mattermost, too), \"matrix\" or \"ntfy\"; \"\": json", func(c *Choices) any { return &c.Notify.Shape }, oneOf("", notify.ShapeJSON, notify.ShapeSlack, notify.ShapeMatrix, notify.ShapeNtfy)},
	{"notify.token-file", "file with the token that a webhook wants; keep it out of version control", func(c *Choices) any { return &c.Notify.TokenFile }, rule{why: notify.CheckPath}},
	{"notify.token-env", "variable with that token", func(c *Choices) any { return &c.Notify.TokenEnv }, rule{why: notify.CheckEnv}},
	{"notify.mail", "e-mail addresses that get each message, by this machine's sendmail", func(c *Choices) any { return &c.Notify.Mail }, rule{why: notify.CheckMail}},
	{"notify.mail-from", "sender of those e-mails; \"\": sendmail decides", func(c *Choices) any { return &c.Notify.MailFrom }, rule{why: notify.CheckMail}},
	{"notify.after", "how long something is lost before you hear of it, such as \"90s\"; \"\": 3m", func(c *Choices) any { return &c.Notify.After }, rule{why: notify.CheckAfter}},
	{"notify.quiet", "hours whose messages wait and are summed up, such as \"22:00-07:00\", by this machine's clock", func(c *Choices) any { return &c.Notify.Quiet }, rule{why: notify.CheckQuiet}},
	{"notify.about", "what you hear of: \"supernodes\", \"grid\", \"runs\"; none: all", func(c *Choices) any { return &c.Notify.About }, rule{why: notify.CheckAbout}},
	{"notify.terminal", "the terminal's notifications while a dashboard is open: \"osc9\", \"osc777\" or \"off\"; \"\": as the terminal has them", func(c *Choices) any { return &c.Notify.Terminal }, oneOf("", notify.TerminalOSC9, notify.TerminalOSC777, notify.TerminalOff)},
}

var nodeFields = []field[NodeChoice]{
	{"name", "what this SuperNode is called: shown, registered and run under", func(n *NodeChoice) any { return &n.Name }, matching(nodeName, "names are 1 to 63 letters, digits, '_', '.' and '-', the first one a letter or digit")},
	{"key", "its private key, in place of keys/client_credentials_N", func(n *NodeChoice) any { return &n.Key }, rule{}},
	{"node-config", "values that the ClientApp reads: \"partition-id=0 num-partitions=2\"", func(n *NodeChoice) any { return &n.NodeConfig }, rule{why: nodeConfig}},
	{"args", "more arguments of flower-supernode", func(n *NodeChoice) any { return &n.Args }, rule{}},
	{"env", "names of variables handed on from your environment, or asked for; no values here", func(n *NodeChoice) any { return &n.Env }, rule{why: variableName}},
	{"env-file", "file of lines NAME=VALUE; keep it out of version control", func(n *NodeChoice) any { return &n.EnvFile }, rule{}},
	{"data", "folders that the ClientApp may read, \"here:in the container\"; \":rw\" behind it to write", func(n *NodeChoice) any { return &n.Data }, rule{why: dataFolder}},
	{"cpus", "processor cores at most, such as \"1.5\"", func(n *NodeChoice) any { return &n.CPUs }, matching(cpuCount, "it takes a number of processor cores, such as \"1.5\"")},
	{"memory", "memory at most, such as \"2g\"; \"\": its share of the machine; \"unlimited\"", func(n *NodeChoice) any { return &n.Memory }, limit(memorySize, "it takes a number with m or g behind it, such as \"2g\"")},
	{"pids", "processes and threads at most, such as \"4096\", or \"unlimited\"", func(n *NodeChoice) any { return &n.PIDs }, limit(pidCount, "it takes a number of processes and threads, 64 or more, such as \"4096\"")},
	{"tmp", "size of /tmp, which is in memory, such as \"1g\"", func(n *NodeChoice) any { return &n.Tmp }, matching(memorySize, "it takes a number with m or g behind it, such as \"1g\"")},
	{"gpus", "graphics processors: \"all\", a number, or \"device=0,1\"", func(n *NodeChoice) any { return &n.GPUs }, matching(gpuChoice, "it takes \"all\", a number, or \"device=0,1\"")},
	{"location", "latitude,longitude that it is registered with (flwr 1.38 or later)", func(n *NodeChoice) any { return &n.Location }, rule{why: location}},
	{"install-packages", "it installs what the app asks for (flwr 1.29 or later)", func(n *NodeChoice) any { return &n.Install }, rule{}},
	{"host", "Docker host that runs it: a Docker context, or an address such as ssh://USER@HOST; \"\": this machine's own", func(n *NodeChoice) any { return &n.Host }, rule{why: dockerHost}},
	{"lasting", "comes back after a reboot; false: gone with its log when it ends", func(n *NodeChoice) any { return &n.Lasting }, rule{}},
}

// Setting is a key of flwrup.toml, for pages and editors.
type Setting struct {
	Key, Says string
	Type      string // text, number, true or false, list of texts
	Values    []string
	Pattern   string
	OneNode   bool // makes sense for one SuperNode alone
}

// Settings returns the keys of flwrup.toml with their tables, and those of the [node.…] tables.
func Settings() (file, node []Setting) {
	for _, f := range fields {
		file = append(file, f.setting())
	}
	for _, f := range nodeFields {
		s := f.setting()
		s.OneNode = f.key == "name" || f.key == "key"
		node = append(node, s)
	}
	return file, node
}

func (f field[T]) setting() Setting {
	s := Setting{Key: f.key, Says: f.comment, Values: f.check.values, Pattern: f.check.pattern}
	switch f.ref(new(T)).(type) {
	case *string:
		s.Type = "text"
	case *int:
		s.Type = "number"
	case *bool, **bool:
		s.Type = "true or false"
	case *[]string:
		s.Type = "list of texts"
	}
	return s
}

// tables are the comments of the tables of a new file.
var tables = map[string]string{
	"flwr":   "which flwr is used",
	"grid":   "which SuperGrid (or SuperLink) the SuperNodes belong to",
	"site":   "which site this is, where somebody else coordinates the federation",
	"notify": "whom flwrup watch tells what; tokens and addresses with a secret are in files or variables, never here",
}

// invalid is a value that is out of range, with its key in the file.
type invalid struct {
	path []string
	why  string
}

// Validate returns the first value that is out of range, as a Problem (bad-input) that names its key.
func (c *Choices) Validate() error {
	if bad := c.invalid(); bad != nil {
		return badValue(FileName, bad.path, bad.why)
	}
	return nil
}

func badValue(file string, path []string, why string) error {
	key := strings.Join(path, ".")
	return problem.New(problem.BadInput, fmt.Sprintf("%s: the value of %s does not fit", file, key), why, "give "+key+" a value that fits")
}

func (c *Choices) invalid() *invalid {
	for _, f := range fields {
		if why := f.wrong(c); why != "" {
			return &invalid{f.path(), why}
		}
	}
	for _, k := range append([]string{AllKey}, slices.Sorted(maps.Keys(c.Node))...) {
		n := c.Node[k]
		if k == AllKey {
			if n = c.All; n.Name != "" || n.Key != "" {
				return &invalid{[]string{"node", k}, "names and keys belong to one SuperNode each"}
			}
		}
		for _, f := range nodeFields {
			if why := f.wrong(&n); why != "" {
				return &invalid{[]string{"node", k, f.key}, why}
			}
		}
	}
	if path, why := c.notifyMisfit(); why != "" {
		return &invalid{path, why}
	}
	seen := map[string]string{}
	for i := range max(0, min(c.Nodes, MaxNodes)) {
		name := c.NodeName(i + 1)
		if other, twice := seen[name]; twice {
			path := []string{"node", NodeKey(i + 1), "name"}
			if c.Node[NodeKey(i+1)].Name == "" {
				path[1] = other
			}
			return &invalid{path, "two SuperNodes would be called " + name}
		}
		seen[name] = NodeKey(i + 1)
	}
	return nil
}

// wrong says why a value does not fit; "" when it does.
func (f field[T]) wrong(of *T) string {
	var values []string
	switch v := f.ref(of).(type) {
	case *string:
		values = []string{*v}
	case *[]string:
		values = *v
	case *int:
		values = []string{strconv.Itoa(*v)}
	}
	for _, v := range values {
		if strings.ContainsFunc(v, unfit) {
			return "it has control characters, or is no text"
		}
		if f.check.why != nil {
			if why := f.check.why(v); why != "" {
				return why
			}
		}
	}
	return ""
}

// unfit reports control characters and invalid UTF-8.
func unfit(r rune) bool { return r < 0x20 || r == 0x7f || r == 0xfffd }

// value returns the field in tomledit's types.
func (f field[T]) value(of *T) any {
	switch v := f.ref(of).(type) {
	case *string:
		return *v
	case *int:
		return int64(*v)
	case *bool:
		return *v
	case *[]string:
		return *v
	case **bool:
		return *v != nil && **v
	}
	panic("project: field " + f.key + " has a type that is not written")
}

// given reports whether anything was chosen.
func (f field[T]) given(of *T) bool {
	switch v := f.ref(of).(type) {
	case *string:
		return *v != ""
	case *[]string:
		return len(*v) > 0
	case **bool:
		return *v != nil
	}
	return true
}

// set sets a decoded TOML value; want names the wanted type when the value has another.
func (f field[T]) set(of *T, v any) (want string) {
	ok := false
	switch to := f.ref(of).(type) {
	case *string:
		*to, ok = v.(string)
		want = "a text in quotes"
	case *int:
		n, is := v.(int64)
		*to, ok = int(n), is && n >= -1<<31 && n < 1<<31
		want = "a whole number without quotes"
	case *bool:
		*to, ok = v.(bool)
		want = "true or false, without quotes"
	case **bool:
		b, is := v.(bool)
		if ok = is; is {
			*to = &b
		}
		want = "true or false, without quotes"
	case *[]string:
		want = "a list of texts in quotes: [\"a\", \"b\"]"
		items, is := v.([]any)
		ok = is
		var list []string
		for _, i := range items {
			s, is := i.(string)
			ok = ok && is
			list = append(list, s)
		}
		*to = list
	}
	if ok {
		return ""
	}
	return want
}

// CheckNode says why value does not fit a key of the [node.…] tables, or one of the entries of its list; nil
// when it does.
func CheckNode(key, value string) error { return checkOf(nodeFields, key, value) }

func checkOf[T any](fields []field[T], key, value string) error {
	for _, f := range fields {
		if f.key != key {
			continue
		}
		if strings.ContainsFunc(value, unfit) {
			return errors.New("it has control characters, or is no text")
		}
		if f.check.why != nil {
			return asError(f.check.why(value))
		}
		return nil
	}
	return fmt.Errorf("no key %s", key)
}
