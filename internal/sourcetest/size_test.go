package sourcetest

import (
	"go/ast"
	"go/token"
	"path"
	"testing"
)

// Bounds of what a newcomer can keep in mind.
const (
	maxMethods = 40   // of one type, on all systems together
	maxLines   = 4000 // of one package, without its tests; ui is one screen after the other
)

// TestSizes: a type or a package that outgrows its bounds has to be split by what it is about.
func TestSizes(t *testing.T) {
	methods := map[string]map[string]bool{} // package and type → names
	lines := map[string]int{}
	eachFile(t, func(fset *token.FileSet, name string, f *ast.File) {
		pkg := path.Dir(name)
		lines[pkg] += fset.File(f.FileStart).LineCount()
		for _, decl := range f.Decls {
			fd, ok := decl.(*ast.FuncDecl)
			if !ok || fd.Recv == nil {
				continue
			}
			key := pkg + "." + receiver(fd.Recv.List[0].Type)
			if methods[key] == nil {
				methods[key] = map[string]bool{}
			}
			methods[key][fd.Name.Name] = true
		}
	})
	if lines["ui"] == 0 || len(methods["internal/site.Site"]) == 0 {
		t.Fatalf("%d packages and %d types were found", len(lines), len(methods))
	}
	for pkg, n := range lines {
		if n > maxLines && pkg != "ui" {
			t.Errorf("%s has %d lines, more than %d", pkg, n, maxLines)
		}
	}
	for typ, names := range methods {
		if len(names) > maxMethods {
			t.Errorf("%s has %d methods, more than %d", typ, len(names), maxMethods)
		}
	}
}

// receiver returns the name of a receiver's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
