package demo

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"shaoying/configs"
	"shaoying/internal/people"
)

// Texts is configs/demo/page.yaml: what the console says.
type Texts struct {
	Texts    map[string]string      `yaml:"texts"`
	Roles    map[people.Role]string `yaml:"roles"`
	Tasks    map[string]string      `yaml:"tasks"`
	Happened map[string]string      `yaml:"happened"`
	// Care is how to play a family bed: whom to be, and what to do then.
	Care []Part `yaml:"care"`
	// Cast is who is shown without a search.
	Cast []Part `yaml:"cast"`
}

// Part is somebody whom a newcomer will want to be. Desk leads to the desk page
// instead of the chat.
type Part struct {
	Slug string `yaml:"slug"`
	Why  string `yaml:"why"`
	Desk bool   `yaml:"desk"`
}

const (
	textsFile = "demo/page.yaml"
	// other is the text of kinds that have none of their own.
	other = "other"
)

// keys are the texts that the console shows.
func keys() []string {
	return []string{
		"title", "demo", "guide_title", "guide_intro", "guide_resident", "guide_resident_link", "guide_staff",
		"guide_staff_steps", "guide_clock", "care_title", "care_intro", "holding_title", "holding_none", "holding_line", "task_line", "open",
		"clock_title", "clock_next", "clock_hour", "clock_day", "journey_title", "journey_none", "journey_more",
		"journey_nothing", "codes_title", "codes_hint", "staff_title", "staff_hint", "search", "search_button",
		"search_none", "failed", "weekdays", "clock_format",
	}
}

// readTexts reads and checks the embedded texts.
func readTexts() (Texts, error) {
	var t Texts
	body, err := configs.Read(textsFile)
	if err != nil {
		return t, fmt.Errorf("read embedded %s: %w", textsFile, err)
	}
	if err := configs.Decode(textsFile, body, &t); err != nil {
		return t, err
	}
	return t, t.validate()
}

// validate returns an error that lists every text that is missing or used
// nowhere.
func (t Texts) validate() error {
	var wrong []string
	for _, key := range keys() {
		if t.Texts[key] == "" {
			wrong = append(wrong, "texts."+key+" is missing")
		}
	}
	for key := range t.Texts {
		if !slices.Contains(keys(), key) {
			wrong = append(wrong, "texts."+key+" is used nowhere")
		}
	}
	for _, r := range people.Roles() {
		if t.Roles[r] == "" {
			wrong = append(wrong, "roles."+string(r)+" is missing")
		}
	}
	if t.Tasks[other] == "" || t.Happened[other] == "" {
		wrong = append(wrong, "tasks and happened need an entry "+other)
	}
	if len([]rune(t.Texts["weekdays"])) != 7 {
		wrong = append(wrong, "texts.weekdays needs seven letters, Sunday first")
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("%s: %s", textsFile, strings.Join(wrong, "; "))
}

// of returns the text of a kind, or what stands for all others.
func of(texts map[string]string, kind string) string {
	if s := texts[kind]; s != "" {
		return s
	}
	return texts[other]
}

// fill puts values into the places {name} of a text.
func fill(text string, values map[string]string) string {
	pairs := make([]string, 0, 2*len(values))
	for k, v := range values {
		pairs = append(pairs, "{"+k+"}", v)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// instant writes a time as people read it: 2026年3月3日 星期二 09:00.
func (t Texts) instant(at time.Time, in *time.Location) string {
	at = at.In(in)
	return fill(t.Texts["clock_format"], map[string]string{
		"year": at.Format("2006"), "month": at.Format("1"), "day": at.Format("2"), "clock": at.Format("15:04"),
		"weekday": string([]rune(t.Texts["weekdays"])[at.Weekday()]),
	})
}
