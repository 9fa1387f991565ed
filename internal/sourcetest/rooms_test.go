package sourcetest

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// rooms is the order of the code, top to bottom. A room is a package with all packages below its folder. It may
// import the rooms of lower rows. Rooms of one row never import each other, but leaves may.
var rooms = [][]string{
	{"internal/e2e", "internal/frametest", "internal/ptytest", "internal/require", "internal/sitetest", "internal/sourcetest"}, // only tests import these
	{"main"},
	{"internal/cli"},
	{"ui", "internal/plain", "internal/watch"},
	{"steps"},
	{"internal/upgrade"},
	{"internal/runs", "internal/sites", "internal/custody"},
	{"internal/fleet"},
	{"internal/health"},
	{"internal/byguide", "internal/fit"},
	{"internal/whichgrid"},
	{"internal/invites"},
	{"internal/site"},
	{"internal/service"},
	{"internal/turn", "internal/export", "internal/dockerhosts"},
	{"dockerctl", "flwrexec", "internal/front", "internal/grid", "internal/ledger", "internal/probe", "internal/procctl", "internal/project", "keys"},
	leaves,
}

var leaves = []string{
	"internal/admission", "internal/atomicfile", "internal/background", "internal/byhand", "internal/child", "internal/history", "internal/hostpath",
	"internal/letin", "internal/machine", "internal/memo", "internal/nodeconfig", "internal/notify", "internal/outgoing", "internal/pep508", "internal/plainfile", "internal/problem", "internal/report", "internal/safego",
	"internal/sheet", "internal/shell", "internal/strength", "internal/supernode", "internal/termsafe", "internal/tomledit", "internal/trust",
	"internal/userdirs", "internal/weblink", "internal/wording",
}

// TestRoomsImportDownwards checks every import of flwrup's own packages, on each system. What tests import is free.
func TestRoomsImportDownwards(t *testing.T) {
	imports := map[string][]string{}
	for _, system := range []string{"linux", "darwin", "windows"} {
		list, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedImports, Dir: "../..",
			Env: append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")}, "./...")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range list {
			for _, err := range p.Errors {
				t.Errorf("%s: %v", system, err)
			}
			from := inFlwrup(p.PkgPath)
			imports[from] = append(imports[from], slices.Collect(maps.Keys(p.Imports))...)
		}
	}
	for _, complaint := range check(imports) {
		t.Error(complaint)
	}
	for _, room := range slices.Concat(rooms...) {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(imports)), func(p string) bool { return roomOf(p) == room }) {
			t.Errorf("room %s has no package: take it out of the table", room)
		}
	}
}

func TestWrongImportsAreFound(t *testing.T) {
	for _, c := range []struct{ from, to, says string }{
		{"steps", "flwrup/ui/style", "steps imports ui/style"},
		{"internal/site", "flwrup/internal/health", "internal/site imports internal/health"},
		{"keys", "flwrup/internal/ledger", "keys imports internal/ledger"},
		{"flwrexec/app", "flwrup/dockerctl", "flwrexec/app imports dockerctl"},
		{"internal/front", "flwrup/keys", "internal/front imports keys"},
		{"keys", "flwrup/internal/front", "keys imports internal/front"},
		{"ui/dash", "flwrup/internal/plain", "ui/dash imports internal/plain"},
		{"internal/problem", "flwrup/steps", "internal/problem imports steps"},
		{"internal/cli", "flwrup/internal/require", "internal/cli imports internal/require"},
		{"steps", "flwrup/internal/sitetest", "steps imports internal/sitetest"},
		{"internal/unheard", "fmt", "internal/unheard is in no room"},
		{"keysmith", "fmt", "keysmith is in no room"},
		{"ui", "flwrup/ui/dash", ""},
		{"internal/cli", "flwrup/internal/project", ""},
		{"internal/site", "flwrup/internal/front", ""},
		{"internal/front", "flwrup/internal/supernode", ""},
		{"internal/shell", "flwrup/internal/termsafe", ""},
		{"main", "flwrup/internal/cli", ""},
		{"internal/problem", "example.org/flwrup/steps", ""},
	} {
		if got := strings.Join(check(map[string][]string{c.from: {c.to}}), "; "); got == "" != (c.says == "") || !strings.HasPrefix(got, c.says) {
			t.Errorf("%s imports %s: %q, want %q", c.from, c.to, got, c.says)
		}
	}
}

// check names every package without a room and every import that the table forbids.
func check(imports map[string][]string) (complaints []string) {
	for _, from := range slices.Sorted(maps.Keys(imports)) {
		mine := roomOf(from)
		if mine == "" {
			complaints = append(complaints, from+" is in no room: add it to the table in rooms_test.go")
			continue
		}
		for _, path := range slices.Compact(slices.Sorted(slices.Values(imports[from]))) {
			to := inFlwrup(path)
			if other := roomOf(to); other != "" && !below(other, mine) {
				complaints = append(complaints, fmt.Sprintf("%s imports %s: %s may import lower rows of the table alone", from, to, mine))
			}
		}
	}
	return complaints
}

// below reports whether code of the room upper may import the room lower.
func below(lower, upper string) bool {
	return lower == upper || slices.Contains(leaves, lower) || rowOf(lower) > rowOf(upper)
}

func rowOf(room string) int {
	return slices.IndexFunc(rooms, func(row []string) bool { return slices.Contains(row, room) })
}

// roomOf returns the room of a package; "" for one that is in no room.
func roomOf(pkg string) string {
	for _, room := range slices.Concat(rooms...) {
		if pkg == room || strings.HasPrefix(pkg, room+"/") {
			return room
		}
	}
	return ""
}

// inFlwrup returns the path of a package below flwrup's root; "" for a foreign one.
func inFlwrup(path string) string {
	root := strings.TrimSuffix("flwrup/internal/sourcetest", "internal/sourcetest") // docs/releasing.md has the command that changes it
	if path+"/" == root {
		return "main"
	}
	rest, ours := strings.CutPrefix(path, root)
	if !ours {
		return ""
	}
	return rest
}
