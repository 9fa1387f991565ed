// Package debuglog writes what flwrup runs and decides into a file of the user's, without a secret.
package debuglog

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"time"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// Variable names the file that gets what flwrup runs and decides.
const Variable = "FLWRUP_DEBUG"

// Begin sends slog's records to the file of FLWRUP_DEBUG, a JSON object a line. Without it they go nowhere. All
// of flwrup writes them with slog.Debug. end writes how this call ended.
func Begin(version string, args []string) (end func(code int, err error), err error) {
	path := os.Getenv(Variable)
	if path == "" {
		return func(int, error) {}, nil
	}
	file, err := openFile(path)
	if err != nil {
		return nil, problem.New(problem.Usage, "cannot write "+Variable+"="+termsafe.Quote(path), problem.Cause(err), "name a file of yours, or unset the variable")
	}
	before, began := slog.Default(), time.Now()
	slog.SetDefault(logger(file).With("pid", os.Getpid()))
	slog.Debug("flwrup begins", "version", version, "go", runtime.Version(), "platform", runtime.GOOS+"/"+runtime.GOARCH, "args", args)
	return func(code int, err error) {
		slog.Debug("flwrup ends", "code", code, "error", err, "took", time.Since(began))
		slog.SetDefault(before)
		file.Close() //nolint:errcheck // nobody could be shown it
	}, nil
}

func logger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutSecrets}))
}

// openFile opens a file to add to, for this user alone. What is there already has to be a plain file: a link could
// lead to another file of the user's, a pipe would wait for a reader.
func openFile(path string) (*os.File, error) {
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer root.Close() //nolint:errcheck // only read
	name := filepath.Base(path)
	info, err := root.Lstat(name)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("it is a link, a folder or a device")
	case err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("others can read it (mode %04o)", info.Mode().Perm())
	case err != nil && !os.IsNotExist(err):
		return nil, err
	}
	flags := os.O_WRONLY | os.O_APPEND
	if err != nil {
		flags |= os.O_CREATE | os.O_EXCL
	}
	return openNoFollow(path, flags)
}

var (
	userInURL = regexp.MustCompile(`(://)[^/@\s]+@`)
	secretKey = regexp.MustCompile(`(?s)-----BEGIN.*|(?i:AGE-SECRET-KEY-)\S*`)
)

// withoutSecrets cleans the texts of a record: passwords in addresses, private keys, control characters.
func withoutSecrets(_ []string, a slog.Attr) slog.Attr {
	clean := func(s string) string {
		return termsafe.Text(secretKey.ReplaceAllString(userInURL.ReplaceAllString(s, "$1…@"), "(a key)"))
	}
	switch v := a.Value.Any().(type) {
	case string:
		a.Value = slog.StringValue(clean(v))
	case []string:
		list := make([]string, len(v))
		for i, s := range v {
			list[i] = clean(s)
		}
		a.Value = slog.AnyValue(list)
	case error:
		a.Value = slog.StringValue(clean(v.Error()))
	case time.Duration:
		a.Value = slog.StringValue(v.Round(time.Millisecond).String())
	}
	return a
}
