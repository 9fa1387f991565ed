package dockerctl

import (
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// A SuperNode that is to survive a reboot gets Docker's policy unless-stopped. No other policy distinguishes
// a `docker stop` from a shutdown of the machine, at which a SuperNode ends with 0 (on-failure takes that for
// done). But unless-stopped has no limit, and a node that the grid refuses ends within seconds, with 0 or 1,
// each time. So a small starter runs before flower-supernode and then becomes it. It counts the starts, and
// after too many within ten minutes it gives up and removes its own right to be executed. Docker gives up a
// container that it cannot start: it stays exited, with its log. flwrup copies in a new starter at every
// Start.
//
// The starter also reads the variables that only the node may see from a file in the node's own volume,
// because `docker inspect` shows everything passed to `docker create`.
const (
	startPath  = KeyDir + "/start"
	startsPath = KeyDir + "/starts" // seconds since 1970 of each start within the window
	envPath    = KeyDir + "/env"    // NAME=VALUE lines
)

// starterLines is the starter, for any POSIX shell. Its first argument is how many times Docker may start the
// node again within ten minutes, 0 for any number. No line has a single quote.
var starterLines = []string{
	`#!/bin/sh`,
	`# Made by flwrup: hands on the variables of ./env and ends restarts that lead nowhere.`,
	`again=$1 now=$(date +%s) n=0 all=`,
	`shift`,
	`cd "${0%/*}"`,
	`while read -r at; do`,
	`  if [ "$at" -gt $((now - 600)) ]; then n=$((n + 1)) all="$all $at"; fi`,
	`done <starts`,
	`if [ "$again" -gt 0 ] && [ "$n" -gt "$again" ]; then`,
	`  echo "flwrup: gave up: started $n times within ten minutes, and it never stayed up. Fix the cause, then start it with flwrup." >&2`,
	`  chmod 0400 start`,
	`  exit 1`,
	`fi`,
	`printf "%s\n" $all "$now" >starts`,
	`if [ -f env ]; then`,
	`  while IFS= read -r line || [ -n "$line" ]; do`,
	`    case $line in [#]* | HOME=* | FLWR_HOME=*) ;; [A-Za-z_]*=*) export "$line" ;; esac`,
	`  done <env`,
	`fi`,
	`cd "$OLDPWD"`,
	`exec "$@"`,
}

func starter() []byte { return []byte(strings.Join(starterLines, "\n") + "\n") }

// needsStarter reports whether the container cannot run the image's own program right away.
func needsStarter(spec supernode.Spec) bool {
	return again(spec) > 0 || len(secretNames(spec)) > 0 || spec.EnvFile != ""
}

// again returns how often Docker may start the node again within ten minutes. Docker refuses --rm with it.
func again(spec supernode.Spec) int {
	if spec.AutoRemove {
		return 0
	}
	return spec.Restart
}

// secretNames returns all of the names, with a value or not, sorted.
func secretNames(spec supernode.Spec) []string {
	names := slices.Collect(maps.Keys(spec.Secrets))
	for _, n := range slices.Concat(spec.EnvNames, spec.Missing) {
		if !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// handed returns the starter's files, apart from key and CA. When the value of some variable is missing it
// leaves the file of variables out, and the container keeps its own.
func handed(spec supernode.Spec) []file {
	if !needsStarter(spec) {
		return nil
	}
	files := []file{{name: path.Base(startPath), mode: 0o500, data: starter()}, {name: path.Base(startsPath), mode: 0o600}}
	if len(spec.Missing) > 0 {
		return files
	}
	var env strings.Builder
	for _, k := range slices.Sorted(maps.Keys(spec.Secrets)) {
		env.WriteString(k + "=" + spec.Secrets[k] + "\n")
	}
	return append(files, file{name: path.Base(envPath), mode: 0o400, data: []byte(env.String())})
}

// program splits the container's command into Docker's entrypoint and arguments; image is the image's own
// entrypoint.
func program(spec supernode.Spec, image []string) (entrypoint, args []string) {
	args = arguments(spec)
	if !needsStarter(spec) {
		return nil, args
	}
	return []string{startPath}, slices.Concat([]string{strconv.Itoa(again(spec))}, image, args)
}

// handStarter returns the command lines that copy the starter's files in, as a person would type them. dir is
// a folder of flwrup's for the starter; the first line makes it and is the same for all nodes.
func handStarter(goos, dir string, spec supernode.Spec, docker []string) []string {
	quoted := make([]string, len(starterLines))
	for i, l := range starterLines {
		quoted[i] = shell.Word(l)
	}
	start := shell.Word(filepath.Join(dir, path.Base(startPath)))
	starts := shell.Word(filepath.Join(dir, path.Base(startsPath)))
	into := func(name string) string { // named files of dir, into the container
		return " | " + shell.Line(append(slices.Clone(docker), "cp", "-", name+":"+KeyDir))
	}
	out := []string{
		"mkdir -p " + shell.Word(dir) + " && printf '%s\\n' " + strings.Join(quoted, " ") + " >" + start +
			" && : >" + starts + " && chmod 700 " + start + " " + starts,
		shell.Line(append(tarOwned(goos, "0700"), "-C", dir, "-chf", "-", "./"+path.Base(startPath), "./"+path.Base(startsPath))) + into(spec.Container),
	}
	if spec.EnvFile == "" && len(secretNames(spec)) == 0 {
		return out
	}
	// The values pass through a folder that only this user can read, and that is gone at once.
	var write []string
	if spec.EnvFile != "" {
		write = append(write, "cat "+shell.Word(spec.EnvFile)+"; echo")
	}
	for _, n := range spec.EnvNames {
		write = append(write, `printf '%s\n' "`+n+"=$"+n+`"`)
	}
	return append(out, `d=$(mktemp -d) && { `+strings.Join(write, "; ")+`; } >"$d/env" && chmod 400 "$d/env" && `+
		shell.Line(append(tarOwned(goos, "0400"), "-C"))+` "$d" -chf - ./env`+into(spec.Container)+`; rm -rf "$d"`)
}
