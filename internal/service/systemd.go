package service

import (
	"context"
	"maps"
	"os/user"
	"slices"
	"strings"

	"flwrup/internal/export"
)

// unit returns a unit of the user's own systemd.
func unit(w Watch, envFile string) string {
	var b strings.Builder
	line := func(text string) { b.WriteString(text + "\n") }
	line("# Written by flwrup watch --install, which writes it again. To change something, make a drop-in, which flwrup leaves alone:")
	line("#   systemctl --user edit " + strings.TrimSuffix(Unit, ".service"))
	line("\n[Unit]\nDescription=flwrup watch: restarts lost Flower SuperNodes and tells people\nStartLimitIntervalSec=0")
	words := []string{export.UnitWord(w.Program), "watch"}
	for _, a := range w.Args {
		words = append(words, export.UnitWord(a))
	}
	for _, dir := range w.Folders {
		words = append(words, export.UnitWord(dir))
	}
	line("\n[Service]\nType=exec\nExecStart=" + strings.Join(words, " \\\n    "))
	line("# Its end by Ctrl-C or a stop is no failure.\nSuccessExitStatus=130\nRestart=on-failure\nRestartSec=30\nTimeoutStopSec=60")
	line("\n# Secrets that [notify] or SuperNodes want from variables: lines NAME=VALUE, in a file for you alone (chmod 600).\nEnvironmentFile=-" + export.UnitPath(envFile))
	for _, name := range slices.Sorted(maps.Keys(w.Env)) {
		line("Environment=" + export.UnitAssign(name+"="+w.Env[name]))
	}
	if w.Plain {
		line("\n# SuperNodes that are plain processes are children of the watch. They go on when it ends, and the apps that they run have what\n# is left to the unit: nothing is taken away.\nKillMode=process")
	} else {
		// PrivateUsers, and all that needs it in a user's own manager, would hide who owns the folders that flwrup checks.
		line("\n# What a watch over containers does not need.\nUMask=0077\nNoNewPrivileges=yes\nRestrictSUIDSGID=yes\nRestrictRealtime=yes\nRestrictNamespaces=yes\nLockPersonality=yes\nRestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK\nSystemCallArchitectures=native")
	}
	line("\n[Install]\nWantedBy=default.target")
	return signed("# ", b.String(), "", w)
}

const byHand = "log in as this account, not through su or sudo, then: systemctl --user daemon-reload && systemctl --user enable --now flwrup-watch"

// startUnit has systemd read the unit and run it, now and at each login.
func (m Manager) startUnit(ctx context.Context) error {
	for _, args := range [][]string{{"daemon-reload"}, {"enable", Unit}, {"restart", Unit}} {
		if said, err := m.run(ctx, "systemctl", append([]string{"--user"}, args...)...); err != nil {
			return failed("the unit is written, and your systemd does not run it", said, byHand, err)
		}
	}
	return nil
}

func (m Manager) stopUnit(ctx context.Context) error {
	if said, err := m.run(ctx, "systemctl", "--user", "disable", "--now", Unit); err != nil {
		return failed("your systemd does not end the service", said, "log in as this account, not through su or sudo, and try again", err)
	}
	return nil
}

// linger says what keeps the service running while nobody is logged in.
func (m Manager) linger(ctx context.Context) []string {
	name := ""
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	said, err := m.run(ctx, "loginctl", "show-user", name, "--property=Linger", "--value")
	if err == nil && said == "yes" {
		return []string{"it runs from the start of this machine on, whether you are logged in or not"}
	}
	return []string{"it ends when you log out, and starts when you log in; so that it runs from the start of this machine on, whether you are logged in or not: loginctl enable-linger"}
}
