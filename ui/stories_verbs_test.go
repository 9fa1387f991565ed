package ui

import (
	"testing"

	"flwrup/internal/front"
	"flwrup/ui/dash"
)

// verbScenes are the questions that the dashboard's verbs ask at work.
var verbScenes = []struct {
	verb  front.Verb
	nodes []string
	asks  front.Question
}{
	{front.RemoveNodes, []string{"supernode_4"}, front.Question{ID: "remove", Kind: front.AskChoice, Default: "no", Ask: "Remove supernode_4?",
		Help: "flwrup stops it, removes its container and log, and takes it out of the federation (flwr 1.27 and later). The key files stay where they are.",
		Choices: []front.Choice{
			{Value: "no", Label: "keep it"},
			{Value: "remove", Label: "remove", Note: "its key stays registered: you can add it again"},
			{Value: "unregister", Label: "remove and unregister", Note: "its key can never be registered again; asks once more"},
		}}},
	{front.UnregisterNodes, []string{"supernode_2", "supernode_3"}, confirm("unregister", "Unregister supernode_2, supernode_3?",
		"The grid forgets the node, and its key can never be registered again. The key files stay where they are.", "", "no")},
	{front.AddNode, nil, front.Question{ID: "add", Kind: front.AskChoice, Default: "a new one", Ask: "Which SuperNode do you want to add?",
		Help: "One that was removed without being unregistered keeps its key, its name and its node ID.",
		Choices: []front.Choice{{Value: "a new one", Label: "a new one", Note: "with a new key; registering it cannot be undone"},
			{Value: "supernode_4", Label: "supernode_4", Note: "was removed; " + nodeIDs[3]},
			{Value: "another site", Label: "those of another site", Note: "it has sent you a request; its keys stay there"},
			{Value: "no", Label: "none"}}}},
	{front.AddNode, nil, front.Question{ID: "add", Kind: front.AskChoice, Ask: "Which SuperNode do you want to add?",
		Choices: []front.Choice{{Value: "a new one", Label: "a new one", Note: "with a new key; registering it cannot be undone"},
			{Value: "another site", Label: "those of another site", Note: "it has sent you a request; its keys stay there"},
			{Value: "no", Label: "none"}}}},
	{front.AdmitSite, nil, front.Question{ID: "request", Kind: front.AskLetter, Ask: "Which request do you want to admit?",
		Help: "A site makes it with flwrup request. Give the path of its file, or paste it as it came, with the mail around it."}},
	{front.AdmitSite, nil, confirm("words", `Does St. Mary's Hospital read out "bok stung harsh shaft"?`,
		"St. Mary's Hospital asks for 2 SuperNodes; contact: it@st-mary.example.\nCall somebody there whom you know, and have them read their four words to you. "+
			"Whoever changed the request on its way has other words. Then read them yours: dragging sarcasm elk marry.\nUnattended: --words.", "", "")},
	{front.RemoveSite, nil, front.Question{ID: "remove-site", Kind: front.AskChoice, Default: "no", Ask: "Which site do you want to remove?",
		Choices: []front.Choice{{Value: "no", Label: "none"}, {Value: "st-marys-hospital", Label: "St. Mary's Hospital", Note: "2 SuperNodes"}}}},
	{front.RemoveSite, []string{"st-marys-hospital"}, confirm("unregister", "Remove St. Mary's Hospital and unregister its 2 SuperNodes?",
		"They leave the federation, and the grid forgets them: their keys can never be registered again. To come back, the site needs new keys and a new request.", "", "no")},
	{front.StopRun, []string{runID}, confirm("stop-run", "Stop run "+runID+"?",
		"It ends on the grid and on all SuperNodes. You lose what it has learnt so far.", "", "no")},
	{front.StartNodes, []string{"supernode_2"}, front.Question{ID: "value of DB_PASSWORD", Kind: front.AskSecret, Ask: "Value of DB_PASSWORD?",
		Help: "flwrup.toml hands this variable on to supernode_2, and it is not set here. It goes to the SuperNode alone; no file of flwrup's keeps it."}},
	{front.Upgrade, nil, confirm("upgrade", "Move to flwr 1.42.0?",
		"from flwr 1.41.0 to 1.42.0: flwr 1.42.0 is out; supernode_1, supernode_2, supernode_3 and 2 more run 1.41.0\n"+
			"  install flwr 1.42.0 into an environment of its own; the one before stays\n"+
			"  get the image flwr/supernode:1.42.0-py3.13-ubuntu24.04 before anything stops\n"+
			"  restart supernode_1, and wait until it is online and has stayed so for 30 s\n"+
			"  then restart supernode_2, supernode_3, supernode_4, supernode_5, at most 5 at the same time\n"+
			"Keys and node IDs stay. If supernode_1 does not come online, all of this is taken back.\n"+
			"Run "+runID+" (@ada/lungs 1.0.0) is going on.\nflwrup waits until it has ended, then begins.", "", "no")},
	{front.RotateKeys, []string{"supernode_2"}, confirm("rotate", "Give supernode_2 a new key?",
		"Its node ID "+nodeIDs[1]+" becomes another one; its name and settings stay.\n"+
			"flwrup makes the new key, renews the backup and verifies it, registers the key and starts supernode_2 with it.\n"+
			"Only when the grid calls it online, the old key is unregistered: it can never be registered again.\n"+
			"The files of the old key go to a folder set-aside-… in keys and stay in the backup; delete them when you like.\n"+
			"In progress: 1 run. supernode_2 drops out, and comes back as another node.\n"+
			"Whoever keeps a list of the nodes of @ada/lung-study needs the new ID.", "", "no")},
	{front.RestoreKey, []string{"supernode_5"}, front.Question{ID: "passphrase", Kind: front.AskSecret, Ask: "The passphrase of keys-backup-20251123T101500Z.tar.age",
		Help: "flwrup takes the key from its backup."}},
}

// verbPages shows each of them.
func verbPages() (list []pageScene) {
	for _, d := range verbScenes {
		name := string(d.verb) + " asks: " + d.asks.ID
		if d.verb == front.AddNode && d.asks.Default == "" {
			name += ", none to bring back"
		}
		list = append(list, pageScene{"verbs", name, func(t testing.TB, m *Model) {
			openDash(t, m)
			m.verb.act(dash.Run{Verb: d.verb, Nodes: d.nodes})
			m.desk.job.take(m, []any{question(d.asks)}, 0)
		}})
	}
	return append(list, pageScene{"verbs", "another flwrup acts", func(t testing.TB, m *Model) {
		openDash(t, m)
		m.Update(othersMsg{front.Others{PID: 4711, Doing: "starting supernode_2"}})
	}})
}
