// Package outgoing decides which files of an app must not leave this machine: flwr packs every .json, .yaml and
// .md file next to an app's code, and the grid hands them to every SuperNode. It looks at no disk.
package outgoing

import (
	"cmp"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"flwrup/internal/hostpath"
)

// File is a file that would be sent.
type File struct {
	Name    string // relative to the app, with slashes
	Real    string // absolute, links followed
	Packed  int64  // bytes that it takes in the bundle, about
	Secret  bool   // it holds a private key
	Outside bool   // a link that leads out of the app's folder
}

// Private is a file or folder that belongs to this site.
type Private struct {
	Path  string // absolute, links followed
	What  string // in words: "data of supernode_1"
	Never bool   // it is not sent even when a person would
}

// Finding is what must not be sent, for one reason.
type Finding struct {
	Line  string // the line of .gitignore that keeps it out
	What  string // the reason
	Files []string
	Never bool
}

// String names the files and the reason.
func (f Finding) String() string {
	list := strings.Join(f.Files[:min(len(f.Files), 3)], ", ")
	if more := len(f.Files) - 3; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	return list + " (" + f.What + ")"
}

// Check compares what would be sent of the app in folder app, its links followed, with what is private.
func Check(app string, files []File, private []Private) []Finding {
	var found []Finding
	add := func(line, what string, never bool, name string) {
		for i := range found {
			if found[i].Line == line {
				found[i].Files = append(found[i].Files, name)
				found[i].Never = found[i].Never || never
				return
			}
		}
		found = append(found, Finding{Line: line, What: what, Files: []string{name}, Never: never})
	}
	for _, f := range files {
		p, ok := owner(app, f, private)
		switch {
		case f.Secret:
			add(Line(f.Name, false), "it holds a private key", true, f.Name)
		case secretName(f.Name):
			add(Line(f.Name, false), "a backup, a key or passwords, by its name", true, f.Name)
		case ok && hostpath.Within(p.Path, app) && p.Path != app && hostpath.Within(f.Real, p.Path) && !f.Outside:
			rel, err := filepath.Rel(app, p.Path)
			if err != nil {
				rel = f.Name
			}
			add(Line(filepath.ToSlash(rel), p.Path != f.Real), p.What, p.Never, f.Name)
		case ok:
			add(Line(f.Name, false), p.What, p.Never, f.Name)
		case f.Outside:
			add(Line(f.Name, false), "a link out of the app's folder, to "+f.Real, false, f.Name)
		}
	}
	return found
}

// owner finds the private place that a file belongs to, the innermost of several. Where a private folder holds
// the whole app, its code is the app's.
func owner(app string, f File, private []Private) (Private, bool) {
	var best Private
	for _, p := range private {
		if p.Path == "" || !hostpath.Within(f.Real, p.Path) || hostpath.Within(app, p.Path) && (p.Never || IsCode(f.Name)) {
			continue
		}
		if p.Never && !best.Never || p.Never == best.Never && len(p.Path) > len(best.Path) {
			best = p
		}
	}
	return best, best.Path != ""
}

// IsCode reports whether a file of an app is code, or what goes with code.
func IsCode(name string) bool {
	base := strings.ToLower(path.Base(name))
	switch ext := path.Ext(base); ext {
	case ".py", ".toml":
		return true
	default:
		stem := strings.TrimSuffix(base, ext)
		return stem == "readme" || stem == "license" || stem == "changelog" || base == ".gitignore" || base == ".editorconfig"
	}
}

func secretName(name string) bool {
	base := strings.ToLower(path.Base(name))
	switch path.Ext(base) {
	case ".age", ".pem", ".key", ".p12", ".pfx", ".env":
		return true
	}
	return strings.HasPrefix(base, "client_credentials") && !strings.HasSuffix(base, ".pub") || base == "id_rsa" || base == "id_ecdsa" || base == "id_ed25519"
}

// Line is the pattern of .gitignore and fab-exclude for one file or folder of the app.
func Line(name string, folder bool) string {
	var b strings.Builder
	b.WriteByte('/')
	for _, r := range name {
		if unicode.IsControl(r) {
			r = '?' // a line has no other way to say it
		} else if strings.ContainsRune(`\*?[]!# `, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	if folder {
		b.WriteByte('/')
	}
	return b.String()
}

// Size is how many bytes the bundle takes, about.
func Size(files []File) (total int64) {
	for _, f := range files {
		total += f.Packed
	}
	return total
}

// TooLarge returns the files to leave out, the largest first, so that the bundle fits: no code, unless nothing
// else is left.
func TooLarge(files []File, limit int64) []File {
	total := Size(files)
	if total <= limit {
		return nil
	}
	sorted := slices.Clone(files)
	slices.SortStableFunc(sorted, func(x, y File) int {
		if cx, cy := IsCode(x.Name), IsCode(y.Name); cx != cy {
			if cx {
				return 1
			}
			return -1
		}
		return cmp.Compare(y.Packed, x.Packed)
	})
	var out []File
	for _, f := range sorted {
		if total <= limit {
			break
		}
		out, total = append(out, f), total-f.Packed
	}
	return out
}

// Summary says in one line what is sent: how much code, and by name what is not code.
func Summary(files []File) string {
	code, other := 0, []string(nil)
	for _, f := range files {
		if IsCode(f.Name) {
			code++
		} else {
			other = append(other, f.Name)
		}
	}
	text := fmt.Sprintf("%d files of code", code)
	if code == 1 {
		text = "1 file of code"
	}
	if len(other) > 0 {
		list := strings.Join(other[:min(len(other), 6)], ", ")
		if more := len(other) - 6; more > 0 {
			list += fmt.Sprintf(" and %d more", more)
		}
		text += ", and " + list
	}
	return text
}
