package ticket

import (
	"errors"
	"fmt"
	"slices"

	"shaoying/configs"
)

// Unit 单位 is a body that handles tickets.
type Unit struct {
	Code string `yaml:"code"`
	Name string `yaml:"name"`
	// Kind is department 部门 (of the city) or village 村(社区).
	Kind UnitKind `yaml:"kind"`
	// Desk is the name of the desk to which tickets are dispatched.
	Desk string `yaml:"desk"`
	// Band groups the units whose rates may be compared with each other.
	Band string `yaml:"band"`
}

// UnitKind is the kind of a unit.
type UnitKind string

// The kinds of unit.
const (
	UnitDepartment UnitKind = "department"
	// UnitVillage stands for whichever village or community the place is in.
	UnitVillage UnitKind = "village"
)

// Units is the read-only list of units.
type Units struct{ list []Unit }

// ParseUnits reads configs/units.yaml. name is the file's name for errors.
// Codes and names are unique.
func ParseUnits(name string, body []byte) (*Units, error) {
	var f struct {
		Source string `yaml:"source"`
		Units  []Unit `yaml:"units"`
	}
	if err := configs.Decode(name, body, &f); err != nil {
		return nil, err
	}
	u := &Units{}
	var errs []error
	for i, one := range f.Units {
		if err := u.add(one); err != nil {
			errs = append(errs, fmt.Errorf("units[%d] %s: %w", i, one.Code, err))
		}
	}
	if len(f.Units) == 0 {
		errs = append(errs, errors.New("units: none"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return u, nil
}

func (u *Units) add(one Unit) error {
	switch {
	case one.Code == "" || one.Name == "" || one.Desk == "" || one.Band == "":
		return errors.New("code, name, desk and band are needed")
	case one.Kind != UnitDepartment && one.Kind != UnitVillage:
		return fmt.Errorf("kind: %q is neither %s nor %s", one.Kind, UnitDepartment, UnitVillage)
	case slices.ContainsFunc(u.list, func(o Unit) bool { return o.Code == one.Code || o.Name == one.Name }):
		return errors.New("the code or the name is there twice")
	}
	u.list = append(u.list, one)
	return nil
}

// Get returns the unit with the given code.
func (u *Units) Get(code string) (Unit, bool) {
	for _, one := range u.list {
		if one.Code == code {
			return one, true
		}
	}
	return Unit{}, false
}

// All returns every unit in the order of the file.
func (u *Units) All() []Unit { return slices.Clone(u.list) }
