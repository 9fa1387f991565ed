package health

import (
	"flwrup/dockerctl"
	"flwrup/internal/export"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
)

// NodeEngine is the code of a SuperNode that another engine runs.
const NodeEngine = dockerctl.OfEngine

// RunBy returns the engine that runs a SuperNode in flwrup's place, and how a person reaches it there; false while
// flwrup runs it.
func RunBy(d ledger.Data, f site.Folder, name string) (export.Where, bool) {
	at := d.SuperNode(name).Engine
	return export.Where{Kind: export.Kind(at.Kind), Dir: f.Path(at.Dir), Project: f.Choices.Name, ID: f.Choices.ID, Name: name}, at.Kind != ""
}

// engineView is what front ends show of it.
func engineView(p *site.Snapshot, name string) *front.Engine {
	w, is := RunBy(p.Ledger, p.Folder, name)
	if !is {
		return nil
	}
	return &front.Engine{Kind: string(w.Kind), Dir: p.Rel(w.Dir), Start: w.Start(), Stop: w.Stop(), End: w.End(), Logs: w.Logs()}
}

// leftToEngine says that a SuperNode is not online where an engine runs it, with what its log tells where that can be
// read from here.
func leftToEngine(e *evidence) (*problem.Problem, *front.Remedy) {
	at := e.node.Engine
	p := problem.New(NodeEngine, e.node.Name+" is not online", at.Kind+" runs it ("+at.Dir+")", "see its log there: "+at.Logs+"; start it: "+at.Start)
	if e.log != nil {
		p.Why, p.Raw = e.log.Error()+"; "+p.Why, e.log.Raw
	}
	return p, nil
}
