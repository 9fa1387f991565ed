package cli

import "flwrup/internal/front"

// remedyData is what puts a trouble right: a command, or the step of the wizard.
type remedyData struct {
	Says    string `json:"says"`
	Command string `json:"command,omitempty"`
	Step    int    `json:"step,omitempty"`
}

func (p *program) remedy(r *front.Remedy) *remedyData {
	if r == nil {
		return nil
	}
	d := &remedyData{Says: r.Says, Step: int(r.Step)}
	if args := remedyArgs(*r); args != nil {
		d.Command = p.command(args)
	}
	return d
}

// remedyArgs returns flwrup's arguments to the effect of r; nil where only the wizard's step helps.
func remedyArgs(r front.Remedy) []string {
	on := func(command string, flags ...string) []string {
		return append(append([]string{command}, r.Nodes...), flags...)
	}
	switch r.Verb {
	case front.StartNodes:
		return on("start")
	case front.StartGrid:
		return on("start", "--grid")
	case front.RestartNodes:
		return on("restart")
	case front.ReplaceNodes:
		return on("restart", "--replace")
	case front.OwnImage:
		return on("restart", "--own-image")
	case front.ChangeSettings:
		return on("settings")
	case front.RestoreKey:
		return on("restore-key")
	case front.RemoveNodes:
		return on("remove")
	case front.UnregisterNodes:
		return on("remove", "--unregister")
	}
	switch {
	case r.Step == 0, r.Step == front.StepRun: // no command shows an app
		return nil
	case r.Look:
		return []string{"doctor"}
	}
	return []string{"up"}
}
