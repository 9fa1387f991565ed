package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/internal/cli/program"
	"flwrup/internal/cli/setup"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// The groups of `flwrup --help`, in order.
const (
	groupSetUp = "set up"
	groupSites = "sites"
	groupNodes = "nodes"
	groupRuns  = "runs"
	groupHelp  = "help"
)

// commands says under which heading `flwrup --help` lists a command, and what its own help has as examples: command
// lines with what they do behind a #.
var commands = map[string]struct{ group, examples string }{
	"rehearse": {groupSetUp, `flwrup rehearse                      # in the wizard
flwrup rehearse --yes --nodes 2      # without a screen, to the end
flwrup rehearse --keep               # leave grid and SuperNodes running`},
	"up": {groupSetUp, `flwrup up                                            # ask what is not decided yet
flwrup up --yes --nodes 3 --federation @ada/hospitals
flwrup up --yes --until 10                           # register, start nothing
FLWRUP_NODES=3 flwrup up --yes                       # flags as variables: flwrup help environment`},
	"plan": {groupSetUp, `flwrup plan                          # what is left to do
flwrup plan --all > set-up.sh        # all of it, as a script to read`},
	"trust": {groupSetUp, `flwrup trust                         # list it, and ask
flwrup trust --yes                   # accept it
flwrup trust --revoke`},
	"handover": {groupSetUp, `flwrup handover                      # as a message to the coordinator
flwrup handover --format csv > nodes.csv`},
	"request": {groupSites, `flwrup request --site St-Mary --nodes 2 --contact it@st-mary.example
flwrup request | xclip               # the request alone goes to the standard output`},
	"admit": {groupSites, `flwrup admit request-st-mary.txt
flwrup admit a.txt b.txt             # several sites
flwrup admit -                       # a request from the clipboard: paste it, then Ctrl-D`},
	"invite": {groupSites, `flwrup invite                        # who is in, who is invited
flwrup invite @st-mary @st-anne      # sites with Flower accounts of their own
flwrup invite --revoke @st-anne`},
	"join": {groupSites, `flwrup join @ada/study               # with an account: accept the invitation
flwrup join reply-st-mary.txt        # without one: take the coordinator's reply`},
	"status": {groupNodes, `flwrup status
flwrup status --fresh                # ask the grid, also while a watch runs
flwrup status --json | jq '.data.nodes[] | {name, grid}'`},
	"logs": {groupNodes, `flwrup logs -f                       # of all SuperNodes
flwrup logs supernode_1 --tail 50`},
	"start": {groupNodes, `flwrup start                         # all of them
flwrup start supernode_2`},
	"stop": {groupNodes, `flwrup stop supernode_2
flwrup stop                          # all of them`},
	"restart": {groupNodes, `flwrup restart supernode_2
flwrup restart --own-image           # with Flower's image for the flwr in use`},
	"upgrade": {groupNodes, `flwrup upgrade                       # show the plan, ask, move to the release that fits
flwrup upgrade --check || echo "exit code $?"
flwrup upgrade 1.41.0                # to another one, or back`},
	"watch": {groupNodes, `flwrup watch
flwrup watch --json >> events.jsonl
flwrup watch /srv/study-a /srv/study-b
flwrup watch --test-notify           # does a message of [notify] arrive?
flwrup watch --metrics 127.0.0.1:9464
flwrup watch --install               # the system runs it from now on`},
	"history": {groupNodes, `flwrup history                       # of the last seven days
flwrup history supernode_2 --since yesterday
flwrup history --since 30d --csv > history.csv`},
	"add": {groupNodes, `flwrup add 2                         # two more
flwrup add supernode_3               # one that was removed comes back`},
	"remove": {groupNodes, `flwrup remove supernode_3            # its key stays good
flwrup remove supernode_3 --unregister
flwrup remove --site st-mary         # another site, with all of its SuperNodes`},
	"settings": {groupNodes, `flwrup settings                      # of all SuperNodes
flwrup settings supernode_2          # of one`},
	"restore-key": {groupNodes, `flwrup restore-key supernode_2
flwrup restore-key supernode_2 --passphrase-file FILE --yes`},
	"backup": {groupNodes, `flwrup backup --verify                 # open it in memory, compare it with the keys
flwrup backup --verify --passphrase-file FILE --json
flwrup backup                          # make a new one`},
	"rotate": {groupNodes, `flwrup rotate supernode_2              # a new key and node ID; asks first
flwrup rotate supernode_2 --yes --passphrase-file FILE
flwrup rotate supernode_2 --back       # gives up one that was cut short`},
	"export": {groupNodes, `flwrup export compose                # write the files, change nothing
flwrup export compose --move         # and leave the SuperNodes to Docker Compose
flwrup export kubernetes --node supernode_1 --out deploy/study`},
	"image": {groupNodes, `flwrup image && flwrup restart`},
	"down": {groupNodes, `flwrup down
flwrup down --remove                 # the containers, too`},
	"run": {groupRuns, `flwrup run
flwrup run --run-config num-server-rounds=5
flwrup run --app @flwrlabs/quickstart-numpy   # an app from Flower's hub
flwrup run --detach --json`},
	"runs": {groupRuns, `flwrup runs
flwrup runs log -f                   # follow the last run
flwrup runs metrics > metrics.csv`},
	"runs log": {"", `flwrup runs log                      # of the last run
flwrup runs log 8822730199423176450 -f`},
	"runs metrics": {"", `flwrup runs metrics > metrics.csv`},
	"runs nodes":   {"", `flwrup runs nodes`},
	"runs show":    {"", `flwrup runs show                     # the last run`},
	"runs compare": {"", `flwrup runs compare 8822730199423176450 14798106609853895280
flwrup runs compare 8822730199423176450 14798106609853895280 --csv > runs.csv`},
	"runs stop": {"", `flwrup runs stop 8822730199423176450`},
	"doctor": {groupHelp, `flwrup doctor
flwrup doctor --json > doctor.json   # for a question to others: no secret is in it
flwrup doctor --flwr nightly         # whether flwrup will know the next flwr`},
	"report": {groupHelp, `flwrup report                        # list it, ask, write it
flwrup report --yes --out /tmp`},
	"version":    {groupHelp, `flwrup version --json`},
	"completion": {groupHelp, ""},
	"help":       {groupHelp, ""},
}

