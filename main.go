// Command flwrup takes a person from nothing to online Flower SuperNodes on a SuperGrid, and brings
// them back to look after those nodes.
package main

import (
	"os"

	"flwrup/internal/cli"
	"flwrup/internal/cli/program"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], program.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
