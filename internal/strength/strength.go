// Package strength estimates how hard a passphrase is to guess, the way zxcvbn does: the cheapest way to
// write it as words, names, neighbouring keys, sequences, repetitions and dates.
//
// The lists, the cost of each match and the search for the cheapest way are zxcvbn-go's. Its own matchers
// load the lists when a program starts: 100 ms and 18 MB in every command. These load them at the first
// estimate.
package strength

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
	"github.com/ccojocar/zxcvbn-go/scoring"
)

// Bits returns the base-2 logarithm of the tries that it takes to guess pass. Known are further words that
// are tried first, in lower case, the likeliest first. The time it takes grows with the square of the length.
func Bits(pass string, known []string) float64 {
	var found []match.Match
	found = append(found, dictionary(pass, known)...)
	found = append(found, keyboard(pass)...)
	found = append(found, sequence(pass)...)
	found = append(found, repetition(pass)...)
	found = append(found, date(pass)...)
	return scoring.MinimumEntropyMatchSequence(pass, found).Entropy
}

// ranks returns the place of every listed word in its list, 1 the commonest.
var ranks = sync.OnceValue(func() map[string]int {
	places := make(map[string]int, 100_000)
	for _, name := range []string{"Passwords", "English", "Surnames", "FemaleNames", "MaleNames"} {
		var file struct{ List []string }
		raw, err := data.Asset("data/" + name + ".json")
		if err == nil {
			err = json.Unmarshal(raw, &file)
		}
		if err != nil { // the lists are part of the program
			panic(fmt.Sprintf("strength: list %s: %v", name, err))
		}
		for i, word := range file.List {
			rank(places, strings.ToLower(word), i+1)
		}
	}
	return places
})

func rank(places map[string]int, word string, place int) {
	if had, ok := places[word]; !ok || place < had {
		places[word] = place
	}
}

// leet maps signs to the letters that they replace. Three of them replace either of two, see spellings.
var leet = map[rune]string{
	'4': "a", '@': "a", '8': "b", '(': "c", '{': "c", '[': "c", '<': "c", '3': "e", '6': "g", '9': "g",
	'!': "i", '1': "il", '|': "il", '7': "lt", '0': "o", '$': "s", '5': "s", '+': "t", '%': "x", '2': "z",
}

// spellings returns pass as it stands, and with signs read as letters: once for each choice of the ambiguous
// ones.
func spellings(pass []rune) [][]rune {
	if !strings.ContainsFunc(string(pass), func(r rune) bool { return leet[r] != "" }) {
		return [][]rune{pass}
	}
	all := [][]rune{pass}
	for choice := range 8 {
		pick := map[rune]int{'1': choice & 1, '|': choice >> 1 & 1, '7': choice >> 2}
		read := make([]rune, len(pass))
		for i, r := range pass {
			read[i] = r
			if letters := leet[r]; letters != "" {
				read[i] = rune(letters[pick[r]])
			}
		}
		all = append(all, read)
	}
	return all
}

// dictionary finds words of the lists and known ones, in any case and with signs for letters.
func dictionary(pass string, known []string) []match.Match {
	places := map[string]int{}
	for i, word := range known {
		rank(places, word, i+1)
	}
	var starts []int // of each rune, in bytes
	var runes []rune
	for at, r := range pass {
		starts, runes = append(starts, at), append(runes, r)
	}
	starts = append(starts, len(pass))
	var found []match.Match
	for _, spelling := range spellings(runes) {
		lower := make([]rune, len(spelling))
		for i, r := range spelling {
			lower[i] = unicode.ToLower(r)
		}
		for i := range lower {
			for j := i + 1; j <= len(lower); j++ {
				word := string(lower[i:j])
				place, ok := ranks()[word]
				if mine, too := places[word]; too && (!ok || mine < place) {
					place, ok = mine, true
				}
				if ok {
					m := match.Match{Pattern: "dictionary", I: starts[i], J: starts[j] - 1, Token: string(spelling[i:j])}
					m.Entropy = entropy.DictionaryEntropy(m, float64(place))
					found = append(found, m)
				}
			}
		}
	}
	return found
}

