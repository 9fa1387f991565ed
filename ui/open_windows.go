package ui

import "flwrup/internal/child"

// openBrowser hands the page to Windows.
func openBrowser(url string) error {
	return launch(child.Detached(child.SystemDir(), "rundll32", "url.dll,FileProtocolHandler", url))
}
