package figures

// Rate is a share with all that is needed to judge it.
type Rate struct {
	// Num is counted in halves where Half is set (a thing partly solved is a
	// half), else in ones.
	Num, Den int
	Half     bool
	// Excluded is how many were taken out before, N how many were in scope.
	Excluded, N int
}

// Value is the share, 0 to 1; ok is false when there is nothing to divide by.
func (r Rate) Value() (v float64, ok bool) {
	if r.Den == 0 {
		return 0, false
	}
	v = float64(r.Num) / float64(r.Den)
	if r.Half {
		v /= 2
	}
	return v, true
}

// Rates are the figures of a set of tickets (reference civic-tickets 1.6).
type Rates struct {
	N, Excluded int

	Signed       Rate // 签收及时率: signed in time / in scope
	Response     Rate // 响应率: contacted in time, not denied / in scope with a resident
	OnTime       Rate // 按时办结率
	Early        Rate // 提前办结率
	OverdueRate  Rate // 逾期率
	ByUnit       Rate // 解决率(承办口径)
	ByResident   Rate // 解决率(回访口径): partly counts a half
	Satisfaction Rate // 满意率
	Score        Rate // 满意度得分: Num is points, Den is ratings times the best score
	CalledBack   Rate // 有效回访率
	Redo         Rate // 重办率
	Once         Rate // 一次办结率
	Objection    Rate // 退单率: asked / leads given
	Granted      Rate // of the objections asked
	Supervision  Rate // 督办率: supervisions / in scope
	Extension    Rate // 延期率

	// Contradicted is how many residents say that it is not solved while the
	// unit says it is.
	Contradicted int
}

// Gap is the unit's resolution rate minus the residents': what the unit's word
// promises too much. ok is false while one of the two is missing.
func (r Rates) Gap() (gap float64, ok bool) {
	unit, ok1 := r.ByUnit.Value()
	resident, ok2 := r.ByResident.Value()
	return unit - resident, ok1 && ok2
}

// Rates makes rates of sums.
func (p Policy) Rates(s Sums) Rates {
	n, out := int(s[N]), int(s.Out())
	rate := func(num, den int32) Rate { return Rate{Num: int(num), Den: int(den), Excluded: out, N: n} }
	r := Rates{
		N: n, Excluded: out,
		Signed:       rate(s[SignedInTime], s[N]),
		Response:     rate(s[Responded], s[Reachable]),
		OnTime:       rate(s[OnTime], s[N]),
		Early:        rate(s[Early], s[N]),
		OverdueRate:  rate(s[Overdue], s[N]),
		ByUnit:       rate(s[UnitResolved], s[N]),
		ByResident:   rate(s[SolvedHalves], s[Asked]),
		Satisfaction: rate(s.Content(), s.Rated()),
		CalledBack:   rate(s[Called], s[ToCall]),
		Redo:         rate(s[Redone], s[N]),
		Once:         rate(s[Once], s[N]),
		Objection:    rate(s[Objected], s[Led]),
		Granted:      rate(s[ObjectionGranted], s[Objected]),
		Supervision:  rate(s[Supervised], s[N]),
		Extension:    rate(s[Extended], s[N]),
		Contradicted: int(s[Contradicted]),
	}
	r.ByResident.Half = true
	best, points := p.Score[0], 0
	for i, worth := range p.Score {
		points += worth * int(s[int(RatedVerySatisfied)+i])
	}
	r.Score = Rate{Num: points, Den: best * int(s.Rated()), Excluded: out, N: n}
	return r
}

// Total is 三率 in one number, 0 to 100: response, resolution by the residents'
// word and satisfaction, each with its weight. n is the smallest of the three
// denominators, for the total stands on each of them; ok is false when one of
// them is 0.
func (p Policy) Total(r Rates) (total float64, n int, ok bool) {
	n = min(r.Response.Den, r.ByResident.Den, r.Satisfaction.Den)
	if n == 0 {
		return 0, 0, false
	}
	response, _ := r.Response.Value()
	resolved, _ := r.ByResident.Value()
	content, _ := r.Satisfaction.Value()
	return 100 * (p.Weights.Response*response + p.Weights.Resolution*resolved + p.Weights.Satisfaction*content), n, true
}

// Stars is the number of stars of a unit.
type Stars struct {
	Count int // 1 to 5; 0 when Thin
	// Thin 样本不足: too few tickets to say anything.
	Thin bool
	// Capped: more were earned, but a supervision is unanswered past its
	// deadline.
	Capped bool
	Total  float64
	N      int
}

// Stars gives a unit its stars. unanswered is how many supervisions of it are
// past their deadline without an answer.
func (p Policy) Stars(r Rates, unanswered int) Stars {
	total, n, ok := p.Total(r)
	s := Stars{Total: total, N: n}
	if !ok || n < p.Stars5.MinN {
		s.Thin = true
		return s
	}
	s.Count = 1
	for i, from := range p.Stars5.From {
		// From is for 5, 4, 3 and 2 stars. A total is compared as it is
		// printed, with one decimal, so that nobody reads 95.0 and four stars.
		if roundTenth(total) >= from {
			s.Count = 5 - i
			break
		}
	}
	if unanswered > 0 && s.Count > p.Stars5.Cap {
		s.Count, s.Capped = p.Stars5.Cap, true
	}
	return s
}

func roundTenth(v float64) float64 { return float64(int(v*10+0.5)) / 10 }
