package flwr

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"flwrup/internal/problem"
)

// Check compares the dialect with the help of flwr and of flower-supernode. help runs `flwr ARGS --help` and
// returns its output; nodeHelp is `flower-supernode --help`, "" skips that side. It returns the corrected
// dialect, and a Problem (not-supported) that names the features that flwrup needs and this flwr no longer
// has.
func (d Dialect) Check(ctx context.Context, help func(ctx context.Context, args ...string) (string, error), nodeHelp string) (Dialect, error) {
	var gone []string
	text := map[string]string{}
	for _, args := range [...][]string{{"login"}, {"supernode"}, {"supernode", "register"}, {"federation"}, {"federation", "list"}, {"run"}, {"log"}, {"list"}, {"stop"}} {
		command := strings.Join(args, " ")
		out, err := help(ctx, args...)
		if err != nil {
			if ctx.Err() != nil {
				return d, problem.Stopped(context.Cause(ctx), "flwr was stopped", "")
			}
			gone = append(gone, "flwr "+command)
		}
		text[command] = out
	}
	need := func(command, what string) {
		if t := text[command]; t != "" && !offers(t, what) {
			gone = append(gone, "flwr "+command+" "+what)
		}
	}
	for _, sub := range [...]string{"register", "unregister", "list"} {
		need("supernode", sub)
	}
	for _, command := range [...]string{"supernode register", "federation list", "run", "list", "stop"} {
		need(command, "--format")
	}
	need("list", "--run-id")
	d.Managed = offers(text["federation"], "create") && offers(text["federation"], "add-supernode")
	d.Invitations = offers(text["federation"], "invite")
	d.FederationShow = offers(text["federation"], "show")
	d.FederationFlag = offers(text["run"], "--federation")
	d.RegisterName = offers(text["supernode register"], "--name")
	d.RegisterLocation = offers(text["supernode register"], "--location")
	if t := text["login"]; t != "" {
		d.ConfigInPyproject = offers(t, "app") && offers(t, "federation")
		if !d.ConfigInPyproject && !offers(t, "superlink") {
			gone = append(gone, "the SUPERLINK argument of flwr login")
		}
	}
	if nodeHelp != "" {
		d.HostPort, d.GRPCRere = offers(nodeHelp, "--port"), offers(nodeHelp, "--grpc-rere")
		d.RuntimeInstall = offers(nodeHelp, "--allow-runtime-dependency-installation")
		for _, flag := range [...]string{"--superlink", "--root-certificates", "--auth-supernode-private-key", "--node-config"} {
			if !offers(nodeHelp, flag) {
				gone = append(gone, "flower-supernode "+flag)
			}
		}
		if !d.HostPort && !offers(nodeHelp, "--clientappio-api-address") {
			gone = append(gone, "flower-supernode --port")
		}
	}
	if len(gone) > 0 {
		return d, problem.New(problem.NotSupported,
			fmt.Sprintf("flwr %s no longer has: %s", d.Version, strings.Join(gone, ", ")), "it is newer than this flwrup",
			"use an older flwr, or a newer flwrup")
	}
	return d, nil
}

// offers reports whether help text lists word as a command, argument or flag: at the beginning of a line,
// after boxes and marks, or as a flag anywhere except in prose.
func offers(help, word string) bool {
	return regexp.MustCompile(`(?m)^[\s│|*]*(?:-\w,\s*)?(?:--\w[\w-]*[\s,]+)?` + regexp.QuoteMeta(word) + `(?:[\s,\[=]|$)`).MatchString(help)
}
