package front

import "testing"

func TestRunStatus(t *testing.T) {
	for _, c := range []struct {
		status               RunStatus
		ended, failed, going bool
		outcome              string
	}{
		{status: RunUnknown},
		{status: RunPending, going: true, outcome: "pending"},
		{status: RunStarting, going: true, outcome: "starting"},
		{status: RunRunning, going: true, outcome: "running"},
		{status: RunCompleted, ended: true, outcome: "completed"},
		{status: RunFailed, ended: true, failed: true, outcome: "failed"},
		{status: RunStopped, ended: true, outcome: "stopped"},
		{status: RunLost, ended: true, failed: true, outcome: "lost"},
		{status: "finished", ended: true, outcome: "finished"},
		{status: "finished:paused", ended: true, outcome: "paused"}, // by a newer flwr
		{status: "queued", outcome: "queued"},
	} {
		s := c.status
		if s.Ended() != c.ended || s.Failed() != c.failed || s.Going() != c.going || s.Outcome() != c.outcome {
			t.Errorf("%q: ended %v, failed %v, going %v, outcome %q", s, s.Ended(), s.Failed(), s.Going(), s.Outcome())
		}
	}
}
