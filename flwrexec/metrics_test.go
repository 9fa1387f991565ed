package flwrexec

import (
	"reflect"
	"strings"
	"testing"
)

func metricsOf(log string) []Metric {
	var p MetricsParser
	var found []Metric
	for _, l := range strings.Split(log, "\n") {
		found = append(found, p.Line(l)...)
	}
	return found
}

func TestMetricsServerSide(t *testing.T) {
	got := metricsOf(`INFO :      Initial global evaluation results: {'accuracy': 0.1}
INFO :      [ROUND 1/1]
INFO :      aggregate_train: Received 3 results and 0 failures
INFO :      	└──> Aggregated MetricRecord: {'train_loss': 0.5, 'num-examples': 30, 'bad': nan, 'list': [1.0, 2.0]}
INFO :      Global evaluation
INFO :      	└──> MetricRecord: {'accuracy': 0.75}
INFO :      	ServerApp-side Evaluate Metrics:
INFO :      	{0: {'accuracy': '1.0000e-01'}, 1: {'accuracy': '7.5000e-01'}}`)
	want := []Metric{{0, PhaseServer, "accuracy", 0.1}, {1, PhaseTrain, "train_loss", 0.5}, {1, PhaseTrain, "num-examples", 30}, {1, PhaseServer, "accuracy", 0.75}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestMetricsOldStrategies(t *testing.T) {
	got := metricsOf(`INFO :      [SUMMARY]
INFO :      Run finished 2 round(s) in 11.19s
INFO :      	History (loss, distributed):
INFO :      		round 1: 2.25
INFO :      		round 2: 2.0
INFO :      	History (metrics, distributed, evaluate):
INFO :      	{'accuracy': [(1, 0.5), (2, 0.625)],
INFO :      	 'f1': [(1, 0.25)]}`)
	want := []Metric{{1, PhaseEvaluate, "loss", 2.25}, {2, PhaseEvaluate, "loss", 2}, {1, PhaseEvaluate, "accuracy", 0.5}, {2, PhaseEvaluate, "accuracy", 0.625}, {1, PhaseEvaluate, "f1", 0.25}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func FuzzMetrics(f *testing.F) {
	f.Add("[ROUND 1/2]\n└──> Aggregated MetricRecord: {'a': 1}\nServerApp-side Evaluate Metrics:\n{1: {'a'")
	f.Add("History (metrics, centralized):\n{'a': [(0, 1)")
	f.Fuzz(func(t *testing.T, log string) {
		for _, m := range metricsOf(log) {
			if m.Value != m.Value || m.Name == "" {
				t.Errorf("%+v", m)
			}
		}
	})
}
