package problem

import (
	"errors"
	"fmt"
	"slices"
)

// Join makes one error of several. It ignores nil errors, and returns nil without others. The first decides
// the message, which counts the rest; Raw lists them.
func Join(errs ...error) error {
	errs = slices.DeleteFunc(slices.Clone(errs), func(err error) bool { return err == nil })
	switch len(errs) {
	case 0:
		return nil
	case 1:
		return errs[0]
	}
	p := *Of(errs[0])
	p.Err = errors.Join(errs...)
	p.What = fmt.Sprintf("%s (and %d more)", p.What, len(errs)-1)
	for _, err := range errs[1:] {
		p.Raw += Of(err).Error() + "\n"
	}
	return &p
}
