package site

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"time"

	"flwrup/internal/plainfile"
	"flwrup/internal/project"
	"flwrup/internal/trust"
)

// Choices returns the present choices. Nobody may modify them: Change changes a copy. A function that decides by
// several of them takes the value once, so that it sees one state.
func (s *Site) Choices() *project.Choices { return s.choices.Load() }

// Change is the only writer of the choices: it takes over an edit that the person made meanwhile, changes a copy,
// saves it, and puts it in the place of the present ones. After an error of change they are as before it. change may
// call Choices, which returns the present ones, and must not call Change.
func (s *Site) Change(change func(*project.Choices) error) error {
	return s.choose(func() error {
		if err := s.takeFile(); err != nil && !errors.Is(err, os.ErrNotExist) { // a save would undo what the person is about to mend
			return err
		}
		c := s.Choices().Clone()
		if err := change(c); err != nil {
			return err
		}
		return s.swap(c)
	})
}

// choose calls do, which alone may swap the choices meanwhile. The answers of a grid that was left are forgotten.
func (s *Site) choose(do func() error) error {
	s.choosing.Lock()
	from := s.Choices().Grid
	err := do()
	to := s.Choices().Grid
	s.choosing.Unlock()
	if from != to {
		s.ForgetGrid()
	}
	return err
}

// swap saves c and makes it the choices. The caller holds choosing.
func (s *Site) swap(c *project.Choices) error {
	if err := s.save(c); err != nil {
		return err
	}
	s.choices.Store(c)
	return nil
}

// edited reads flwrup.toml where it is no longer as this site knows it: a person may have changed it since,
// in an editor. It gives nil where nothing changed, and an error for what cannot be taken over.
func (s *Site) edited() (*project.Choices, error) {
	s.mu.Lock()
	text, err := plainfile.Read(project.File(s.Dir))
	same := err == nil && bytes.Equal(text, s.written)
	s.mu.Unlock()
	if same {
		return nil, Withheld(s)
	}
	now, err := project.Load(s.Dir)
	if err != nil {
		return nil, err
	}
	if open := s.store.Missing(now.ID, now.Sensitive(ground(s, now))); len(open) > 0 {
		p := trust.Refused(s.Dir, open)
		p.What = "flwrup.toml was changed, and asks for something that you have not accepted"
		p.Fix = "accept it with `flwrup trust` in another terminal, or undo the change; until then the previous values apply"
		return nil, p
	}
	return now, nil
}

// TakeEdits takes over a person's changes of flwrup.toml.
func (s *Site) TakeEdits() error {
	return s.choose(s.takeFile)
}

// takeFile makes flwrup.toml the choices where it has changed. The caller holds choosing.
func (s *Site) takeFile() error {
	if s.frozen() {
		return nil
	}
	now, err := s.edited()
	if err != nil || now == nil {
		return err
	}
	if before := s.Choices(); before.Grid.Connection != now.Grid.Connection && !leftBehind(s, before) {
		if err := leaveGridBehind(s, before); err != nil {
			return err
		}
	}
	return s.swap(now)
}

// save writes c. Flwrup chose it itself, or the person accepted it.
func (s *Site) save(c *project.Choices) error {
	if s.frozen() {
		return nil
	}
	if err := accept(s, c); err != nil {
		return err
	}
	if err := c.Save(s.Dir); err != nil {
		return fmt.Errorf("save the choices: %w", err)
	}
	noteFile(s)
	return nil
}

// noteFile takes flwrup.toml as it is now for the choices' own.
func noteFile(s *Site) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = time.Now()
	s.written, _ = plainfile.Read(project.File(s.Dir))
}

// frozen reports whether flwrup.toml is neither written nor read again.
func (s *Site) frozen() bool { return s.Options.ReadOnly || s.Options.Ending || s.instead }
