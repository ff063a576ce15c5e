package actions

import (
	"strings"

	"shaoying/flows/words"
	"shaoying/internal/ticket"
)

// against finds whom a complaint about behaviour is about: units by their
// name, the grid of the place where its workers are meant. The ticket then
// never reaches them. It errs towards protection: at worst a dispatcher looks
// first.
func (s *Set) against(said, claim string, place ticket.PlaceRef) []string {
	if !s.aboutConduct(said, claim) {
		return nil
	}
	n := words.Normalize(said)
	var codes []string
	for _, u := range s.Units.All() {
		if u.Kind == ticket.UnitDepartment && strings.Contains(n, words.Normalize(u.Name)) {
			codes = append(codes, u.Code)
		}
	}
	if holds(said, s.Policy.VillageStaff) {
		codes = append(codes, villageUnit)
		if place.Grid != "" {
			codes = append(codes, place.Grid)
		}
	} else if holds(said, s.Policy.GridStaff) && place.Grid != "" {
		codes = append(codes, place.Grid)
	}
	return codes
}

// aboutConduct reports whether a claim is about how somebody behaved.
func (s *Set) aboutConduct(said, claim string) bool {
	return (claim == "complaint" || claim == "report") && (holds(said, s.Policy.Conduct) || holds(said, s.Policy.GridStaff))
}

// villageUnit is the generic unit of configs/units.yaml.
const villageUnit = "village"
