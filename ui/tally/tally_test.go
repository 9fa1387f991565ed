package tally

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/supernode"
)

// told is a Source that says its lines, a second apart, and then waits.
type told struct {
	lines []string
	from  time.Time
}

func (s told) Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error {
	for i, text := range s.lines {
		if err := each(supernode.Line{Node: node, Time: s.from.Add(time.Duration(i) * time.Second), Text: text}); err != nil {
			return err
		}
	}
	<-ctx.Done()
	return ctx.Err()
}

// TestTally: errors count once each, from the start of the SuperNode on, with the last message of the last run.
func TestTally(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		from := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
		src := told{from: from, lines: []string{
			"ERROR :     of the time before",
			"INFO :      Starting Flower SuperNode",
			"INFO :      [RUN 7]",
			"INFO :      Receiving: train message (ID: 1)",
			"ERROR :     ClientApp raised an exception",
			"Traceback (most recent call last):",
			`  File "client.py", line 3, in train`,
			"ValueError: no data",
			"INFO :      [RUN 7]",
			"INFO :      Sent successfully",
			"INFO :      [RUN 7]",
			"INFO :      Receiving: evaluate message (ID: 2)",
			"ERROR :     ClientApp raised an exception",
		}}
		tally := New(src, func(err error) { t.Error(err) })
		tally.Follow([]string{"supernode_1"})
		synctest.Wait()
		c := tally.Of("supernode_1")
		want := Count{Errors: 2, LastError: from.Add(12 * time.Second), Run: "7", Asked: from.Add(11 * time.Second), Longest: 8 * time.Second}
		if !c.LastError.Equal(want.LastError) || !c.Asked.Equal(want.Asked) {
			t.Errorf("last error %v, asked %v", c.LastError, c.Asked)
		}
		if c.LastError, c.Asked = want.LastError, want.Asked; c != want {
			t.Errorf("%+v, want %+v", c, want)
		}
		tally.Follow(nil) // stops reading it
		tally.Close()
		synctest.Wait()
	})
}

// TestTallySaysMore: errors before what was read may be more than those counted.
func TestTallySaysMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := told{from: time.Now()}
		for range tallyLines {
			src.lines = append(src.lines, "ERROR :     401 Unauthorized")
		}
		tally := New(src, func(err error) { t.Error(err) })
		tally.Follow([]string{"supernode_1"})
		synctest.Wait()
		if c := tally.Of("supernode_1"); !c.More || c.Errors != tallyLines {
			t.Errorf("%+v", c)
		}
		tally.Close()
		synctest.Wait()
	})
}
