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
	if args := r.Args(); args != nil {
		d.Command = p.command(args)
	}
	return d
}
