package health

import (
	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/ledger"
	"flwrup/internal/problem"
	"flwrup/internal/site"
	"flwrup/internal/wording"
)

// Troubles of a SuperNode at another site, as far as the grid tells.
const (
	SiteAwaited problem.Code = "site-awaited" // admitted, and never online so far
	SiteLost    problem.Code = "site-lost"    // was online before
)

// sitesOf returns the SuperNodes of other sites that this account registered, as the grid lists them. The remedy of
// one that is not online is a message to the site.
func sitesOf(p *site.Snapshot) []front.SiteView {
	var list []front.SiteView
	for _, have := range p.Ledger.SitesOn(p.Choices.Grid.Connection) {
		v := front.SiteView{Name: have.Name, Title: have.Title, Contact: have.Contact}
		_, leaving := p.Ledger.SiteRemoval(have.Connection, have.Name)
		for _, n := range have.Nodes {
			on := onGrid(p, n.NodeID)
			node := front.NodeView{Name: n.Name, NodeID: n.NodeID, Fingerprint: n.Key, Grid: front.GridState(on.Status), GridSince: on.Online}
			if on.Status == flwrexec.StatusOffline {
				node.GridSince = on.Offline
			}
			if node.Diagnosis = elsewhere(have, n, node); leaving {
				node.Diagnosis = problem.New(Unfinished, "the removal of "+have.Title+" is not finished", "flwrup was stopped halfway, or the grid did not answer", "remove it again, and flwrup continues: flwrup remove --site "+have.Name)
			}
			v.Nodes = append(v.Nodes, node)
		}
		list = append(list, v)
	}
	return list
}

// elsewhere says why a SuperNode of another site is not online, as far as can be known from here; nil when it is, or
// while nobody knows.
func elsewhere(at ledger.Site, n ledger.SiteNode, v front.NodeView) *problem.Problem {
	ask := "ask " + at.Title + wording.Around(" (", at.Contact, ")")
	switch {
	case n.NodeID == "":
		return problem.New(SiteAwaited, n.Name+" is not registered yet", "the admission was cut short", "admit its request again: flwrup admit FILE")
	case v.Grid == front.GridRegistered:
		return problem.New(SiteAwaited, n.Name+" was never online", at.Title+" has not taken the reply yet, or its SuperNode does not reach the grid", ask+" to run: flwrup join reply-"+at.Name+".txt, then flwrup doctor")
	case v.Grid == front.GridOffline:
		return problem.New(SiteLost, n.Name+" is offline since "+v.GridSince.Local().Format("15:04 on 2 January"), "it runs at "+at.Title, ask+" to run: flwrup status")
	case v.Grid == front.GridUnregistered:
		return problem.New(flwrexec.NodeUnregistered, n.Name+" was unregistered on the grid", "its key can never be registered again", ask+" for a request with new keys")
	}
	return nil
}
