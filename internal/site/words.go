package site

import (
	"strings"

	"flwrup/internal/problem"
)

// Fix returns what to do about p, to be put behind its text; "" where it says nothing.
func Fix(p *problem.Problem) string {
	if p.Fix == "" {
		return ""
	}
	return ": " + p.Fix
}

// SuggestName makes a valid federation name of a project's name.
func SuggestName(project string) string {
	var b strings.Builder
	for _, r := range project {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		case b.Len() > 0 && (r >= '0' && r <= '9' || r == '-' || r == '_' || r == ' '):
			if r == '_' || r == ' ' {
				r = '-'
			}
			b.WriteRune(r)
		}
		if b.Len() == 32 {
			break
		}
	}
	if b.Len() == 0 {
		return "federation"
	}
	return strings.TrimRight(b.String(), "-")
}

// Later is the answer of a person who chooses the federation after the login.
const Later = "later"
