package flows

import (
	"regexp"
	"strings"

	"shaoying/flows/words"
)

// photos takes pictures, whatever is asked; a caption then answers what is
// still open.
func (m *machine) photos(in Input) {
	q := m.s.Question
	asked := m.d.byName[q.Item]
	if q.Kind != AskItem {
		asked = nil
	}
	it := m.photoItem()
	if it == nil || len(in.Photos) == 0 || size(m.s.Data)+100*len(in.Photos) > MaxVars {
		m.miss(in.Text)
		return
	}
	list := make([]any, len(in.Photos))
	for i, id := range in.Photos {
		list[i] = id
	}
	first := m.addPhotos(it, list)
	caption := strings.TrimSpace(in.Text)
	switch {
	case caption != "" && (asked == nil || !onlyPhoto(asked)):
		m.words(caption)
		return
	case caption != "" && asked.also != "":
		m.append(m.d.byName[asked.also], caption)
	}
	switch {
	case asked != nil && onlyPhoto(asked):
		m.s.Question = nil
	case asked != nil && asked.takes(AcceptPhoto): // the picture is the answer
		m.take(asked, m.label(textPhoto, ""), "", "")
	case first:
		m.s.Question = nil // asked again, so that the resident knows it arrived
	}
}

// position takes a place, whatever is asked.
func (m *machine) position(in Input) {
	q := m.s.Question
	it := m.d.byName[q.Item]
	if it == nil || !it.takes(AcceptPlace) {
		it = nil
		for _, other := range m.d.items {
			if other.takes(AcceptPlace) {
				it = other
				break
			}
		}
	}
	if it == nil || in.Place == nil {
		m.miss(in.Text)
		return
	}
	m.take(it, map[string]any{
		"lat": in.Place.Lat, "lon": in.Place.Lon, "label": in.Place.Label,
	}, in.Place.Label, "")
	if q.Kind != AskItem && it.resolve != "" && !m.redoing(it.name) {
		m.s.Redo = append(append([]string(nil), m.s.Redo...), it.name)
	}
}

// Numbers of mainland China: mobile (11 digits from 13 to 19) and fixed lines
// with area code (工信部《电信网编号计划》2017).
var (
	mobile = regexp.MustCompile(`^(?:\+?86)?(1[3-9]\d{9})$`)
	fixed  = regexp.MustCompile(`^(0\d{2,3}[2-9]\d{6,7})$`)
	glue   = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "")
)

// phoneNumber finds the digits of a phone number.
func phoneNumber(text string) (string, bool) {
	text = glue.Replace(words.Normalize(text))
	for _, form := range []*regexp.Regexp{mobile, fixed} {
		if m := form.FindStringSubmatch(text); m != nil {
			return m[1], true
		}
	}
	return "", false
}
