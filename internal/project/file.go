package project

import "errors"

// Load reads dir/flwrup.toml.
func Load(dir string) (*Choices, error) { return nil, errors.New("not yet") }

// Save writes dir/flwrup.toml.
func (c *Choices) Save(dir string) error { return errors.New("not yet") }

// Validate tells what is out of range.
func (c *Choices) Validate() error { return errors.New("not yet") }
