package sourcetest

import (
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// plainer maps words that comments avoid to plainer ones.
var plainer = []struct {
	words *regexp.Regexp
	say   string
}{
	{regexp.MustCompile(`(?i)\banew\b`), "again, or a new one"},
	{regexp.MustCompile(`(?i)\bh(eld|olds?) [^.,;]*\bagainst\b`), "compares … with"},
	{regexp.MustCompile(`(?i)\b(side by side|keys beside)\b`), "next to each other, or at the same time"},
	{regexp.MustCompile(`\bbeside (it|them|its?|the|a|an|that|his|her|each|another)\b`), "next to, in addition to"},
	{regexp.MustCompile(`(?i)\bby (itself|themselves)\b`), "on its own, alone"},
	{regexp.MustCompile(`(?i)\b(is|are|be|was|were) told( [^a]|[.,:;]|$)`), "hears, gets, reads"},
	{regexp.MustCompile(`(?i)\b(tells|tell) whether\b`), "reports whether"},
	{regexp.MustCompile(`(?i)\bshall\b`), "must, is to"},
	{regexp.MustCompile(`(?i)\bwished\b`), "wanted, chosen"},
	{regexp.MustCompile(`(?i)\bburn(t|s|ed)\b`), "can never be registered again"},
	{regexp.MustCompile(`(?i)\bthe ones? that\b`), "name the thing"},
	{regexp.MustCompile(`^\w+ gives (back )?(the|a|an|its|all|what|every)\b`), "returns"},
	{regexp.MustCompile(`^(What|Who|Whatever|Whoever) [^?]*$`), "a subject: the function, the user, flwrup or the grid"},
}

// TestPlainEnglish: comments, also those of tests, are in plain English. See CONTRIBUTING.md.
func TestPlainEnglish(t *testing.T) {
	comments := 0
	eachParsed(t, true, func(fset *token.FileSet, name string, f *ast.File) {
		for _, c := range f.Comments {
			comments++
			text := strings.Join(strings.Fields(c.Text()), " ")
			for _, p := range plainer {
				said := p.words.FindString(text)
				if said == "" || name == "internal/sourcetest/english_test.go" {
					continue
				}
				t.Errorf("%s:%d: %q; say instead: %s", name, fset.Position(c.Pos()).Line, said, p.say)
			}
		}
	})
	if comments < 1000 {
		t.Fatalf("only %d comments were found: this is not flwrup's code", comments)
	}
}
