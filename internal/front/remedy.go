package front

import "flwrup/internal/problem"

// Remedy puts a trouble right, by a verb or on a step. The dashboard has one key for it, the command line words it.
type Remedy struct {
	Says  string   // names the deed: "start it again"
	Verb  Verb     // for Act, with Nodes; "" when Step says where
	Nodes []string // names; none for a verb that concerns no SuperNode
	Step  StepID   // the step on which it is put right; 0 with Verb
	Look  bool     // Step shows what is wrong; the person puts it right elsewhere
	Now   bool     // Step does it as soon as it is opened, and asks before it changes anything
}

var (
	toFederation   = Remedy{Says: "choose the federation", Step: StepFederation}
	toTools        = Remedy{Says: "look at flwr and Docker", Step: StepTools}
	toKeys         = Remedy{Says: "look at the keys", Step: StepKeys}
	toConnection   = Remedy{Says: "look at the connection", Step: StepConfigure}
	toLogin        = Remedy{Says: "log in", Step: StepLogin}
	toRegister     = Remedy{Says: "register it", Step: StepRegister}
	toConfirmation = Remedy{Says: "check whether it is confirmed", Step: StepConfirmation}
)

// remedies are the steps that put problems right, by code. A room that knows more of a problem than its
// code gives a Remedy of its own, which comes first.
var remedies = map[problem.Code]Remedy{
	problem.FedNotFound:   toFederation,
	problem.FedBadName:    toFederation,
	problem.DockerMissing: toTools,
	problem.DockerDown:    toTools,
	problem.DockerDenied:  toTools,
	problem.ImageMissing:  toTools,
	problem.FlwrMissing:   toTools,
	problem.FlwrBroken:    toTools,
	problem.FlwrDenied:    toTools,
	problem.FlwrInstall:   toTools,
	problem.PythonMissing: toTools,
	problem.BadKey:        toKeys,
	problem.NoConnection:  toConnection,
	problem.LegacyConfig:  toConnection,
	problem.Untrusted:     toConnection,
	problem.NotLoggedIn:   toLogin,
	problem.LoginTimeout:  toLogin,
	problem.NodeNotFound:  toRegister,
	problem.KeyInUse:      toRegister,
	problem.NodeRefused:   toConfirmation,
	problem.RunReadOnly:   {Says: "comment it out and run again", Step: StepRun, Now: true},
}

// RemedyFor returns the step that puts problems with a code right; ok is false where no step does.
func RemedyFor(code problem.Code) (r Remedy, ok bool) {
	r, ok = remedies[code]
	return r, ok
}
