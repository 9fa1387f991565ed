package flwr

import "strings"

// flags is the guide's argument summary, for every flag that flwrup's plans use.
var flags = map[string]string{
	// docker run
	"--rm":           "removes the container when it ends, and its log with it",
	"-d":             "runs in the background",
	"--detach":       "runs in the background",
	"-i":             "keeps the container's input open",
	"-t":             "gives the container a terminal",
	"-it":            "gives the container a terminal",
	"--name":         "a name that people can use",
	"--volume":       "makes a file or folder of this machine visible in the container; `:ro` read-only",
	"-v":             "makes a file or folder of this machine, or a volume, visible in the container; `:ro` read-only",
	"--mount":        "makes a file, folder or volume visible in the container; `readonly` keeps it from being written",
	"--user":         "the user and group that the program in the container runs as",
	"--env":          "sets an environment variable in the container",
	"-e":             "sets an environment variable in the container",
	"--label":        "marks the container, so that flwrup knows it again",
	"--network":      "which network the container uses; host is this machine's own",
	"--restart":      "when Docker restarts the container on its own; unless-stopped: always but after `docker stop`",
	"--cap-drop":     "takes privileges away from the container; ALL leaves none",
	"--security-opt": "no-new-privileges: nothing in the container can gain rights",
	"--read-only":    "the container cannot change its own file system",
	"--tmpfs":        "a folder in memory that the container can write to",
	"--init":         "a small first process that passes signals on",
	"--pull":         "whether the image is fetched",
	"--memory":       "how much memory the container may use",
	"--cpus":         "how many processor cores the container may use",
	"--pids-limit":   "how many processes and threads it may have",
	"--gpus":         "which graphics processors the container may use",
	"--stop-timeout": "seconds between the request to stop and being killed",
	"--log-opt":      "how much of the log Docker keeps",
	"--log-driver":   "where Docker keeps the log",
	"--add-host":     "a name and address that the container knows",
	"--hostname":     "the name of the machine, as the container sees it",
	"--entrypoint":   "the program that the container starts",
	"--platform":     "the processor that the image is for",
	"--time":         "seconds to wait before the container is killed",
	"--follow":       "goes on showing new lines",
	"-f":             "goes on showing new lines",
	"--tail":         "how many of the last lines to show",
	"--archive":      "keeps owner and mode of the copied files",

	// flower-supernode
	"--superlink":                             "address and port of the grid's side for SuperNodes",
	"--root-certificates":                     "the authority that the grid's certificate is checked against; left out for a public certificate",
	"--auth-supernode-private-key":            "the private key by which the SuperNode proves who it is",
	"--auth-supernode-public-key":             "the public key that belongs to the private one",
	"--node-config":                           "values that the ClientApp reads on this SuperNode, such as where its data is",
	"--clientappio-api-address":               "the SuperNode's own address for its ClientApps; each SuperNode on a machine needs a port of its own",
	"--host":                                  "the SuperNode's own address for its ClientApps",
	"--port":                                  "the SuperNode's own port for its ClientApps; each SuperNode on a machine needs one of its own",
	"--allow-runtime-dependency-installation": "lets the SuperNode install the packages that an app asks for",
	"--max-retries":                           "how often to try to reach the grid before giving up",
	"--max-wait-time":                         "how long to try to reach the grid before giving up, in seconds",
	"--insecure":                              "connects without TLS; never for SuperGrid",
	"--isolation":                             "whether ClientApps run in processes that the SuperNode starts",
	"--grpc-rere":                             "the transport of flwr before 1.40, its default",

	// flwr
	"--federation":  "the federation that the command is about, @account/name",
	"--stream":      "shows the run's log while it runs",
	"--run-config":  "values of the app's configuration, for this run only",
	"--format":      "how the answer is written; json for programs",
	"--description": "a sentence about the federation",
	"--simulation":  "a federation for simulated nodes, which cannot hold SuperNodes",
	"--run-id":      "the run that the command is about",
	"--show":        "prints the log so far and ends",
	"--verbose":     "says more",
	"--location":    "latitude and longitude of the SuperNode",
}

// ExplainFlag says in a few words what a flag of a planned command does; "" for a flag that no plan uses. A
// value may follow after "=".
func ExplainFlag(flag string) string {
	name, _, _ := strings.Cut(flag, "=")
	return flags[name]
}
