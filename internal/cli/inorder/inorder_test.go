package inorder

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"flwrup/internal/supernode"
)

// told collects what inOrder passes on.
func told(ctx context.Context, follow bool, logs map[string]func(context.Context, func(supernode.Line) error) error) (string, []error) {
	var names, lines []string
	for i := range len(logs) {
		names = append(names, fmt.Sprintf("s%d", i+1))
	}
	errs := Read(ctx, names, follow, func(ctx context.Context, node string, each func(supernode.Line) error) error {
		return logs[node](ctx, func(l supernode.Line) error { l.Node = node; return each(l) })
	}, func(l Line) { lines = append(lines, l.Node+":"+l.Text) })
	return strings.Join(lines, " "), errs
}

// The lines of several logs come in the order of their times, however late one of the logs is.
func TestLogsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		say := func(late time.Duration, at ...int) func(context.Context, func(supernode.Line) error) error {
			return func(_ context.Context, each func(supernode.Line) error) error {
				time.Sleep(late)
				for _, n := range at {
					line := supernode.Line{Text: fmt.Sprint(n)}
					if n > 0 { // else without a time
						line.Time = began.Add(time.Duration(n) * time.Second)
					}
					if err := each(line); err != nil {
						return err
					}
				}
				return nil
			}
		}
		broken := func(context.Context, func(supernode.Line) error) error { return errors.New("no log") }
		got, errs := told(t.Context(), false, map[string]func(context.Context, func(supernode.Line) error) error{
			"s1": say(0, 1, 4, 0, 9), "s2": say(time.Minute, 2, 3, 8), "s3": broken,
		})
		if want := "s1:1 s2:2 s2:3 s1:4 s1:0 s2:8 s1:9"; got != want {
			t.Errorf("order %s\n want %s", got, want)
		}
		if len(errs) != 1 || errs[0].Error() != "s3: no log" {
			t.Errorf("errors %v", errs)
		}
	})
}

// Following: what was logged before comes in order at once, then each line a moment after it was written.
func TestFollowedLogsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		live := func(lag time.Duration, old []int, at ...int) func(context.Context, func(supernode.Line) error) error {
			return func(ctx context.Context, each func(supernode.Line) error) error {
				time.Sleep(lag)
				for _, n := range old {
					if err := each(supernode.Line{Time: began.Add(-time.Hour + time.Duration(n)*time.Second), Text: fmt.Sprint("old", n)}); err != nil {
						return err
					}
				}
				for _, ms := range at {
					written := began.Add(time.Duration(ms) * time.Millisecond)
					time.Sleep(time.Until(written.Add(lag)))
					if err := each(supernode.Line{Time: written, Text: fmt.Sprint(ms)}); err != nil {
						return err
					}
				}
				<-ctx.Done()
				return ctx.Err()
			}
		}
		var took time.Duration
		logs := map[string]func(context.Context, func(supernode.Line) error) error{
			"s1": live(0, []int{1, 3}, 5000, 5100, 7000), "s2": live(300*time.Millisecond, []int{2, 4}, 5050, 5150, 6000), "s3": live(0, nil),
		}
		names := []string{"s1", "s2", "s3"}
		var lines []string
		errs := Read(ctx, names, true, func(ctx context.Context, node string, each func(supernode.Line) error) error {
			return logs[node](ctx, func(l supernode.Line) error { l.Node = node; return each(l) })
		}, func(l Line) {
			lines = append(lines, l.Node+":"+l.Text)
			if l.Text == "7000" {
				took = time.Since(l.Time)
			}
		})
		if got, want := strings.Join(lines, " "), "s1:old1 s2:old2 s1:old3 s2:old4 s1:5000 s2:5050 s1:5100 s2:5150 s2:6000 s1:7000"; got != want {
			t.Errorf("order %s\n want %s", got, want)
		}
		if took > 2*inTransit {
			t.Errorf("a line came %v late", took)
		}
		if len(errs) > 0 {
			t.Errorf("errors %v", errs)
		}
	})
}

// A SuperNode that logs fast does not wait line by line for one that is silent.
func TestFastLogsDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		n := 0
		Read(ctx, []string{"s1", "s2"}, true, func(ctx context.Context, node string, each func(supernode.Line) error) error {
			for i := 0; node == "s1" && i < 20_000; i++ {
				if err := each(supernode.Line{Node: node, Time: time.Now(), Text: "x"}); err != nil {
					return err
				}
			}
			<-ctx.Done()
			return nil
		}, func(Line) {
			if n++; n == 20_000 {
				cancel()
			}
		})
		if n != 20_000 {
			t.Errorf("%d lines of 20,000 in 10 s", n)
		}
	})
}
