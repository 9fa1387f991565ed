package front

import "flwrup/internal/wording"

// Doing says what a verb does, for the person of another flwrup: "starting supernode_2", "stopping 3 SuperNodes".
func (v Verb) Doing(nodes []string) string {
	whom := "the SuperNodes"
	switch len(nodes) {
	case 0:
	case 1:
		whom = nodes[0]
	default:
		whom = wording.Count(len(nodes), "SuperNode")
	}
	switch v {
	case StartNodes:
		return "starting " + whom
	case StopNodes:
		return "stopping " + whom
	case RestartNodes, ReplaceNodes, OwnImage:
		return "restarting " + whom
	case RemoveNodes, TakeOutNodes:
		return "removing " + whom
	case UnregisterNodes:
		return "unregistering " + whom
	case ChangeSettings:
		return "changing the settings of " + whom
	case RestoreKey:
		return "restoring the key of " + whom
	case StopRun:
		return "stopping a run"
	case StartGrid:
		return "starting the rehearsal's grid"
	case AddNode:
		if len(nodes) < 2 && (len(nodes) == 0 || nodes[0] == "") {
			whom = "a SuperNode"
		}
		return "adding " + whom
	}
	return "at work on " + whom
}
