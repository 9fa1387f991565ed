package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/charmbracelet/bubbles/key"

	"flwrup/internal/front"
	"flwrup/ui/keymap"
)

// owners says which bindings of the table claim each key.
func owners() map[string][]string {
	of := map[string][]string{}
	for name, b := range keymap.Table() {
		for _, k := range b.Keys() {
			of[k] = append(of[k], name)
		}
	}
	return of
}

// TestOneMeaning: a key belongs to one binding of the table, and every binding is in the table.
func TestOneMeaning(t *testing.T) {
	for k, names := range owners() {
		if len(names) > 1 {
			slices.Sort(names)
			t.Errorf("the key %q means %s", k, strings.Join(names, " and "))
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), "keymap/keymap.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	answers := []string{"Pick", "Yes", "No"}
	table := keymap.Table()
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.VAR {
			continue
		}
		for _, s := range g.Specs {
			name := s.(*ast.ValueSpec).Names[0].Name
			if _, has := table[name]; ast.IsExported(name) && !has && !slices.Contains(answers, name) {
				t.Errorf("%s is not in the table of all keys", name)
			}
		}
	}
}

// TestKeysComeFromTheTable: no page makes a binding of its own.
func TestKeysComeFromTheTable(t *testing.T) {
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.HasPrefix(path, "keymap") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && slices.Contains([]string{"NewBinding", "WithKeys", "SetKeys"}, s.Sel.Name) {
				t.Errorf("%s makes a key of its own (%s): take it from ui/keymap", path, s.Sel.Name)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeysOfPages: on every page, in every scene that is drawn, a key is offered once.
func TestKeysOfPages(t *testing.T) {
	of := owners()
	check := func(scene string, m *Model) {
		list := m.top().bindings()
		if p, ok := m.top().(panel); ok {
			list = append(list, p.Keys()...)
		}
		asked := m.desk.form() != nil
		if _, leaving := m.top().(*leavePage); leaving {
			asked = true
		}
		if _, picks := m.top().(*pickPage); picks {
			asked = true
		}
		offered := map[string]string{}
		for _, b := range list {
			for _, k := range b.Keys() {
				if len(of[k]) == 0 && !(asked && key.Matches(keymap.Type(k), keymap.Pick, keymap.Yes, keymap.No)) {
					t.Errorf("%s: the key %q (%s) is not in the table", scene, k, b.Help().Desc)
				}
				if before := offered[k]; before != "" && before != b.Help().Desc {
					t.Errorf("%s: the key %q is offered as %q and as %q", scene, k, before, b.Help().Desc)
				}
				offered[k] = b.Help().Desc
			}
		}
	}
	for n := front.StepAccount; n <= front.StepMonitor; n++ {
		for _, sc := range scenes(n) {
			f := world(n)
			m := still(f, n, 120, 40, Options{NoColor: true})
			sc.make(m, f, n)
			check("step "+n.String()+" "+sc.name, m)
			m.close()
		}
	}
	for _, p := range pages {
		m := still(world(16), 16, 120, 40, Options{NoColor: true})
		p.make(t, m)
		check(p.file+" "+p.name, m)
		m.close()
	}
}
