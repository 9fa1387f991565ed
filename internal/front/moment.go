package front

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// ErrMoment says which times ParseMoment takes.
var ErrMoment = errors.New("it takes 10m, 2h or 3d (ago), 14:00, 14:00:30, today, yesterday, or 2026-11-23 14:00")

// ParseMoment reads a time in the past as people say it: so long ago, a time of the day (the last one before now), a
// day, or both.
func ParseMoment(text string, now time.Time) (time.Time, error) {
	now = now.Local()
	text = strings.ToLower(strings.TrimSpace(text))
	day := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, 0, 0, 0, 0, now.Location())
	}
	if ago, ok := parseAgo(strings.TrimSpace(strings.TrimSuffix(text, " ago"))); ok {
		return now.Add(-ago), nil
	}
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(text)); err == nil {
		return at, nil
	}
	date, clock, both := strings.Cut(text, " ")
	if d, c, ok := strings.Cut(text, "t"); ok && strings.Contains(d, "-") { // 2026-11-23t14:00
		date, clock, both = d, c, true
	}
	switch text {
	case "today", "yesterday":
		date, clock, both = text, "0:00", true
	}
	if !both {
		if at, ok := onDay(day(0), date); ok {
			if at.After(now) {
				at, _ = onDay(day(-1), date)
			}
			return at, nil
		}
		clock = "0:00"
	}
	var begin time.Time
	switch date {
	case "today":
		begin = day(0)
	case "yesterday":
		begin = day(-1)
	default:
		var err error
		if begin, err = time.ParseInLocation(time.DateOnly, date, now.Location()); err != nil {
			return time.Time{}, ErrMoment
		}
	}
	at, ok := onDay(begin, clock)
	if !ok {
		return time.Time{}, ErrMoment
	}
	return at, nil
}

// parseAgo reads 90s, 10m, 1h30m and 3d.
func parseAgo(text string) (time.Duration, bool) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		return time.Duration(n) * 24 * time.Hour, err == nil && n > 0 && n < 10_000
	}
	ago, err := time.ParseDuration(text)
	return ago, err == nil && ago >= 0 && strings.IndexAny(text, "hms") > 0
}

// onDay returns the time of the day that clock says.
func onDay(day time.Time, clock string) (time.Time, bool) {
	for _, form := range []string{"15:04", "15:04:05"} {
		if at, err := time.Parse(form, clock); err == nil {
			return time.Date(day.Year(), day.Month(), day.Day(), at.Hour(), at.Minute(), at.Second(), 0, day.Location()), true
		}
	}
	return time.Time{}, false
}
