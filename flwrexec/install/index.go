package install

import (
	"cmp"
	"context"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"gopkg.in/ini.v1"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/child"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
	"flwrup/internal/userdirs"
)

// Index is the package index that flwr would be installed from, as the settings of uv, or else of pip, name it.
type Index struct {
	Tool    string   // uv or pip
	Places  []string // addresses of its simple API, the first that has a package counts; they may hold a password
	Roots   []string // files with certificate authorities in addition to the system's
	Offline bool     // the person told uv or pip to ask no index
}

// publicIndex is where uv and pip look without settings.
const publicIndex = "https://pypi.org/simple"

// mostPlaces is how many indexes of one machine are asked.
const mostPlaces = 4

// IndexHere reads the settings that Ensure's uv or pip would use, from the same files and variables. Settings that
// another user can write are a Problem (unsafe-folder), and so is an address that is no http address.
func IndexHere() (Index, error) {
	i := Index{Tool: "pip"}
	if _, err := exec.LookPath("uv"); err == nil {
		i.Tool = "uv"
	}
	read := i.ofPip
	if i.Tool == "uv" {
		read = i.ofUV
	}
	if err := read(); err != nil {
		return i, err
	}
	for n, place := range i.Places {
		if name, address, named := strings.Cut(place, "="); named && !strings.ContainsAny(name, ":/") {
			place = address // uv takes NAME=ADDRESS
		}
		u, err := url.Parse(place)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			return i, problem.New(problem.BadInput, "cannot read the address of the package index", "it is in the settings of "+i.Tool+", and begins with neither https:// nor http://",
				"correct it there")
		}
		i.Places[n] = strings.TrimRight(place, "/")
	}
	i.Places = slices.Compact(i.Places)
	i.Places = i.Places[:min(len(i.Places), mostPlaces)]
	for _, name := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"} {
		if file := os.Getenv(name); file != "" {
			i.Roots = append(i.Roots, file)
		}
	}
	return i, nil
}

// uvFile has those keys of uv.toml that say where packages come from.
type uvFile struct {
	Index      []uvIndex `toml:"index"`
	IndexURL   string    `toml:"index-url"`
	ExtraIndex []string  `toml:"extra-index-url"`
	Offline    bool      `toml:"offline"`
	NoIndex    bool      `toml:"no-index"`
	Pip        struct {
		IndexURL   string   `toml:"index-url"`
		ExtraIndex []string `toml:"extra-index-url"`
		NoIndex    bool     `toml:"no-index"`
	} `toml:"pip"`
}

type uvIndex struct {
	URL      string `toml:"url"`
	Default  bool   `toml:"default"`
	Explicit bool   `toml:"explicit"`
}

// ofUV reads variables, then uv.toml. https://docs.astral.sh/uv/concepts/indexes/
func (i *Index) ofUV() error {
	files := uvFiles()
	switch file := os.Getenv("UV_CONFIG_FILE"); {
	case file != "":
		files = []string{userdirs.Abs(file)}
	case on("UV_NO_CONFIG"):
		files = nil
	}
	i.Offline = on("UV_OFFLINE") || on("UV_NO_INDEX")
	first := append(strings.Fields(os.Getenv("UV_INDEX")), strings.Fields(os.Getenv("UV_EXTRA_INDEX_URL"))...)
	last := cmp.Or(os.Getenv("UV_DEFAULT_INDEX"), os.Getenv("UV_INDEX_URL"))
	err := eachFile(files, func(file string, text []byte) error {
		var f uvFile
		if err := toml.Unmarshal(text, &f); err != nil {
			return settingsProblem("uv", file, err)
		}
		i.Offline = i.Offline || f.Offline || f.NoIndex || f.Pip.NoIndex
		for _, x := range f.Index {
			switch {
			case x.Default:
				last = cmp.Or(last, x.URL)
			case !x.Explicit:
				first = append(first, x.URL)
			}
		}
		first = append(append(first, f.Pip.ExtraIndex...), f.ExtraIndex...)
		last = cmp.Or(last, f.Pip.IndexURL, f.IndexURL)
		return nil
	})
	i.Places = append(first, cmp.Or(last, publicIndex))
	return err
}

