package logs

import (
	"slices"
	"strings"

	"flwrup/ui/style"
)

// Rules across the log are kept in rings of their own: behind the rings of the nodes comes one a node, then one for
// what concerns all. They are not part of the logs: a save leaves them out.

// told takes over what happened.
func (m *Model) told(list Told) {
	for _, h := range list {
		have := m.story[h.Node]
		if i := slices.IndexFunc(have, func(o Happened) bool { return o.Key == h.Key }); i >= 0 {
			have[i] = h
		} else {
			have = append(have, h)
		}
		if len(have) > tales {
			have = slices.Delete(have, 0, len(have)-tales)
		}
		m.story[h.Node] = have
	}
	m.rule()
}

// rule makes the rings of the rules again: they are short, and change seldom.
func (m *Model) rule() {
	m.stale = true
	for i := range len(m.nodes) + 1 {
		name := ""
		if i < len(m.nodes) {
			name = m.nodes[i]
		}
		list := slices.Clone(m.story[name])
		slices.SortStableFunc(list, func(a, b Happened) int { return a.At.Compare(b.At) })
		r, b := newRing(tales, 1<<20), new(batch)
		for _, h := range list {
			tookPart := func(seen map[string]bool) bool { return seen[h.Run] }
			if h.Run != "" && !slices.ContainsFunc(m.runs, tookPart) {
				continue
			}
			level := Info
			if h.Bad {
				level = Error
			}
			b.add(h.Text, entry{time: h.At.UnixNano(), kind: newKind(level, markRule)})
		}
		r.append(b)
		m.rings[len(m.nodes)+i] = r
	}
}

// trouble says what is wrong with a pane's nodes now; "" when nothing is known to be.
func (p *pane) trouble() string {
	n, text := 0, ""
	for _, i := range p.nodes {
		for _, h := range p.m.story[p.m.nodes[i]] {
			if h.Down {
				n, text = n+1, h.Text
				if len(p.nodes) > 1 {
					text = p.m.nodes[i] + " " + text
				}
				break
			}
		}
	}
	if n > 1 {
		return count(n, "SuperNode") + " down"
	}
	return text
}

// streams are the rings that the pane shows: of its nodes, and of what happened to them.
func (k *kept) streams(p *pane) []int {
	n := len(k.nodes)
	list := slices.Clone(p.nodes)
	if p.raw || p.m != nil && p.m.bare {
		return list
	}
	for _, i := range p.nodes {
		if k.rings[n+i].next > 0 {
			list = append(list, n+i)
		}
	}
	if k.rings[2*n].next > 0 {
		list = append(list, 2*n)
	}
	return list
}

// rule draws a rule across the pane.
func (p *pane) rule(g geometry, r ref) string {
	l := p.m.look
	b, i := p.m.rings[r.node].at(r.seq)
	e := b.entries[i]
	look := l.Accent
	if e.kind.level() == Error {
		look = l.Bad
	}
	s, room := "", g.width-g.strip
	if g.time > 0 {
		s, room = l.Dim.Render(when(e.time).Format("15:04:05"))+" ", room-timeWidth
	}
	text, name := p.m.safe(style.ShortIDs(string(b.text(i)), l.Ellipsis)), ""
	if node := r.node - len(p.m.nodes); len(p.nodes) > 1 && node < len(p.m.nodes) {
		if name = p.m.nodes[node] + " "; width(name)+width(text)+6 > room {
			name = p.m.labels[node] + " "
		}
	}
	line := strings.Repeat(l.Horizontal, 2)
	if text = p.m.safe(name) + text; width(text)+6 > room {
		line = l.Horizontal
	}
	text = fit(line+" "+text, room, l.Ellipsis)
	if rest := room - width(text) - 1; rest > 1 {
		text += " " + strings.Repeat(l.Horizontal, rest)
	}
	if p.has && p.cur == r {
		return s + l.Selected.Render(l.Cursor) + look.Render(strings.TrimPrefix(text, l.Horizontal))
	}
	return s + look.Render(text)
}
