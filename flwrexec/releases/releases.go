// Package releases knows which releases of flwr are out. It asks the package index that uv or pip would install
// from, at most once a day for all projects of a user, and keeps the answer in the user's cache folder.
package releases

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"deps.dev/util/semver" // alive, and knows Python's versions; pep508 only takes requirements apart
	"github.com/gofrs/flock"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/atomicfile"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// Often is how often an index is asked at most, whether it answers or not.
const Often = 24 * time.Hour

// patience is how long the index may take in all; tests have less.
var patience = 8 * time.Second

// Release is one release of flwr.
type Release struct {
	Version flwr.Version
	Python  string // versions of Python that it takes, such as ">=3.11,<4.0"; "": it does not say
}

// TakesPython reports whether the release can be installed for Python 3.minor.
func (r Release) TakesPython(minor int) bool {
	if r.Python == "" {
		return true
	}
	c, err := semver.PyPI.ParseConstraint(r.Python)
	if err != nil {
		return false
	}
	v, err := semver.PyPI.Parse(flwr.Version{Major: 3, Minor: minor, Patch: 99}.String()) // ">3.9.1" means later patches, too
	return err == nil && c.MatchVersion(v)
}

// List is what an index answered.
type List struct {
	At       time.Time // of the answer; zero: none so far
	Index    string    // host of the index
	Releases []Release // that can be installed here, oldest first; none that is yanked or a pre-release

	Tried time.Time // of the last question
	Err   string    // why it had no answer; "" where it had one
}

// Newest returns the newest release; the zero Version where none is known.
func (l List) Newest() flwr.Version {
	if len(l.Releases) == 0 {
		return flwr.Version{}
	}
	return l.Releases[len(l.Releases)-1].Version
}

// Due reports whether the index may be asked again.
func (l List) Due(now time.Time) bool {
	return now.Sub(l.Tried) >= Often || l.Tried.After(now.Add(time.Hour))
}

// kept is the form of List on disk.
type kept struct {
	Of       string        `json:"of"` // hash of the indexes' addresses, which may hold a password
	At       time.Time     `json:"at"`
	Tried    time.Time     `json:"tried"`
	Index    string        `json:"index"`
	Err      string        `json:"error,omitempty"`
	Releases []keptRelease `json:"releases"`
}

type keptRelease struct {
	Version string `json:"version"`
	Python  string `json:"python,omitempty"`
}

// Kept returns the last answer of the index that the settings name now. It asks nobody. Without an answer the list is
// empty.
func Kept() List {
	index, err := install.IndexHere()
	if err != nil {
		return List{}
	}
	file, err := place()
	if err != nil {
		return List{}
	}
	return read(file, index)
}

// Refresh asks the index where its last answer is a day old or older, or where now is set, and keeps the answer. The
// error is a Problem: the index cannot be asked, did not answer, or has no flwr. List then has the answer before.
// The caller decides whether the person wants it asked (check-releases in flwrup.toml).
func Refresh(ctx context.Context, now bool) (List, error) {
	index, err := install.IndexHere()
	if err != nil {
		return List{}, err
	}
	file, err := place()
	if err != nil {
		return List{}, err
	}
	l := read(file, index)
	if index.Offline {
		return l, problem.New(Unknown, "the package index is not asked", "the settings of "+index.Tool+" say so (offline, or no index)", "")
	}
	if !now && !l.Due(time.Now()) {
		return l, nil
	}
	if err := userdirs.Private(filepath.Dir(file)); err != nil {
		return l, err
	}
	lock := flock.New(file + ".lock")
	if ok, err := lock.TryLock(); err != nil || !ok {
		return l, err // another flwrup asks at this moment
	}
	defer lock.Unlock() //nolint:errcheck // the file stays for the next question
	if l = read(file, index); !now && !l.Due(time.Now()) {
		return l, nil
	}
	answer, err := ask(ctx, index, "flwr")
	if ctx.Err() != nil {
		return l, problem.Stopped(context.Cause(ctx), "the question to the package index was stopped", "")
	}
	l.Tried, l.Err = time.Now(), ""
	if err == nil {
		l.At, l.Index, l.Releases = l.Tried, answer.host, installable(answer.releases, install.Pythons(ctx, index.Tool))
	} else {
		l.Err = problem.Of(err).Error()
	}
	if werr := write(file, index, l); err == nil {
		err = werr
	}
	return l, err
}

