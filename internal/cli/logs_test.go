package cli

import (
	"testing"
	"time"
)

func TestStampSaysTheDay(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.Local)
	if got := stampOf(now.Add(-time.Hour), now); got != "13:00:00" {
		t.Errorf("today: %s", got)
	}
	if got := stampOf(now.Add(-24*time.Hour), now); got != "2026-11-22 14:00:00" {
		t.Errorf("yesterday: %s", got)
	}
}
