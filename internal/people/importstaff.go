package people

import (
	"fmt"
	"strings"
)

// StaffRow is one staff member to import. Substitute is a slug.
type StaffRow struct {
	Slug       string
	Name       string
	Phone      string // as written, digits and + only
	Grants     []Grant
	Substitute string
}

// ParseStaff reads
//
//	slug,name,role,area_kind,area,phone,substitute
//
// One line is one grant; lines of one slug are one person, and name, phone and
// substitute must then agree or be empty. Areas must be among the divisions,
// grids and unit codes given; a substitute must be in the file or among the
// known slugs.
func ParseStaff(f File, rights Rights, areas Areas, slugs []string) ([]StaffRow, error) {
	t, err := readTable(f.Name, f.Body, []string{"slug", "name", "role", "area_kind", "area"}, []string{"phone", "substitute"})
	if err != nil {
		return nil, err
	}
	var out []StaffRow
	at := make(map[string]int)
	firstLine := make(map[string]int)
	known := make(map[string]bool)
	for _, s := range slugs {
		known[s] = true
	}
	seen := make(map[string]int)
	for _, r := range t.rows {
		slug := r.get("slug")
		if !validSlug(slug) {
			t.fail(r.line, fmt.Sprintf("slug %q must be 2 to 32 lower-case letters, digits and dashes", slug))
			continue
		}
		known[slug] = true
		g := t.grant(r, rights, areas)
		t.once(r, seen, fmt.Sprintf("%s as %s in %s %s", slug, g.Role, g.Area.Kind, g.Area.Code))
		i, ok := at[slug]
		if !ok {
			at[slug], firstLine[slug] = len(out), r.line
			out = append(out, StaffRow{Slug: slug, Name: t.checkName(r, "name"), Phone: t.phone(r), Substitute: r.get("substitute"), Grants: []Grant{g}})
			continue
		}
		s := &out[i]
		if agree(&s.Name, r.get("name")) && agree(&s.Phone, t.phone(r)) && agree(&s.Substitute, r.get("substitute")) {
			s.Grants = append(s.Grants, g)
			continue
		}
		t.fail(r.line, fmt.Sprintf("name, phone or substitute of %s differ from line %d", slug, firstLine[slug]))
	}
	for _, s := range out {
		if s.Substitute != "" && (!known[s.Substitute] || s.Substitute == s.Slug) {
			t.fail(firstLine[s.Slug], fmt.Sprintf("substitute %q is not another staff member", s.Substitute))
		}
	}
	if err := t.err(); err != nil {
		return nil, err
	}
	return out, nil
}

// agree takes over v when nothing stood there; an empty v agrees with anything.
func agree(to *string, v string) bool {
	if *to == "" {
		*to = v
	}
	return v == "" || *to == v
}

// Areas is what grants can be given in.
type Areas struct {
	Divisions []Division
	Grids     []Grid
	Units     []string // codes
}

func (a Areas) has(area Area) bool {
	switch area.Kind {
	case AreaUnit:
		for _, u := range a.Units {
			if u == area.Code {
				return true
			}
		}
	case AreaGrid:
		for _, g := range a.Grids {
			if string(g.Code) == area.Code {
				return true
			}
		}
	default:
		for _, d := range a.Divisions {
			if string(d.Code) == area.Code {
				return true
			}
		}
	}
	return false
}

func (t *table) grant(r row, rights Rights, areas Areas) Grant {
	g := Grant{Role(r.get("role")), Area{AreaKind(r.get("area_kind")), r.get("area")}}
	switch {
	case len(rights.Areas[g.Role]) == 0:
		t.fail(r.line, fmt.Sprintf("role %q is unknown", g.Role))
	case !rights.Grantable(g):
		t.fail(r.line, fmt.Sprintf("%s cannot be granted in %s %q; possible are %v", g.Role, g.Area.Kind, g.Area.Code, rights.Areas[g.Role]))
	case !areas.has(g.Area):
		t.fail(r.line, fmt.Sprintf("%s %q is unknown", g.Area.Kind, g.Area.Code))
	}
	return g
}

// phone accepts digits with an optional + and the usual separators.
func (t *table) phone(r row) string {
	phone := strings.NewReplacer(" ", "", "-", "").Replace(r.get("phone"))
	if phone != "" && (!digits(strings.TrimPrefix(phone, "+")) || len(phone) < 7 || len(phone) > 16) {
		t.fail(r.line, "phone is no phone number")
		return ""
	}
	return phone
}

func validSlug(s string) bool {
	if len(s) < 2 || len(s) > 32 || s[0] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}
