package install

import (
	"context"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
	"flwrup/internal/userdirs"
)

// Newest and Nightly stand for versions.
const (
	Newest  = "newest"
	Nightly = "nightly"
)

// wheelName is the name of a file with flwr, or a nightly of it.
var wheelName = regexp.MustCompile(`^flwr(?:_nightly)?-([0-9][0-9A-Za-z.]*)-[A-Za-z0-9_.-]+\.whl$`)

// Names says why text names no flwr for Scratch: "" for a version, newest, nightly, the path or https address of a wheel,
// and the path of an environment or a flwr program.
func Names(text string) string {
	if _, err := flwr.ParseVersion(text); err == nil || text == Newest || text == Nightly || isWheel(text) {
		return ""
	}
	if _, err := os.Stat(text); err == nil && strings.ContainsRune(text, filepath.Separator) {
		return ""
	}
	return "it takes a version, newest, nightly, a wheel (a path or an https address), or the path of an environment, such as ./venv"
}

// isWheel reports whether text is an https address of a wheel with flwr, or a path to one that is there.
func isWheel(text string) bool {
	if u, err := url.Parse(text); err == nil && u.Scheme == "https" && u.Host != "" {
		return wheelName.MatchString(path.Base(u.Path))
	}
	info, err := os.Stat(text)
	return err == nil && info.Mode().IsRegular() && wheelName.MatchString(filepath.Base(text))
}

// Scratch returns the flwr that text names (see Names): one of flwrup's own environments or the given one where it is
// there, else it is installed into a folder that release removes. nightly returns the newest nightly's version. say may
// be nil. Nothing that a project uses is changed.
func Scratch(ctx context.Context, text string, nightly func(context.Context) (flwr.Version, error), say func(string)) (found Found, release func(), err error) {
	release = func() {}
	if why := Names(text); why != "" {
		return found, release, problem.New(problem.BadInput, "cannot take "+text+" for a flwr", why, "")
	}
	o := Options{Version: text, Say: say}
	switch _, perr := flwr.ParseVersion(text); {
	case isWheel(text):
		o.From = text
		if !strings.HasPrefix(text, "https://") {
			o.From = userdirs.Abs(text)
		}
		o.Version = wheelName.FindStringSubmatch(path.Base(filepath.ToSlash(strings.SplitN(text, "?", 2)[0])))[1]
	case text == Nightly:
		v, err := nightly(ctx)
		if err != nil {
			return found, release, err
		}
		o.Version, o.From = v.String(), "flwr-nightly=="+v.String()
	case text == Newest:
		if o.Version, err = newestFlwr(ctx); err != nil {
			return found, release, err
		}
	case perr != nil:
		list, errs := Find(ctx, FindOptions{Path: text})
		if len(list) == 0 {
			return found, release, errs[0]
		}
		return list[0], release, nil
	}
	if o.From == "" {
		own, _ := Find(ctx, FindOptions{OnlyOwn: true})
		for _, f := range own {
			if f.Version.String() == o.Version {
				return f, release, nil
			}
		}
	}
	root, err := userdirs.Cache("installing") // what a crash leaves there is cleared away after a day
	if err == nil {
		err = userdirs.Private(root)
	}
	if err != nil {
		return found, release, err
	}
	if o.Root, err = os.MkdirTemp(root, "try-"); err != nil {
		return found, release, installProblem("make a folder in "+root, err.Error(), err)
	}
	release = func() { os.RemoveAll(o.Root) } //nolint:errcheck // cleared away after a day
	if found, err = Ensure(ctx, o); err != nil {
		release()
		release = func() {}
	}
	return found, release, err
}
