package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/front"
	"flwrup/internal/health"
	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// Settings of SuperNodes, changed by questions instead of in flwrup.toml. Nobody has to: each has
// a default.

// setting is one thing that a SuperNode is started with; see project.NodeChoice.
type setting struct {
	key, label string
	containers bool // no effect on plain processes
	text       func(project.NodeChoice) string
	ask        func(context.Context, *site.Site, *project.NodeChoice, front.Sink) error
}

var settings = []setting{
	{"node-config", "values for the ClientApp", false, func(c project.NodeChoice) string { return c.NodeConfig },
		askLine("node-config", "Which values does the ClientApp read?", "key=value, separated by spaces: partition-id=0 name=\"clinic b\".", func(c *project.NodeChoice) *string { return &c.NodeConfig })},
	{"data", "data folders", true, func(c project.NodeChoice) string { return strings.Join(c.Data, ", ") }, askData},
	{"env", "variables", false, func(c project.NodeChoice) string { return strings.Join(c.Env, ", ") }, askEnv},
	{"env-file", "file of variables", false, func(c project.NodeChoice) string { return c.EnvFile },
		askLine("env-file", "Which file has the variables?", "One NAME=VALUE a line. Only the SuperNode gets the values. Keep the file out of version control.", func(c *project.NodeChoice) *string { return &c.EnvFile })},
	{"cpus", "CPU limit", true, func(c project.NodeChoice) string { return c.CPUs },
		askLine("cpus", "How many CPU cores at most?", "For example 2 or 1.5.", func(c *project.NodeChoice) *string { return &c.CPUs })},
	{"memory", "memory limit", true, func(c project.NodeChoice) string { return c.Memory },
		askLine("memory", "How much memory at most?", "For example 2g or 512m, apps included; \"unlimited\" for no limit. A SuperNode or an app that takes more is killed. Default: its share of the machine.", func(c *project.NodeChoice) *string { return &c.Memory })},
	{"pids", "process limit", true, func(c project.NodeChoice) string { return c.PIDs },
		askLine("pids", "How many processes and threads at most?", "For example 4096, apps included; \"unlimited\" for no limit.", func(c *project.NodeChoice) *string { return &c.PIDs })},
	{"tmp", "size of /tmp", true, func(c project.NodeChoice) string { return c.Tmp },
		askLine("tmp", "How large can /tmp get?", "For example 1g or 512m. It is in memory, and counts towards the memory limit.", func(c *project.NodeChoice) *string { return &c.Tmp })},
	{"gpus", "GPUs", true, func(c project.NodeChoice) string { return c.GPUs },
		askLine("gpus", "Which GPUs?", "\"all\", a number, or device=0,1.", func(c *project.NodeChoice) *string { return &c.GPUs })},
	{"install-packages", "packages of the app", false, func(c project.NodeChoice) string {
		return yesNo(c.Install, "installed when a run asks for them", "never installed")
	},
		askYesNo("install-packages", "Let SuperNodes install the packages that an app asks for?", "Needs flwr 1.29 or later. The first run takes longer; packages come from the package index.",
			"install them", "do not", false, func(c *project.NodeChoice) **bool { return &c.Install })},
	{"host", "Docker host", true, func(c project.NodeChoice) string { return c.Host },
		askLine("host", "Which Docker host runs it?", "A Docker context (`docker context ls` lists them), or an address such as ssh://USER@HOST. Its private key goes there. A restart moves it.", func(c *project.NodeChoice) *string { return &c.Host })},
	{"lasting", "after a reboot", true, func(c project.NodeChoice) string { return yesNo(c.Lasting, "come back", "removed with their log") },
		askYesNo("lasting", "Restart containers after a reboot?", "Containers that do not restart are removed with their log when they end, as with docker run --rm.",
			"come back", "remove them when they end", true, func(c *project.NodeChoice) **bool { return &c.Lasting })},
	{"args", "more arguments", false, func(c project.NodeChoice) string { return strings.Join(c.Args, " ") }, askArgs},
}

// takenAway is the answer that empties a setting.
const takenAway = "-"

func yesNo(v *bool, yes, no string) string {
	switch {
	case v == nil:
		return ""
	case *v:
		return yes
	}
	return no
}

