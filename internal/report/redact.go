// Package report makes an archive about a project for people who help: text files without keys, passwords, tokens and
// paths. What may be in it is chosen by kind; the rest of each text is left out by rules that rather take too much.
package report

import (
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"flwrup/internal/termsafe"
)

// Gone stands in the place of what was left out.
const Gone = "(left out)"

// Redactor takes out of texts what must not leave the machine.
type Redactor struct {
	known []string          // values that must not be in a text, the longest first
	names map[string]string // paths that have a name: the project's folder
	keep  map[string]bool   // what looks like a path and may be in a text: "publisher/app"
}

// leastKnown is the shortest value that is looked for everywhere: a shorter one would be found in ordinary words.
const leastKnown = 4

// Secret has the values left out wherever they stand: of variables, names of data files, folders.
func (r *Redactor) Secret(values ...string) {
	for _, v := range values {
		if v = strings.TrimSpace(v); len(v) >= leastKnown && !slices.Contains(r.known, v) {
			r.known = append(r.known, v)
		}
	}
	slices.SortStableFunc(r.known, func(a, b string) int { return len(b) - len(a) })
}

var (
	pem      = regexp.MustCompile(`(?s)-----BEGIN [^-]*-----.*?(-----END [^-]*-----|$)`)
	ageKey   = regexp.MustCompile(`(?i)AGE-SECRET-KEY-1[0-9A-Z]*`)
	address  = regexp.MustCompile(`(?i)\b[a-z][a-z0-9+.-]*://[^\s"'<>]+`)
	mail     = regexp.MustCompile(`[\p{L}0-9._%+-]+@[\p{L}0-9-]+(\.[\p{L}0-9-]+)+`)
	bearer   = regexp.MustCompile(`(?i)\b(bearer|basic|token)(\s+)[A-Za-z0-9+/=._~-]{8,}`)
	named    = regexp.MustCompile(`(?i)([\w.-]*(?:passw|kennw|passphrase|pwd|secret|token|api[_-]?key|apikey|credential|private[_-]?key|auth|cookie|session|dsn|patient|mrn)[\w.-]*["']?(?:[ \t]+[\w-]+)?\s*(?:=>|[=:])\s*)("[^"]*"|'[^']*'|[^\s,;&]+(?:[ \t]+[^\s,;&=]+)*)`)
	opaque   = regexp.MustCompile(`[A-Za-z0-9_+/=-]{32,}(?:\.[A-Za-z0-9_+/=-]{8,})*`)
	short    = regexp.MustCompile(`\b(?:gh[pousr]_|glpat-|xox[abpr]-|sk-|hf_|AKIA|eyJ)[A-Za-z0-9_.-]{8,}`)
	fileURI  = regexp.MustCompile(`(?i)\bfile:[^\s"'<>]+`)
	quoted   = regexp.MustCompile(`"[^"\n]*[/\\][^"\n]*"|'[^'\n]*[/\\][^'\n]*'`)
	absolute = regexp.MustCompile(`(?:[A-Za-z]:[\\/]|\\\\|~[\\/]|\.{0,2}/|[\p{L}\p{N}_.-]+[\\/])[^\s"'<>|:,;()\[\]{}]*`)
	dataFile = regexp.MustCompile(`(?i)[^\s"'<>|:,;()\[\]{}=]+\.(?:dcm|dicom|nii|gz|csv|tsv|parquet|xlsx?|json[l]?|np[yz]|h5|hdf5|png|jpe?g|tiff?|svs|edf|vcf|bam|fastq|sav|rds|pkl|pt|pth|db|sqlite3?|zip|tar|txt|pdf|docx?|hl7|xml|env|pem|key|age)\b`)
)

