package setup

import (
	"crypto/sha256"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"flwrup/internal/plainfile"
	"flwrup/internal/project"
)

// untouched remembers a folder that flwrup has just set up, to take everything away again when the person leaves
// without having done anything.
type untouched struct {
	dir   string
	made  bool                // the folder itself was made
	files map[string][32]byte // by path, as opening the folder wrote them; nil where it held flwrup's files before
}

// before notes whether the folder is there, and whether it holds flwrup's files.
func before(dir string) *untouched {
	if abs, err := filepath.Abs(dir); err == nil {
		dir = abs
	}
	u := &untouched{dir: dir}
	_, err := os.Stat(dir)
	u.made = os.IsNotExist(err)
	for _, path := range ownPaths(dir) {
		if _, err := os.Lstat(path); !os.IsNotExist(err) {
			return u
		}
	}
	u.files = map[string][32]byte{}
	return u
}

// opened notes what opening the folder has written.
func (u *untouched) opened() {
	if u.files != nil {
		u.files = written(u.dir)
	}
}

// still reports whether nothing was written since.
func (u *untouched) still() bool {
	return len(u.files) > 0 && maps.Equal(written(u.dir), u.files)
}

// clear takes away what opening the folder wrote, once it is closed. Folders that hold anything else stay.
func (u *untouched) clear() {
	for name := range u.files {
		_ = os.Remove(name)
	}
	var folders []string
	_ = filepath.WalkDir(project.StateDir(u.dir), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			folders = append(folders, path)
		}
		return nil
	})
	for _, path := range slices.Backward(folders) { // the inner ones first
		_ = os.Remove(path)
	}
	if u.made {
		_ = os.Remove(u.dir)
	}
}

// ownPaths are flwrup's own file and folder in the project's folder.
func ownPaths(dir string) []string { return []string{project.File(dir), project.StateDir(dir)} }

// written returns flwrup's own files in a folder, by path.
func written(dir string) map[string][32]byte {
	files := map[string][32]byte{}
	for _, own := range ownPaths(dir) {
		_ = filepath.WalkDir(own, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return nil
			}
			b, err := plainfile.Read(path)
			if err != nil {
				b = []byte(err.Error())
			}
			files[path] = sha256.Sum256(b)
			return nil
		})
	}
	return files
}
