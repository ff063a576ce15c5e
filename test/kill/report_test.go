//go:build kill

package kill

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// figure is what one run came to.
type figure struct {
	Run       string  `json:"run"`
	Promises  string  `json:"promises"`
	Messages  int     `json:"messages"`
	Again     int     `json:"redelivered"`
	Kills     int     `json:"kills"`
	Crashes   int     `json:"database_crashes"`
	Stops     int     `json:"stops"`
	Lost      int     `json:"lost"`
	Double    int     `json:"double_tickets"`
	Replies   int     `json:"replies"`
	Missing   int     `json:"missing_replies"`
	Doubled   int     `json:"duplicate_replies"`
	MaxCopies int     `json:"most_copies_of_one"`
	Seconds   float64 `json:"seconds"`
	// Resume is the time from a kill to the next reply.
	ResumeP50 float64 `json:"resume_p50_seconds,omitempty"`
	ResumeP99 float64 `json:"resume_p99_seconds,omitempty"`
	// Notes are figures that only this run has.
	Notes map[string]float64 `json:"notes,omitempty"`
}

// figures collects what the runs came to.
type figures struct {
	mu  sync.Mutex
	all []figure
}

func (f *figures) add(one figure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all = append(f.all, one)
}

// publish prints the table, and writes it as JSON where it was asked for.
func (f *figures) publish(passed bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) == 0 {
		return nil
	}
	slices.SortFunc(f.all, func(a, b figure) int { return strings.Compare(a.Run, b.Run) })
	fmt.Printf("\nkill: seed %d, %s\n", bench.seed, bench.size.name)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "run\tmessages\tagain\tkill -9\tcrashes\tSIGTERM\tlost\tdouble\treplies\tmissing\tdoubled\tcopies\tresume p50\tp99\ttook\t")
	for _, r := range f.all {
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%s\t%.0fs\t\n", r.Run, r.Messages, r.Again, r.Kills, r.Crashes,
			r.Stops, r.Lost, r.Double, r.Replies, r.Missing, r.Doubled, r.MaxCopies, seconds(r.ResumeP50), seconds(r.ResumeP99), r.Seconds)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the figures: %w", err)
	}
	for _, r := range f.all {
		for _, name := range slices.Sorted(maps.Keys(r.Notes)) {
			fmt.Printf("%s: %s %g\n", r.Run, name, r.Notes[name])
		}
	}
	name := os.Getenv("SHAOYING_KILL_REPORT")
	if name == "" {
		return nil
	}
	body, err := json.MarshalIndent(map[string]any{
		"seed": bench.seed, "size": bench.size.name, "passed": passed, "at": time.Now().UTC().Format(time.RFC3339), "runs": f.all,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("pack the figures: %w", err)
	}
	if err := os.WriteFile(name, append(body, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return nil
}

func seconds(s float64) string {
	if s == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1fs", s)
}

// quantile of durations, in seconds; 0 when there are none.
func quantile(all []time.Duration, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[int(float64(len(sorted)-1)*q)].Round(time.Millisecond).Seconds()
}
