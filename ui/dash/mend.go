package dash

import (
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// The key F shows each trouble with its remedy.

// ailing returns the node that F is for: the one under the cursor, or else the first with a diagnosis.
func (t *table) ailing() (front.NodeView, bool) {
	if n, ok := t.node(t.sel); ok && n.Diagnosis != nil {
		return n, true
	}
	for _, n := range t.have.Nodes {
		if n.Diagnosis != nil {
			return n, true
		}
	}
	return front.NodeView{}, false
}

// whole returns the trouble that concerns all nodes: with the runtime, else with the grid. nil without one.
func (t *table) whole() *problem.Problem {
	if err := t.have.RuntimeErr; err != nil {
		return problem.Of(err)
	}
	if err := t.have.GridErr; err != nil {
		return problem.Of(err)
	}
	return nil
}

// way is the remedy of a trouble: a verb, or a step; with neither, its details say what to do.
type way struct {
	verb  front.Verb
	nodes []string // for verb
	step  front.StepID
	words string
	look  bool // the step shows what is wrong
	led   bool // to a step that depends on the trouble's code alone
}

// out returns the remedy of a trouble, else the step for its code.
func out(p *problem.Problem, r *front.Remedy) way {
	if r != nil && (r.Verb != "" || r.Step > 0) {
		return way{verb: r.Verb, nodes: r.Nodes, step: r.Step, words: clean(r.Says), look: r.Look}
	}
	if r, ok := front.RemedyFor(p.Code); ok {
		return way{step: r.Step, words: r.Says, look: r.Look, led: true}
	}
	return way{words: "see what to do"}
}

// offer returns the present action of F, and its node; "" for node when it concerns all, no words when there
// is nothing to mend. A trouble of all nodes comes first, because the nodes depend on it.
func (t *table) offer() (node string, w way) {
	if p := t.whole(); p != nil {
		r := t.have.Remedy // is about the grid
		if t.have.RuntimeErr != nil {
			r = nil
		}
		if w := out(p, r); w.verb != "" || w.step > 0 {
			return "", w
		}
	}
	n, ok := t.ailing()
	if !ok {
		return "", way{}
	}
	return n.Name, out(n.Diagnosis, n.Remedy)
}

// Remedy returns what F does now.
func (m *Model) Remedy() front.Remedy {
	_, w := m.offer()
	return front.Remedy{Says: w.words, Verb: w.verb, Nodes: w.nodes, Step: w.step, Look: w.look}
}

// mend applies a remedy that needs no user, or leads to the right place: a step, or the details that say what
// to do.
func (m *Model) mend() tea.Cmd {
	node, w := m.offer()
	if w.words == "" {
		return nil
	}
	if node == "" {
		return m.take(w)
	}
	m.sel = node
	if w.verb == "" && (w.step == 0 || w.led && m.detail) {
		m.detail = true
		return m.followCursor()
	}
	return tea.Batch(m.followCursor(), m.take(w))
}

// take asks the frame to apply a remedy. The nodes are shown as busy until the frame reports the end.
func (m *Model) take(w way) tea.Cmd {
	if w.verb == "" {
		return send(OpenStep{w.step})
	}
	for _, name := range w.nodes {
		m.busy[name] = doing{w.verb, m.now()}
	}
	m.hurry(m.now())
	return send(Run{Verb: w.verb, Nodes: w.nodes})
}
