package people

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Role is what a staff member is.
type Role string

// The roles.
const (
	RoleGridWorker      Role = "grid_worker"      // 专职网格员, full time
	RoleGridLeader      Role = "grid_leader"      // 网格长
	RoleAide            Role = "aide"             // 网格辅助员, part time: sees and reports, signs for nothing
	RoleCommunityPolice Role = "community_police" // 社区民警
	RoleAuxiliary       Role = "auxiliary"        // 辅警, beside the community police officer
	RoleDispatcher      Role = "dispatcher"       // 派单员
	RoleHandler         Role = "handler"          // 承办
	RoleCallbackClerk   Role = "callback_clerk"   // 回访员
	RoleSupervisor      Role = "supervisor"       // 督办
	RoleClerk           Role = "clerk"            // completes drafts 待补充
	RoleAdmin           Role = "admin"
	RoleDoctor          Role = "doctor"
	RoleNurse           Role = "nurse"
	RoleClinicDesk      Role = "clinic_desk"
	RoleLiaison         Role = "liaison"
	RoleLeader          Role = "leader"
)

// Roles lists every role.
func Roles() []Role {
	return []Role{
		RoleGridWorker, RoleGridLeader, RoleAide, RoleCommunityPolice, RoleAuxiliary, RoleDispatcher,
		RoleHandler, RoleCallbackClerk, RoleSupervisor, RoleClerk, RoleAdmin, RoleDoctor, RoleNurse, RoleClinicDesk,
		RoleLiaison, RoleLeader,
	}
}

// AreaKind says what an Area's code means.
type AreaKind string

// The kinds of area.
const (
	AreaCity     AreaKind = "city"
	AreaCounty   AreaKind = "county"
	AreaTownship AreaKind = "township"
	AreaVillage  AreaKind = "village"
	AreaGrid     AreaKind = "grid"
	AreaUnit     AreaKind = "unit"
)

// AreaKinds lists every kind, from wide to narrow.
func AreaKinds() []AreaKind {
	return []AreaKind{AreaCity, AreaCounty, AreaTownship, AreaVillage, AreaGrid, AreaUnit}
}

// Area is where a role holds.
type Area struct {
	Kind AreaKind
	Code string // division, grid or unit code
}

// Valid reports whether kind and code agree.
func (a Area) Valid() bool {
	switch a.Kind {
	case AreaUnit:
		return a.Code != ""
	case AreaGrid:
		return GridCode(a.Code).Valid()
	}
	level, ok := DivisionCode(a.Code).Level()
	return ok && string(level) == string(a.Kind)
}

// ParseArea reads an area as operators write it: "kind:code".
func ParseArea(s string) (Area, error) {
	kind, code, ok := strings.Cut(s, ":")
	a := Area{Kind: AreaKind(kind), Code: code}
	if !ok || !a.Valid() {
		return Area{}, fmt.Errorf("%q is not an area: write kind:code, such as county:360302 or unit:CODE", s)
	}
	return a, nil
}

// Covers reports whether the subject lies in the area. Codes nest, so a
// division covers what begins with its code; a subject at an unknown place is
// covered by the city alone.
func (a Area) Covers(s Subject) bool {
	if !a.Valid() {
		return false
	}
	switch a.Kind {
	case AreaUnit:
		return s.Unit == a.Code
	case AreaGrid:
		return s.Grid == a.Code
	case AreaCity:
		return s.Division == "" && s.Grid == "" || s.below(a.Code)
	}
	return s.below(a.Code)
}

// Subject is the area as a whole, as what a command is about.
func (a Area) Subject() Subject {
	switch a.Kind {
	case AreaGrid:
		return Subject{Grid: a.Code}
	case AreaUnit:
		return Subject{Unit: a.Code}
	}
	return Subject{Division: a.Code}
}

// Grant is a role in an area.
type Grant struct {
	Role Role
	Area Area
}

// Staff is somebody who works here.
type Staff struct {
	ID         int64
	PersonID   int64
	Slug       string // short ASCII name for commands and the demo, unique
	Name       string
	Phone      string
	OnDuty     bool
	Substitute int64 // staff who takes over when off duty, 0 for none
	EndedAt    time.Time
	Grants     []Grant
}

// Has reports whether the staff member holds the role anywhere.
func (s Staff) Has(r Role) bool {
	return slices.ContainsFunc(s.Grants, func(g Grant) bool { return g.Role == r })
}

// Subject is what a command is about: where it is, whose it is, whether it is
// private. Empty fields are unknown or do not apply.
type Subject struct {
	Division string // county, township or village code
	Grid     string
	Unit     string // the unit whose desk has it
	Private  bool   // confidential, anonymous or sensitive ticket
	Named    []int64
	// Against names the units and grids, AgainstStaff the staff, that a claim
	// is about: whatever their rights, it stays hidden from them.
	Against      []string
	AgainstStaff []int64
}

func (s Subject) below(code string) bool {
	return strings.HasPrefix(s.Grid, code) || strings.HasPrefix(s.Division, code)
}
