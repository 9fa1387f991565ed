package logs

import (
	"strings"

	"flwrup/internal/supernode"
)

// Counter reads a SuperNode's log line by line and keeps none: for those who only count.
type Counter struct {
	r reader
	b batch
}

// Read returns the run that a line names, and whether it asks the SuperNode for a message of a run, begins an error,
// or begins the life of the SuperNode.
func (c *Counter) Read(line supernode.Line) (run string, asked, failed, began bool) {
	c.b.reset()
	c.r.read(line, &c.b)
	for _, e := range c.b.entries {
		began = began || e.kind.mark() == markBegan
	}
	_, skip := prefix(line.Text)
	text := line.Text[skip:]
	asked = strings.HasPrefix(text, "Receiving: ") && strings.Contains(text, " message")
	return strings.Clone(runOf(text)), asked, len(c.b.errs) > 0, began
}
