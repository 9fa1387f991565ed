package dash

import (
	"fmt"

	"flwrup/internal/front"
)

// siteList draws the other sites whose SuperNodes this account registered. They run there, so nothing is chosen here:
// what helps is a message to the site.
type siteList struct{ *table }

// sites returns the sites of which the grid has told.
func (l siteList) sites() []front.SiteView {
	if l.have.GridErr != nil {
		return nil
	}
	return l.have.Sites
}

// sitesAlone reports whether there are other sites, and no SuperNode here that a key could be for.
func (t *table) sitesAlone() bool {
	return t.sel == "" && len(t.have.Nodes) == 0 && len(t.have.Sites) > 0
}

// said returns what stands below a site about one of its SuperNodes that is not online: the reason, and the message to
// send.
func said(n front.NodeView) []string {
	switch {
	case n.Diagnosis == nil || n.Grid == front.GridOnline:
		return nil
	case n.Diagnosis.Fix == "":
		return []string{n.Diagnosis.Error()}
	}
	return []string{n.Diagnosis.Error(), n.Diagnosis.Fix}
}

// lines returns a line for each site, and below it what is said of its SuperNodes.
func (l siteList) lines() (lines []string) {
	for _, s := range l.sites() {
		v := s.Severity()
		text := l.ink.Severity(v).Render(v.Sign(l.st.ASCII)) + " " + clean(s.Title)
		if s.Contact != "" {
			text += l.ink.Dim.Render("  " + clean(s.Contact))
		}
		lines = append(lines, "  "+text+l.ink.Dim.Render(fmt.Sprintf("  %d of %d online", s.Online(), len(s.Nodes))))
		for _, n := range s.Nodes {
			for i, text := range said(n) {
				if text = clean(text); i > 0 {
					text = l.ink.Dim.Render(text)
				}
				lines = append(lines, "    "+text)
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

// rows returns how many rows all of the list takes, without drawing it: keys that move ask, too.
func (l siteList) rows() int {
	n := 0
	for _, s := range l.sites() {
		n++
		for _, node := range s.Nodes {
			n += len(said(node))
		}
	}
	if n > 0 {
		n += 2 // a blank and the rule
	}
	return n
}
