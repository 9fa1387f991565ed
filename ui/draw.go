package ui

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/lipgloss"

	"flwrup/internal/front"
	"flwrup/internal/problem"
	"flwrup/internal/wording"
	"flwrup/ui/chart"
	"flwrup/ui/style"
)

// heading is the first line of a page: number and title, the state with its sign and word at the right.
func (d *doc) heading(text, state string, st lipgloss.Style) {
	s := d.s
	room := d.width - style.Width(state) - 2
	if state == "" {
		room = d.width
	}
	text = s.Cut(text, room)
	d.line(s.Heading.Render(text) + strings.Repeat(" ", max(d.width-style.Width(text)-style.Width(state), 1)) + st.Render(state))
}

// live draws work in progress: the action, the login, the items, the bars, the last output, and a question if
// there is one.
func (d *doc) live(j *job) {
	s := d.s
	d.gap()
	start := len(d.lines)
	if j.login != nil {
		d.login(j)
	}
	d.items(j.items, d.roomFor(j))
	if n := len(j.items); n > 1 && len(j.bars) == 0 {
		done := 0
		for _, it := range j.items {
			if it.State == front.ItemDone {
				done++
			}
		}
		d.bar(front.Progress{Done: int64(done), Total: int64(n)})
	}
	for _, b := range j.bars {
		d.bar(b)
	}
	d.metrics(j)
	d.tails(j)
	d.output(j)
	if j.form != nil {
		d.gap()
		j.form.view(d, d.height)
		return
	}
	if j.login == nil {
		d.gap()
		text := j.says
		if text == "" {
			text = "at work"
		}
		if j.stopping {
			text = "stopping"
		}
		d.para(s.Dim, fmt.Sprintf("%s %s %s %s", d.spin, text, s.Signs.Separator, style.Clock(j.clock(d.now))), 0)
		d.focusFrom(start)
	}
}

// roomFor returns how many items fit next to the rest.
func (d *doc) roomFor(j *job) int {
	room := d.height - 6 - len(j.bars)
	if len(j.tails) > 0 {
		room /= 2
	}
	if j.form != nil {
		room = min(room, d.height-14)
	}
	return max(room, 3)
}

// items lists SuperNodes with their state, at most most lines: failed and working ones before the others, the
// rest counted.
func (d *doc) items(list []front.Item, most int) {
	s := d.s
	if len(list) == 0 {
		return
	}
	shown, hidden := list, map[front.ItemState]int{}
	if len(list) > most {
		shown = nil
		room := max(most-1, 1)
		for _, want := range []front.ItemState{front.ItemFailed, front.ItemWorking, front.ItemWaiting, front.ItemDone} {
			for _, it := range list {
				if it.State != want {
					continue
				}
				if len(shown) < room {
					shown = append(shown, it)
				} else {
					hidden[want]++
				}
			}
		}
	}
	wide := 0
	for _, it := range shown {
		wide = max(wide, style.Width(it.Name))
	}
	wide = min(wide, max(d.width/2, 8))
	for _, it := range shown {
		sign, st := itemSign(s, it.State, d.spin)
		text := it.Text
		if text == "" {
			text = [...]string{"waiting", "at work", "done", "failed"}[it.State]
		}
		tst := s.Text
		switch it.State {
		case front.ItemFailed:
			tst = s.Bad
		case front.ItemWaiting:
			tst = s.Dim
		}
		d.line(st.Render(sign) + " " + s.Pad(it.Name, wide) + "  " + tst.Render(s.Cut(text, d.width-wide-4)))
	}
	if len(hidden) > 0 {
		var parts []string
		for _, k := range []front.ItemState{front.ItemDone, front.ItemWorking, front.ItemWaiting, front.ItemFailed} {
			if n := hidden[k]; n > 0 {
				parts = append(parts, itoa(n)+" "+[...]string{"waiting", "at work", "done", "failed"}[k])
			}
		}
		d.line(s.Dim.Render("  and " + strings.Join(parts, ", ")))
	}
}

