//go:build unix

package ui

import (
	"os"
	"runtime"

	"flwrup/internal/child"
)

// openBrowser opens the page on the desktop. Without one it does not try: xdg-open would start a text browser
// in this terminal. The child gets a session of its own and none of our streams.
func openBrowser(url string) error {
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	} else if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
		return errNoDisplay
	}
	return launch(child.Detached(child.SystemDir(), program, url))
}
