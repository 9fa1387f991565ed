package steps

import (
	"context"

	"flwrup/flwrexec/config"
	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/tomledit"
)

// edit shows an edit of the person's file as a diff, asks q, and does it after a yes: the file's mode stays,
// a copy of what it was stays beside it, and step n can take it back.
func (s *Site) edit(ctx context.Context, to front.Sink, id front.StepID, e config.Edit, q front.Question) (done bool, err error) {
	if err := s.stays(e.File); err != nil {
		return false, err
	}
	q.Kind, q.Diff = front.AskConfirm, s.diff(e)
	answer, err := to.Ask(ctx, q)
	if err != nil || answer != "yes" {
		return false, err
	}
	undo, err := e.Write()
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	s.undo[id] = append(s.undo[id], undo)
	s.mu.Unlock()
	to.Event(front.Says{Text: "changed " + s.rel(e.File) + "; as it was: " + s.rel(undo)})
	return true, nil
}

// diff is the edit with the file's name as a person of this project knows it.
func (s *Site) diff(e config.Edit) string {
	return tomledit.Diff(e.Before, e.After, s.rel(e.File))
}

// CanUndo tells whether a file edit of step id, made since flwrup was started, can be taken back.
func (s *Site) CanUndo(id front.StepID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.undo[id]) > 0
}

// Undo takes the last edit of step id back; once more takes back the one before.
func (s *Site) Undo(ctx context.Context, id front.StepID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	files := s.undo[id]
	if len(files) == 0 {
		return problem.New(problem.NotSupported, "there is nothing to undo in this step", "", "")
	}
	if err := config.Undo(files[len(files)-1]); err != nil {
		return err
	}
	s.undo[id] = files[:len(files)-1]
	return nil
}
