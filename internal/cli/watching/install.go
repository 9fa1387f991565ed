package watching

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"flwrup/internal/problem"
	"flwrup/internal/project"
	"flwrup/internal/service"
	"flwrup/internal/site"
)

// handedOn are the variables that decide where flwrup, flwr and Docker find things. The service gets them as they are now.
var handedOn = []string{"PATH", "LANG", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "FLWR_HOME", "DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_CERT_PATH",
	"DOCKER_TLS_VERIFY", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "https_proxy", "http_proxy", "no_proxy"}

// doInstall has the system watch the folders.
func doInstall(ctx context.Context, h Host, dirs []string, at string) error {
	w := service.Watch{Folders: dirs}
	if at != "" {
		address, err := openTo(ctx, h, at)
		if err != nil {
			return err
		}
		w.Args = []string{"--metrics", address}
	}
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return problem.New(problem.BadInput, "cannot install a service", "flwrup does not find its own file: "+problem.Cause(err), "")
	}
	w.Program = program
	var wants []string
	for _, dir := range dirs {
		if err := h.Gate(ctx, dir); err != nil {
			return err
		}
		plain, names, err := lookInto(ctx, dir)
		if err != nil {
			return err
		}
		w.Plain = w.Plain || plain
		wants = append(wants, names...)
	}
	w.Env = environ(os.Getenv)
	m := service.Here()
	d, err := m.Install(ctx, w)
	if d.File != "" {
		h.says("wrote %s: %s", d.File, d.Watch.Says())
	}
	if err != nil {
		return err
	}
	h.says("the system watches from now on; flwrup watch --uninstall ends that")
	for _, note := range d.Notes {
		h.says("  %s", note)
	}
	slices.Sort(wants)
	if wants = slices.Compact(wants); len(wants) > 0 {
		if file, err := m.EnvFile(); err == nil {
			h.says("  flwrup.toml wants variables: write %s=VALUE into %s (chmod 600), a line each, then run this again", strings.Join(wants, "=VALUE, "), file)
		}
	}
	h.says("  its log: %s", d.Logs)
	return nil
}

// environ is what the service gets of this environment.
func environ(get func(string) string) map[string]string {
	env := map[string]string{}
	for _, name := range handedOn {
		if v := get(name); v != "" && !strings.Contains(v, "@") { // a proxy's password
			env[name] = v
		}
	}
	return env
}

// lookInto reports whether SuperNodes of a project are plain processes, and which variables its watch needs.
func lookInto(ctx context.Context, dir string) (plain bool, wants []string, err error) {
	s, err := site.Open(site.Options{Dir: dir, ReadOnly: true})
	if err != nil {
		return false, nil, err
	}
	defer s.Close()
	c := s.Choices()
	if plain = c.Runtime == project.RuntimeProcess; c.Runtime == project.RuntimeAuto {
		rt, err := s.NodesRuntime(ctx)
		plain = err == nil && rt.Kind() == project.RuntimeProcess
	}
	for i := range c.Nodes {
		wants = append(wants, c.ForNode(i+1).Env...)
	}
	for _, name := range []string{c.Notify.WebhookEnv, c.Notify.TokenEnv} {
		if name != "" {
			wants = append(wants, name)
		}
	}
	return plain, wants, nil
}

// doUninstall has the system no longer watch the folders.
func doUninstall(ctx context.Context, h Host, dirs []string) error {
	d, err := service.Here().Uninstall(ctx, dirs)
	switch {
	case err != nil:
		return err
	case d.Removed:
		h.says("removed %s: the system watches no longer; the SuperNodes keep running", d.File)
	default:
		h.says("wrote %s: %s", d.File, d.Watch.Says())
	}
	return nil
}