// ChangeSettings asks whose settings to change (all SuperNodes' without names), and which, until the
// person is done; flwrup.toml keeps them, with its comments. SuperNodes that run take them when they are restarted.
func ChangeSettings(ctx context.Context, s *site.Site, nodes []string, to front.Sink) error {
	list, _, err := site.Members(s)
	if err != nil {
		return err
	}
	of, err := whose(ctx, s, list, nodes, to)
	if err != nil {
		return err
	}
	changed := false
	for {
		chosen, err := nextSetting(ctx, s, of, to)
		if err != nil {
			return err
		}
		if chosen == nil {
			break
		}
		before := own(s.Choices(), of[0])
		now := before
		if err := chosen.ask(ctx, s, &now, to); err != nil {
			return err
		}
		if chosen.text(now) == chosen.text(before) {
			continue
		}
		if err := s.Change(func(c *project.Choices) error {
			for _, key := range of {
				one := own(c, key)
				one.Take(chosen.key, now)
				setOwn(c, key, one)
			}
			return nil
		}); err != nil {
			return err
		}
		changed = true
	}
	if !changed {
		to.Event(front.Says{Text: "nothing was changed"})
		return nil
	}
	to.Event(front.Says{Text: "saved in " + project.FileName})
	// Those of the project's own runtime take the change with a restart; an engine has files of its own.
	if text, err := behind(ctx, s, list); err != nil {
		to.Event(front.Says{Text: err.Error() + site.Fix(problem.Of(err))})
	} else if text != "" {
		to.Event(front.Says{Text: text})
	}
	return offerRestart(ctx, s, list, of, to)
}

// whose returns the tables of flwrup.toml that are to be changed.
func whose(ctx context.Context, s *site.Site, list []site.Member, nodes []string, to front.Sink) ([]string, error) {
	byName := map[string]string{}
	q := front.Question{ID: "whose-settings", Kind: front.AskChoice, Default: project.AllKey, Ask: "Whose settings?",
		Help:    "A SuperNode's own settings override those of all.",
		Choices: []front.Choice{{Value: project.AllKey, Label: "all SuperNodes"}}}
	c := s.Choices()
	for _, m := range list {
		key := project.NodeKey(m.Number)
		byName[m.Name] = key
		q.Choices = append(q.Choices, front.Choice{Value: key, Label: m.Name, Note: summary(c.Node[key])})
	}
	q.Choices[0].Note = summary(c.All)
	var of []string
	for _, name := range nodes {
		key, ok := byName[name]
		if !ok {
			return nil, site.NoSuperNode(name)
		}
		of = append(of, key)
	}
	switch {
	case len(of) > 0:
		return of, nil
	case len(list) == 0:
		return []string{project.AllKey}, nil
	}
	answer, err := to.Ask(ctx, q)
	return []string{answer}, err
}

// summary says in a few words what was chosen.
func summary(c project.NodeChoice) string {
	var parts []string
	for _, st := range settings {
		if text := st.text(c); text != "" {
			parts = append(parts, st.key+": "+text)
		}
	}
	return strings.Join(parts, "; ")
}

// nextSetting asks which setting is to be changed; nil when the person is done.
func nextSetting(ctx context.Context, s *site.Site, of []string, to front.Sink) (*setting, error) {
	chosen, whom := s.Choices(), "all SuperNodes"
	switch {
	case len(of) > 1:
		whom = fmt.Sprintf("%d SuperNodes", len(of))
	case of[0] != project.AllKey:
		whom = cmp.Or(chosen.Node[of[0]].Name, of[0])
	}
	q := front.Question{ID: "setting", Kind: front.AskChoice, Default: "done", Ask: "What do you want to change for " + whom + "?",
		Choices: []front.Choice{{Value: "done", Label: "nothing else"}}}
	for _, st := range settings {
		c := front.Choice{Value: st.key, Label: st.label, Note: st.text(own(chosen, of[0]))}
		if of[0] != project.AllKey && c.Note == "" {
			if all := st.text(chosen.All); all != "" {
				c.Note = "as all: " + all
			}
		}
		if st.containers && s.RuntimeKind() == project.RuntimeProcess {
			c.Disabled, c.Note = true, "no effect on plain processes"
		}
		q.Choices = append(q.Choices, c)
	}
	answer, err := to.Ask(ctx, q)
	if err != nil || answer == q.Default {
		return nil, err
	}
	i := slices.IndexFunc(settings, func(st setting) bool { return st.key == answer })
	if i < 0 {
		return nil, problem.New(problem.BadInput, "no setting "+answer, "", "")
	}
	return &settings[i], nil
}

