package tencent

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"shaoying/bots"
)

// slot is a value in a template.
var slot = regexp.MustCompile(`\{(\d+)\}`)

// Check asks Tencent how the templates stand.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	var found []bots.Finding
	wrong := func(format string, args ...any) {
		found = append(found, bots.Finding{Wrong: true, What: fmt.Sprintf(format, args...)})
	}
	wants := map[uint64]int{} // template to how many values we give it
	add := func(id string, n int) {
		number, _ := strconv.ParseUint(id, 10, 64) // Validate has read it
		if other, ok := wants[number]; ok && other != n {
			wrong("template %s is filled in two ways", id)
		}
		wants[number] = n
	}
	for _, name := range slices.Sorted(maps.Keys(c.cfg.Templates)) {
		add(c.cfg.Templates[name].ID, len(c.cfg.Templates[name].Params))
	}
	if c.cfg.Free.ID != "" {
		add(c.cfg.Free.ID, 1)
	}
	ids := slices.Sorted(maps.Keys(wants))
	type status struct {
		TemplateId      uint64
		StatusCode      int
		TemplateContent string
	}
	var all []status
	for chunk := range slices.Chunk(ids, most) {
		var answer struct{ DescribeTemplateStatusSet []status }
		if err := c.ask(ctx, "DescribeSmsTemplateList", map[string]any{"TemplateIdSet": chunk, "International": 0}, &answer); err != nil {
			return append(found, bots.Finding{Wrong: true, What: fmt.Sprintf("the templates cannot be looked up: %v", err)})
		}
		all = append(all, answer.DescribeTemplateStatusSet...)
	}
	for _, t := range all {
		n, ours := wants[t.TemplateId]
		if !ours {
			continue
		}
		delete(wants, t.TemplateId)
		has := map[string]bool{}
		for _, m := range slot.FindAllStringSubmatch(t.TemplateContent, -1) {
			has[m[1]] = true
		}
		switch {
		case t.StatusCode == 1:
			wrong("template %d is still being reviewed", t.TemplateId)
		case t.StatusCode != 0:
			wrong("template %d was refused in review, or may not be used", t.TemplateId)
		case len(has) != n:
			wrong("template %d wants %d values, params gives %d", t.TemplateId, len(has), n)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(wants)) {
		wrong("there is no template %d", id)
	}
	if len(found) == 0 {
		found = append(found, bots.Finding{What: "the templates are approved; whether the signature is shows in the console"})
	}
	if c.ExtensionDigits == 0 {
		found = append(found, bots.Finding{What: "no extension codes: where two questions are open the resident is asked which one is meant"})
	}
	return append(found, bots.Finding{What: fmt.Sprintf("addresses for the console: %s/report/TOKEN for reports, %s/reply/TOKEN for replies", c.CallbackURL, c.CallbackURL)})
}
