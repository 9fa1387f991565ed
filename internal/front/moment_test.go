package front

import (
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 30, 0, 0, time.Local)
	at := func(day, hour, minute, second int) time.Time {
		return time.Date(2026, 11, day, hour, minute, second, 0, time.Local)
	}
	for text, want := range map[string]time.Time{
		"10m": now.Add(-10 * time.Minute), "1h30m": now.Add(-90 * time.Minute), "3d": now.Add(-72 * time.Hour), "10m ago": now.Add(-10 * time.Minute),
		"14:00": at(23, 14, 0, 0), " 14:00:05": at(23, 14, 0, 5), "15:00": at(22, 15, 0, 0), // it is not 15:00 yet
		"today": at(23, 0, 0, 0), "Yesterday": at(22, 0, 0, 0), "yesterday 9:15": at(22, 9, 15, 0),
		"2026-11-20": at(20, 0, 0, 0), "2026-11-20 14:00": at(20, 14, 0, 0), "2026-11-20T14:00": at(20, 14, 0, 0),
	} {
		if got, err := ParseMoment(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	if got, err := ParseMoment("2026-11-20T14:00:00Z", now); err != nil || !got.Equal(time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)) {
		t.Errorf("RFC 3339: %v, %v", got, err)
	}
	for _, text := range []string{"", "10", "-5m", "0d", "25:00", "noon", "14:00 x", "2026-13-01", "today today", "m", "99999d"} {
		if got, err := ParseMoment(text, now); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}
