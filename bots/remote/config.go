package remote

import (
	"errors"
	"fmt"
	"time"

	"shaoying/bots"
)

// Config is one account that an agent holds.
type Config struct {
	// ID is the channel account, as in SHAOYING_CONFIG.
	ID     bots.ChannelID
	Limits Limits
}

// Limits is configs/policies/agent.yaml. Both halves keep to the same.
type Limits struct {
	// What one delivery of events, file, value of bots.State and message to send
	// may hold, in bytes.
	MaxEvents  int64 `yaml:"max_events_bytes"`
	MaxFile    int64 `yaml:"max_file_bytes"`
	MaxState   int64 `yaml:"max_state_bytes"`
	MaxMessage int64 `yaml:"max_message_bytes"`
	// LongPoll is how long a question for work stays open, Call how long the
	// agent waits for any other answer, Handover how long a message waits for the
	// agent to come for it.
	LongPoll time.Duration `yaml:"long_poll"`
	Call     time.Duration `yaml:"call"`
	Handover time.Duration `yaml:"handover"`
	// Parallel is how many jobs the agent does at once.
	Parallel int `yaml:"parallel"`
	// Requests is how many requests may be open at once; PerSecond and Burst pace
	// them, and who asks for more over SpinsAfter is ended.
	Requests   int           `yaml:"requests"`
	PerSecond  float64       `yaml:"per_second"`
	Burst      int           `yaml:"burst"`
	SpinsAfter time.Duration `yaml:"spins_after"`
	// SilentAfter is after how long without a word an agent hangs.
	SilentAfter time.Duration `yaml:"silent_after"`
	// LookEvery is how often the process is looked at. It is ended when it used
	// more than CPUShare of a processor on the average of CPUFor, or holds more than
	// Memory.
	LookEvery time.Duration `yaml:"look_every"`
	CPUShare  float64       `yaml:"cpu_share"`
	CPUFor    time.Duration `yaml:"cpu_for"`
	Memory    int64         `yaml:"memory_bytes"`
	Niceness  int           `yaml:"niceness"`
	// RestartMost is the longest pause before it is started again; a life of
	// ProvenAfter forgets the failures before it.
	RestartMost time.Duration `yaml:"restart_most"`
	ProvenAfter time.Duration `yaml:"proven_after"`
	// Farewell is a part of the second that a channel has to end: jobs under way,
	// the process by itself, when it was killed, and the door have one each.
	Farewell time.Duration `yaml:"farewell"`
	// MaxComplaints is how many lines of an agent that are no log lines are kept.
	MaxComplaints int    `yaml:"max_complaints"`
	Source        string `yaml:"source"`
}

// Validate returns an error that names the first limit that is missing or
// cannot be kept beside the others.
func (l Limits) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"max_events_bytes", float64(l.MaxEvents)},
		{"max_file_bytes", float64(l.MaxFile)},
		{"max_state_bytes", float64(l.MaxState)},
		{"max_message_bytes", float64(l.MaxMessage)},
		{"long_poll", float64(l.LongPoll)},
		{"call", float64(l.Call)},
		{"handover", float64(l.Handover)},
		{"parallel", float64(l.Parallel)},
		{"requests", float64(l.Requests)},
		{"per_second", l.PerSecond},
		{"burst", float64(l.Burst)},
		{"spins_after", float64(l.SpinsAfter)},
		{"silent_after", float64(l.SilentAfter)},
		{"look_every", float64(l.LookEvery)},
		{"cpu_share", l.CPUShare},
		{"cpu_for", float64(l.CPUFor)},
		{"memory_bytes", float64(l.Memory)},
		{"restart_most", float64(l.RestartMost)},
		{"proven_after", float64(l.ProvenAfter)},
		{"farewell", float64(l.Farewell)},
		{"max_complaints", float64(l.MaxComplaints)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("agent limits: %s must be given", f.name)
		}
	}
	switch {
	case l.SilentAfter <= l.LongPoll:
		return errors.New("agent limits: silent_after must be longer than long_poll")
	case l.Farewell > 200*time.Millisecond:
		return errors.New("agent limits: farewell must be at most 200ms: a channel ends within a second")
	case l.Niceness < 0 || l.Niceness > 19:
		return errors.New("agent limits: niceness must be 0 to 19")
	}
	return nil
}
