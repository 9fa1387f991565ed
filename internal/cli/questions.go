package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"flwrup/flwrexec/install"
	"flwrup/internal/front"
	"flwrup/ui/style"
)

// questionsTopic is the help topic with the questions of a new user; the page Get help answers them for one folder.
func questionsTopic() *cobra.Command {
	p := front.Place{Dir: "FOLDER", Keys: "keys", Backup: "keys-backup-DATE.age", Nodes: []string{"NODE…"}, Containers: true}
	p.Cache, _ = install.OwnRoot()
	var b strings.Builder
	for i, a := range front.Answers(p) {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(a.Ask + "\n")
		for _, l := range style.Wrap(a.Answer, 76) {
			b.WriteString("  " + l + "\n")
		}
		if a.Command != "" {
			b.WriteString("    " + a.Command + "\n")
		}
	}
	return &cobra.Command{Use: "questions", Short: "Questions of a new user: cost, undo, keys, leaving, removing", Long: strings.TrimRight(b.String(), "\n")}
}
