package keys

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// FuzzRestore restores archives of strangers. Each is refused in clean words, or leaves only key files with
// plain names in the folder.
func FuzzRestore(f *testing.F) {
	pair := generate(f, keyDir(f), "client_credentials_1")[0]
	packed := func(names map[string]string) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for name, file := range names {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: time.Unix(1, 0)}) == nil {
				w.Write(data) //nolint:errcheck // a buffer
			}
		}
		w.Close() //nolint:errcheck
		return b.Bytes()
	}
	f.Add(packed(map[string]string{"client_credentials_1": pair.Private, "client_credentials_1.pub": pair.Public}))
	f.Add(packed(map[string]string{"../evil": pair.Private, "a\x1b[31m.pub": pair.Public}))
	f.Add([]byte("not an archive"))
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		root := t.TempDir()
		var sealed bytes.Buffer
		w, err := age.Encrypt(&sealed, identity.Recipient())
		if err != nil {
			t.Fatal(err)
		}
		w.Write(archive) //nolint:errcheck // a buffer
		w.Close()        //nolint:errcheck
		file, dir := filepath.Join(root, "b.age"), filepath.Join(root, "keys")
		if err := os.WriteFile(file, sealed.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = RestoreBackup(context.Background(), file, []age.Identity{identity}, dir)
		if err != nil {
			p := problem.Of(err)
			if r, bad := termsafe.Unsafe(p.Error() + p.Fix); bad || p.Code == problem.Internal {
				t.Fatalf("%q holds %U (%s)", p.Error(), r, p.Code)
			}
		}
		there, err := os.ReadDir(root)
		if err != nil || len(there) > 2 {
			t.Fatalf("%v beside the folder of keys, %v", there, err)
		}
		restored, _ := os.ReadDir(dir)
		for _, e := range restored {
			if !e.Type().IsRegular() || checkArchived(e.Name()) != nil {
				t.Fatalf("%q was restored", e.Name())
			}
		}
	})
}

// FuzzScript sets the number of keys in a generate_auth_keys.sh: one line changes, or nothing does.
func FuzzScript(f *testing.F) {
	f.Add([]byte("#!/bin/bash\nf() {\r\n    local num_clients=${1:-2}    # two\r\n    rm -f $KEY_DIR/*\n}"), 5)
	f.Add([]byte("local num_clients=${1:-2}\nlocal num_clients=${1:-3}"), -1)
	f.Fuzz(func(t *testing.T, in []byte, n int) {
		ScriptDeletesKeys(in)
		out, line, changed, err := SetKeyCount(in, n)
		if !changed {
			if !bytes.Equal(out, in) {
				t.Fatalf("%q became %q, unchanged", in, out)
			}
			return
		}
		before, after := bytes.SplitAfter(in, []byte("\n")), bytes.SplitAfter(out, []byte("\n"))
		if err != nil || len(before) != len(after) {
			t.Fatalf("%q became %q, %v", in, out, err)
		}
		for i := range before {
			if !bytes.Equal(before[i], after[i]) && i != line-1 {
				t.Fatalf("line %d of %q became %q", i+1, before[i], after[i])
			}
		}
		if again, _, changed, err := SetKeyCount(out, n); changed || err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%q became %q, then %q, %v", in, out, again, err)
		}
	})
}
