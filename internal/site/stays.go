package site

import (
	"flwrup/internal/hostpath"
	"flwrup/internal/problem"
)

// Stays refuses to change a file of the project's, or of the app's, that is a link out of both folders: links
// travel in version control, and the file at the other end is not the project's. The person's own files
// elsewhere, such as Flower's configuration, may be links.
func Stays(s *Site, file string) error {
	here := false
	for _, dir := range []string{s.Dir, s.AppDir()} {
		if hostpath.Within(hostpath.Real(file), hostpath.Real(dir)) {
			return nil
		}
		here = here || hostpath.Within(file, dir)
	}
	if !here {
		return nil
	}
	return problem.New(problem.BadInput, "cannot change "+s.Rel(file), "it is a link to "+hostpath.Real(file)+", outside this folder",
		"put a file in the place of the link, and find out who put the link there")
}
