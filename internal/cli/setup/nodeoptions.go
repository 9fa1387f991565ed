package setup

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"flwrup/internal/project"
)

// nodeOptions are the flags of what all SuperNodes are started with; they are kept in [node.all] of
// flwrup.toml.
type nodeOptions struct {
	from             project.NodeChoice
	install, lasting bool
}

func (o *nodeOptions) flags(f *pflag.FlagSet) {
	c := &o.from
	f.StringVar(&c.NodeConfig, "node-config", "", "`values` that the ClientApp reads: 'key=value …'")
	f.StringArrayVar(&c.Data, "data", nil, "`folder` that the containers may read, from the project's folder:in the container; :rw behind it to write")
	f.StringArrayVar(&c.Env, "env", nil, "`name` of a variable to hand on to the SuperNodes; asked for where it is not set")
	f.StringVar(&c.EnvFile, "env-file", "", "`file`, from the project's folder, of lines NAME=VALUE for the SuperNodes")
	f.StringVar(&c.CPUs, "cpus", "", "processor `cores` that each container may use, such as 1.5")
	f.StringVar(&c.Memory, "memory", "", "`memory` that each container may use, such as 2g, or unlimited; else its share of the machine")
	f.StringVar(&c.PIDs, "pids", "", "`processes` and threads that each container may have, such as 4096, or unlimited")
	f.StringVar(&c.Tmp, "tmp", "", "`size` of each container's /tmp, which is in memory, such as 1g")
	f.StringVar(&c.GPUs, "gpus", "", "graphics `processors` for the containers: all, a number, or device=0,1")
	f.StringVar(&c.Host, "host", "", "Docker `host` that runs the containers: a Docker context, or an address such as ssh://USER@HOST; \"\" is this machine's own")
	f.StringVar(&c.Location, "location", "", "`latitude,longitude` that SuperNodes are registered with (flwr 1.38 and later)")
	f.BoolVar(&o.install, "install-packages", false, "SuperNodes install what the app asks for (flwr 1.29 and later)")
	f.BoolVar(&o.lasting, "lasting", true, "containers come back after a reboot; false: removed with their log when they end")
}

// choose keeps the flags that were given.
func (o nodeOptions) choose(cmd *cobra.Command, to *project.NodeChoice) {
	for name, set := range o.keep(to) {
		if cmd.Flags().Changed(name) {
			set()
		}
	}
}

// keep returns by flag how its value gets into to.
func (o nodeOptions) keep(to *project.NodeChoice) map[string]func() {
	return map[string]func(){
		"node-config":      func() { to.NodeConfig = o.from.NodeConfig },
		"data":             func() { to.Data = o.from.Data },
		"env":              func() { to.Env = o.from.Env },
		"env-file":         func() { to.EnvFile = o.from.EnvFile },
		"cpus":             func() { to.CPUs = o.from.CPUs },
		"memory":           func() { to.Memory = o.from.Memory },
		"pids":             func() { to.PIDs = o.from.PIDs },
		"tmp":              func() { to.Tmp = o.from.Tmp },
		"gpus":             func() { to.GPUs = o.from.GPUs },
		"host":             func() { to.Host = o.from.Host },
		"location":         func() { to.Location = o.from.Location },
		"install-packages": func() { to.Install = &o.install },
		"lasting":          func() { to.Lasting = &o.lasting },
	}
}
