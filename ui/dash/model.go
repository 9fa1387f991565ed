// Package dash is the dashboard: the first thing seen once the set-up is complete.
package dash

import (
	"context"
	"time"

	"github.com/charmbracelet/bubbles/key"
	tea "github.com/charmbracelet/bubbletea"

	"flwrup/internal/supernode"
	"flwrup/steps"
	"flwrup/ui/style"
)

// Source is what the dashboard needs of the work; ui.Work has it. Each method may block.
type Source interface {
	// Overview is all that is known; the grid is asked again only when its answer is older than maxAge.
	Overview(ctx context.Context, maxAge time.Duration) steps.Overview
	Usage(ctx context.Context, node string) (supernode.Usage, error)
	Logs(ctx context.Context, node string, o supernode.LogOptions, each func(supernode.Line) error) error
	// Watch calls changed after the state of any node may have changed, until ctx ends.
	Watch(ctx context.Context, changed func()) error
}

// Model is the dashboard. Make it with New; call Close when it is not needed any more.
type Model struct{ w, h int }

// New makes the dashboard. Nothing is asked before Init.
func New(src Source, st *style.Set) *Model { return &Model{} }

// Init starts looking.
func (m *Model) Init() tea.Cmd { return nil }

// Update takes a message.
func (m *Model) Update(msg tea.Msg) tea.Cmd { return nil }

// View draws the dashboard.
func (m *Model) View() string { return "" }

// SetSize sets the columns and rows that View may fill.
func (m *Model) SetSize(w, h int) { m.w, m.h = w, h }

// Keys are the key bindings that mean something now, the most useful first.
func (m *Model) Keys() []key.Binding { return nil }

// Typing tells that letters belong to a prompt and not to key bindings.
func (m *Model) Typing() bool { return false }

// Holds tells that Esc means something here; if it is false, Esc belongs to the frame.
func (m *Model) Holds() bool { return false }

// Full tells that the dashboard wants the whole terminal.
func (m *Model) Full() bool { return false }

// Show tells whether the dashboard is on the screen. What is not seen is not polled.
func (m *Model) Show(on bool) tea.Cmd { return nil }

// Summary is one line for the title: "4 of 5 online · grid 6 s ago".
func (m *Model) Summary() string { return "" }

// Close ends the goroutines that watch. It does not wait for them.
func (m *Model) Close() {}
