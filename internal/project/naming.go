package project

import (
	"strconv"
	"strings"
)

// Seat is one SuperNode of a site that needs a name.
type Seat struct {
	Recorded string                 // the name that it has already; "" for a new one
	Own      int                    // the number in its key's name; 0 without one
	Barred   func(name string) bool // names of SuperNodes that are not here now; nil: none
}

// Place is the number and name of a seat.
type Place struct {
	Number int // of its [node.…] table
	Name   string
}

// maxNumber is the largest number of a [node.…] table.
const maxNumber = 9999

// Seats assigns every SuperNode a unique number and a unique name, whatever their keys are called. A recorded
// name stays; then a key's own number counts, and the rest get the lowest free numbers.
func (c *Choices) Seats(seats []Seat) []Place {
	places := make([]Place, len(seats))
	// New names differ in more than case: not every system distinguishes folders by it.
	names, folded, numbers := map[string]bool{}, map[string]bool{}, map[int]bool{}
	sit := func(i, number int, name string) {
		places[i] = Place{number, name}
		names[name], folded[strings.ToLower(name)], numbers[number] = true, true, true
	}
	free := func(i, number int) bool {
		name := c.NodeName(number)
		return !numbers[number] && !folded[strings.ToLower(name)] && (seats[i].Barred == nil || !seats[i].Barred(name))
	}
	own := func(s Seat) bool { return s.Own > 0 && s.Own <= maxNumber }
	for i, s := range seats {
		if n := c.numberOf(s.Recorded); s.Recorded != "" && n > 0 && !numbers[n] && !names[s.Recorded] {
			sit(i, n, s.Recorded)
		}
	}
	for i, s := range seats { // a name of its own, whose table is gone
		if s.Recorded != "" && places[i].Name == "" && !names[s.Recorded] {
			n := s.Own
			if !own(s) || numbers[n] {
				for n = 1; numbers[n]; n++ {
				}
			}
			sit(i, n, s.Recorded)
		}
	}
	for i, s := range seats {
		if places[i].Name == "" && own(s) && free(i, s.Own) {
			sit(i, s.Own, c.NodeName(s.Own))
		}
	}
	for i := range seats {
		for n := 1; places[i].Name == ""; n++ {
			if free(i, n) {
				sit(i, n, c.NodeName(n))
			}
		}
	}
	return places
}

// numberOf returns the number of the table with this name of a SuperNode; 0 without one.
func (c *Choices) numberOf(name string) int {
	for key, n := range c.Node {
		if n.Name == name && name != "" {
			return tableNumber(key)
		}
	}
	return tableNumber(name)
}

// tableNumber returns N of supernode_N; 0 for any other text.
func tableNumber(key string) int {
	if !nodeKey.MatchString(key) {
		return 0
	}
	n, _ := strconv.Atoi(strings.TrimPrefix(key, "supernode_"))
	return n
}
