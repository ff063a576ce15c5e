package bench

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Report is what was measured.
type Report struct {
	Machine     Machine `json:"machine"`
	Pgbench     Rate    `json:"pgbench_two_insert"`
	Turn        Rate    `json:"turn"`
	Slice       Rate    `json:"turn_over_slices"`
	File        Rate    `json:"turn_that_files"`
	Acknowledge Latency `json:"acknowledgement"`
	FirstReply  Latency `json:"first_reply"`
	// Poisoned is how the turns over slices go on while every hundredth message
	// panics.
	Poisoned Poisoned `json:"poisoned"`

	acks []Latency
}

// Machine is where and under which load. Without the load no figure means
// anything.
type Machine struct {
	CPUs       int    `json:"cpus"`
	Go         string `json:"go"`
	LoadBefore string `json:"load_before"`
	LoadAfter  string `json:"load_after"`
}

// Rate is transactions a second.
type Rate struct {
	// PerSecond is the median of Runs.
	PerSecond float64   `json:"per_second"`
	Runs      []float64 `json:"runs"`
	// Ratio is the share of pgbench's median.
	Ratio float64 `json:"ratio,omitempty"`
}

// Poisoned is a rate beside poison, and the healthy one that was measured just
// before.
type Poisoned struct {
	PerSecond float64 `json:"per_second"`
	Healthy   float64 `json:"healthy_per_second"`
	// Drop is the share that was lost.
	Drop float64 `json:"drop"`
}

// Latency is how long people waited, in milliseconds.
type Latency struct {
	P50   float64 `json:"p50_ms"`
	P99   float64 `json:"p99_ms"`
	Max   float64 `json:"max_ms"`
	Count int     `json:"count"`
	// Offered is the load in messages a second, 0 on an idle system.
	Offered float64 `json:"offered_per_second,omitempty"`
}

// promises are design 10: what a figure must reach, and what it aims at.
var promises = struct {
	turnMust, turnAim                    float64 // shares of pgbench
	sliceMust, sliceAim, fileAim         float64
	ackMust, ackAim, replyMust, replyAim float64 // p99 in milliseconds
	drop                                 float64 // promise R13
}{0.35, 0.45, 0.80, 1.20, 0.25, 50, 20, 100, 50, 0.10}

func (r *Report) ratios() {
	r.Pgbench.PerSecond = median(r.Pgbench.Runs)
	for _, rate := range []*Rate{&r.Turn, &r.Slice, &r.File} {
		rate.PerSecond = median(rate.Runs)
		rate.Ratio = rate.PerSecond / r.Pgbench.PerSecond
	}
}

// Print writes the report for people.
func (r *Report) Print(out io.Writer) error {
	p, w := promises, tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "machine\t%d CPUs, %s\tload before %s\tafter %s\n", r.Machine.CPUs, r.Machine.Go, r.Machine.LoadBefore, r.Machine.LoadAfter)
	fmt.Fprintln(w, "what\tmedian\tshare of pgbench\tmust / aim\truns")
	fmt.Fprintf(w, "pgbench two-insert, %d clients\t%.0f /s\t\t\t%s\n", senders, r.Pgbench.PerSecond, list(r.Pgbench.Runs))
	fmt.Fprintf(w, "full turn, %d senders\t%.0f /s\t%.1f %%\t%.0f / %.0f %%: %s\t%s\n", senders, r.Turn.PerSecond, 100*r.Turn.Ratio,
		100*p.turnMust, 100*p.turnAim, verdict(r.Turn.Ratio >= p.turnMust, r.Turn.Ratio >= p.turnAim), list(r.Turn.Runs))
	fmt.Fprintf(w, "the same over slices, %d senders\t%.0f /s\t%.1f %%\t%.0f / %.0f %%: %s\t%s\n", crowded, r.Slice.PerSecond, 100*r.Slice.Ratio,
		100*p.sliceMust, 100*p.sliceAim, verdict(r.Slice.Ratio >= p.sliceMust, r.Slice.Ratio >= p.sliceAim), list(r.Slice.Runs))
	fmt.Fprintf(w, "turn that files a ticket\t%.0f /s\t%.1f %%\t- / %.0f %%: %s\t%s\n", r.File.PerSecond, 100*r.File.Ratio,
		100*p.fileAim, verdict(true, r.File.Ratio >= p.fileAim), list(r.File.Runs))
	fmt.Fprintf(w, "over slices, 1 %% poisoned\t%.0f /s\t\tdrop %.1f %% of at most %.0f %%: %s\tjust before %.0f\n", r.Poisoned.PerSecond,
		100*r.Poisoned.Drop, 100*p.drop, verdict(r.Poisoned.Drop <= p.drop, r.Poisoned.Drop <= p.drop), r.Poisoned.Healthy)
	fmt.Fprintln(w, "what\tp99\tp50, longest\tmust / aim\tload")
	fmt.Fprintf(w, "acknowledgement at half load\t%.1f ms\t%.1f, %.1f ms\t%.0f / %.0f ms: %s\t%.0f /s\n", r.Acknowledge.P99, r.Acknowledge.P50, r.Acknowledge.Max,
		p.ackMust, p.ackAim, verdict(r.Acknowledge.P99 <= p.ackMust, r.Acknowledge.P99 <= p.ackAim), r.Acknowledge.Offered)
	fmt.Fprintf(w, "first reply, end to end\t%.1f ms\t%.1f, %.1f ms\t%.0f / %.0f ms: %s\tidle, %d visitors\n", r.FirstReply.P99, r.FirstReply.P50, r.FirstReply.Max,
		p.replyMust, p.replyAim, verdict(r.FirstReply.P99 <= p.replyMust, r.FirstReply.P99 <= p.replyAim), r.FirstReply.Count)
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	return nil
}

func verdict(must, aim bool) string {
	switch {
	case aim:
		return "aim reached"
	case must:
		return "below aim"
	}
	return "NOT REACHED"
}

func list(runs []float64) string {
	parts := make([]string, len(runs))
	for i, v := range runs {
		parts[i] = fmt.Sprintf("%.0f", v)
	}
	return strings.Join(parts, " ")
}

func machine() Machine {
	return Machine{CPUs: runtime.NumCPU(), Go: runtime.Version(), LoadBefore: loadAverage()}
}

// loadAverage is the load of the last 1, 5 and 15 minutes, "unknown" off Linux.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 3 {
		return "unknown"
	}
	return strings.Join(fields[:3], " ")
}

// median is the middle value, the mean of the two middle ones of an even
// number, 0 of none.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(values))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// middle is the run with the median p99, the worse of two.
func middle(runs []Latency) Latency {
	if len(runs) == 0 {
		return Latency{}
	}
	s := slices.SortedFunc(slices.Values(runs), func(a, b Latency) int { return cmp.Compare(a.P99, b.P99) })
	return s[len(s)/2]
}

func latency(waits []time.Duration, offered float64) Latency {
	s := slices.Sorted(slices.Values(waits))
	return Latency{P50: quantile(s, 0.50), P99: quantile(s, 0.99), Max: quantile(s, 1), Count: len(s), Offered: offered}
}

// quantile is the smallest wait that a share q of all did not exceed (nearest
// rank), in milliseconds.
func quantile(sorted []time.Duration, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(q*float64(len(sorted)) + 0.999999)
	return float64(sorted[min(max(rank, 1), len(sorted))-1]) / float64(time.Millisecond)
}
