package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"shaoying/bots"
	"shaoying/bots/sms"
)

// ChannelReport is what there is to say of one configured channel account.
type ChannelReport struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	// OK is false when something has to be done.
	OK    bool     `json:"ok"`
	Wrong []string `json:"wrong,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

// CheckChannels makes every configured channel account and asks its network
// how it stands there. It sends nothing and changes nothing.
func (h *House) CheckChannels(ctx context.Context) []ChannelReport {
	reports := make([]ChannelReport, 0, len(h.Process.Channels))
	for _, c := range h.Process.Channels {
		r := ChannelReport{ID: c.ID, Kind: c.Kind}
		a, err := h.channel(c)
		if err != nil {
			r.Wrong = []string{err.Error()}
		} else if checker, ok := a.(bots.Checker); ok {
			for _, f := range checker.Check(ctx) {
				if f.Wrong {
					r.Wrong = append(r.Wrong, f.What)
				} else {
					r.Notes = append(r.Notes, f.What)
				}
			}
		}
		if t, ok := a.(sms.Templated); ok && err == nil {
			r.Notes = append(r.Notes, h.unsayable(t)...)
		}
		r.OK = len(r.Wrong) == 0
		reports = append(reports, r)
	}
	return reports
}

// unsayable lists the texts that a carrier of approved templates has none for.
func (h *House) unsayable(t sms.Templated) []string {
	var missing []string
	for _, said := range h.Library.Said() {
		if !t.Has(said) {
			missing = append(missing, said.Name())
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return []string{fmt.Sprintf("%d texts have no approved template and cannot be sent here: %s", len(missing), strings.Join(missing, ", "))}
}
