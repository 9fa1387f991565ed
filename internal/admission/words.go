package admission

import (
	"encoding/binary"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/sethvargo/go-diceware/diceware"
	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/ssh"
)

// ReplyWords returns the four words of a coordinator's key together with the ID of a request: see words. Both are
// known before the reply is there. It takes as long as SealedRequest.Words.
func ReplyWords(coordinator ssh.PublicKey, requestID string) string {
	return words(reply, requestID, coordinator.Marshal())
}

var (
	oneTable sync.Mutex            // held during Argon2: two tables at a time are never needed
	saidOf   = map[string]string{} // words that were worked out, by what they are of; an admission shows its words three times
)

// words returns four words of EFF's large list for an ID and a key. The list has 7,776 words, so there are 2^51.7
// fours. A forger who wants a letter with the words of somebody else's has to try about as many; each try takes 64 MiB
// and about a quarter of a second of one core (Argon2id, the second choice of RFC 9106): some thirty million years of
// it. With k letters to choose from, it takes a k-th of that. Two letters of the forger's own that share their words
// take 2^26 tries, half a year of one core, and are of no use: the words are compared with those of a letter that an
// honest person made. The four words protect nobody who does not compare them.
func words(k kind, id string, key []byte) string {
	oneTable.Lock()
	defer oneTable.Unlock()
	of := k.namespace + " " + id + " " + string(key)
	if said := saidOf[of]; said != "" {
		return said
	}
	defer debug.FreeOSMemory() // the garbage collector would keep the table for minutes
	sum := argon2.IDKey(append([]byte(id), key...), []byte(k.namespace+" words"), 3, 64<<10, 4, 8)
	number := binary.BigEndian.Uint64(sum) // far above 7776^4, so that all words are about as likely
	list := diceware.WordListEffLarge()
	var four []string
	for range 4 {
		rolls, scale := 0, 1 // the list counts by five rolls of a die: 11111 to 66666
		for range list.Digits() {
			rolls += (int(number%6) + 1) * scale
			number /= 6
			scale *= 10
		}
		four = append(four, list.WordAt(rolls))
	}
	saidOf[of] = strings.Join(four, " ")
	return saidOf[of]
}