// keyboard finds three or more neighbouring keys.
func keyboard(pass string) []match.Match {
	var found []match.Match
	for _, layout := range []string{"qwerty", "dvorak", "keypad", "macKeypad"} {
		graph := adjacency.GraphMap[layout]
		for i := 0; i+1 < len(pass); {
			j, last, turns, shifted := i+1, -1, 0, 0
			for ; j < len(pass); j++ {
				direction, shift := step(graph.Graph[pass[j-1:j]], pass[j:j+1])
				if direction < 0 {
					break
				}
				if direction != last {
					turns, last = turns+1, direction
				}
				if shift {
					shifted++
				}
			}
			if j-i > 2 {
				m := match.Match{Pattern: "spatial", I: i, J: j - 1, Token: pass[i:j], DictionaryName: graph.Name}
				m.Entropy = entropy.SpatialEntropy(m, turns, shifted)
				found = append(found, m)
			}
			i = j
		}
	}
	return found
}

// step returns the direction in which key lies among neighbours, or -1, and whether it takes shift.
func step(neighbours []string, key string) (direction int, shift bool) {
	for direction, signs := range neighbours {
		if at := strings.Index(signs, key); at >= 0 {
			return direction, at == 1
		}
	}
	return -1, false
}

// sequence finds three or more letters or digits in their order, up or down.
func sequence(pass string) []match.Match {
	var found []match.Match
	for i := 0; i < len(pass); {
		j, by := i+1, 0
		for ; j < len(pass); j++ {
			next := int(pass[j]) - int(pass[j-1])
			if size(pass[j]) == 0 || size(pass[j]) != size(pass[j-1]) || unicode.IsUpper(rune(pass[j])) != unicode.IsUpper(rune(pass[j-1])) ||
				by == 0 && next != 1 && next != -1 || by != 0 && next != by {
				break
			}
			by = next
		}
		if j-i > 2 {
			m := match.Match{Pattern: "sequence", I: i, J: j - 1, Token: pass[i:j]}
			m.Entropy = entropy.SequenceEntropy(m, size(pass[i]), by == 1)
			found = append(found, m)
		}
		i = j
	}
	return found
}

// size returns how many letters or digits there are of the kind of b: 0 for other signs.
func size(b byte) int {
	switch {
	case b >= 'a' && b <= 'z', b >= 'A' && b <= 'Z':
		return 26
	case b >= '0' && b <= '9':
		return 10
	}
	return 0
}

// repetition finds three or more of the same sign, in any case.
func repetition(pass string) []match.Match {
	var found []match.Match
	for i := 0; i < len(pass); {
		first, width := utf8.DecodeRuneInString(pass[i:])
		j, times := i+width, 1
		for j < len(pass) {
			r, width := utf8.DecodeRuneInString(pass[j:])
			if unicode.ToLower(r) != unicode.ToLower(first) {
				break
			}
			j, times = j+width, times+1
		}
		if times > 2 {
			m := match.Match{Pattern: "repeat", I: i, J: j - 1, Token: pass[i:j]}
			m.Entropy = entropy.RepeatEntropy(m)
			found = append(found, m)
		}
		i = j
	}
	return found
}

// dates are the ways to write a date: year, month and day, or the year last; with or without signs between.
// They are compiled at the first estimate, so other commands do not pay for them.
var dates = sync.OnceValue(func() []*regexp.Regexp {
	const year, sign, two = `(?P<year>(?:19|20)\d\d|\d\d)`, `(?P<sign>[\s/\\_.-])`, `(\d\d?)`
	return []*regexp.Regexp{
		regexp.MustCompile(`^` + year + sign + two + `[\s/\\_.-]` + two),
		regexp.MustCompile(`^` + two + sign + two + `[\s/\\_.-]` + year),
		regexp.MustCompile(`^` + year + `(\d\d)(\d\d)`),
		regexp.MustCompile(`^(\d\d)(\d\d)` + year),
	}
})

// date finds days between 1900 and 2099, including years of two digits.
func date(pass string) []match.Match {
	var found []match.Match
	for i := range pass {
		for _, form := range dates() {
			parts := form.FindStringSubmatch(pass[i:])
			if parts == nil {
				continue
			}
			var written match.DateMatch
			var day []int // and month, in either order
			for k, name := range form.SubexpNames()[1:] {
				n, _ := strconv.Atoi(parts[k+1])
				switch name {
				case "year":
					written.Year = int64(n)
				case "sign":
					written.Separator = parts[k+1]
				default:
					day = append(day, n)
				}
			}
			if min(day[0], day[1]) < 1 || min(day[0], day[1]) > 12 || max(day[0], day[1]) > 31 {
				continue
			}
			found = append(found, match.Match{Pattern: "date", I: i, J: i + len(parts[0]) - 1, Token: parts[0], Entropy: entropy.DateEntropy(written)})
		}
	}
	return found
}
