package dash

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/front"
	"flwrup/internal/history"
	"flwrup/internal/safego"
	"flwrup/ui/logs/paint"
	"flwrup/ui/style"
)

// The past of the SuperNodes: a strip for each, of the last day, week or month, and which part of that time it was online.
// It is read, cut into cells and drawn by a command; View takes over what is drawn.

const (
	pastEvery = time.Minute      // between two readings
	pastFrom  = 10 * time.Minute // that SuperNodes were looked at, before there is something to show
	tinyPast  = 12               // cells, in a narrow table
	shortPast = 24               // cells, in the table: an hour each of a day
	longPast  = 48               // cells, in the details
)

// periods are the times that a strip may show.
var periods = [...]struct {
	name string
	days int
}{{"last day", 1}, {"last week", 7}, {"last 30 days", 30}}

// past is what is known of the past.
type past struct {
	period int // of periods
	asking bool
	asked  time.Time
	of     int // the period of strips
	strips map[string]pastStrip
}

// pastStrip is the past of one SuperNode, drawn.
type pastStrip struct {
	tiny, short string // from the time on at which any SuperNode was looked at first
	long        string
	online      string // "99.2%"; "" where nobody looked
	says        string // "online 99.2 % of the time looked at, which is 75 %"
}

type pastMsg struct {
	model  *Model
	period int
	strips map[string]pastStrip
}

// recall returns the command that reads the past when that is due.
func (m *Model) recall(now time.Time) tea.Cmd {
	if m.past.asking || !m.visible || m.past.of == m.past.period && m.past.strips != nil && now.Sub(m.past.asked) < pastEvery {
		return nil
	}
	m.past.asking, m.past.asked = true, now
	period := m.past.period
	return func() tea.Msg {
		msg := pastMsg{model: m, period: period, strips: map[string]pastStrip{}}
		// A history that cannot be read leaves the strips away; `flwrup history` says why.
		_ = safego.Call("reading the history", func() error {
			line, err := m.src.Past(now.AddDate(0, 0, -periods[period].days), now)
			if err != nil {
				return err
			}
			msg.strips = m.drawPasts(line)
			return nil
		})
		return msg
	}
}

// remembers takes over what was read.
func (m *Model) remembers(msg pastMsg) tea.Cmd {
	m.past.asking, m.past.strips, m.past.of, m.stale = false, msg.strips, msg.period, true
	if m.past.period != msg.period { // the key was pressed meanwhile
		return m.recall(m.now())
	}
	return nil
}

// nextPeriod shows the strips of a longer time, or of the shortest again.
func (m *Model) nextPeriod() tea.Cmd {
	m.past.period = (m.past.period + 1) % len(periods)
	m.note = note{text: "the strips show the " + periods[m.past.period].name}
	return m.recall(m.now())
}

// drawPasts draws the past of all SuperNodes; none where it has too little.
func (p *pen) drawPasts(line history.Timeline) map[string]pastStrip {
	strips, tiny, short := map[string]pastStrip{}, map[string][]history.Stand{}, map[string][]history.Stand{}
	most, fromTiny, fromShort := time.Duration(0), tinyPast, shortPast
	looked := func(is history.Stand) bool { return is != history.NotLooked }
	for _, name := range line.Names() {
		share := line.Share(name)
		most = max(most, share.Looked())
		s := pastStrip{long: p.strip(line.Strip(name, longPast)), says: "nobody looked for long enough to say"}
		if part, known := share.Of(history.Online); known {
			s.online = percent(part) + "%"
			s.says = percent(part) + " % online of the time looked at, which is " + percent(share.Seen()) + " %"
		}
		strips[name], tiny[name], short[name] = s, line.Strip(name, tinyPast), line.Strip(name, shortPast)
		if i := slices.IndexFunc(tiny[name], looked); i >= 0 {
			fromTiny = min(fromTiny, i)
		}
		if i := slices.IndexFunc(short[name], looked); i >= 0 {
			fromShort = min(fromShort, i)
		}
	}
	if most < pastFrom {
		return map[string]pastStrip{}
	}
	for name, s := range strips {
		s.tiny, s.short = p.strip(tiny[name][fromTiny:]), p.strip(short[name][fromShort:])
		strips[name] = s
	}
	return strips
}

// percent writes a part without rounding to all or nothing.
func percent(part float64) string {
	switch v := part * 100; {
	case part > 0 && v < 0.1:
		return "0.1"
	case part < 1 && v > 99.9:
		return "99.9"
	case part == 0 || part == 1:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
}

// strip draws cells: a sign and a colour for each, in runs of one colour.
func (p *pen) strip(cells []history.Stand) string {
	var b strings.Builder
	for i := 0; i < len(cells); {
		end := i
		for end < len(cells) && cells[end] == cells[i] {
			end++
		}
		text := strings.Repeat(p.st.Signs.Stands[cells[i]], end-i)
		if cells[i] != history.NotLooked {
			text = p.standInk(cells[i]).Render(text)
		}
		b.WriteString(text)
		i = end
	}
	return b.String()
}

func (p *pen) standInk(s history.Stand) paint.Paint {
	switch s {
	case history.Online:
		return p.ink.OK
	case history.Down:
		return p.ink.Bad
	case history.Unknown:
		return p.ink.Warn
	}
	return p.ink.Dim
}

// pastLines draws the past of a SuperNode for the details: a sentence, the strip, its ends and its legend.
func (t *table) pastLines(name string) []string {
	s, ok := t.past.strips[name]
	if !ok {
		return nil
	}
	strip, cells := s.long, longPast
	if t.w-2-labelWidth < longPast {
		strip, cells = s.short, style.Width(s.short)
	}
	label := periods[t.past.of].name
	lines := t.fact(label, s.says)
	indent := strings.Repeat(" ", 2+labelWidth)
	lines = append(lines, t.st.Cut(indent+strip+t.ink.Faint.Render(t.st.Signs.Vertical), t.w))
	begin := fmt.Sprintf("%d days ago", periods[t.past.of].days)
	if periods[t.past.of].days == 1 {
		begin = "24 h ago"
	}
	lines = append(lines, t.st.Cut(indent+t.ink.Dim.Render(begin+strings.Repeat(" ", max(1, cells-len(begin)-len("now")))+"now"), t.w))
	row, used := indent, 0
	for _, is := range []history.Stand{history.Online, history.Down, history.Stopped, history.Unknown} {
		word := is.String()
		if used+len(word)+4 > t.w-2-labelWidth {
			break
		}
		row += t.standInk(is).Render(t.st.Signs.Stands[is]) + t.ink.Dim.Render(" "+word+"  ")
		used += len(word) + 4
	}
	if word := "blank: nobody looked"; used+len(word) <= t.w-2-labelWidth {
		row += t.ink.Dim.Render(word)
	}
	return append(lines, t.st.Cut(strings.TrimRight(row, " "), t.w))
}

// pastColumn is the column of the table with the strips and, behind each, which part of the time looked at it was online; a
// narrow one has shorter strips alone.
func (t *table) pastColumn(place int, narrow bool) column {
	return column{head: periods[t.past.of].name, place: place, wide: true, cell: func(n front.NodeView) (string, paint.Paint) {
		s, ok := t.past.strips[n.Name]
		switch end := t.ink.Faint.Render(t.st.Signs.Vertical); {
		case !ok:
			return "", paint.Paint{}
		case narrow:
			return s.tiny + end, paint.Paint{}
		default:
			return s.short + end + " " + s.online, paint.Paint{}
		}
	}}
}
