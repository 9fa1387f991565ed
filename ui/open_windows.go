package ui

import "os/exec"

// openBrowser hands the page to Windows.
func openBrowser(url string) error {
	return launch(exec.Command("rundll32", "url.dll,FileProtocolHandler", url))
}
