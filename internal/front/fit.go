package front

import "time"

// Fit says which flwr fits the grid, and which release to move to.
type Fit struct {
	Newest  string    // newest release that is out; "" while it is not known
	Asked   time.Time // when the package index said so
	Index   string    // its host
	Trouble string    // why it had no answer the last time; "" where it had one

	Control, Fleet string // HTTP or gRPC, which the grid speaks to commands and to SuperNodes; "" while it is not known
	Flwr           string // at hand
	FlwrFits       string // yes, no, "" while it is not known

	Target string // release to move to; "" where there is no need, or none fits
	Needed bool   // something cannot talk to the grid as it is
	Says   string // one line for people; "" where there is nothing to say
	Short  string // the same for a narrow screen
}
