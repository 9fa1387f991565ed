package dash

import (
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/problem"
	"flwrup/steps"
)

// What the key f does: each trouble is shown with its way out.

// ailing is the node that f is for: the one under the cursor, or else the first that has a diagnosis.
func (m *Model) ailing() (steps.NodeView, bool) {
	if n, ok := m.node(m.sel); ok && n.Diagnosis != nil {
		return n, true
	}
	for _, n := range m.have.Nodes {
		if n.Diagnosis != nil {
			return n, true
		}
	}
	return steps.NodeView{}, false
}

// mending is the step on which a problem is put right.
var mending = map[problem.Code]int{
	problem.FedNotFound: 2, problem.FedBadName: 2,
	problem.DockerMissing: 3, problem.DockerDown: 3, problem.DockerDenied: 3, problem.ImageMissing: 3,
	problem.FlwrMissing: 3, problem.FlwrInstall: 3, problem.PythonMissing: 3,
	problem.BadKey:       6,
	problem.NoConnection: 8, problem.LegacyConfig: 8, problem.Untrusted: 8,
	problem.NotLoggedIn: 9, problem.LoginTimeout: 9,
	problem.NodeNotFound: 10, problem.KeyInUse: 10, problem.NodeRefused: 12,
}

// mends says what is done on these steps.
var mends = map[int]string{2: "choose the federation", 3: "look at flwr and Docker", 6: "look at the keys", 8: "look at the connection",
	9: "log in", 10: "register it", 12: "see whether it is confirmed"}

// whole is the trouble that concerns all nodes: with the runtime, else with the grid. nil without one.
func (m *Model) whole() *problem.Problem {
	if err := m.have.RuntimeErr; err != nil {
		return problem.Of(err)
	}
	if err := m.have.GridErr; err != nil {
		return problem.Of(err)
	}
	return nil
}

// offer says what f does now, and to which node; "" for node when it concerns all, "" for words when
// there is nothing to mend. What concerns all comes first: the nodes hang on it.
func (m *Model) offer() (node, words string) {
	if p := m.whole(); p != nil {
		if r := m.have.Remedy; r != nil && m.have.RuntimeErr == nil {
			return "", r.Says
		}
		if step, ok := mending[p.Code]; ok {
			return "", mends[step]
		}
	}
	n, ok := m.ailing()
	if !ok {
		return "", ""
	}
	return n.Name, remedyWords(n)
}

// remedyWords says what f does for a node that has a diagnosis.
func remedyWords(n steps.NodeView) string {
	if n.Remedy != nil && (n.Remedy.Verb != "" || n.Remedy.Step > 0) {
		return clean(n.Remedy.Says)
	}
	if step, ok := mending[n.Diagnosis.Code]; ok {
		return mends[step]
	}
	return "see what to do"
}

// mend puts right what can be put right by itself, or leads to where it is: a step, or the details that
// say what to do.
func (m *Model) mend() tea.Cmd {
	node, words := m.offer()
	if words == "" {
		return nil
	}
	if node == "" {
		if r := m.have.Remedy; r != nil && m.have.RuntimeErr == nil {
			return m.remedied(r, nil)
		}
		return send(OpenStep{mending[m.whole().Code]})
	}
	n, _ := m.node(node)
	m.sel = n.Name
	if r := n.Remedy; r != nil && (r.Verb != "" || r.Step > 0) {
		return tea.Batch(m.followCursor(), m.remedied(r, []string{n.Name}))
	}
	if step, ok := mending[n.Diagnosis.Code]; ok && !m.detail {
		return tea.Batch(m.followCursor(), send(OpenStep{step}))
	}
	m.detail = true
	return m.followCursor()
}

// remedied asks the frame for a remedy.
func (m *Model) remedied(r *steps.Remedy, nodes []string) tea.Cmd {
	if r.Verb == "" {
		return send(OpenStep{r.Step})
	}
	for _, name := range nodes {
		m.busy[name] = doing{r.Verb, m.now()}
	}
	m.hurry()
	return send(Run{Verb: r.Verb, Nodes: nodes})
}