// topics are helps that belong to no command.
func topics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "exit-codes", Short: "What the exit codes mean", Long: program.ExitCodes},
		{Use: "environment", Short: "Variables that flwrup reads", Long: environmentHelp()},
	}
}

// helpWidth is how long a line of help gets.
const helpWidth = 100

// arrange puts group and examples on every command, and the topics on root.
func arrange(root *cobra.Command) {
	root.AddGroup(&cobra.Group{ID: groupSetUp, Title: "Set up:"}, &cobra.Group{ID: groupSites, Title: "Several sites:"}, &cobra.Group{ID: groupNodes, Title: "SuperNodes:"},
		&cobra.Group{ID: groupRuns, Title: "Runs:"}, &cobra.Group{ID: groupHelp, Title: "Help:"})
	root.AddCommand(topics()...)
	root.SetUsageTemplate(strings.ReplaceAll(root.UsageTemplate(), ".FlagUsages", fmt.Sprintf(".FlagUsagesWrapped %d", helpWidth)))
	for _, cmd := range everyCommand(root) {
		c := commands[pathOf(cmd)]
		cmd.GroupID = c.group
		if c.examples != "" {
			cmd.Example = "  " + strings.ReplaceAll(c.examples, "\n", "\n  ")
		}
	}
}

// everyCommand lists the commands that a person can call, in order; not root.
func everyCommand(root *cobra.Command) (all []*cobra.Command) {
	for _, cmd := range root.Commands() {
		if cmd.Hidden || cmd.IsAdditionalHelpTopicCommand() {
			continue
		}
		all = append(all, cmd)
		if cmd.Name() != "completion" {
			all = append(all, everyCommand(cmd)...)
		}
	}
	return all
}

// pathOf is a command's name with those above it: "runs log".
func pathOf(cmd *cobra.Command) string {
	_, path, _ := strings.Cut(cmd.CommandPath(), " ")
	return path
}

// unknownFlag is the hint for a flag that cmd has not; "" where the error is another one.
func unknownFlag(cmd *cobra.Command, err error) string {
	flag, is := strings.CutPrefix(err.Error(), "unknown flag: --")
	if !is {
		return ""
	}
	var names []string
	for _, set := range []*pflag.FlagSet{cmd.Flags(), cmd.InheritedFlags()} {
		set.VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && !slices.Contains(names, f.Name) {
				names = append(names, f.Name)
			}
		})
	}
	if near := program.Nearest(flag, names); near != "" {
		return "did you mean --" + near + "? " + cmd.CommandPath() + " --help lists the flags"
	}
	return ""
}

// variable is the environment variable that stands for a flag.
func variable(flag string) string {
	return "FLWRUP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// fromEnvironment sets the flags that are not given from their variables: those that flwrup.toml keeps, --dir and --plain.
// It returns the Problem about a value that its flag does not take.
func fromEnvironment(p *program.Program, cmd *cobra.Command) error {
	for _, f := range withVariables(cmd) {
		value, set := os.LookupEnv(variable(f.Name))
		if !set || value == "" || f.Changed {
			continue
		}
		values := []string{value}
		if _, list := f.Value.(pflag.SliceValue); list {
			values = strings.Split(strings.TrimSpace(value), "\n")
		}
		for _, v := range values {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				return badVariable(f.Name, value, whyInvalid(p, f.Name, v))
			}
		}
		if _, why := badOf(p, f); why != "" {
			return badVariable(f.Name, value, why)
		}
	}
	return nil
}

func badVariable(flag, value, why string) error {
	return problem.New(problem.Usage, "cannot use "+variable(flag)+"="+termsafe.Quote(value), why,
		"change the variable, or take it out: flwrup help environment explains it")
}

// withVariables lists the flags of cmd that have a variable.
func withVariables(cmd *cobra.Command) (flags []*pflag.Flag) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Annotations[program.OwnCheck] != nil:
			return // it means something else here than flwrup.toml's key
		case f.Name == "dir", f.Name == "plain", slices.Contains(setup.Kept, f.Name):
		default:
			return
		}
		flags = append(flags, f)
	})
	return flags
}

func environmentHelp() string {
	var b strings.Builder
	b.WriteString(`A flag goes before its variable, and a variable before flwrup.toml. flwrup up keeps what a
variable says in flwrup.toml, as it does with a flag. An empty variable is not set.

For every command:
  FLWRUP_DIR            --dir
  FLWRUP_PLAIN          --plain: true or false
  FLWRUP_DEBUG=FILE     write what flwrup runs and decides into FILE, a JSON object a line, for you
                        alone (mode 0600); no key and no passphrase is in it
  ACCESSIBLE=1, NO_COLOR, TERM=dumb
                        plain questions and lines; no colours; no screen

For flwrup up, and for every other command that has the flag, such as rehearse --nodes or run --app:
`)
	for _, name := range setup.Kept {
		list := ""
		if name == "data" || name == "env" {
			list = ", one a line"
		}
		fmt.Fprintf(&b, "  %-28s --%s%s\n", variable(name), name, list)
	}
	b.WriteString(`
flwr and the SuperNodes get none of these variables.`)
	return b.String()
}
