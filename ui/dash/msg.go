package dash

import "flwrup/internal/front"

// The dashboard's requests to the frame. A command of Update sends each as a message.
type (
	// OpenLogs opens the log panes for Nodes, at their newest error where Errors is set.
	OpenLogs struct {
		Nodes  []string
		Errors bool
	}
	// OpenStep opens the screen of Step.
	OpenStep struct{ Step front.StepID }
	// NewRun starts a run of the app, on the screen of step 15.
	NewRun struct{}
	// OpenSteps goes to the list of steps.
	OpenSteps struct{}
	// Run starts, stops, restarts, removes Nodes, or adds one (Nodes is empty then). The frame calls Act with its
	// own Sink, which asks the questions, and sends Ran when Act has returned. Without a key press behind it
	// (ByItself) nothing is asked and the dashboard stays in sight.
	Run struct {
		Verb     front.Verb
		Nodes    []string
		ByItself bool
	}
	// Copy puts Text on the clipboard; What describes it: "node ID of supernode_1".
	Copy struct{ Text, What string }
	// Failed is a bug in the dashboard: a panic in one of its goroutines.
	Failed struct{ Err error }
)

// Began is sent to the Model by the frame when it performs a Run without a key press.
type Began struct{ Run }

// Ran is sent to the Model by the frame when the Act that Run asked for is over; Err is its error.
type Ran struct {
	Run
	Err error
}

// Others is sent to the Model by the frame when what other flwrups do in the folder has changed. Acted: one of them may have
// changed something.
type Others struct {
	front.Others
	Acted bool
}
