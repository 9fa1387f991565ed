package shown

import (
	"time"

	"flwrup/internal/front"
)

// FitData is what `flwrup status --json` says about it.
type FitData struct {
	Newest  string    `json:"newest,omitempty"`      // release of flwr that is out; not there while the package index was not asked
	Asked   time.Time `json:"asked,omitzero"`        // when the index said so
	Index   string    `json:"index,omitempty"`       // its host
	Trouble string    `json:"index_error,omitempty"` // why it had no answer the last time
	Control string    `json:"control,omitempty"`     // HTTP or gRPC, which the grid speaks to flwr's commands; not there while it is not known
	Fleet   string    `json:"fleet,omitempty"`       // the same, to SuperNodes
	Flwr    string    `json:"flwr_fits,omitempty"`   // whether the flwr at hand fits the grid: yes or no; not there while it is not known
	Target  string    `json:"target,omitempty"`      // release to move to
	Needed  bool      `json:"needed"`                // something cannot talk to the grid as it is
	Why     string    `json:"why,omitempty"`
}

// FitOf returns f for JSON; nil while nothing is known.
func FitOf(f front.Fit) *FitData {
	if f == (front.Fit{}) {
		return nil
	}
	return &FitData{f.Newest, f.Asked, f.Index, f.Trouble, f.Control, f.Fleet, f.FlwrFits, f.Target, f.Needed, f.Says}
}
