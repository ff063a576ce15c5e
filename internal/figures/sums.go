package figures

// Measure is one thing that is counted. The order is that of the array in the
// tables figure and figure_month: new ones are added at the end.
type Measure int

// The measures. Of a ticket, one in its row of the month it counts in.
const (
	// N is a ticket in scope: it is handled, or its deadline has passed.
	N Measure = iota
	// Out… is a ticket that is taken out, by why.
	OutAnswered
	OutRejected
	OutReferred
	OutWithdrawn
	OutMerged   // its master counts; its reporter's word counts all the same
	OutExcluded // an independent reviewer granted it
	// Led is a lead given to a desk; Objected and ObjectionGranted what the
	// desk asked and got.
	Led
	Objected
	ObjectionGranted
	// SignedInTime: a person signed before the clock ran out.
	SignedInTime
	// Reachable is a ticket in scope with a resident to contact; Responded one
	// whose resident was contacted in time and does not deny it.
	Reachable
	Responded
	Handled
	OnTime
	Early
	Overdue
	// UnitResolved is the unit's word.
	UnitResolved
	// ToCall is a handled ticket whose resident is to be called back; Called
	// one whose resident answered.
	ToCall
	Called
	// Asked is a resident who said whether it is solved; SolvedHalves counts 2
	// for solved and 1 for partly.
	Asked
	SolvedHalves
	// Contradicted: the unit says resolved, the resident says no.
	Contradicted
	// Rated… is a rating, best first.
	RatedVerySatisfied
	RatedSatisfied
	RatedFairlySatisfied
	RatedDissatisfied
	RatedVeryDissatisfied
	Redone
	// Once: handled, and neither redone nor come back so far.
	Once
	Extended
	Supervised
	SupervisionLapsed
	// Filed is a ticket in the month in which it came, as the worry index
	// counts it; the next three say how it stands, at most one each.
	Filed
	FiledRedone
	FiledOverdue
	FiledContent

	// Measures is how many there are.
	Measures
)

// Sums are the measures of a row, or of many added up.
type Sums [Measures]int32

// Add adds another row.
func (s *Sums) Add(o Sums) {
	for i, v := range o {
		s[i] += v
	}
}

// Sub takes a row away that was added.
func (s *Sums) Sub(o Sums) {
	for i, v := range o {
		s[i] -= v
	}
}

// Of reads sums from the database: an array that an older version wrote is
// shorter.
func Of(list []int32) (s Sums) {
	copy(s[:], list)
	return s
}

// Out is how many tickets were taken out, for whatever reason.
func (s Sums) Out() int32 {
	return s[OutAnswered] + s[OutRejected] + s[OutReferred] + s[OutWithdrawn] + s[OutMerged] + s[OutExcluded]
}

// Rated is how many residents rated.
func (s Sums) Rated() int32 { return s.Content() + s[RatedDissatisfied] + s[RatedVeryDissatisfied] }

// Content is how many of them are at least fairly satisfied.
func (s Sums) Content() int32 {
	return s[RatedVerySatisfied] + s[RatedSatisfied] + s[RatedFairlySatisfied]
}
