// Package sourcetest lets a test state a rule about all of flwrup's own code.
package sourcetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Use is a place where a name of an imported package is used.
type Use struct {
	File    string // relative to the module, with slashes
	Line    int
	Package string // its import path
	Name    string
	Call    *ast.CallExpr // nil where it is not called
	Made    bool          // a value of the type is made: T{…} or new(T)
}

// Arg returns the literal that is an argument of the call, as it is written.
func (u Use) Arg(n int) (string, bool) {
	if u.Call == nil || len(u.Call.Args) <= n {
		return "", false
	}
	lit, ok := u.Call.Args[n].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	return lit.Value, true
}

// Uses returns every use of an exported name of another package in the module's code, for all platforms.
// Tests, and packages that import testing, are left out. A dot import is an error: it would hide names.
func Uses(t testing.TB) []Use {
	t.Helper()
	var uses []Use
	eachFile(t, func(fset *token.FileSet, name string, f *ast.File) {
		uses = append(uses, ofFile(t, fset, name, f)...)
	})
	if len(uses) < 1000 {
		t.Fatalf("only %d uses were found: this is not flwrup's code", len(uses))
	}
	return uses
}

// eachFile calls do for every Go file of the module except tests, for all platforms. name is relative to the
// module, with slashes.
func eachFile(t testing.TB, do func(fset *token.FileSet, name string, f *ast.File)) {
	t.Helper()
	eachParsed(t, false, do)
}

// eachParsed is eachFile, on request with tests. Files have their comments.
func eachParsed(t testing.TB, tests bool, do func(fset *token.FileSet, name string, f *ast.File)) {
	t.Helper()
	root, err := os.Getwd()
	for err == nil {
		if _, serr := os.Stat(filepath.Join(root, "go.mod")); serr == nil {
			break
		}
		root = filepath.Dir(root)
	}
	fset := token.NewFileSet()
	err = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(file, ".go") || !tests && strings.HasSuffix(file, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(fset, file, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err == nil {
			do(fset, filepath.ToSlash(name), f)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func ofFile(t testing.TB, fset *token.FileSet, name string, f *ast.File) []Use {
	imported := map[string]string{}
	for _, spec := range f.Imports {
		from, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if from == "testing" {
			return nil
		}
		as := path.Base(from)
		if spec.Name != nil {
			as = spec.Name.Name
		}
		if as == "." {
			t.Errorf("%s: dot import of %s", name, from)
		}
		imported[as] = from
	}
	calls := map[ast.Expr]*ast.CallExpr{}
	made := map[ast.Expr]bool{}
	var uses []Use
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			calls[n.Fun] = n
			if fun, ok := n.Fun.(*ast.Ident); ok && fun.Name == "new" && len(n.Args) == 1 {
				made[n.Args[0]] = true
			}
		case *ast.CompositeLit:
			made[n.Type] = true
		case *ast.SelectorExpr:
			u := Use{File: name, Line: fset.Position(n.Pos()).Line, Name: n.Sel.Name, Call: calls[n], Made: made[n]}
			if x, ok := n.X.(*ast.Ident); ok {
				u.Package = imported[x.Name]
			}
			uses = append(uses, u) // a method has no Package
		}
		return true
	})
	return uses
}
