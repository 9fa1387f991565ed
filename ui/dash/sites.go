package dash

import (
	"fmt"

	"flwrup/internal/front"
)

// siteList draws the other sites whose SuperNodes this account registered. They run there, so nothing is chosen here:
// what helps is a message to the site.
type siteList struct{ *table }

// lines returns a line for each site, and two below it for each of its SuperNodes that is not online: the reason, and
// the message to send.
func (l siteList) lines() []string {
	var lines []string
	if l.have.GridErr != nil {
		return nil
	}
	for _, s := range l.have.Sites {
		v := s.Severity()
		text := l.ink.Severity(v).Render(v.Sign(l.st.ASCII)) + " " + clean(s.Title)
		if s.Contact != "" {
			text += l.ink.Dim.Render("  " + clean(s.Contact))
		}
		lines = append(lines, "  "+text+l.ink.Dim.Render(fmt.Sprintf("  %d of %d online", s.Online(), len(s.Nodes))))
		for _, n := range s.Nodes {
			if n.Diagnosis == nil || n.Grid == front.GridOnline {
				continue
			}
			lines = append(lines, "    "+clean(n.Diagnosis.Error()))
			if n.Diagnosis.Fix != "" {
				lines = append(lines, "    "+l.ink.Dim.Render(clean(n.Diagnosis.Fix)))
			}
		}
	}
	return lines
}

// draw draws as much of the list as fits into rows, with its rule.
func (l siteList) draw(rows int) []string {
	if rows < 3 {
		return nil
	}
	lines := append([]string{"", l.rule("other sites")}, l.lines()...)
	if over := len(lines) - rows; over > 0 {
		lines = append(lines[:rows-1], "  "+l.ink.Dim.Render(fmt.Sprintf("%s %d more lines: flwrup status", l.st.Signs.Ellipsis, over+1)))
	}
	for i, line := range lines {
		lines[i] = l.st.Cut(line, l.w)
	}
	return lines
}

// rows returns how many rows all of the list takes.
func (l siteList) rows() int {
	if n := len(l.lines()); n > 0 {
		return n + 2
	}
	return 0
}
