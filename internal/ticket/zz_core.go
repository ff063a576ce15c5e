package ticket

import (
	"maps"
	"slices"
)

func (p Policy) ReferralCodes() []string { return slices.Sorted(maps.Keys(p.Referrals.To)) }
