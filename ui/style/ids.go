package style

import "strings"

// ShortIDs writes a line with its long IDs cut in the middle: node and run IDs of flwr, and the IDs of messages.
func ShortIDs(s, ellipsis string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(s); {
		if !hex(s[i]) {
			i++
			continue
		}
		j, number := i, true
		for ; j < len(s) && hex(s[j]); j++ {
			number = number && s[j] <= '9'
		}
		alone := (i == 0 || !wordy(s[i-1])) && (j == len(s) || !wordy(s[j]) || s[j] == '.' && j+1 == len(s))
		switch n := j - i; {
		case alone && number && n >= 17 && n <= 20:
			b.WriteString(s[done:i+4] + ellipsis)
			done = j - 4
		case alone && n == 64:
			b.WriteString(s[done:i+8] + ellipsis)
			done = j
		}
		i = j
	}
	if done == 0 {
		return s
	}
	b.WriteString(s[done:])
	return b.String()
}

func hex(c byte) bool { return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' }

// wordy reports whether c makes the digits next to it part of something else: a number with a point, a name, a path.
func wordy(c byte) bool {
	return c == '.' || c == '_' || c == '-' || c == '/' || c == '+' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
