package front

import (
	"cmp"
	"slices"

	"flwrup/internal/wording"
)

// verbWords are the words of a verb, in one place for both front ends.
type verbWords struct {
	name   string   // "restart", for "restart supernode_2"; a whole one is for no SuperNode in particular
	doing  string   // "restarting"
	state  string   // of a SuperNode meanwhile; "" for a verb that asks first, or leaves it as it is
	whole  bool     // name and doing have nothing behind them
	noun   string   // what it is for; "" for SuperNodes
	line   []string // flwrup's command; names follow
	flags  []string // behind the names
	lesser bool     // without names it is not for all SuperNodes
}

var wordsOf = map[Verb]verbWords{
	StartNodes:      {name: "start", doing: "starting", state: "starting", line: []string{"start"}},
	StopNodes:       {name: "stop", doing: "stopping", state: "stopping", line: []string{"stop"}},
	RestartNodes:    {name: "restart", doing: "restarting", state: "restarting", line: []string{"restart"}},
	ReplaceNodes:    {name: "replace the container of", doing: "restarting", state: "restarting", line: []string{"restart"}, flags: []string{"--replace"}},
	OwnImage:        {name: "give up the other image of", doing: "restarting", state: "restarting", line: []string{"restart"}, flags: []string{"--own-image"}},
	ChangeSettings:  {name: "change the settings of", doing: "changing the settings of", line: []string{"settings"}},
	TakeOutNodes:    {name: "remove", doing: "removing", line: []string{"remove"}, lesser: true},
	RemoveNodes:     {name: "remove", doing: "removing", state: "leaving", line: []string{"remove"}, lesser: true},
	UnregisterNodes: {name: "unregister", doing: "unregistering", state: "leaving", line: []string{"remove"}, flags: []string{"--unregister"}, lesser: true},
	AdmitSite:       {name: "admit another site", doing: "admitting another site", whole: true, line: []string{"admit", "FILE"}, lesser: true},
	RemoveSite:      {name: "remove", doing: "removing", noun: "site", line: []string{"remove", "--site"}, lesser: true},
	RestoreKey:      {name: "restore the key of", doing: "restoring the key of", line: []string{"restore-key"}, lesser: true},
	RotateKeys:      {name: "rotate the key of", doing: "rotating the key of", line: []string{"rotate"}, lesser: true},
	GiveUpRotation:  {name: "go back to the old key of", doing: "going back to the old key of", line: []string{"rotate"}, flags: []string{"--back"}, lesser: true},
	AddNode:         {name: "add", doing: "adding", line: []string{"add"}, lesser: true},
	StopRun:         {name: "stop", doing: "stopping", noun: "run", line: []string{"runs", "stop"}, lesser: true},
	Upgrade:         {name: "move to another release of flwr", doing: "moving to another release of flwr", whole: true, line: []string{"upgrade"}, lesser: true},
	StartGrid:       {name: "start the rehearsal's grid", doing: "starting the rehearsal's grid", whole: true, line: []string{"start"}, flags: []string{"--grid"}, lesser: true},
}

// Known reports whether flwrup has such a verb.
func (v Verb) Known() bool {
	_, ok := wordsOf[v]
	return ok
}

// Names says what the verb is for: "restart supernode_2", "stop 3 SuperNodes".
func (v Verb) Names(nodes []string) string { return v.with(wordsOf[v].name, nodes) }

// Doing says what a verb does, for the person of another flwrup: "starting supernode_2", "stopping 3 SuperNodes".
func (v Verb) Doing(nodes []string) string {
	w, ok := wordsOf[v]
	if !ok {
		w.doing = "at work on"
	}
	return v.with(w.doing, nodes)
}

func (v Verb) with(words string, nodes []string) string {
	w := wordsOf[v]
	noun := cmp.Or(w.noun, "SuperNode")
	switch n := len(nodes); {
	case w.whole:
		return words
	case n == 0 && v.ForAll():
		return words + " the SuperNodes"
	case n == 0, n == 1 && nodes[0] == "": // one that has no name yet
		return words + " a " + noun
	case n == 1 && w.noun != "":
		return words + " " + noun + " " + nodes[0]
	case n == 1:
		return words + " " + nodes[0]
	default:
		return words + " " + wording.Count(n, noun)
	}
}

// State is the word for a SuperNode that the verb is at work on; "" while it stands as it was.
func (v Verb) State() string { return wordsOf[v].state }

// ForAll reports whether the verb without names is for all SuperNodes.
func (v Verb) ForAll() bool { return v != "" && !wordsOf[v].lesser }

// Args returns flwrup's arguments to the effect of the verb.
func (v Verb) Args(nodes []string) []string {
	w := wordsOf[v]
	if w.whole {
		nodes = nil
	}
	return slices.Concat(w.line, nodes, w.flags)
}

// Args returns flwrup's arguments to the effect of r; nil where only the wizard's step helps.
func (r Remedy) Args() []string {
	switch {
	case r.Verb != "":
		return r.Verb.Args(r.Nodes)
	case r.Step == 0, r.Step == StepRun: // no command shows an app
		return nil
	case r.Look:
		return []string{"doctor"}
	}
	return []string{"up"}
}