// Text returns a text of several lines, safe for a terminal, without what must not leave the machine.
func (r *Redactor) Text(text string) string {
	text = termsafe.Text(text)
	text = pem.ReplaceAllString(text, Gone)
	text = ageKey.ReplaceAllString(text, Gone)
	for _, v := range r.known {
		text = strings.ReplaceAll(text, v, Gone)
	}
	text = fileURI.ReplaceAllString(text, Gone)
	text = named.ReplaceAllString(text, "${1}"+Gone)
	var b strings.Builder
	at := 0
	for _, m := range address.FindAllStringIndex(text, -1) { // what follows would take a URL for a path
		b.WriteString(r.words(text[at:m[0]]))
		b.WriteString(host(text[m[0]:m[1]]))
		at = m[1]
	}
	b.WriteString(r.words(text[at:]))
	return b.String()
}

// words goes through text between URLs.
func (r *Redactor) words(text string) string {
	text = bearer.ReplaceAllString(text, "${1}${2}"+Gone)
	text = short.ReplaceAllString(text, Gone)
	text = mail.ReplaceAllString(text, Gone)
	text = quoted.ReplaceAllStringFunc(text, func(s string) string { return s[:1] + r.path(s[1:len(s)-1]) + s[:1] })
	text = absolute.ReplaceAllStringFunc(text, r.path)
	text = dataFile.ReplaceAllString(text, Gone)
	return opaque.ReplaceAllStringFunc(text, func(s string) string {
		if digits(s) { // a run ID, or a rule
			return s
		}
		return Gone
	})
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == "" || strings.Trim(s, "-=_+") == ""
}

// host returns a URL with its scheme, host and port alone. Names and passwords, paths and queries are left out.
func host(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return Gone
	}
	kept := u.Scheme + "://"
	if u.User != nil {
		kept += Gone + "@"
	}
	kept += u.Host
	if strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		kept += "/" + Gone
	}
	return kept
}

// harmless begin paths that say nothing about a person or a machine: the inside of a SuperNode's image, the image's name, a
// federation, parts of Python.
var harmless = regexp.MustCompile(`^(?:/app/\.flwr|/app/\.venv|/python|/usr/(?:local/)?(?:lib|bin)|/run/supernode|flwr/(?:supernode|superlink|superexec)$|\d+/\d+$|\d+/s$)`)

// path returns what may be said of a path.
func (r *Redactor) path(p string) string {
	switch {
	case r.keep[strings.TrimSuffix(p, ".")]:
		return p
	case strings.Contains(p, Gone):
		return Gone
	case harmless.MatchString(p) && !dataFile.MatchString(p) && !strings.Contains(p, ".."):
		return p
	case strings.Trim(p, "/\\.") == "":
		return p
	}
	for name, dir := range r.names {
		if rest, is := strings.CutPrefix(p, dir); is && (rest == "" || strings.Trim(filepath.Base(rest), "/") == "flwrup.toml") {
			return name + rest
		}
	}
	return "(path)"
}

// Keep lets a value stand that looks like a path: "publisher/app".
func (r *Redactor) Keep(value string) {
	if r.keep == nil {
		r.keep = map[string]bool{}
	}
	r.keep[value] = true
}

// Name has a folder called by a name, such as PROJECT, wherever its path stands.
func (r *Redactor) Name(name, dir string) {
	if r.names == nil {
		r.names = map[string]string{}
	}
	if dir != "" && dir != "/" {
		r.names[name] = dir
	}
}

// Address returns host and port of a grid, without anything else that stands in it.
func Address(v string) string {
	if h, port, err := net.SplitHostPort(v); err == nil && !strings.ContainsAny(h, "@/\\ ") {
		return net.JoinHostPort(h, port)
	}
	return Gone
}

// Leaks returns the first of the values that must not leave the machine and is in a text all the same; "" where none is.
// It is asked about every file at the end.
func (r *Redactor) Leaks(text string) string {
	for _, mark := range append([]string{"PRIVATE KEY-----", "AGE-SECRET-KEY-1"}, r.known...) {
		if strings.Contains(text, mark) {
			return mark
		}
	}
	return ""
}
