package steps

// Site is what all steps read and change: the project folder, flwr, the runtime, the grid.
type Site struct{}
