package cli

import (
	"github.com/spf13/cobra"

	"flwrup/internal/cli/doctor"
	"flwrup/internal/cli/keeping"
	"flwrup/internal/cli/pages"
	"flwrup/internal/cli/past"
	"flwrup/internal/cli/program"
	"flwrup/internal/cli/setup"
	"flwrup/internal/cli/shown"
	"flwrup/internal/cli/upgrading"
	"flwrup/internal/cli/watching"
	"flwrup/internal/health"
	"flwrup/internal/invites"
	"flwrup/internal/runs"
)

// Commands returns flwrup's commands for pages about them; none of them is to be run.
func Commands() *cobra.Command {
	p := &program.Program{}
	return root(p)
}

// Pages returns the pages of the documentation that come from the code, by their names in docs.
func Pages() map[string]string {
	root := Commands()
	every := everyCommand(root)
	var list []pages.Shape
	for _, cmd := range every {
		if shape, has := shapes[pathOf(cmd)]; has {
			list = append(list, pages.Shape{Command: pathOf(cmd), Data: shape})
		}
	}
	return map[string]string{"reference.md": pages.Reference(root, every, topics()), "settings.md": pages.Settings(setup.Kept, variable),
		"json.md": pages.JSON(list), "flwrup.schema.json": pages.Schema()}
}

// shapes are what --json carries as data, by command.
var shapes = map[string]any{
	"status": shown.StatusData{}, "up": shown.StatusData{}, "start": shown.StatusData{}, "stop": shown.StatusData{}, "restart": shown.StatusData{}, "add": shown.StatusData{},
	"remove": shown.StatusData{}, "settings": shown.StatusData{}, "restore-key": shown.StatusData{}, "rotate": shown.StatusData{}, "backup": []keeping.BackupData{}, "rehearse": setup.RehearsalData{},
	"doctor": []doctor.Finding{}, "plan": []planData{}, "run": finishedRun{}, "runs": []shown.RunData{}, "trust": trustData{},
	"export": exportData{}, "request": setup.LetterData{}, "admit": setup.AdmitData{}, "invite": invites.State{}, "join": shown.StatusData{},
	"down": struct {
		Dir string `json:"dir"`
	}{},
	"version": struct {
		Version  string `json:"version"`
		Revision string `json:"revision"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
	}{},
	"history": past.HistoryData{}, "runs show": runs.Page{}, "runs compare": []past.ComparedData{}, "report": past.ReportData{}, "upgrade": upgrading.Data{}, "watch": watching.Data{Event: health.WatchKind("")},
}
