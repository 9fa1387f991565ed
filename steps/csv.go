package steps

import (
	"encoding/csv"
	"slices"
	"strconv"
	"strings"
)

// MetricsCSV writes a run's metrics as a table: a row a round, a column a metric, empty where a round has
// none. Lines end as RFC 4180 has it.
func MetricsCSV(list []Metric) string {
	names, rounds := []string{}, []int{}
	values := map[string]map[int]float64{}
	for _, m := range list {
		if values[m.Name] == nil {
			values[m.Name] = map[int]float64{}
			names = append(names, m.Name)
		}
		values[m.Name][m.Round] = m.Value
		if !slices.Contains(rounds, m.Round) {
			rounds = append(rounds, m.Round)
		}
	}
	slices.Sort(rounds)
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	rows := [][]string{append([]string{"round"}, names...)}
	for _, r := range rounds {
		row := []string{strconv.Itoa(r)}
		for _, n := range names {
			cell := ""
			if v, ok := values[n][r]; ok {
				cell = strconv.FormatFloat(v, 'g', -1, 64)
			}
			row = append(row, cell)
		}
		rows = append(rows, row)
	}
	_ = w.WriteAll(rows) // a strings.Builder never fails
	return b.String()
}
