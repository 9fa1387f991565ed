package site

import "flwrup/internal/front"

// Dashboard is the page of SuperGrid that shows federations.
var Dashboard = front.Link{Label: "Federations dashboard", URL: "https://flower.ai/federations"}

// FederationsPage is where a person sees the federations of SuperGrid; another grid has none that we know.
func FederationsPage(f Folder) []front.Link {
	if f.Rehearsal() || GridName(f.Choices.Grid) != superGridName {
		return nil
	}
	return []front.Link{Dashboard}
}

// Later is the answer of a person who chooses the federation after the login.
const Later = "later"
