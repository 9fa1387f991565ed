//go:build linux

package e2e

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/creack/pty"
)

// answering runs flwrup on a terminal where every question is answered with what answer gives for it.
// A question is a line that does not end.
func (h *home) answering(answer func(question string) string, args ...string) (out string, code int) {
	t := h.t
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 4*time.Minute)
	defer cancel()
	cmd := h.command(ctx, args...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var all strings.Builder
	line, buf := "", make([]byte, 4096)
	for {
		n, err := terminal.Read(buf)
		all.Write(buf[:n])
		line += string(buf[:n])
		line = line[strings.LastIndexByte(line, '\n')+1:]
		if strings.HasSuffix(line, " ") {
			if _, err := io.WriteString(terminal, answer(line)+"\n"); err != nil {
				t.Fatal(err)
			}
			line = ""
		}
		if err != nil { // the terminal ends with the program
			break
		}
	}
	_ = cmd.Wait()
	return all.String(), cmd.ProcessState.ExitCode()
}