// Nightly returns the newest build of flwr-nightly that the index has and that can be installed here.
func Nightly(ctx context.Context) (flwr.Version, error) {
	index, err := install.IndexHere()
	if err != nil {
		return flwr.Version{}, err
	}
	answer, err := ask(ctx, index, "flwr-nightly")
	if err != nil {
		return flwr.Version{}, err
	}
	list := List{Releases: installable(answer.releases, install.Pythons(ctx, index.Tool))}
	if len(list.Releases) == 0 {
		return flwr.Version{}, problem.New(Unknown, "no nightly of flwr fits the Python of this machine", "", "install a newer Python, or uv, which brings its own")
	}
	return list.Newest(), nil
}

// Unknown is the code of a Problem about an index that does not say which releases are out.
const Unknown problem.Code = "releases-unknown"

// installable returns the releases that take one of the Pythons 3.x, oldest first, at most 200. Where no Python was
// found all are returned: uv or a person may bring one.
func installable(all []Release, minors []int) []Release {
	list := slices.DeleteFunc(slices.Clone(all), func(r Release) bool {
		return len(minors) > 0 && !slices.ContainsFunc(minors, r.TakesPython)
	})
	slices.SortFunc(list, func(a, b Release) int {
		return cmp.Or(a.Version.Compare(b.Version), strings.Compare(a.Version.Raw, b.Version.Raw))
	})
	return list[max(0, len(list)-mostReleases):]
}

const mostReleases = 200

func place() (string, error) {
	dir, err := userdirs.Cache("releases")
	return filepath.Join(dir, "flwr.json"), err
}

// hashOf tells one set of addresses from another.
func hashOf(index install.Index) string {
	sum := sha256.Sum256([]byte(strings.Join(index.Places, "\n")))
	return hex.EncodeToString(sum[:8])
}

// read returns what is kept of an index; empty where nothing is, or what is there cannot be read.
func read(file string, index install.Index) List {
	text, err := plainfile.ReadAtMost(file, 1<<20)
	var k kept
	if err != nil || json.Unmarshal(text, &k) != nil || k.Of != hashOf(index) {
		return List{}
	}
	l := List{At: k.At, Tried: k.Tried, Index: termsafe.Line(k.Index), Err: termsafe.Line(k.Err)}
	for _, r := range k.Releases[:min(len(k.Releases), mostReleases)] {
		if v, ok := release(r.Version); ok && len(r.Python) <= longest {
			l.Releases = append(l.Releases, Release{v, r.Python})
		}
	}
	return l
}

func write(file string, index install.Index, l List) error {
	k := kept{Of: hashOf(index), At: l.At.UTC(), Tried: l.Tried.UTC(), Index: l.Index, Err: l.Err, Releases: []keptRelease{}}
	for _, r := range l.Releases {
		k.Releases = append(k.Releases, keptRelease{r.Version.String(), r.Python})
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err == nil {
		err = atomicfile.Write(file, append(text, '\n'), 0o600)
	}
	if err != nil {
		return &problem.Problem{Code: Unknown, What: "cannot keep which releases of flwr are out", Why: problem.Cause(err), Fix: "make " + filepath.Dir(file) + " writable for you", Err: err}
	}
	return nil
}

// hostOf returns the host of an address, without a password.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return termsafe.Line(u.Host)
}

// rootsOf reads files with certificate authorities; those that are missing, and folders, are left out.
func rootsOf(files []string) [][]byte {
	var list [][]byte
	for _, f := range files {
		if pem, err := plainfile.Read(f); err == nil {
			list = append(list, pem)
		}
	}
	return list
}
