package shown

import (
	"fmt"

	"flwrup/internal/front"
	"flwrup/internal/plain"
)

// MetricsData is the metrics of a run: name → round → value.
type MetricsData map[string]map[string]float64

// MetricsOf returns the metrics that a front end has heard of.
func MetricsOf(front *plain.Front) MetricsData {
	d := MetricsData{}
	rounds, names := front.Metrics()
	for _, name := range names {
		d[name] = map[string]float64{}
		for round, values := range rounds {
			if v, ok := values[name]; ok {
				d[name][fmt.Sprint(round)] = v
			}
		}
	}
	return d
}

// RunData is a run, for programs.
type RunData struct {
	ID      string  `json:"id"`
	App     string  `json:"app"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

// DataOf returns a run for programs.
func DataOf(r front.RunView) RunData {
	return RunData{r.ID, r.App, string(r.Status), r.Elapsed.Seconds()}
}
