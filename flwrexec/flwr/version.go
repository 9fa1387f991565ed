package flwr

import (
	"fmt"
	"regexp"
	"strconv"
)

// Oldest is the oldest flwr that flwrup supports: Flower's registration guide was written for it.
const Oldest = "1.24.0"

// Version is a release of flwr. A development or nightly build counts as the release that it leads to:
// 1.43.0.dev20261101 is 1.43.0 with Dev set.
type Version struct {
	Major, Minor, Patch int
	Dev                 bool
	Raw                 string // as it was read
}

var versionPattern = regexp.MustCompile(`^v?(\d{1,6})\.(\d{1,6})(?:\.(\d{1,6}))?(.*)$`)
var devPattern = regexp.MustCompile(`(?i)dev|nightly|[._-]?(?:a|b|rc|alpha|beta)\.?\d`)

// ParseVersion reads a version as Python packages write it: 1.42.0, 1.43.0.dev20261101, v1.26.1.
func ParseVersion(s string) (Version, error) {
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return Version{}, fmt.Errorf("%q is no version of flwr", s)
	}
	v := Version{Raw: s, Dev: devPattern.MatchString(m[4])}
	v.Major, _ = strconv.Atoi(m[1])
	v.Minor, _ = strconv.Atoi(m[2])
	v.Patch, _ = strconv.Atoi(m[3])
	return v, nil
}

// AtLeast reports whether v has the features of release 1.minor.
func (v Version) AtLeast(minor int) bool {
	return v.Major > 1 || v.Major == 1 && v.Minor >= minor
}

// Compare returns -1, 0 or 1 as v is older than, the same as or newer than w. A development build comes just
// before its release.
func (v Version) Compare(w Version) int {
	for _, d := range [...]int{v.Major - w.Major, v.Minor - w.Minor, v.Patch - w.Patch} {
		if d != 0 {
			return sign(d)
		}
	}
	return sign(boolInt(w.Dev) - boolInt(v.Dev))
}

// String returns the version as it was read, else major.minor.patch; "" for the zero Version.
func (v Version) String() string {
	if v.Raw != "" {
		return v.Raw
	}
	if v == (Version{}) {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch)
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
