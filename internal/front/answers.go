package front

import "strings"

// Place is where a person works with flwrup: the folder, and what is kept in it.
type Place struct {
	Dir        string // the project's folder, as a person would type it
	Keys       string // the folder of the key pairs, relative to Dir
	Backup     string // the encrypted backup of the keys, relative to Dir; "" before there is one
	Cache      string // the folder of flwr's environments that flwrup installed
	Nodes      []string
	Containers bool // SuperNodes run in containers, else as processes
	Rehearsal  bool // on a grid on this machine
}

// Answer is a question that a person has on the way, with the answer and a command that goes with it.
type Answer struct{ Ask, Answer, Command string }

// Answers returns the questions of a new user, in the order in which they arise.
func Answers(p Place) []Answer {
	where := "A SuperNode runs on your machine, as a process, and takes part in training. Your data stays here: only what the app sends, such as model weights, travels."
	if p.Containers {
		where = "A SuperNode runs on your machine, in a container, and takes part in training. Your data stays here: only what the app sends, such as model weights, travels."
	}
	cost := "flwrup and Flower are open source and free. For the use of SuperGrid, and who may use it, ask Flower Labs: hello@flower.ai."
	leave := "Yes. SuperNodes keep running, and so does a run. Work in progress stops, and flwrup continues from there next time."
	remove := "Unregister the SuperNodes, then delete this folder and " + p.Cache + ", where flwrup installs flwr. Your keys and their backup are in this folder."
	gone := "flwrup down --remove"
	if len(p.Nodes) > 0 {
		gone = "flwrup remove --unregister " + strings.Join(p.Nodes, " ")
	}
	if p.Rehearsal {
		cost = "No. A rehearsal uses this machine only: no account, no data of yours, nothing leaves it."
		leave = "Yes. Without --keep the rehearsal ends when you leave, and its SuperNodes with it."
		remove, gone = "End the rehearsal. It stops its SuperNodes and its grid.", "flwrup down"
	}
	backup := "There is no backup yet: step 7 makes one."
	if p.Backup != "" {
		backup = "The encrypted backup is " + p.Backup + ". Keep a copy on another machine, and its passphrase elsewhere."
	}
	return []Answer{
		{"What is this?", "flwrup takes you through the 16 steps from nothing to SuperNodes that are online. " + where, ""},
		{"Will it cost anything?", cost, ""},
		{"Can I undo a step?", "Yes, all but one. Edits are undone with u, a choice can be changed, a SuperNode can be removed. Registration is final for a key, so flwrup asks first.", ""},
		{"Where are my keys?", "In the folder " + p.Keys + ", readable by you alone. flwrup never sends a private key. " + backup, "ls -l " + p.Keys},
		{"Is it safe to leave?", leave, ""},
		{"Why is it waiting?", "The page of the step says for whom: for you, for the grid, or for the coordinator. flwrup looks again on its own.", "flwrup status"},
		{"What do I tell the coordinator?", "The node IDs. Step 11 has the message, ready to copy.", "flwrup handover"},
		{"How do I come back?", "Start flwrup in the same folder. It looks at the real state and opens where you are needed, or the dashboard.", "cd " + p.Dir + " && flwrup"},
		{"How do I see the logs of yesterday?", "Open the logs with l, press t and type yesterday. All that is kept is there, with its time.", "flwrup logs --since yesterday"},
		{"How do I remove it all?", remove, gone},
	}
}
