package flwrexec

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// Where a metric comes from.
const (
	PhaseTrain    = "train"    // ClientApps, aggregated
	PhaseEvaluate = "evaluate" // ClientApps, aggregated
	PhaseServer   = "server"   // the ServerApp's own evaluation
)

// Metric is one number of one round.
type Metric struct {
	Round int // 0 is before the first
	Phase string
	Name  string
	Value float64 // never NaN or infinite
}

// MetricsParser reads round metrics from a run's log, line by line. It reads the lines that strategies write
// in each round, and the tables at the end. The tables add only what is missing, because their numbers are
// rounded. It knows the strategies of flwr's message API and the older History tables. The zero value is
// ready.
type MetricsParser struct {
	Rounds int // how many there will be; 0 until the log says so

	round   int
	phase   string
	table   string // phase of the final table that is being read
	rows    string // its text so far
	history string // name of the History section, flwr's older strategies
	seen    map[seenMetric]bool
}

type seenMetric struct {
	round       int
	phase, name string
}

var (
	roundPattern   = regexp.MustCompile(`\[ROUND (\d+)(?:/(\d+))?\]`)
	roundsPattern  = regexp.MustCompile(`Number of rounds: (\d+)`)
	recordPattern  = regexp.MustCompile(`(Aggregated )?MetricRecord: (\{.*\})`)
	initialPattern = regexp.MustCompile(`Initial global evaluation results: (\{.*\})`)
	pairPattern    = regexp.MustCompile(`['"]([^'"]+)['"]\s*:\s*(?:np\.\w+\()?['"]?([-+0-9.eE]+)`)
	rowPattern     = regexp.MustCompile(`(\d+)\s*:\s*(\{[^{}]*\})`)
	historyHead    = regexp.MustCompile(`History \((loss|metrics), (distributed|centralized)(?:, (fit|evaluate))?\):`)
	historyRow     = regexp.MustCompile(`\bround (\d+): ([-+0-9.eE]+)`)
	historyPair    = regexp.MustCompile(`\((\d+), (?:np\.\w+\()?([-+0-9.eE]+)`)
	historyName    = regexp.MustCompile(`['"]([^'"]+)['"]: \[`)
)

// Round returns the round that the log speaks of, 0 before the first.
func (p *MetricsParser) Round() int { return p.round }

// Line reads the next line and returns the metrics that the line completes.
func (p *MetricsParser) Line(line string) []Metric {
	if m := roundsPattern.FindStringSubmatch(line); m != nil {
		p.Rounds, _ = strconv.Atoi(m[1])
		return nil
	}
	if m := roundPattern.FindStringSubmatch(line); m != nil {
		p.round, _ = strconv.Atoi(m[1])
		if m[2] != "" {
			p.Rounds, _ = strconv.Atoi(m[2])
		}
		p.phase, p.table, p.history = "", "", ""
		return nil
	}
	if m := historyHead.FindStringSubmatch(line); m != nil {
		p.history, p.table = m[1], phaseOf(m[2], m[3])
		p.rows = ""
		return nil
	}
	if p.history != "" {
		return p.historyLine(line)
	}
	switch {
	case strings.Contains(line, "aggregate_train"):
		p.phase = PhaseTrain
	case strings.Contains(line, "aggregate_evaluate"):
		p.phase = PhaseEvaluate
	case strings.Contains(line, "Global evaluation"):
		p.phase = PhaseServer
	case strings.Contains(line, "ClientApp-side Train Metrics"):
		p.table, p.rows = PhaseTrain, ""
		return nil
	case strings.Contains(line, "ClientApp-side Evaluate Metrics"):
		p.table, p.rows = PhaseEvaluate, ""
		return nil
	case strings.Contains(line, "ServerApp-side Evaluate Metrics"):
		p.table, p.rows = PhaseServer, ""
		return nil
	}
	if m := initialPattern.FindStringSubmatch(line); m != nil {
		return p.record(0, PhaseServer, m[1])
	}
	if m := recordPattern.FindStringSubmatch(line); m != nil {
		phase := p.phase
		if m[1] == "" {
			phase = PhaseServer
		}
		return p.record(p.round, phase, m[2])
	}
	if p.table != "" {
		return p.tableLine(line)
	}
	return nil
}

// tableLine gathers a final table, {1: {'loss': '1.0e-01'}, 2: …}, over as many lines as it takes.
func (p *MetricsParser) tableLine(line string) []Metric {
	if i := strings.LastIndex(line, "INFO"); i >= 0 && p.rows == "" {
		line = line[i:]
	}
	p.rows += " " + line
	if len(p.rows) > 64<<10 { // not a table after all
		p.table, p.rows = "", ""
		return nil
	}
	if strings.Count(p.rows, "{") == 0 || strings.Count(p.rows, "{") != strings.Count(p.rows, "}") {
		return nil
	}
	var found []Metric
	for _, m := range rowPattern.FindAllStringSubmatch(p.rows, -1) {
		round, _ := strconv.Atoi(m[1])
		found = append(found, p.record(round, p.table, m[2])...)
	}
	p.table, p.rows = "", ""
	return found
}

// historyLine reads "round 1: 0.5" and {'accuracy': [(1, 0.9), (2, 0.95)]}.
func (p *MetricsParser) historyLine(line string) []Metric {
	if m := historyRow.FindStringSubmatch(line); m != nil {
		round, _ := strconv.Atoi(m[1])
		return p.add(nil, round, p.table, p.history, m[2])
	}
	var found []Metric
	for _, part := range splitAt(line, historyName) {
		name := historyName.FindStringSubmatch(part)
		if name != nil {
			p.rows = name[1]
		}
		if p.rows == "" {
			continue
		}
		for _, m := range historyPair.FindAllStringSubmatch(part, -1) {
			round, _ := strconv.Atoi(m[1])
			found = p.add(found, round, p.table, p.rows, m[2])
		}
	}
	return found
}

// splitAt cuts s before each match of at.
func splitAt(s string, at *regexp.Regexp) []string {
	var parts []string
	last := 0
	for _, m := range at.FindAllStringIndex(s, -1) {
		parts = append(parts, s[last:m[0]])
		last = m[0]
	}
	return append(parts, s[last:])
}

func phaseOf(side, of string) string {
	switch {
	case side == "centralized":
		return PhaseServer
	case of == "fit":
		return PhaseTrain
	}
	return PhaseEvaluate
}

// record reads a Python dict of numbers.
func (p *MetricsParser) record(round int, phase, dict string) []Metric {
	var found []Metric
	for _, m := range pairPattern.FindAllStringSubmatch(dict, -1) {
		found = p.add(found, round, phase, m[1], m[2])
	}
	return found
}

// add appends a metric that is a number and new.
func (p *MetricsParser) add(to []Metric, round int, phase, name, text string) []Metric {
	value, err := strconv.ParseFloat(text, 64)
	key := seenMetric{round, phase, name}
	if err != nil || math.IsNaN(value) || math.IsInf(value, 0) || p.seen[key] {
		return to
	}
	if p.seen == nil {
		p.seen = map[seenMetric]bool{}
	}
	p.seen[key] = true
	return append(to, Metric{Round: round, Phase: phase, Name: name, Value: value})
}
