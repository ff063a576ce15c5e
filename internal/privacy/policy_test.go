package privacy

import (
	"strings"
	"testing"
)

func TestPolicyValidate(t *testing.T) {
	good := Policy{
		Photo:     testLimits,
		Retention: Retention{InboxDays: 400, WordsDays: 1095, DeadDays: 90, SessionDays: 90, SecurityDays: 180, TrailDays: 1825, ConsentDays: 1095},
	}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Policy){
		"photo limits":            func(p *Policy) { p.Photo.MaxPixels = 0 },
		"retention.inbox_days":    func(p *Policy) { p.Retention.InboxDays = 0 },
		"retention.words_days":    func(p *Policy) { p.Retention.WordsDays = 0 },
		"retention.dead_days":     func(p *Policy) { p.Retention.DeadDays = -1 },
		"retention.session_days":  func(p *Policy) { p.Retention.SessionDays = 0 },
		"retention.security_days": func(p *Policy) { p.Retention.SecurityDays = 179 },
		"retention.trail_days":    func(p *Policy) { p.Retention.TrailDays = 100 },
		"retention.consent_days":  func(p *Policy) { p.Retention.ConsentDays = 1094 },
	} {
		bad := good
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
