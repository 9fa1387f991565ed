package flwrexec

import (
	"context"
	"os"
	"path/filepath"
	"time"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
	"flwrup/internal/problem"
)

// An access token lives minutes, and any command renews it: flwr overwrites the old pair of tokens with the
// new one. On some grids a refresh token works only once. A second command that renews at the same time (the
// dashboard during a run's log, another terminal) then gets the answer "not logged in", though the file holds
// a good session by then. Called again, it reads the new file.

// renewal is how long the other command may take from the grid's answer to its file.
const renewal = 300 * time.Millisecond

// credentialsFile is where flwr keeps the connection's tokens: up to 1.25 below the app, later next to
// config.toml (seen in 1.24 to 1.42).
func (s *Session) credentialsFile(c flwr.Connection) string {
	if s.Dialect().ConfigInPyproject {
		return filepath.Join(s.absolute(c).App, ".flwr", ".credentials", c.Name+".json")
	}
	file, err := config.FlowerFile(s.o.FlwrHome)
	if err != nil {
		return ""
	}
	return filepath.Join(filepath.Dir(file), "credentials.yaml")
}

// overtaken reports whether a command begun at began, and refused as not logged in, lost a race: another
// command has written the tokens since.
func (s *Session) overtaken(ctx context.Context, c flwr.Connection, began time.Time, err error) bool {
	if !problem.Is(err, problem.NotLoggedIn) {
		return false
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(renewal):
	}
	info, serr := os.Stat(s.credentialsFile(c))
	return serr == nil && info.ModTime().After(began.Add(-time.Second)) // a second: coarse file times, and a file that is read as it is written
}
