package keys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"flwrup/internal/problem"
)

// RestoreBackup writes the keys of a backup into dir and returns their pairs. It opens and checks the backup
// in memory first. When a file is there with other content it writes nothing at all. Files that are there
// already, byte for byte, are left alone, so an interrupted restore can run again.
func RestoreBackup(ctx context.Context, file string, identities []age.Identity, dir string) ([]Pair, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("restore keys: %w", err)
	}
	files, _, err := open(ctx, file, identities)
	if err != nil {
		return nil, err
	}
	names := inOrder(files)
	if info, err := os.Lstat(dir); err == nil {
		switch {
		case info.Mode()&os.ModeSymlink != 0:
			return nil, linkProblem(dir)
		case !info.IsDir():
			return nil, notFolder(dir)
		}
	}
	todo, err := absent(dir, names, files)
	if err != nil {
		return nil, err
	}
	if err := makeFolder(dir); err != nil {
		return nil, err
	}
	leave := enter(dir)
	defer leave()
	staged := make([]string, len(todo))
	defer func() {
		for _, tmp := range staged {
			if tmp != "" {
				os.Remove(tmp)
			}
		}
	}()
	err = parallel(ctx, len(todo), func(i int) (err error) {
		perm := os.FileMode(0o600)
		if strings.HasSuffix(todo[i], ".pub") {
			perm = 0o644
		}
		f := files[todo[i]]
		if staged[i], err = stage(dir, f.data, perm, f.made); err != nil {
			return fileProblem("write", filepath.Join(dir, todo[i]), err)
		}
		return nil
	})
	if err != nil {
		return nil, cancelled("restoring keys", err)
	}
	for i, name := range todo {
		if err := publish(staged[i], filepath.Join(dir, name)); err != nil {
			if errors.Is(err, os.ErrExist) {
				return nil, inTheWay(dir, []string{name})
			}
			return nil, fileProblem("write", filepath.Join(dir, name), err)
		}
		staged[i] = ""
	}
	if err := syncFolder(dir); err != nil {
		return nil, fileProblem("flush", dir, err)
	}
	folder, err := Scan(dir)
	if err != nil {
		return nil, err
	}
	var pairs []Pair
	for _, p := range folder.Pairs {
		if _, ours := files[p.Name]; ours {
			pairs = append(pairs, p)
		}
	}
	return pairs, nil
}

// inOrder returns private keys before public ones: a killed restore leaves halves that can be completed.
func inOrder(files map[string]keyFile) []string {
	var private, public []string
	for _, name := range sorted(files) {
		if strings.HasSuffix(name, ".pub") {
			public = append(public, name)
		} else {
			private = append(private, name)
		}
	}
	return append(private, public...)
}

// absent returns the names that are not in dir yet, or a Problem that lists the files in the way.
func absent(dir string, names []string, files map[string]keyFile) (todo []string, err error) {
	var taken []string
	for _, name := range names {
		data, _, err := readKeyFile(filepath.Join(dir, name))
		switch {
		case errors.Is(err, os.ErrNotExist):
			todo = append(todo, name)
		case err != nil || !bytes.Equal(data, files[name].data):
			taken = append(taken, name)
		}
	}
	if len(taken) > 0 {
		return nil, inTheWay(dir, taken)
	}
	return todo, nil
}

func inTheWay(dir string, names []string) error {
	why := "there with other content: " + show(strings.Join(names, ", "))
	return problem.New(FileExists, "cannot restore: files in "+show(dir)+" would be replaced", why,
		"restore into an empty folder and compare, or move those files away")
}
