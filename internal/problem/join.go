package problem

import (
	"errors"
	"fmt"
	"slices"
)

// Join makes one error of several; nil ones do not count, and of nothing else it makes nil. The first decides what a
// person reads, how many more there are is said, and Raw lists them.
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
