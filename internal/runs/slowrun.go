package runs

import (
	"context"
	"slices"
	"strings"

	"github.com/fvbommel/sortorder"

	"flwrup/flwrexec"
	"flwrup/internal/front"
	"flwrup/internal/site"
	"flwrup/internal/supernode"
)

// tellSlow says, once for each SuperNode, that a run waits for it to install the app's packages: the run's
// own log is silent meanwhile, which may be minutes.
func tellSlow(ctx context.Context, s *site.Site, told map[string]bool, to front.Sink) {
	states, err := site.States(ctx, s)
	if err != nil {
		return
	}
	var slow []string
	for name, st := range states {
		if st.State != supernode.Running || told[name] {
			continue
		}
		var lines []string
		for _, l := range site.LastLines(ctx, s, name, 40) {
			lines = append(lines, l.Text)
		}
		if flwrexec.Installing(lines) {
			told[name] = true
			slow = append(slow, name)
		}
	}
	if len(slow) == 0 {
		return
	}
	slices.SortFunc(slow, sortorder.NaturalCompare)
	verb := "installs"
	if len(slow) > 1 {
		verb = "install"
	}
	to.Event(front.Says{Text: strings.Join(slow, ", ") + " " + verb + " the app's packages, and the run waits: the first time can take minutes. " +
		"To avoid that, build an image that has them: flwrup image"})
}
