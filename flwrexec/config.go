package flwrexec

import (
	"errors"
)

// ConfigEdit is one file as it is and as it would be; nothing is written before Write.
type ConfigEdit struct {
	File   string
	Before []byte // nil: the file does not exist
	After  []byte
	Why    string // what the edit is for, one sentence
}

// Changed tells whether Write would change anything.
func (e ConfigEdit) Changed() bool { return false }

// Diff is the edit as a unified diff; "" when nothing changes.
func (e ConfigEdit) Diff() string { return "" }

// Write does the edit.
func (e ConfigEdit) Write() (undo string, err error) { return "", errors.New("not yet") }

// Undo takes back the edit whose undo file Write gave.
func Undo(undoFile string) error { return errors.New("not yet") }

// ConnectionSettings is one connection of the CLI to a SuperLink.
type ConnectionSettings struct {
	Name       string
	Address    string
	CA         string
	Federation string
}

// ReadPyprojectConnection reads [tool.flwr.federations.NAME] of a pyproject.toml (flwr <= 1.25).
func ReadPyprojectConnection(file, name string) (ConnectionSettings, bool, error) {
	return ConnectionSettings{}, false, errors.New("not yet")
}

// EditPyproject plans [tool.flwr.federations.NAME] of a pyproject.toml (flwr <= 1.25).
func EditPyproject(file string, s ConnectionSettings) (ConfigEdit, error) {
	return ConfigEdit{}, errors.New("not yet")
}

// FlowerConfigFile is the place of Flower's config.toml (flwr >= 1.26).
func FlowerConfigFile(flwrHome string) string { return "" }

// ReadFlowerConfigConnections reads the [superlink.NAME] tables of Flower's config.toml.
func ReadFlowerConfigConnections(file string) ([]ConnectionSettings, error) {
	return nil, errors.New("not yet")
}

// EditFlowerConfig plans [superlink.NAME] of Flower's config.toml (flwr >= 1.26).
func EditFlowerConfig(file string, s ConnectionSettings) (ConfigEdit, error) {
	return ConfigEdit{}, errors.New("not yet")
}

// LegacyBlock finds [tool.flwr.federations.*] in a pyproject.toml, which flwr >= 1.26 trips over.
func LegacyBlock(pyproject string) (has bool, settings []ConnectionSettings, err error) {
	return false, nil, errors.New("not yet")
}

// RetireLegacyBlock plans to turn [tool.flwr.federations.*] of a pyproject.toml into comments.
func RetireLegacyBlock(pyproject string) (ConfigEdit, error) {
	return ConfigEdit{}, errors.New("not yet")
}
