package dockerctl

import (
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/cli/cli/config"

	"flwrup/internal/problem"
	"flwrup/internal/supernode"
)

// The docker command gives each container that it makes the proxies of its own config.json; the daemon does
// not know them. https://docs.docker.com/engine/cli/proxy/
//
// Their values may hold a password. They are where docker run puts them, in the container's environment, and
// nowhere else: no line of flwrup's shows one.

// loopback is left out of every proxy: SuperNode and ClientApp talk to each other there.
const loopback = "localhost,127.0.0.1"

// dockerProxies returns the variables that `docker run` would set for this daemon.
func (r *Runtime) dockerProxies() (map[string]string, error) {
	dir := configDir()
	if dir == "" {
		return nil, nil
	}
	file, err := config.Load(dir)
	if err != nil {
		path := filepath.Join(dir, config.ConfigFileName)
		p := problem.New(problem.BadInput, "docker's configuration "+path+" cannot be read", "the containers' proxies stand there", "look at "+path)
		p.Err = err
		return nil, p
	}
	out := map[string]string{}
	for name, value := range file.ParseProxyConfig(r.cli.DaemonHost(), nil) {
		out[name] = *value
	}
	return out, nil
}

// withProxies returns spec with Docker's proxies in its environment. The user's own choice overrides them, in
// either spelling: programs differ in which of HTTP_PROXY and http_proxy they prefer.
func withProxies(spec supernode.Spec, proxies map[string]string) supernode.Spec {
	chosen := map[string]bool{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(spec.Env)), secretNames(spec)) {
		chosen[strings.ToUpper(name)] = true
	}
	env := maps.Clone(spec.Env)
	if env == nil {
		env = map[string]string{}
	}
	for name, value := range proxies {
		if !chosen[strings.ToUpper(name)] {
			env[name] = value
		}
	}
	if len(proxies) > 0 && !chosen["NO_PROXY"] {
		for _, name := range []string{"NO_PROXY", "no_proxy"} {
			env[name] = withLoopback(proxies[name])
		}
	}
	spec.Env = env
	return spec
}

// withLoopback adds missing loopback hosts to a list.
func withLoopback(list string) string {
	have := strings.FieldsFunc(list, func(c rune) bool { return c == ',' || c == ' ' })
	if slices.Contains(have, "*") {
		return list
	}
	for host := range strings.SplitSeq(loopback, ",") {
		if !slices.Contains(have, host) {
			list = strings.TrimPrefix(list+","+host, ",")
		}
	}
	return list
}

// proxyArgs returns flags for `docker create` where a container differs from Docker's proxies, which that
// command sets on its own.
func proxyArgs(proxies, env map[string]string) []string {
	var args []string
	for _, name := range slices.Sorted(maps.Keys(proxies)) {
		if _, taken := env[name]; !taken {
			args = append(args, "--env", name) // without a value it keeps Docker's away
		}
	}
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		if value, ok := env[name]; ok && value != proxies[name] && len(proxies) > 0 {
			args = append(args, "--env", name+"="+value)
		}
	}
	return args
}

// veil removes the passwords of proxies from a line.
func veil(line string, proxies map[string]string) string {
	for _, value := range proxies {
		if u, err := url.Parse(value); err == nil && u.User != nil {
			line = strings.ReplaceAll(line, u.User.String()+"@", "…@")
			if word, ok := u.User.Password(); ok && word != "" {
				line = strings.ReplaceAll(line, word, "…")
			}
		}
	}
	return line
}
