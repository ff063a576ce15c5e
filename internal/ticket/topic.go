package ticket

import (
	"math"
	"slices"
	"strings"

	"shaoying/internal/people"
)

// Why a special topic is proposed.
const (
	TopicVillage = "village" // many tickets in one village
	TopicCounty  = "county"  // many in a county
	TopicRise    = "rise"    // unusually many against the area's own past
)

// TopicIdea is a matter in an area that may be worth a special topic 专项.
type TopicIdea struct {
	Area  string // division code: a village, or a county
	Why   string
	Count int // tickets within the policy's days; of a rise within its window
	Usual float64
	// Unusual: it rises against the area's own past, whatever the threshold.
	Unusual bool
}

// AreaCount is how many shared tickets of one matter a division had.
type AreaCount struct {
	Division string
	// Lately are those within topic.days; Windows those of each window of the
	// rise, the present one first. Windows is shorter where the city's past is.
	Lately  int
	Windows []int
}

// Rise reports whether the newest window is unusual against those before it:
// at least Min, and more than mean + SD * max(standard deviation, root of the
// mean). The root is what counts of rare things spread by (Poisson); it keeps
// twelve equal windows from making every change unusual. usual is the mean.
// Too short a past is never unusual.
func (p RisePolicy) Rise(windows []int) (usual float64, unusual bool) {
	if len(windows) < p.Windows+1 {
		return 0, false
	}
	past := windows[1 : p.Windows+1]
	var sum, squares float64
	for _, n := range past {
		sum += float64(n)
	}
	mean := sum / float64(len(past))
	for _, n := range past {
		squares += (float64(n) - mean) * (float64(n) - mean)
	}
	spread := math.Sqrt(max(squares/float64(len(past)), mean))
	return mean, windows[0] >= p.Min && float64(windows[0]) > mean+p.SD*spread
}

// Ideas proposes topics for one matter from the counts of its divisions. A
// village is looked at first; what it explains is not counted in its county
// again. live are the areas that have a topic or a proposal already; resting
// those about which it was decided not long ago: only what rises unusually is
// proposed there again.
func (p TopicPolicy) Ideas(counts []AreaCount, live, resting []string) []TopicIdea {
	var ideas []TopicIdea
	propose := func(i TopicIdea) {
		if i.Unusual || !slices.Contains(resting, i.Area) {
			ideas = append(ideas, i)
		}
	}
	counties := map[string]AreaCount{}
	var order []string
	for _, c := range counts {
		village := people.DivisionCode(c.Division).At(people.LevelVillage) != ""
		county := string(people.DivisionCode(c.Division).At(people.LevelCounty))
		if county == "" || slices.ContainsFunc(live, func(a string) bool { return strings.HasPrefix(c.Division, a) }) {
			continue
		}
		if idea, ok := p.idea(c, TopicVillage, p.Topic.Village); village && ok {
			propose(idea)
			continue
		}
		if _, known := counties[county]; !known {
			order = append(order, county)
		}
		counties[county] = c.plus(counties[county], county)
	}
	for _, county := range order {
		if idea, ok := p.idea(counties[county], TopicCounty, p.Topic.County); ok {
			propose(idea)
		}
	}
	return ideas
}

func (p TopicPolicy) idea(c AreaCount, why string, from int) (TopicIdea, bool) {
	usual, unusual := p.Rise.Rise(c.Windows)
	idea := TopicIdea{Area: c.Division, Why: why, Count: c.Lately, Usual: usual, Unusual: unusual}
	if c.Lately < from && unusual {
		idea.Why, idea.Count = TopicRise, c.Windows[0]
	}
	return idea, c.Lately >= from || unusual
}

// plus adds counts up under the code of their county.
func (c AreaCount) plus(o AreaCount, county string) AreaCount {
	sum := AreaCount{Division: county, Lately: c.Lately + o.Lately, Windows: make([]int, max(len(c.Windows), len(o.Windows)))}
	for _, list := range [][]int{c.Windows, o.Windows} {
		for i, n := range list {
			sum.Windows[i] += n
		}
	}
	return sum
}
