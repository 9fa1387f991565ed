package dockerctl

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"flwrup/internal/problem"
	"flwrup/internal/shell"
	"flwrup/internal/supernode"
)

// maxFile is more than any key or bundle of certificates takes.
const maxFile = 1 << 20

// handIn copies the key, the CA and the starter's files into a container that does not run.
func handIn(ctx context.Context, r *Runtime, c container.InspectResponse, spec supernode.Spec) error {
	uid, err := uidOf(ctx, r, c)
	if err != nil {
		return err
	}
	key, err := readSmall("private key", spec.KeyFile)
	if err != nil {
		return err
	}
	files := []file{{name: "key", mode: 0o400, data: key}}
	if spec.CAFile != "" {
		ca, err := readSmall("CA certificate", spec.CAFile)
		if err != nil {
			return err
		}
		files = append(files, file{name: "ca.crt", mode: 0o444, data: ca})
	}
	stream, err := tarOf(uid, append(files, handed(spec)...))
	if err != nil {
		return err
	}
	if err := r.cli.CopyToContainer(ctx, c.ID, KeyDir, stream, container.CopyToContainerOptions{}); err != nil {
		return r.explain(ctx, err, "copy the key of "+spec.Name+" into its container")
	}
	return nil
}

type file struct {
	name string
	mode int64
	data []byte
}

func tarOf(uid int, files []file) (io.Reader, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range files {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: uid, Gid: uid, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	return &buf, w.Close()
}

func readSmall(what, path string) ([]byte, error) {
	bad := func(why, fix string, err error) error {
		p := problem.New(problem.BadInput, "the "+what+" "+path+" cannot be read", why, fix)
		p.Err = err
		return p
	}
	st, err := os.Stat(path)
	if err == nil && !st.Mode().IsRegular() { // opening a pipe would wait for its other end
		return nil, bad("it is not a regular file", "choose a file", nil)
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(path)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, bad("there is no such file", "put it back, or choose another", err)
	case errors.Is(err, fs.ErrPermission):
		return nil, bad("permission denied", "make yourself its owner: sudo chown \"$(id -u)\" "+shell.Word(path), err)
	case err != nil:
		return nil, bad(err.Error(), "check the path", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, bad(err.Error(), "check the disk", err)
	}
	if len(data) > maxFile || len(data) == 0 {
		return nil, bad(fmt.Sprintf("it holds %d bytes or more, which no %s does", len(data), what), "choose the right file", nil)
	}
	return data, nil
}

// passwd returns the uid of a user that an image calls by its name.
func passwd(ctx context.Context, r *Runtime, id, user string) (int, error) {
	body, _, err := r.cli.CopyFromContainer(ctx, id, "/etc/passwd")
	if err != nil {
		return 0, r.explain(ctx, err, "read the image's users")
	}
	defer body.Close()
	t := tar.NewReader(io.LimitReader(body, maxFile))
	if _, err := t.Next(); err != nil {
		return 0, fmt.Errorf("read the image's users: %w", err)
	}
	data, err := io.ReadAll(t)
	if err != nil {
		return 0, fmt.Errorf("read the image's users: %w", err)
	}
	uid, ok := uidIn(string(data), user)
	if !ok {
		return 0, problem.New(problem.BadInput, "the image runs as user "+strconv.Quote(user)+", whom its passwd file does not know",
			"", "choose another image, such as flwr/supernode")
	}
	return uid, nil
}

// uidIn looks user up in the text of a passwd file.
func uidIn(passwd, user string) (int, bool) {
	for line := range strings.SplitSeq(passwd, "\n") {
		f := strings.Split(line, ":")
		if len(f) < 3 || f[0] != user {
			continue
		}
		uid, err := strconv.Atoi(f[2])
		return uid, err == nil && uid > 0
	}
	return 0, false
}
