// Command gendocs writes the pages of docs that come from the code. With -man and -completions it writes man pages and
// completion scripts for a release.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"flwrup/internal/cli"
)

func main() {
	man := flag.String("man", "", "write man pages into this `folder`")
	completions := flag.String("completions", "", "write completion scripts into this `folder`")
	flag.Parse()
	err := write(*man, *completions)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func write(man, completions string) error {
	if man == "" && completions == "" {
		for name, text := range cli.Pages() {
			if err := os.WriteFile(filepath.Join("docs", name), []byte(text), 0o644); err != nil { // #nosec G306 -- documentation, for everybody
				return err
			}
		}
		return nil
	}
	for _, dir := range []string{man, completions} {
		if dir != "" {
			if err := os.MkdirAll(dir, 0o755); err != nil { // #nosec G301 -- documentation, for everybody
				return err
			}
		}
	}
	root := cli.Commands()
	root.DisableAutoGenTag = true
	if man != "" {
		// The date would differ from build to build: it is that of the Unix epoch, which man shows as no date of the text.
		date := time.Unix(0, 0).UTC()
		asManPages(root)
		if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "flwrup", Manual: "flwrup", Date: &date}, man); err != nil {
			return err
		}
	}
	if completions == "" {
		return nil
	}
	for name, to := range map[string]func(string) error{
		"flwrup.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"flwrup.zsh":  root.GenZshCompletionFile,
		"flwrup.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"flwrup.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := to(filepath.Join(completions, name)); err != nil {
			return err
		}
	}
	return nil
}

// asManPages indents the examples in the texts of cmd and below it as Markdown wants it, which man pages are made from:
// less than four spaces are the same paragraph.
func asManPages(cmd *cobra.Command) {
	cmd.Long = strings.ReplaceAll(cmd.Long, "\n  ", "\n    ")
	for _, c := range cmd.Commands() {
		asManPages(c)
	}
}
