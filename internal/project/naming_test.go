package project

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestSeats(t *testing.T) {
	seat := func(recorded string, own int) Seat { return Seat{Recorded: recorded, Own: own} }
	barred := Seat{Own: 2, Barred: func(name string) bool { return name == "supernode_2" }}
	for _, c := range []struct {
		what  string
		seats []Seat
		want  string
	}{
		{"counted from zero", []Seat{seat("", 0), seat("", 1)}, "2 supernode_2, 1 supernode_1"},
		{"no numbers", []Seat{seat("", 0), seat("", 0), seat("", 0)}, "1 supernode_1, 2 supernode_2, 3 supernode_3"},
		{"no numbers, registered, and a new one with a number", []Seat{seat("supernode_1", 0), seat("supernode_2", 0), seat("supernode_3", 0), seat("", 1)},
			"1 supernode_1, 2 supernode_2, 3 supernode_3, 4 supernode_4"},
		{"1 and 01 and 2", []Seat{seat("", 1), seat("", 1), seat("", 2)}, "1 supernode_1, 3 supernode_3, 2 supernode_2"},
		{"too large a number", []Seat{seat("", 20260101), seat("", 1)}, "2 supernode_2, 1 supernode_1"},
		{"recorded goes before its own number", []Seat{seat("", 2), seat("supernode_2", 7)}, "1 supernode_1, 2 supernode_2"},
		{"recorded twice", []Seat{seat("supernode_1", 0), seat("supernode_1", 1)}, "1 supernode_1, 2 supernode_2"},
		{"a name of its own", []Seat{seat("clinic-b", 0), seat("", 5)}, "5 clinic-b, 1 supernode_1"},
		{"a name whose table is gone", []Seat{seat("clinic-x", 3), seat("", 3)}, "3 clinic-x, 1 supernode_1"},
		{"somebody else's", []Seat{barred, seat("", 2)}, "1 supernode_1, 2 supernode_2"},
	} {
		choices := &Choices{Node: map[string]NodeChoice{"supernode_5": {Name: "clinic-b"}}}
		var got []string
		for _, p := range choices.Seats(c.seats) {
			got = append(got, fmt.Sprint(p.Number, " ", p.Name))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s: %v, want %s", c.what, got, c.want)
		}
	}
}

// In every case no two SuperNodes get one number or one name, and a recorded name that is free stays.
func TestSeatsAreUnique(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	pool := []string{"", "", "supernode_1", "supernode_2", "Supernode_2", "supernode_9999", "clinic", "Clinic", "supernode_0", "x"}
	for range 3000 {
		c := &Choices{Node: map[string]NodeChoice{}}
		for range r.IntN(3) {
			c.Node[NodeKey(1+r.IntN(5))] = NodeChoice{Name: pool[r.IntN(len(pool))]}
		}
		var seats []Seat
		for range r.IntN(8) {
			bar := pool[r.IntN(len(pool))]
			seats = append(seats, Seat{pool[r.IntN(len(pool))], r.IntN(5) * r.IntN(5000), func(name string) bool { return name == bar }})
		}
		names, numbers := map[string]bool{}, map[int]bool{}
		for i, p := range c.Seats(seats) {
			if p.Name == "" || p.Number < 1 || names[p.Name] || numbers[p.Number] {
				t.Fatalf("%+v of %+v", p, seats)
			}
			if was := seats[i].Recorded; was != "" && p.Name != was && !names[was] {
				t.Fatalf("%s became %s: %+v %+v", was, p.Name, seats, c.Node)
			}
			names[p.Name], numbers[p.Number] = true, true
		}
	}
}