// ofPip reads variables, then pip.conf. https://pip.pypa.io/en/stable/topics/configuration/
func (i *Index) ofPip() error {
	files := pipFiles()
	if file := os.Getenv("PIP_CONFIG_FILE"); file == os.DevNull {
		files = nil
	} else if file != "" {
		files = append([]string{userdirs.Abs(file)}, files...)
	}
	i.Offline = on("PIP_NO_INDEX")
	first := os.Getenv("PIP_INDEX_URL")
	more := strings.Fields(os.Getenv("PIP_EXTRA_INDEX_URL"))
	err := eachFile(files, func(file string, text []byte) error {
		f, err := ini.LoadSources(ini.LoadOptions{IgnoreInlineComment: true, AllowPythonMultilineValues: true, SkipUnrecognizableLines: true}, text)
		if err != nil {
			return settingsProblem("pip", file, err)
		}
		for _, section := range []string{"install", "global"} {
			value := func(key string) string { return strings.TrimSpace(f.Section(section).Key(key).String()) }
			first = cmp.Or(first, value("index-url"))
			more = append(more, strings.Fields(value("extra-index-url"))...)
			if cert := value("cert"); cert != "" {
				i.Roots = append(i.Roots, cert)
			}
			i.Offline = i.Offline || truth(value("no-index"))
		}
		return nil
	})
	i.Places = append([]string{cmp.Or(first, publicIndex)}, more...)
	return err
}

// eachFile calls read with each file that is there. One that another user can write is a Problem.
func eachFile(files []string, read func(file string, text []byte) error) error {
	for _, file := range files {
		if _, err := os.Stat(file); err != nil {
			continue
		}
		if err := userdirs.Check(file); err != nil {
			return err
		}
		text, err := plainfile.Read(file)
		if err != nil {
			return settingsProblem("its", file, err)
		}
		if err := read(file, text); err != nil {
			return err
		}
	}
	return nil
}

// settingsProblem names no content: there may be a password in it.
func settingsProblem(tool, file string, err error) error {
	return &problem.Problem{Code: problem.BadInput, What: "cannot read " + tool + " settings in " + termsafe.Line(file), Fix: "correct that file", Err: err}
}

func on(variable string) bool { return truth(os.Getenv(variable)) }

func truth(text string) bool {
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on", "y", "t":
		return true
	}
	return false
}

// Pythons returns the 3.x that an environment made here could have, ascending: with uv, which fetches them, each that
// flwr is installed with; else those on PATH.
func Pythons(ctx context.Context, tool string) []int {
	least := flwr.DialectOf(flwr.Version{}).MinPython
	var minors []int
	if tool == "uv" {
		for minor := least; minor <= newestLocked; minor++ {
			minors = append(minors, minor)
		}
		return minors
	}
	for _, name := range pythonNames {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := child.Ask(ctx, answerWait, path, "-I", "-c", "import sys;print('%d.%d'%sys.version_info[:2])")
		if major, minor, ok := strings.Cut(strings.TrimSpace(out), "."); err == nil && ok && major == "3" {
			if n, err := strconv.Atoi(minor); err == nil && n >= least {
				minors = append(minors, n)
			}
		}
	}
	slices.Sort(minors)
	return slices.Compact(minors)
}

// Locked returns the releases whose packages this flwrup knows by their hashes, oldest first: they are out, whatever
// an index says.
func Locked() []flwr.Version {
	var list []flwr.Version
	files, _ := lockFiles.ReadDir("locks") // part of the program
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".txt"); ok {
			if v, err := flwr.ParseVersion(name); err == nil {
				list = append(list, v)
			}
		}
	}
	slices.SortFunc(list, flwr.Version.Compare)
	return list
}