// bar draws a progress bar with its count, or the count alone while the size is unknown. Work that counts nothing has
// its label alone.
func (d *doc) bar(p front.Progress) {
	s := d.s
	num := func(n int64) string {
		if p.Bytes {
			return style.Bytes(uint64(max(n, 0)))
		}
		return fmt.Sprint(n)
	}
	text := num(p.Done)
	if p.Total > 0 {
		text = num(p.Done) + " of " + num(p.Total)
	}
	switch {
	case p.Label == "":
	case p.Total <= 0 && p.Done <= 0:
		text = p.Label
	default:
		text += " " + p.Label
	}
	if p.Total <= 0 {
		d.line(s.Dim.Render(d.spin + " " + text))
		return
	}
	room := min(d.width-style.Width(text)-2, 48)
	if room < 10 {
		d.line(s.Dim.Render(text))
		room = d.width
		d.line(s.Bar(p.Done, p.Total, room))
		return
	}
	d.line(s.Bar(p.Done, p.Total, room) + "  " + s.Dim.Render(text))
}

// output shows the last lines of programs: more of them when nothing else is visible.
func (d *doc) output(j *job) {
	if len(j.output) == 0 || j.login != nil {
		return
	}
	room := d.height - len(d.lines) - 4
	if j.form != nil {
		room = d.height - 10
	}
	least := 3
	if d.low {
		least = 1
	}
	room = min(max(room, least), 16)
	lines := j.output[max(len(j.output)-room, 0):]
	d.gap()
	if hidden := len(j.output) - len(lines) + j.dropped; hidden > 0 {
		d.line(d.s.Faint.Render("  " + d.s.Signs.Ellipsis + " " + wording.Count(hidden, "line") + " before: r"))
	}
	for _, l := range lines {
		d.line("  " + d.s.Dim.Render(d.s.Cut(expandTabs(l), d.width-2)))
	}
}

// tails shows the last log lines of the nodes that the work waits for.
func (d *doc) tails(j *job) {
	if len(j.tails) == 0 {
		return
	}
	s := d.s
	each := 2
	if len(j.tails)*3 > d.height/2 {
		each = 1
	}
	wide := 0
	list := j.tails[max(len(j.tails)-max(d.height/3, 3), 0):]
	for _, t := range list {
		wide = max(wide, style.Width(t.node))
	}
	d.gap()
	for i, t := range list {
		name := t.node
		for _, l := range t.lines[max(len(t.lines)-each, 0):] {
			d.line(s.Node(i).Render(s.Pad(name, min(wide, d.width/3))) + " " + s.Dim.Render(expandTabs(l.Text)))
			name = ""
		}
	}
}

// metrics shows the run and its numbers by round.
func (d *doc) metrics(j *job) {
	s := d.s
	if j.run != "" {
		head := s.Dim.Render("run ") + j.run
		if j.state.Status != "" {
			head += s.Dim.Render(" "+s.Signs.Separator+" ") + string(j.state.Status) + s.Dim.Render(" "+style.RunClock(j.state, d.now))
		}
		if j.chosen.Of > 0 {
			head += s.Dim.Render(fmt.Sprintf(" %s %d of %d nodes", s.Signs.Separator, j.chosen.Chosen, j.chosen.Of))
		}
		d.line(head)
	}
	for _, l := range chart.Panel(s, j.rounds, d.width, min(max(d.height*2/5, 4), 14)) {
		d.line(l)
	}
}