// own returns what a table of flwrup.toml holds.
func own(c *project.Choices, key string) project.NodeChoice {
	if key == project.AllKey {
		return c.All
	}
	return c.Node[key]
}

func setOwn(c *project.Choices, key string, n project.NodeChoice) {
	if key == project.AllKey {
		c.All = n
		return
	}
	if c.Node == nil {
		c.Node = map[string]project.NodeChoice{}
	}
	c.Node[key] = n
}

// offerRestart asks whether to restart running SuperNodes with the changed settings now.
func offerRestart(ctx context.Context, s *site.Site, list []site.Member, of []string, to front.Sink) error {
	if s.RuntimeKind() == "" {
		return nil
	}
	states, err := site.States(ctx, s)
	if err != nil {
		return err
	}
	var names []string
	d, f := s.Ledger.Data(), s.Folder()
	for _, m := range list {
		if _, is := health.RunBy(d, f, m.Name); is { // its engine's to restart
			continue
		}
		if (of[0] == project.AllKey || slices.Contains(of, project.NodeKey(m.Number))) && states[m.Name].State == supernode.Running && states[m.Name].ByHand == "" {
			names = append(names, m.Name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	answer, err := to.Ask(ctx, front.Question{ID: "restart-now", Kind: front.AskConfirm, Default: "no", Ask: "Restart " + strings.Join(names, ", ") + " now?",
		Help: "Until then they keep their old settings. A run in progress loses them for some seconds."})
	if err != nil {
		return err
	}
	if answer != "yes" {
		to.Event(front.Says{Text: "saved; running SuperNodes use it after a restart (flwrup restart)"})
		return nil
	}
	return Operate(ctx, s, front.RestartNodes, names, to)
}

// askLine asks for a line of text.
func askLine(key, ask, help string, ref func(*project.NodeChoice) *string) func(context.Context, *site.Site, *project.NodeChoice, front.Sink) error {
	return func(ctx context.Context, s *site.Site, c *project.NodeChoice, to front.Sink) error {
		answer, err := to.Ask(ctx, front.Question{ID: key, Kind: front.AskText, Default: cmp.Or(*ref(c), takenAway), Ask: ask,
			Help: help + " " + takenAway + ": nothing.", Validate: checked(key)})
		if err != nil {
			return err
		}
		if answer = strings.TrimSpace(answer); answer == takenAway {
			answer = ""
		}
		*ref(c) = answer
		return nil
	}
}

// checked is the check of a setting's value as flwrup.toml takes it.
func checked(key string) func(string) error {
	return func(v string) error {
		if v = strings.TrimSpace(v); v == takenAway {
			return nil
		}
		return project.CheckNode(key, v)
	}
}

// askYesNo asks a choice of two; by default is what happens where nothing is chosen.
func askYesNo(key, ask, help, yes, no string, byDefault bool, ref func(*project.NodeChoice) **bool) func(context.Context, *site.Site, *project.NodeChoice, front.Sink) error {
	return func(ctx context.Context, s *site.Site, c *project.NodeChoice, to front.Sink) error {
		now := byDefault
		if v := *ref(c); v != nil {
			now = *v
		}
		q := front.Question{ID: key, Kind: front.AskChoice, Default: map[bool]string{true: "yes", false: "no"}[now], Ask: ask, Help: help,
			Choices: []front.Choice{{Value: "yes", Label: yes}, {Value: "no", Label: no}}}
		answer, err := to.Ask(ctx, q)
		if err != nil {
			return err
		}
		if chosen := answer == "yes"; chosen != now || *ref(c) != nil {
			*ref(c) = &chosen
		}
		return nil
	}
}

// askList asks what is to become of a list: an entry goes, or a new one comes, which add asks for.
func askList(ctx context.Context, id, ask, adds string, list []string, to front.Sink, add func() (string, error)) ([]string, error) {
	q := front.Question{ID: id, Kind: front.AskChoice, Default: "add", Ask: ask, Choices: []front.Choice{{Value: "add", Label: adds}}}
	for _, entry := range list {
		q.Choices = append(q.Choices, front.Choice{Value: "without " + entry, Label: "take away " + entry})
	}
	answer := q.Default
	if len(list) > 0 {
		var err error
		if answer, err = to.Ask(ctx, q); err != nil {
			return list, err
		}
	}
	if answer != q.Default {
		return slices.DeleteFunc(slices.Clone(list), func(entry string) bool { return answer == "without "+entry }), nil
	}
	entry, err := add()
	if err != nil || entry == "" || slices.Contains(list, entry) {
		return list, err
	}
	return append(slices.Clone(list), entry), nil
}

func askData(ctx context.Context, s *site.Site, c *project.NodeChoice, to front.Sink) (err error) {
	c.Data, err = askList(ctx, "data", "Which data folder?", "add a folder", c.Data, to, func() (string, error) {
		host, help := "", "On this machine; relative paths start at this project's folder. "+takenAway+": none."
		if c.Host != "" {
			help = "Its whole path on " + c.Host + ". " + takenAway + ": none."
		}
		for {
			if host, err = to.Ask(ctx, front.Question{ID: "data-here", Kind: front.AskText, Ask: "Which folder can the ClientApp see?", Help: help, Validate: func(v string) error {
				if strings.TrimSpace(v) == "" {
					return errors.New("the path of a folder")
				}
				return nil
			}}); err != nil {
				return "", err
			}
			if host = strings.TrimSpace(host); host == takenAway {
				return "", nil
			}
			if _, err := os.Stat(s.Path(host)); err == nil || c.Host != "" && filepath.IsAbs(host) {
				break
			}
			help = s.Path(host) + " is not there. " + takenAway + ": none."
		}
		inside, err := to.Ask(ctx, front.Question{ID: "data-inside", Kind: front.AskText, Default: path.Join("/data", filepath.Base(s.Path(host))), Ask: "Where should the ClientApp find it?",
			Help: "Its path in the container.", Validate: func(v string) error { return project.CheckNode("data", host+":"+strings.TrimSpace(v)) }})
		if err != nil {
			return "", err
		}
		entry := host + ":" + strings.TrimSpace(inside)
		write, err := to.Ask(ctx, front.Question{ID: "data-write", Kind: front.AskConfirm, Default: "no", Ask: "Can the ClientApp write to it?",
			Help: "Whoever starts a run brings the app: say no where it must not change anything."})
		if write == "yes" {
			entry += ":rw"
		}
		return entry, err
	})
	return err
}

func askEnv(ctx context.Context, s *site.Site, c *project.NodeChoice, to front.Sink) (err error) {
	c.Env, err = askList(ctx, "env", "Which variable?", "add a variable", c.Env, to, func() (string, error) {
		name, err := to.Ask(ctx, front.Question{ID: "env-name", Kind: front.AskText, Default: takenAway, Ask: "What is the variable called?",
			Help: "flwrup.toml keeps only the name. flwrup takes the value from your environment when it starts the SuperNode, or asks for it. " + takenAway + ": none.", Validate: checked("env")})
		name = strings.TrimSpace(name)
		if err != nil || name == takenAway {
			return "", err
		}
		if _, known := os.LookupEnv(name); known {
			to.Event(front.Says{Text: "the value of " + name + " is taken from your environment"})
			return name, nil
		}
		return name, site.AskValues(ctx, s, supernode.Spec{Name: "the SuperNodes", Missing: []string{name}}, to)
	})
	return err
}

func askArgs(ctx context.Context, s *site.Site, c *project.NodeChoice, to front.Sink) error {
	if slices.ContainsFunc(c.Args, func(a string) bool { return len(strings.Fields(a)) != 1 }) {
		to.Event(front.Says{Text: "an argument has a space in it: edit args in " + project.FileName})
		return nil
	}
	answer, err := to.Ask(ctx, front.Question{ID: "args", Kind: front.AskText, Default: cmp.Or(strings.Join(c.Args, " "), takenAway), Ask: "More arguments for flower-supernode?",
		Help: "Separated by spaces, such as --max-retries 10. An argument with a space in it goes into " + project.FileName + ". " + takenAway + ": none."})
	if err != nil {
		return err
	}
	if c.Args = strings.Fields(answer); strings.TrimSpace(answer) == takenAway {
		c.Args = nil
	}
	return nil
}
