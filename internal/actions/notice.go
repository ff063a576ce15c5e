package actions

import (
	"context"
	"fmt"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
)

// giveNotice says the privacy notice 告知 where the person has not had this
// version of it. Dialogues call it after the number, never before. quiet says that
// the dialogue tells it itself, in a text that has to be sent anyway.
func (s *Set) giveNotice(ctx context.Context, t *gateway.Turn, args map[string]any) (map[string]any, error) {
	current := s.Orders.Rights.NoticeVersion
	row, err := t.GetPerson(ctx, t.Own)
	if err != nil {
		return nil, fmt.Errorf("load a person: %w", err)
	}
	if !(people.Person{NoticeVersion: int(row.NoticeVersion)}).NeedsNotice(current) {
		return result{"given": false}, nil
	}
	if err := t.GiveNotice(ctx, t.Own, int32(current)); err != nil {
		return nil, fmt.Errorf("note that the notice was given: %w", err)
	}
	err = t.Record(ctx, "person.noticed", postgres.Subject("person", t.Own), map[string]any{"version": current}, "")
	if err != nil {
		return nil, err
	}
	if truth(args, "quiet") {
		return result{"given": true}, nil
	}
	return result{"given": true}, t.Say("notice.privacy", nil)
}
