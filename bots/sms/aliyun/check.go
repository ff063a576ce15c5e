package aliyun

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"shaoying/bots"
	"shaoying/bots/wire"
)

// approved is the status of a signature or template that may be used.
const approved = 1

// review says what the review of another one came to.
func review(status int) string {
	switch status {
	case 0:
		return "is still being reviewed"
	case 2:
		return "was refused in review"
	}
	return fmt.Sprintf("may not be used: its review was called off, or ended in state %d", status)
}

// Check asks Aliyun how signature and templates stand.
func (c *Channel) Check(ctx context.Context) []bots.Finding {
	var found []bots.Finding
	wrong := func(format string, args ...any) {
		found = append(found, bots.Finding{Wrong: true, What: fmt.Sprintf(format, args...)})
	}
	status, err := c.signStatus(ctx)
	switch {
	case err != nil:
		return append(found, bots.Finding{Wrong: true, What: fmt.Sprintf("the signature cannot be looked up: %v", err)})
	case status != approved:
		wrong("the signature %s", review(status))
	default:
		found = append(found, bots.Finding{What: "the signature is approved; whether the carriers have it on file shows in the console"})
	}
	ids := map[string][]string{} // template to the names of its values as we fill them
	for name, t := range c.cfg.Templates {
		if other, ok := ids[t.ID]; ok && !slices.Equal(other, slices.Sorted(maps.Values(t.Params))) {
			wrong("template %s of %s is filled in two ways", t.ID, name)
		}
		ids[t.ID] = slices.Sorted(maps.Values(t.Params))
	}
	if c.cfg.Free.ID != "" {
		ids[c.cfg.Free.ID] = []string{c.cfg.Free.Param}
	}
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		if what := c.lookUp(ctx, id, ids[id]); what != "" {
			wrong("template %s %s", id, what)
		}
	}
	if c.ExtensionDigits == 0 {
		found = append(found, bots.Finding{What: "no extension codes: where two questions are open the resident is asked which one is meant"})
	}
	return append(found, bots.Finding{What: fmt.Sprintf("addresses for the console: %s/report/TOKEN for reports, %s/up/TOKEN for messages", c.CallbackURL, c.CallbackURL)})
}

func (c *Channel) signStatus(ctx context.Context) (int, error) {
	var answer struct{ SignStatus int }
	if err := c.ask(ctx, "QuerySmsSign", map[string]string{"SignName": c.Signature}, &answer); err != nil {
		return 0, err
	}
	return answer.SignStatus, nil
}

// slot is a value in a template.
var slot = regexp.MustCompile(`\$\{([^}]*)\}`)

// lookUp says what is wrong with one template, if anything.
func (c *Channel) lookUp(ctx context.Context, id string, values []string) string {
	var answer struct {
		TemplateStatus  int
		TemplateContent string
	}
	if err := c.ask(ctx, "QuerySmsTemplate", map[string]string{"TemplateCode": id}, &answer); err != nil {
		return fmt.Sprintf("cannot be looked up: %v", err)
	}
	if answer.TemplateStatus != approved {
		return review(answer.TemplateStatus)
	}
	var wants []string
	for _, m := range slot.FindAllStringSubmatch(answer.TemplateContent, -1) {
		wants = append(wants, m[1])
	}
	slices.Sort(wants)
	wants = slices.Compact(wants)
	if !slices.Equal(wants, values) {
		return fmt.Sprintf("wants the values %q, params gives %q", wants, values)
	}
	return ""
}

// ask calls Aliyun and reads its answer into v.
func (c *Channel) ask(ctx context.Context, action string, params map[string]string, v any) error {
	status, raw, err := c.call(ctx, action, params)
	if err != nil {
		return err
	}
	var answer struct{ Code, Message string }
	if err := json.Unmarshal(raw, &answer); err != nil || answer.Code == "" {
		return wire.Between(status)
	}
	if answer.Code != "OK" {
		return failure(status, answer.Code, answer.Message)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return fmt.Errorf("%s: the answer cannot be read: %s", action, wire.Plain(err.Error()))
	}
	return nil
}
