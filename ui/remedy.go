package ui

import (
	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// remedy says what Enter does after a failure: words for it, and the step to go to, 0 for trying again.
func remedy(p *problem.Problem, here front.StepID) (words string, step front.StepID) {
	to := map[problem.Code]front.StepID{
		problem.NotLoggedIn: 9, problem.DockerMissing: 3, problem.DockerDown: 3, problem.DockerDenied: 3,
		problem.ImageMissing: 3, problem.FlwrMissing: 3, problem.FlwrBroken: 3, problem.FlwrDenied: 3, problem.PythonMissing: 3, problem.FedNotFound: 2,
		problem.NoConnection: 8, problem.LegacyConfig: 8, problem.RunReadOnly: 15,
	}[p.Code]
	if to == here {
		to = 0
	}
	switch {
	case to == 9:
		return "log in", to
	case p.Code == problem.RunReadOnly:
		return "comment it out and run again", to
	case to > 0:
		return "go to step " + to.String(), to
	case p.Code == problem.Cancelled:
		return "go on", 0
	}
	return "try again", 0
}
