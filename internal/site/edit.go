package site

import (
	"context"

	"flwrup/flwrexec/config"
	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// Edit shows an edit of the person's file as a diff, asks q, and does it after a yes: the file's mode stays,
// a copy of the file as it was stays next to it, and the step can take the edit back.
func Edit(ctx context.Context, s *Site, to front.Sink, id front.StepID, e config.Edit, q front.Question) (done bool, err error) {
	if err := Stays(s, e.File); err != nil {
		return false, err
	}
	q.Kind, q.Diff = front.AskConfirm, s.Folder().Diff(e)
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
	to.Event(front.Says{Text: "changed " + s.Rel(e.File) + "; as it was: " + s.Rel(undo)})
	return true, nil
}

// CanUndo reports whether a file edit of step id, made since flwrup was started, can be taken back.
func CanUndo(s *Site, id front.StepID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.undo[id]) > 0
}

// Undo takes the last edit of step id back; once more takes back the one before.
func Undo(ctx context.Context, s *Site, id front.StepID) error {
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
