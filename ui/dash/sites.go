package dash

import (
	"fmt"
	"slices"

	"flwrup/internal/front"
	"flwrup/internal/wording"
)

// siteList draws the other sites whose SuperNodes this account registered. They run there: what helps is a message to the
// site. The cursor comes to them below the SuperNodes, to remove one.
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

// said is what stands below a site about SuperNodes that are not online: the reasons, and the message to send.
type said struct {
	why []string
	fix string
}

// saidOf returns what is said of the SuperNodes of a site, each message once.
func saidOf(s front.SiteView) (list []said) {
	for _, n := range s.Nodes {
		if n.Diagnosis == nil || n.Grid == front.GridOnline {
			continue
		}
		i := slices.IndexFunc(list, func(have said) bool { return have.fix == n.Diagnosis.Fix })
		if i < 0 {
			i, list = len(list), append(list, said{fix: n.Diagnosis.Fix})
		}
		list[i].why = wording.Once(append(list[i].why, n.Diagnosis.Error()))
	}
	return list
}

// lines returns a line for each site, and below it what is said of its SuperNodes; at is the line that the cursor is on.
func (l siteList) lines() (lines []string, at int) {
	for _, s := range l.sites() {
		v := s.Severity()
		title, cursor := clean(s.Title), " "
		if s.Name == l.site {
			at, cursor = len(lines), l.ink.Selected.Render(l.st.Signs.Cursor)
			title = l.ink.Selected.Render(title)
		}
		text := l.ink.Severity(v).Render(v.Sign(l.st.ASCII)) + " " + title
		if s.Contact != "" {
			text += l.ink.Dim.Render("  " + clean(s.Contact))
		}
		lines = append(lines, cursor+" "+text+l.ink.Dim.Render(fmt.Sprintf("  %d of %d online", s.Online(), len(s.Nodes))))
		for _, is := range saidOf(s) {
			for _, why := range is.why {
				lines = append(lines, "    "+clean(why))
			}
			if is.fix != "" {
				lines = append(lines, "    "+l.ink.Dim.Render(clean(is.fix)))
			}
		}
	}
	return lines, at
}

// draw draws as much of the list as fits into rows, with its rule.
func (l siteList) draw(rows int) []string {
	if rows < 3 {
		return nil
	}
	all, at := l.lines()
	room := rows - 2
	if over := len(all) - room; over > 0 { // what the cursor is on stays in sight
		top := min(max(0, at-max(0, room-3)), over)
		all = append(all[top:top+room-1:top+room-1], "  "+l.ink.Dim.Render(fmt.Sprintf("%s %d more lines: flwrup status", l.st.Signs.Ellipsis, over+1)))
	}
	lines := append([]string{"", l.rule("other sites")}, all...)
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
		for _, is := range saidOf(s) {
			n += len(is.why)
			if is.fix != "" {
				n++
			}
		}
	}
	if n > 0 {
		n += 2 // a blank and the rule
	}
	return n
}
