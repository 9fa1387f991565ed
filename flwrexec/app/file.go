package app

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
)

// Codes of apps.
const (
	Broken   problem.Code = "app-broken"   // the app's pyproject.toml or code is wrong
	Unusable problem.Code = "app-unusable" // flwr refuses to read the app's pyproject.toml as it is
)

var (
	utf8Mark   = []byte("\xef\xbb\xbf")
	utf16Marks = [][]byte{[]byte("\xff\xfe"), []byte("\xfe\xff")}
)

// decodeApp reads a pyproject.toml as flwr does: UTF-8 without a byte order mark, valid TOML. For anything
// else flwr has sentences that name neither the file nor the cause, so it is not asked. A file that is not a
// Flower app's is Broken.
func decodeApp(file string, content []byte) (map[string]any, error) {
	code := Broken
	if bytes.Contains(bytes.ReplaceAll(content, []byte{0}, nil), []byte("tool.flwr")) {
		code = Unusable
	}
	no := func(why, fix string) error { return problem.New(code, "flwr cannot use "+file, why, fix) }
	switch {
	case bytes.HasPrefix(content, utf8Mark):
		return nil, no("a byte order mark (BOM) stands at its start", "save it as UTF-8 without BOM")
	case bytes.HasPrefix(content, utf16Marks[0]), bytes.HasPrefix(content, utf16Marks[1]), bytes.IndexByte(content, 0) >= 0:
		return nil, no("it is not UTF-8 text but, it seems, UTF-16", "save it as UTF-8 without BOM")
	case !utf8.Valid(content):
		return nil, no(fmt.Sprintf("line %d is not UTF-8 text", badLine(content)), "save it as UTF-8 without BOM")
	}
	all, err := tomledit.Decode(content)
	if err != nil {
		p := *problem.Of(err)
		p.Code, p.What, p.Why = code, "flwr cannot use "+file, "it is not valid TOML: "+p.Why
		return nil, &p
	}
	return all, nil
}

// badLine returns the number of the first line that is not UTF-8.
func badLine(content []byte) int {
	for n, line := range bytes.Split(content, []byte("\n")) {
		if !utf8.Valid(line) {
			return n + 1
		}
	}
	return 1
}
