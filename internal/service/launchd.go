package service

import (
	"context"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// logFile is where the agent's output goes, as macOS has it.
func logFile(home string) string {
	return filepath.Join(home, "Library", "Logs", "flwrup-watch.log")
}

// plist returns an agent of launchd.
func plist(w Watch, home string) string {
	var b strings.Builder
	text := func(s string) string {
		var e strings.Builder
		_ = xml.EscapeText(&e, []byte(s))
		return "<string>" + e.String() + "</string>"
	}
	line := func(depth int, s string) { b.WriteString(strings.Repeat("\t", depth) + s + "\n") }
	line(0, `<plist version="1.0">`)
	line(0, "<dict>")
	line(1, "<key>Label</key>"+text(Label))
	line(1, "<key>ProgramArguments</key>")
	line(1, "<array>")
	for _, word := range slices.Concat([]string{w.Program, "watch"}, w.Args, w.Folders) {
		line(2, text(word))
	}
	line(1, "</array>")
	if len(w.Env) > 0 {
		line(1, "<key>EnvironmentVariables</key>")
		line(1, "<dict>")
		for _, name := range slices.Sorted(maps.Keys(w.Env)) {
			line(2, "<key>"+name+"</key>"+text(w.Env[name]))
		}
		line(1, "</dict>")
	}
	line(1, "<key>RunAtLoad</key><true/>")
	line(1, "<key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>")
	line(1, "<key>ThrottleInterval</key><integer>30</integer>")
	line(1, "<key>ProcessType</key><string>Background</string>")
	if w.Plain { // SuperNodes that are plain processes go on when the watch ends
		line(1, "<key>AbandonProcessGroup</key><true/>")
	}
	line(1, "<key>Umask</key><integer>63</integer>") // 077
	for _, key := range []string{"StandardOutPath", "StandardErrorPath"} {
		line(1, "<key>"+key+"</key>"+text(logFile(home)))
	}
	line(0, "</dict>")
	line(0, "</plist>")
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n" +
		"<!-- Written by flwrup watch when it was installed, and again when that changes. -->\n" + signed("<!-- ", b.String(), " -->", w)
}

func domain() string { return fmt.Sprintf("gui/%d", os.Getuid()) }

func (m Manager) startAgent(ctx context.Context, path string) error {
	_, _ = m.run(ctx, "launchctl", "bootout", domain()+"/"+Label) // one from before
	if said, err := m.run(ctx, "launchctl", "bootstrap", domain(), path); err != nil {
		return failed("the agent is written, and launchd does not run it", said, "log in at this Mac's screen, then: launchctl bootstrap "+domain()+" "+path, err)
	}
	return nil
}

func (m Manager) stopAgent(ctx context.Context) error {
	if said, err := m.run(ctx, "launchctl", "bootout", domain()+"/"+Label); err != nil && !strings.Contains(said, "No such process") {
		return failed("launchd does not end the agent", said, "log in at this Mac's screen and try again", err)
	}
	return nil
}
