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
	front.Remedy
	led bool // to a step that depends on the trouble's code alone
}

// out returns the remedy of a trouble, else the step for its code.
func out(p *problem.Problem, r *front.Remedy) way {
	if r != nil && (r.Verb != "" || r.Step > 0) {
		w := way{Remedy: *r}
		w.Says = clean(r.Says)
		return w
	}
	if r, ok := front.RemedyFor(p.Code); ok {
		return way{Remedy: r, led: true}
	}
	return way{Remedy: front.Remedy{Says: "see what to do"}}
}

// offer returns the present action of F, and its node; "" for node when it concerns all, no words when there
// is nothing to mend. A trouble of all nodes comes first, because the nodes depend on it.
func (t *table) offer() (node string, w way) {
	if p := t.whole(); p != nil {
		r := t.have.Remedy // is about the grid
		if t.have.RuntimeErr != nil {
			r = nil
		}
		if w := out(p, r); w.Verb != "" || w.Step > 0 {
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
	return w.Remedy
}

// mend applies a remedy that needs no user, or leads to the right place: a step, or the details that say what
// to do.
func (m *Model) mend() tea.Cmd {
	node, w := m.offer()
	if w.Says == "" {
		return nil
	}
	if node == "" {
		return m.take(w)
	}
	m.sel = node
	if w.Verb == "" && (w.Step == 0 || w.led && m.detail) {
		m.detail = true
		return m.followCursor()
	}
	return tea.Batch(m.followCursor(), m.take(w))
}

// take asks the frame to apply a remedy. The nodes are shown as busy until the frame reports the end.
func (m *Model) take(w way) tea.Cmd {
	if w.Verb == "" {
		return send(OpenStep{w.Step})
	}
	for _, name := range w.Nodes {
		m.busy[name] = doing{w.Verb, m.now()}
	}
	m.hurry(m.now())
	return send(Run{Verb: w.Verb, Nodes: w.Nodes})
}
