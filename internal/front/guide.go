package front

// Phase is a part of the way: a few steps in a row.
type Phase struct {
	Name        string
	First, Last StepID
}

// Phases are the parts of the way, in order.
var Phases = [...]Phase{
	{"Prepare this machine", StepAccount, StepConfigure},
	{"Join the grid", StepLogin, StepConfirmation},
	{"Go online", StepStart, StepOnline},
	{"Train", StepRun, StepMonitor},
}

// Guide returns what Flower's registration guide says at the step, in its words.
func (id StepID) Guide() string { return guideOf[id].says }

// Undo says what of the step can be undone, and how.
func (id StepID) Undo() string { return guideOf[id].undo }

// guideOf quotes "Register SuperNodes on the Flower SuperGrid", shortened where a sentence is long.
var guideOf = map[StepID]struct{ says, undo string }{
	StepAccount:      {"Select the Sign Up / Sign In option … and complete the required registration procedure.", "nothing changes here: flwrup only notes your answer"},
	StepFederation:   {"This dashboard serves as the central repository for your defined federation names.", "you can choose again with m"},
	StepTools:        {"Verify the installation and operational status of the following essential tools.", "nothing of yours changes: flwrup keeps its flwr in a folder of its own"},
	StepCertificate:  {"Open certificate.conf and insert DNS.2 = fleet-supergrid.flower.ai.", "u undoes the edit"},
	StepCount:        {"Define the exact quantity of SuperNode key pairs to be generated.", "you can add and remove SuperNodes at any time"},
	StepKeys:         {"Execute the script to create your authentication keys.", "flwrup never overwrites a key, and the grid knows none before step 10"},
	StepBackup:       {"Immediate backup of all generated keys is mandatory.", "it is one new file: your keys stay as they are"},
	StepConfigure:    {"Incorporate the following configuration block into your project's pyproject.toml file.", "u undoes the edit"},
	StepLogin:        {"Run the login command from your project's root directory.", "the token is only on this machine, and expires after some days"},
	StepRegister:     {"Each SuperNode is registered using its corresponding public key.", "you can unregister a SuperNode; its key can then never be registered again"},
	StepHandover:     {"Record each Node ID immediately, and inform the designated Flower Labs team members.", "D on the dashboard takes a SuperNode out of the federation again"},
	StepConfirmation: {"Await formal confirmation that the SuperNodes have been registered.", "nothing changes here: you can leave and come back"},
	StepStart:        {"Utilize the official Flower Docker images to launch each SuperNode.", "x on the dashboard stops SuperNodes; keys and node IDs stay"},
	StepOnline:       {"Your SuperNodes should display an \"Online\" status.", "nothing changes here: flwrup only looks"},
	StepRun:          {"Run your defined federated task on the SuperGrid.", "a run can be stopped; what it has learnt so far is then lost"},
	StepMonitor:      {"Results are collected, aggregated, and displayed.", "nothing changes here: the run continues when you leave"},
}
