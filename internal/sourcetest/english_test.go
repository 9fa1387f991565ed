package sourcetest

import (
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// plainer maps words that flwrup avoids, in comments and in what a person reads, to plainer ones.
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
}

// aboutCode are more such words, for comments alone.
var aboutCode = []struct {
	words *regexp.Regexp
	say   string
}{
	{regexp.MustCompile(`^\w+ gives (back )?(the|a|an|its|all|what|every)\b`), "returns"},
	{regexp.MustCompile(`^(What|Who|Whatever|Whoever) [^?]*$`), "a subject: the function, the user, flwrup or the grid"},
}

// onScreen are more such words, for what a person reads alone.
var onScreen = []struct {
	words *regexp.Regexp
	say   string
}{
	{regexp.MustCompile(`(?i)\bbeside\b`), "next to, in addition to"},
	{regexp.MustCompile(`(?i)\bwhere to turn\b`), "get help"},
	{regexp.MustCompile(`(?i)\blook(s|ed)? after\b`), "run, check on"},
	{regexp.MustCompile(`(?i)\bthere is no machine\b`), "cannot resolve"},
	{regexp.MustCompile(`(?i)\bis no (number|name|address|command|flag)\b`), "need at least 1 SuperNode; not a name"},
	{regexp.MustCompile(`(?i)\bgo(es)? on (to|with)\b`), "continue"},
	{regexp.MustCompile(`(?i)(^|[^-])\bmend(s|ed|ing)?\b`), "fix"},
	{regexp.MustCompile(`(?i)\bwill do\b`), "is enough"},
	{regexp.MustCompile(`(?i)\bmay not be told\b`), "is not known"},
	{regexp.MustCompile(`(?i)\btells (no reason|why)\b`), "gives no reason"},
}

// TestPlainEnglish: comments, also those of tests, are in plain English. See docs/writing.md.
func TestPlainEnglish(t *testing.T) {
	comments := 0
	eachParsed(t, true, func(fset *token.FileSet, name string, f *ast.File) {
		for _, c := range f.Comments {
			comments++
			text := strings.Join(strings.Fields(c.Text()), " ")
			for _, p := range append(aboutCode, plainer...) {
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

// TestScreensArePlainEnglish: so are the texts in the code, which people read on their screens.
func TestScreensArePlainEnglish(t *testing.T) {
	found := 0
	eachFile(t, func(fset *token.FileSet, name string, f *ast.File) {
		if strings.HasPrefix(name, "internal/sourcetest/") {
			return
		}
		eachText(f, func(at token.Pos, text string) {
			found++
			for _, p := range append(onScreen, plainer...) {
				if said := p.words.FindString(text); said != "" {
					t.Errorf("%s:%d: %q in %q; say instead: %s", name, fset.Position(at).Line, said, text, p.say)
				}
			}
		})
	})
	if found < 2000 {
		t.Fatalf("only %d texts were found: this is not flwrup's code", found)
	}
}

// eachText calls do for every text of a file that has a blank in it. Texts that are joined with + are one text, with
// … for what is not a literal. Paths of imports, tags of fields and regular expressions are no texts.
func eachText(in ast.Node, do func(at token.Pos, text string)) {
	ast.Inspect(in, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.Field:
			n.Tag = nil
		case *ast.CallExpr:
			if s, ok := n.Fun.(*ast.SelectorExpr); ok && (s.Sel.Name == "MustCompile" || s.Sel.Name == "Compile") {
				return false
			}
		case *ast.BinaryExpr:
			if n.Op == token.ADD {
				if text, ok := joined(n, do); ok && strings.Contains(text, " ") {
					do(n.Pos(), text)
				}
				return false
			}
		case *ast.BasicLit:
			if text, ok := literal(n); ok && strings.Contains(text, " ") {
				do(n.Pos(), text)
			}
		}
		return true
	})
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}

// joined returns the text of an expression with +; false for one without any literal text.
func joined(e ast.Expr, do func(at token.Pos, text string)) (string, bool) {
	if sum, ok := e.(*ast.BinaryExpr); ok && sum.Op == token.ADD {
		left, one := joined(sum.X, do)
		right, other := joined(sum.Y, do)
		return left + right, one || other
	}
	if text, ok := literal(e); ok {
		return text, true
	}
	eachText(e, do) // what a function gets
	return "…", false
}

// TestPagesArePlainEnglish: so are README and docs.
func TestPagesArePlainEnglish(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 5 {
		t.Fatalf("only %d pages were found: %v", len(pages), err)
	}
	for _, page := range append(pages, "../../README.md", "../../CONTRIBUTING.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(page) == "writing.md" { // its table has the words
			continue
		}
		for i, line := range strings.Split(string(b), "\n") {
			for _, p := range append(onScreen, plainer...) {
				if said := p.words.FindString(line); said != "" {
					t.Errorf("%s:%d: %q; say instead: %s", filepath.Base(page), i+1, said, p.say)
				}
			}
		}
	}
}

// aWord is how the rest of a sentence begins.
var aWord = regexp.MustCompile(`^(has|have|had|is|are|was|were|does|did|can|cannot|needs?|holds?|runs?|ended|belongs?|and|or|of|in|for|from|with|which|that|to) \S`)

// TestWordsAreApart: no text is joined to a value without a space: "supernode_1" + "was stopped".
func TestWordsAreApart(t *testing.T) {
	eachFile(t, func(fset *token.FileSet, name string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			sum, ok := n.(*ast.BinaryExpr)
			if !ok || sum.Op != token.ADD {
				return true
			}
			right, ok := literal(sum.Y)
			if !ok || !aWord.MatchString(right) {
				return true
			}
			left := sum.X
			if more, ok := left.(*ast.BinaryExpr); ok && more.Op == token.ADD {
				left = more.Y
			}
			if _, isText := literal(left); isText {
				return true
			}
			t.Errorf("%s: %q is joined to a value without a space", fset.Position(sum.Pos()), right)
			return true
		})
	})
}
