package site

import (
	"context"
	"path/filepath"
	"slices"

	"flwrup/flwrexec/config"
	"flwrup/flwrexec/flwr"
)

// Configuration is how flwr's own configuration stands.
type Configuration struct {
	File string        // names the grid
	Due  []config.Edit // that are needed, the most urgent first
}

// ReadConfiguration reads flwr's configuration in the dialect of the flwr at hand.
func ReadConfiguration(ctx context.Context, s *Site) (Configuration, error) {
	f, err := s.Session(ctx)
	if err != nil {
		return Configuration{}, err
	}
	return ConfigurationFor(s.Folder(), f.Dialect())
}

// ConfigurationFor reads flwr's configuration as a release with the dialect d goes by it.
func ConfigurationFor(at Folder, d flwr.Dialect) (Configuration, error) {
	var found Configuration
	c := at.Choices
	want := config.Connection{Name: c.Grid.Connection, Address: at.ControlAddress(d), CA: at.Path(c.Grid.CA)}
	add := func(e config.Edit, err error) error {
		if err == nil && e.Changed() {
			found.Due = append(found.Due, e)
		}
		return err
	}
	pyproject := filepath.Join(at.AppDir(), "pyproject.toml")
	if d.ConfigInPyproject {
		found.File, want.Federation = pyproject, c.Federation
		return found, add(config.EditPyproject(pyproject, want))
	}
	var err error
	var legacy []string
	for _, file := range []string{pyproject, filepath.Join(at.Dir, "pyproject.toml")} {
		has, _, err := config.LegacyBlock(file)
		if err != nil {
			return found, err
		}
		if has && !slices.Contains(legacy, file) {
			legacy = append(legacy, file)
		}
	}
	// A block's values are in Flower's configuration before the block goes.
	if found.File, err = config.FlowerFile(at.FlwrHome()); err != nil {
		return found, err
	}
	e, err := flowerEdit(at, found.File, want)
	if err != nil {
		return found, err
	}
	if err := add(config.CarryLegacy(e, want.Name, legacy...)); err != nil {
		return found, err
	}
	for _, file := range legacy {
		if err := add(config.RetireLegacyBlock(file)); err != nil {
			return found, err
		}
	}
	return found, nil
}

// flowerEdit plans the connection in Flower's own file. Without an address of the site's own a connection that is
// there is the person's, but for values that flwr refuses.
func flowerEdit(at Folder, file string, want config.Connection) (config.Edit, error) {
	if at.Choices.Grid.Control == "" {
		mend := want
		mend.Federation = at.Choices.Federation
		if e, has, err := config.MendFlower(file, mend); has || err != nil {
			return e, err
		}
	}
	return config.EditFlower(file, want)
}
