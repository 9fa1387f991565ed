package runs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"flwrup/flwrexec/flwr"
	"flwrup/internal/front"
	"flwrup/internal/plainfile"
	"flwrup/internal/problem"
	"flwrup/internal/sheet"
	"flwrup/internal/site"
)

// SaveMetrics writes the metrics that a run has given so far to a new CSV file in the project's folder, and
// returns its name there. No id means the run that was started here last.
func SaveMetrics(ctx context.Context, s *site.Site, id string) (file string, err error) {
	if id == "" {
		r, ok := s.LastRun()
		if !ok {
			return "", problem.New(problem.RunNotFound, "no run was started here yet", "", "")
		}
		id = r.ID
	}
	number, err := flwr.ParseRunID(id)
	if err != nil {
		return "", err
	}
	id = number.String() // it becomes part of a file's name
	list, err := RunMetrics(ctx, s, id)
	if err != nil {
		return "", err
	}
	if len(list) == 0 {
		return "", problem.New(problem.RunNotFound, "run "+id+" has no metrics yet", "", "try again when a round has ended")
	}
	content := []byte(MetricsCSV(list))
	for n := 1; ; n++ {
		file = "run-" + id + "-metrics.csv"
		if n > 1 {
			file = fmt.Sprintf("run-%s-metrics-%d.csv", id, n)
		}
		path := filepath.Join(s.Dir, file)
		if have, err := plainfile.Read(path); err == nil && bytes.Equal(have, content) {
			return file, nil
		}
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if errors.Is(err, fs.ErrExist) && n < 100 {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("save the metrics: %w", err)
		}
		_, err = f.Write(content)
		if err := errors.Join(err, f.Close()); err != nil {
			os.Remove(path) // ours, made a moment ago
			return "", fmt.Errorf("save the metrics: %w", err)
		}
		return file, nil
	}
}

// MetricsCSV writes a run's metrics as a table: a row a round, a column a metric, empty where a round has
// none. Names come from the app: none becomes a formula.
func MetricsCSV(list []front.Metric) string {
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
	return sheet.CSV(rows)
}
