package releases

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"deps.dev/util/semver"
	"golang.org/x/net/html"

	"flwrup/flwrexec/flwr"
	"flwrup/flwrexec/install"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// An index's answer is bounded. flwr's was 56 kB in 2026, flwr-nightly's 1.1 MB.
const (
	mostBytes = 8 << 20
	mostFiles = 20_000
	longest   = 80 // characters of Requires-Python
)

// accepts asks for PEP 691's JSON, else for the page that every index has.
const accepts = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"

type answer struct {
	host     string
	releases []Release
}

// file is one file of a package as an index lists it.
type file struct {
	Name           string `json:"filename"`
	RequiresPython string `json:"requires-python"`
	Yanked         any    `json:"yanked"` // false, true or the reason
}

// ask asks the indexes for a package, one after the other, until one has it.
func ask(ctx context.Context, index install.Index, pkg string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := clientOf(index)
	defer client.CloseIdleConnections()
	var last error
	for _, place := range index.Places {
		files, err := list(ctx, client, place, pkg)
		if err == nil {
			if found := releasesOf(pkg, files); len(found) > 0 {
				return answer{hostOf(place), found}, nil
			}
			err = problem.New(Unknown, "the package index "+hostOf(place)+" has no release of "+pkg, "", "look at the index in the settings of "+index.Tool)
		}
		if last == nil || !problem.Is(err, notThere) {
			last = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return answer{}, last
}

// notThere is an index's 404.
const notThere problem.Code = "package-not-there"

// clientOf trusts the system's authorities and those that the settings name, and uses the environment's proxy.
func clientOf(index install.Index) *http.Client {
	t := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, ResponseHeaderTimeout: patience, MaxResponseHeaderBytes: 64 << 10,
		TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12}}
	if list := rootsOf(index.Roots); len(list) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		for _, pem := range list {
			pool.AppendCertsFromPEM(pem)
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return &http.Client{Transport: t, CheckRedirect: func(to *http.Request, before []*http.Request) error {
		if len(before) > 5 || before[0].URL.Scheme == "https" && to.URL.Scheme != "https" {
			return errors.New("the index leads from https to http, or in circles")
		}
		return nil
	}}
}

// list returns the files of a package at one index.
func list(ctx context.Context, client *http.Client, place, pkg string) ([]file, error) {
	host := hostOf(place)
	silent := func(err error) error {
		var at *url.Error // holds the address, which may hold a password
		if errors.As(err, &at) {
			err = at.Err
		}
		why := problem.Cause(err)
		var timeout net.Error
		if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
			why = fmt.Sprintf("no answer within %v", patience)
		}
		return &problem.Problem{Code: Unknown, What: "cannot ask the package index " + host, Why: termsafe.Line(why), Fix: "check the network (HTTPS_PROXY where there is a proxy)"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, place+"/"+pkg+"/", nil)
	if err != nil {
		return nil, silent(err)
	}
	req.Header.Set("Accept", accepts)
	req.Header.Set("User-Agent", "flwrup")
	res, err := client.Do(req)
	if err != nil {
		return nil, silent(err)
	}
	defer res.Body.Close()
	refused := func(code problem.Code, why string) error {
		return problem.New(code, "the package index "+host+" does not say which releases of "+pkg+" are out", why, "look at the index in the settings of uv or pip")
	}
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return nil, refused(notThere, "it has no such package (404)")
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusProxyAuthRequired:
		return nil, refused(Unknown, fmt.Sprintf("it asks for a login (%d); flwrup knows only one that is part of the index's address", res.StatusCode))
	default:
		return nil, refused(Unknown, fmt.Sprintf("it answers with status %d", res.StatusCode))
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBytes+1))
	if err != nil {
		return nil, silent(err)
	}
	if len(body) > mostBytes {
		return nil, refused(Unknown, fmt.Sprintf("its answer is longer than %d MB", mostBytes>>20))
	}
	var files []file
	if kind, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type")); strings.HasSuffix(kind, "json") {
		files, err = fromJSON(body)
	} else {
		files, err = fromHTML(body)
	}
	if err != nil {
		return nil, refused(Unknown, termsafe.Line(err.Error()))
	}
	return files, nil
}

