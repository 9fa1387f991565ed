package ui

import "flwrup/internal/child"

// openBrowser opens the page with Windows.
func openBrowser(url string) error {
	return launch(child.Detached(child.SystemDir(), "rundll32", "url.dll,FileProtocolHandler", url))
}
