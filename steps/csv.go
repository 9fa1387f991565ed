package steps

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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

// SaveMetrics writes a run's metrics to a new file run-ID.csv in the project's folder and gives its path.
// A file of that name is left alone: the new one gets a number.
func (s *Site) SaveMetrics(id string, list []Metric) (string, error) {
	for n := 1; ; n++ {
		path := filepath.Join(s.Dir, "run-"+id+".csv")
		if n > 1 {
			path = filepath.Join(s.Dir, fmt.Sprintf("run-%s-%d.csv", id, n))
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if errors.Is(err, fs.ErrExist) && n < 1000 {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("save the metrics: %w", err)
		}
		_, err = f.WriteString(MetricsCSV(list))
		if err = errors.Join(err, f.Close()); err != nil {
			os.Remove(path) // ours, made a moment ago
			return "", fmt.Errorf("save the metrics: %w", err)
		}
		return path, nil
	}
}
