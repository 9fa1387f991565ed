package whichgrid

import (
	"flwrup/internal/front"
	"flwrup/internal/site"
)

// Dashboard is the page of SuperGrid that shows federations.
var Dashboard = front.Link{Label: "Federations dashboard", URL: "https://flower.ai/federations"}

// FederationsPage is where a person sees the federations of SuperGrid; another grid has none that we know.
func FederationsPage(f site.Folder) []front.Link {
	if f.Rehearsal() || site.GridName(f.Choices.Grid) != site.SuperGridName {
		return nil
	}
	return []front.Link{Dashboard}
}
