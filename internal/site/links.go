package site

import "flwrup/internal/front"

var Dashboard = front.Link{Label: "Federations dashboard", URL: "https://flower.ai/federations"}

// FederationsPage is where a person sees the federations of SuperGrid; another grid has none that we know.
func FederationsPage(s *Site) []front.Link {
	if s.Rehearsal() || gridName(s.Choices().Grid) != superGridName {
		return nil
	}
	return []front.Link{Dashboard}
}

const Later = "later"
