//go:build kill

package kill

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
)

// size is how much is done. The small one is part of `make test`.
type size struct {
	name string
	// The main run, by webhook.
	messages, burst, kills, crashes int
	// The run by polling.
	polled, pollKills int
	// Each of the two broken controls.
	control, controlKills int
	// The order of many messages of few senders.
	senders, inputs, orderKills int
	// Sends whose connection is dropped, half before and half after they were
	// taken.
	faults int
	// Messages of which one in a hundred panics.
	poisoned int
	// Restarts by SIGTERM.
	stops int
}

// redelivered is how many of a hundred messages the network delivers again
// though they were acknowledged.
const redelivered = 10

// chosen is the size and the seed that the environment asks for.
func chosen() (size, uint64, error) {
	s := size{
		name: "small", messages: 1000, burst: 100, kills: 20, crashes: 2,
		polled: 200, pollKills: 4, control: 300, controlKills: 9,
		senders: 20, inputs: 200, orderKills: 6, faults: 60, poisoned: 200, stops: 20,
	}
	if os.Getenv("SHAOYING_SOAK") != "" {
		s = size{
			name: "full", messages: 10_000, burst: 100, kills: 200, crashes: 20,
			polled: 3000, pollKills: 60, control: 1000, controlKills: 20,
			senders: 20, inputs: 500, orderKills: 20, faults: 1000, poisoned: 1000, stops: 50,
		}
	}
	text := os.Getenv("SHAOYING_KILL_SEED")
	if text == "" {
		return s, rand.Uint64() >> 1, nil
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return s, 0, fmt.Errorf("SHAOYING_KILL_SEED %q: write the number that an earlier run printed", text)
	}
	return s, seed, nil
}

// chance is the random source of one test: the same seed gives each test its
// own numbers, whichever tests run.
func chance(name string) *rand.Rand {
	var h uint64 = 14695981039346656037
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return rand.New(rand.NewPCG(bench.seed, h))
}