// fromJSON reads PEP 691's answer.
func fromJSON(body []byte) ([]file, error) {
	var page struct {
		Meta struct {
			Version string `json:"api-version"`
		} `json:"meta"`
		Files []file `json:"files"`
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return nil, errors.New("its answer is no JSON of PEP 691")
	}
	if major, _, _ := strings.Cut(page.Meta.Version, "."); major != "1" {
		return nil, fmt.Errorf("it speaks version %.10q of PEP 691", page.Meta.Version)
	}
	if len(page.Files) > mostFiles {
		return nil, fmt.Errorf("it lists more than %d files", mostFiles)
	}
	return page.Files, nil
}

// fromHTML reads the page of PEP 503, with the attributes of PEP 592 (yanked) and PEP 345 (Python).
func fromHTML(body []byte) ([]file, error) {
	var files []file
	z := html.NewTokenizer(bytes.NewReader(body))
	z.SetMaxBuf(64 << 10)
	var at *file
	for {
		switch z.Next() {
		case html.ErrorToken:
			if err := z.Err(); err != io.EOF {
				return nil, errors.New("its page cannot be read")
			}
			return files, nil
		case html.StartTagToken:
			if name, more := z.TagName(); string(name) == "a" {
				f := file{Yanked: false}
				for more {
					var key, value []byte
					switch key, value, more = z.TagAttr(); string(key) {
					case "data-requires-python":
						f.RequiresPython = string(value)
					case "data-yanked":
						f.Yanked = true
					}
				}
				at = &f
			}
		case html.TextToken:
			if at != nil {
				at.Name += strings.TrimSpace(string(z.Text()))
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); string(name) == "a" && at != nil {
				if files, at = append(files, *at), nil; len(files) > mostFiles {
					return nil, fmt.Errorf("it lists more than %d files", mostFiles)
				}
			}
		}
	}
}

// number is a final release as flwr numbers them: 1.42.0. Pre-releases and development builds have more behind it.
const number = `\d{1,4}\.\d{1,4}\.\d{1,4}`

var (
	finals   = regexp.MustCompile(`^` + number + `(?:\.post\d{1,4})?$`)
	nightlys = regexp.MustCompile(`^` + number + `\.dev\d{1,12}$`)
	archive  = regexp.MustCompile(`^(flwr(?:[-_]nightly)?)-([0-9a-z.]{1,40})(?:-py3-none-any\.whl|\.tar\.gz)$`)
)

// release reads the version of a final release.
func release(text string) (flwr.Version, bool) {
	if !finals.MatchString(text) {
		return flwr.Version{}, false
	}
	v, err := flwr.ParseVersion(text)
	return v, err == nil
}

// releasesOf returns the releases of a package that have a file which is not yanked: final ones of flwr, development
// builds of flwr-nightly. Names that are not written as a release's are left out.
func releasesOf(pkg string, files []file) []Release {
	var list []Release
	have := map[string]bool{}
	for _, f := range files {
		m := archive.FindStringSubmatch(f.Name)
		if m == nil || strings.ReplaceAll(m[1], "_", "-") != pkg || have[m[2]] || yanked(f.Yanked) {
			continue
		}
		if f.RequiresPython != "" {
			if len(f.RequiresPython) > longest {
				continue
			}
			if _, err := semver.PyPI.ParseConstraint(f.RequiresPython); err != nil {
				continue
			}
		}
		v, ok := release(m[2])
		if pkg != "flwr" {
			var err error
			v, err = flwr.ParseVersion(m[2])
			ok = nightlys.MatchString(m[2]) && err == nil
		}
		if ok {
			have[m[2]] = true
			list = append(list, Release{v, f.RequiresPython})
		}
	}
	return list
}

// yanked reports whether a file was withdrawn: true, or the reason.
func yanked(v any) bool {
	withdrawn, is := v.(bool)
	return v != nil && (!is || withdrawn)
}
