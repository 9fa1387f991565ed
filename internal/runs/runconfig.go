package runs

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"flwrup/flwrexec/app"
	"flwrup/internal/nodeconfig"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/termsafe"
)

// Config is the run configuration of one run, as pairs for flwr's --run-config: they replace values of the app's
// [tool.flwr.app.config].
type Config []nodeconfig.Pair

// ParseConfig reads what a person gives as run configuration: texts of key=value pairs, or one TOML file.
func ParseConfig(given []string) (Config, error) {
	if len(given) == 1 && nodeconfig.File(given[0]) {
		return configFile(given[0])
	}
	var c Config
	for _, text := range given {
		switch {
		case nodeconfig.File(text) && !strings.Contains(text, "="):
			return nil, errors.New("a file of values comes alone, without key=value pairs")
		case strings.TrimSpace(text) == "":
			return nil, errors.New("it is empty")
		}
		if err := nodeconfig.Check(text); err != nil {
			return nil, err
		}
		c = append(c, nodeconfig.Pairs(text)...)
	}
	for i, p := range c {
		if slices.ContainsFunc(c[:i], func(other nodeconfig.Pair) bool { return other.Key == p.Key }) {
			return nil, fmt.Errorf("`%s` is there twice", p.Key)
		}
	}
	return c, nil
}

// configFile reads a TOML file as pairs: nested keys are joined by dots.
func configFile(path string) (Config, error) {
	text, err := plainfile.ReadAtMost(path, 1<<20)
	if err != nil {
		return nil, errors.New("cannot read it: " + problem.Cause(err))
	}
	var all map[string]any
	if err := toml.Unmarshal(text, &all); err != nil {
		return nil, errors.New("it is no TOML: " + termsafe.Text(strings.TrimPrefix(err.Error(), "toml: ")))
	}
	var c Config
	if err := c.take("", all); err != nil {
		return nil, err
	}
	if len(c) == 0 {
		return nil, errors.New("no values are in it")
	}
	return c, nil
}

func (c *Config) take(above string, values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		name := above + key
		switch v := values[key].(type) {
		case map[string]any:
			if err := c.take(name+".", v); err != nil {
				return err
			}
			continue
		case string:
			quote := "'"
			if strings.Contains(v, quote) {
				quote = `"`
			}
			if strings.Contains(v, quote) || strings.ContainsAny(v, "\n\r") || quote == `"` && strings.Contains(v, `\`) {
				return fmt.Errorf("flwr cannot take the text of %s: it has both kinds of quotes, or several lines", termsafe.Quote(name))
			}
			*c = append(*c, nodeconfig.Pair{Key: name, Value: quote + v + quote})
		case bool, int64, float64:
			*c = append(*c, nodeconfig.Pair{Key: name, Value: fmt.Sprint(v)})
		default:
			return fmt.Errorf("the value of %s is neither true or false, nor a number, nor a text", termsafe.Quote(name))
		}
		if err := nodeconfig.Check((*c)[len(*c)-1:].String()); err != nil {
			return err
		}
	}
	return nil
}

// String is the value of --run-config.
func (c Config) String() string {
	parts := make([]string, len(c))
	for i, p := range c {
		parts[i] = p.Key + "=" + p.Value
	}
	return strings.Join(parts, " ")
}

// With returns c with a number; it replaces what c has for the key.
func (c Config) With(key string, n int) Config {
	pair := nodeconfig.Pair{Key: key, Value: strconv.Itoa(n)}
	if i := slices.IndexFunc(c, func(p nodeconfig.Pair) bool { return p.Key == key }); i >= 0 {
		c = slices.Clone(c)
		c[i] = pair
		return c
	}
	return append(slices.Clip(c), pair)
}

// has reports whether c sets the key.
func (c Config) has(key string) bool {
	return slices.ContainsFunc(c, func(p nodeconfig.Pair) bool { return p.Key == key })
}

// numbers returns the whole numbers of c.
func (c Config) numbers() map[string]int {
	n := map[string]int{}
	for _, p := range c {
		if v, err := strconv.Atoi(p.Value); err == nil {
			n[p.Key] = v
		}
	}
	return n
}

// fits reports the first key that the app has no value for: the grid takes such a run, which then fails.
func (c Config) fits(a app.App) error {
	for _, p := range c {
		if _, ok := a.Config[p.Key]; ok {
			continue
		}
		why, keys := "the app has no values to replace", slices.Sorted(maps.Keys(a.Config))
		if len(keys) > 0 {
			why = "the app has no such key; it has " + strings.Join(keys[:min(len(keys), 12)], ", ")
		}
		return problem.New(problem.BadInput, "cannot set "+termsafe.Quote(p.Key)+" for this run", why,
			"the keys are in [tool.flwr.app.config] of the app's pyproject.toml")
	}
	return nil
}