// login asks the user to approve the login: the link whole, the code large, a QR code where it fits.
func (d *doc) login(j *job) {
	s, l := d.s, j.login
	start := len(d.lines)
	tight := d.height < 14
	crowded := j.form != nil && d.height < 28
	gap := func() {
		if !tight && !crowded {
			d.gap()
		}
	}
	if tight {
		d.para(s.Text, "Open in any browser, choose \"Yes\":", 0)
	} else {
		d.para(s.Text, "Open this link in any browser, here or elsewhere, and choose \"Yes\" there:", 0)
	}
	if l.Warn != "" {
		d.para(s.Warn, s.Signs.Warning+" Beware of this link: "+l.Warn+".", 0)
	}
	gap()
	for _, part := range style.HardWrap(l.URL, d.w) {
		d.flush(s.Command.Render(part))
	}
	below, width := len(d.lines), d.width
	beside := d.besideCode(j, len(d.lines)-start)
	if beside {
		d.width -= style.Width(j.qr[0]) + besideGap
	}
	switch {
	case l.Code == "":
	case tight:
		d.line(s.Dim.Render("Code there: ") + bigText(s, l.Code, 0)[0])
	default:
		gap()
		says := "The page shows this code; it should be the same:"
		if l.Typed {
			says = "The page asks for this code:"
		}
		d.para(s.Dim, says, 0)
		gap()
		for _, row := range bigText(s, l.Code, d.width) {
			d.line(row)
		}
	}
	gap()
	now := d.now
	wait := fmt.Sprintf("%s waiting for your approval %s %s", d.spin, s.Signs.Separator, style.Clock(now.Sub(l.Since)))
	if !l.Expires.IsZero() {
		wait += fmt.Sprintf(" %s flwr gives up in %s", s.Signs.Separator, style.Clock(max(l.Expires.Sub(now), 0)))
	}
	d.para(s.Dim, wait, 0)
	if !tight && !crowded {
		d.para(s.Dim, "flwrup notices when you have approved.", 0)
	}
	switch n := len(j.qr); {
	case beside:
		d.beside(below, j.qr, besideGap)
		d.width = width
	case n > 0 && j.form == nil:
		if len(d.lines)-start+n+1 <= d.height && style.Width(j.qr[0]) <= d.width {
			d.gap()
			d.lines = append(d.lines, j.qr...)
		} else if n <= d.h-3 && style.Width(j.qr[0]) <= d.w-2 {
			d.para(s.Dim, "z shows a QR code for your phone.", 0)
		}
	}
	d.gap()
	d.focusFrom(start)
}

// besideGap is how many cells separate the code from the QR code.
const besideGap = 2

// besideCode reports whether the QR code goes to the right of the code: both must fit below the used lines
// that the link takes.
func (d *doc) besideCode(j *job, used int) bool {
	n := len(j.qr)
	if n == 0 || j.login.Code == "" {
		return false
	}
	below := 1
	if j.form != nil {
		below = 8 // the question
	}
	code := max(style.Width(bigText(d.s, j.login.Code, d.width)[0]), 36)
	return used+n+below <= d.height && code+besideGap+style.Width(j.qr[0]) <= d.width
}

// letters says where letters lie that are to be sent, and the words for the telephone.
func (d *doc) letters(list []front.Letter) {
	for _, l := range list {
		d.gap()
		d.label("Letter", d.s.Text, "to "+l.To+": "+l.File+". Send it by mail or chat; it holds nothing secret. "+keys.copy.Help().Key+" copies it.")
		d.label("Words", d.s.Bold, l.Words)
		d.label("", d.s.Dim, "Read them out by telephone: they have to see the same.")
	}
}

// report says how a finished job went.
func (d *doc) report(j *job) {
	s := d.s
	text := "in " + style.Took(j.clock(d.now))
	switch {
	case j.says != "" && !doing(j.says):
		d.label("Did", s.Text, j.says+", "+text)
	case j.clock(d.now) >= time.Second:
		d.label("Did", s.Text, "all of it "+text)
	}
	d.metrics(j)
	if len(j.output) > 0 {
		d.label("", s.Dim, wording.Count(len(j.output), "line")+" of output: "+keys.raw.Help().Key)
	}
}

func (d *doc) action(a front.Action, says bool) {
	s := d.s
	if says && a.Says != "" {
		st := s.Dim
		if a.Command == "" {
			st = s.Text
		}
		d.para(st, a.Says, 0)
	}
	if a.Command != "" {
		for _, l := range shellLines(a.Command, d.width-2) {
			d.line("  " + s.Command.Render(l))
		}
	}
	if a.Diff != "" {
		for _, l := range diffLines(s, a.Diff, d.width-2) {
			d.line("  " + l)
		}
	}
}

func itemSign(s *style.Set, st front.ItemState, spin string) (string, lipgloss.Style) {
	switch st {
	case front.ItemDone:
		return s.Signs.Done, s.OK
	case front.ItemWorking:
		return spin, s.Accent
	case front.ItemFailed:
		return s.Signs.Failed, s.Bad
	}
	return s.Signs.ToDo, s.Dim
}

// doing reports whether says names something in progress, such as "sending the app".
func doing(says string) bool {
	first, _, _ := strings.Cut(says, " ")
	return strings.HasSuffix(first, "ing")
}

func cancelled(err error) bool {
	return problem.Is(err, problem.Cancelled) || errors.Is(err, errStopped)
}
