package ui

import (
	"fmt"
	"maps"
	"slices"

	"flwrup/internal/front"
	"flwrup/internal/problem"
)

// The states of a step: the results of Inspect, and the course of work on it.
const (
	isDone      = "done"
	isReady     = "ready"
	isBlocked   = "blocked"
	isNotNeeded = "not needed"
	onPerson    = "waits for a person"
	onGrid      = "waits for the grid"
	atWork      = "at work"
	hasFailed   = "failed"
	wasStopped  = "cancelled"
	isLooking   = "looking"
)

var allStates = []string{isDone, isReady, isBlocked, isNotNeeded, onPerson, onGrid, atWork, hasFailed, wasStopped, isLooking}

// story is one step as the real one goes: its words are those of steps/, its facts those of a project with
// five SuperNodes on a SuperGrid.
type story struct {
	status map[string]front.Status // by state: the result of Inspect
	never  map[string]string       // states that the step is never in, and why not
	plan   []front.Action
	work   []any // the events of Apply at work
	failed []any // its events before it failed with err
	err    error
	asks   []front.Question
	extra  []scene
}

// states returns every state of the story.
func (st story) states() map[string]bool {
	all := map[string]bool{isLooking: true, wasStopped: st.work != nil || len(st.asks) > 0}
	for state := range st.status {
		all[state] = true
	}
	if st.work != nil {
		all[atWork] = true
	}
	if st.err != nil {
		all[hasFailed] = true
	}
	return all
}

// scenes returns one scene for every state and every question of step n, and its other scenes.
func scenes(n front.StepID) []scene {
	st := stories[n]
	var list []scene
	for _, state := range allStates {
		if !st.states()[state] {
			continue
		}
		list = append(list, scene{state, func(m *Model, f *fake, n front.StepID) {
			f.plans[n] = st.plan
			switch state {
			case isLooking:
				m.list.steps[n-1].known, m.list.steps[n-1].looking = false, true
			case atWork:
				f.set(n, st.status[isReady])
				m.list.learn(f)
				m.desk.pretend(n, st.work...)
			case hasFailed:
				f.set(n, st.status[isReady])
				m.list.learn(f)
				m.desk.pretend(n, st.failed...).end(noon, st.err)
			case wasStopped:
				f.set(n, st.status[isReady])
				m.list.learn(f)
				m.desk.pretend(n, st.work...).end(noon, &problem.Problem{Code: problem.Cancelled, What: "stopped", Err: errStopped})
			default:
				f.set(n, st.status[state])
				m.list.learn(f)
			}
		}})
	}
	asked := map[string]int{}
	for _, q := range st.asks {
		name := "asks: " + q.ID
		if asked[q.ID]++; asked[q.ID] > 1 {
			name += fmt.Sprint(", ", asked[q.ID])
		}
		list = append(list, scene{name, func(m *Model, f *fake, n front.StepID) {
			f.plans[n] = st.plan
			f.set(n, st.status[isReady])
			m.list.learn(f)
			m.desk.pretend(n, question(q)).planned = !slices.ContainsFunc(settingQuestions, func(of front.Question) bool { return of.ID == q.ID })
		}})
	}
	return append(list, st.extra...)
}

var nodeIDs = []string{"8688387445877465697", "7304313080113384584", "1155773092841220517", "9674070929710601496", "4623914040792880723"}

// five returns an item for each of five SuperNodes: the first done ones with their text, the others in state
// with text.
func five(done int, doneText func(i int) string, state front.ItemState, text string) (items []front.Item) {
	for i := range nodeIDs {
		it := front.Item{Name: fmt.Sprintf("supernode_%d", i+1), State: state, Text: text}
		if i < done {
			it.State, it.Text = front.ItemDone, doneText(i)
		}
		items = append(items, it)
	}
	return items
}

func nodeID(i int) string               { return nodeIDs[i] }
func says(text string) func(int) string { return func(int) string { return text } }

// changed makes events of items.
func changed(items []front.Item, more ...any) (events []any) {
	for _, it := range items {
		events = append(events, front.ItemChanged{Item: it})
	}
	return append(events, more...)
}

func confirm(id, ask, help, diff, def string) front.Question {
	return front.Question{ID: id, Kind: front.AskConfirm, Default: def, Ask: ask, Help: help, Diff: diff}
}

// Reasons why a step is never in a state.
const (
	noBlock   = "nothing has to come before it"
	alwaysNow = "a SuperGrid needs it of everybody"
	itself    = "what a person has to do for it is asked while it is at work"
	noGrid    = "the grid has no part in it, or answers at once"
)

func never(lists ...[]string) map[string]string {
	m := map[string]string{}
	for _, l := range lists {
		for _, state := range l[1:] {
			m[state] = l[0]
		}
	}
	return m
}

var (
	required  = []string{alwaysNow, isNotNeeded}
	noWaiting = []string{itself, onPerson}
	gridless  = []string{noGrid, onGrid}
)

var stories = func() map[front.StepID]story {
	all := map[front.StepID]story{}
	maps.Copy(all, earlyStories)
	maps.Copy(all, lateStories)
	return all
}()
