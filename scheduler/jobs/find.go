package jobs

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"shaoying/internal/gateway"
	"shaoying/internal/people"
	"shaoying/internal/postgres"
	"shaoying/internal/postgres/db"
	"shaoying/internal/workorder"
)

// data reads the data of a due row.
func data[T any](due gateway.Due) (v T, err error) {
	if err = json.Unmarshal(due.Data, &v); err != nil {
		err = fmt.Errorf("read the data of %s %s: %w", due.Kind, due.Subject, err)
	}
	return v, err
}

// order loads the ticket of a due row; lock keeps it for the transaction.
func (d Deps) order(ctx context.Context, t *gateway.Turn, due gateway.Due, lock bool) (*workorder.Order, error) {
	id, err := due.SubjectID("ticket")
	if err != nil {
		return nil, err
	}
	return d.Orders.Load(ctx, t, id, lock)
}

// toStaff is the private chat in which a staff member was heard last.
func toStaff(ctx context.Context, d *postgres.DB, id int64) (int64, error) {
	s, err := d.GetStaff(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("load staff %d: %w", id, err)
	}
	if s.EndedAt != nil {
		return 0, gateway.ErrNoAddress
	}
	return best(gateway.Reach(ctx, d.Queries, []int64{s.PersonID}, 0))
}

// best is the first of the chats in which somebody can be written to.
func best(list []db.ReachRow, err error) (int64, error) {
	if err != nil {
		return 0, err
	}
	if len(list) == 0 {
		return 0, gateway.ErrNoAddress
	}
	return list[0].ID, nil
}

// staffOf is the target of rows whose subject is a staff member.
func staffOf(ctx context.Context, d *postgres.DB, due gateway.Due) (int64, error) {
	id, err := due.SubjectID("staff")
	if err != nil {
		return 0, err
	}
	return toStaff(ctx, d, id)
}

// reporterOf is where the reporter of a ticket is written to: the chat by which
// the ticket came, else another address that is proven to be the same person's;
// never one that stopped the topic.
func (d Deps) reporterOf(ctx context.Context, q *postgres.DB, due gateway.Due) (int64, error) {
	id, err := due.SubjectID("ticket")
	if err != nil {
		return 0, err
	}
	k, err := q.GetTicket(ctx, id)
	if err != nil {
		return 0, fmt.Errorf("load a ticket: %w", err)
	}
	return best(gateway.ReachFor(ctx, q.Queries, d.Topics[due.Kind], []int64{k.ReporterID}, k.AddressID))
}

// onDuty lists who holds a role in one of the areas and is on duty; when nobody
// is, everybody who holds it: a line that nobody reads helps nobody.
func onDuty(ctx context.Context, t *gateway.Turn, role people.Role, areas ...string) ([]int64, error) {
	rows, err := t.StaffWith(ctx, []string{string(role)}, areas)
	if err != nil {
		return nil, fmt.Errorf("find who is %s: %w", role, err)
	}
	var duty, all []int64
	seen := map[int64]bool{}
	for _, r := range rows {
		if seen[r.ID] {
			continue
		}
		seen[r.ID] = true
		all = append(all, r.ID)
		if r.OnDuty {
			duty = append(duty, r.ID)
		}
	}
	if len(duty) > 0 {
		return duty, nil
	}
	return all, nil
}

// areasAbove lists the divisions that a ticket lies in, and the city.
func areasAbove(o *workorder.Order) []string {
	areas := []string{workorder.CityCode}
	for _, level := range []people.DivisionLevel{people.LevelCounty, people.LevelTownship, people.LevelVillage} {
		if code := people.DivisionCode(o.Place.Division).At(level); code != "" {
			areas = append(areas, string(code))
		}
	}
	return areas
}

// params are what every text about a ticket may say. Nothing of them is
// personal: due rows lie unsealed.
func (d Deps) params(o *workorder.Order) map[string]string {
	p := map[string]string{"number": o.Number.Spoken(), "matter": d.matter(o)}
	if !o.Deadline.IsZero() {
		d.when(p, o.Deadline)
	}
	return p
}

// when adds month, day and time of day, as the people of the city read them.
func (d Deps) when(p map[string]string, at time.Time) {
	local := at.In(d.Orders.Work.Location())
	p["month"], p["day"], p["clock"] = strconv.Itoa(int(local.Month())), strconv.Itoa(local.Day()), local.Format("15:04")
}

// matter names a ticket for people; a sensitive one is not named.
func (d Deps) matter(o *workorder.Order) string {
	m, ok := d.Orders.Matters.Get(o.Matter)
	if !ok || o.Sensitive {
		return ""
	}
	return m.Name
}

// cut splits the subject of a row into kind and id.
func cut(subject string) (kind string, id int64, err error) {
	kind, rest, ok := strings.Cut(subject, ":")
	if !ok {
		return "", 0, fmt.Errorf("%q is no subject", subject)
	}
	if id, err = strconv.ParseInt(rest, 10, 64); err != nil {
		return "", 0, fmt.Errorf("%q is no subject: %w", subject, err)
	}
	return kind, id, nil
}

// reachable reports whether a staff member has a chat.
func reachable(ctx context.Context, t *gateway.Turn, id int64) (bool, error) {
	s, err := t.GetStaff(ctx, id)
	if err != nil {
		return false, fmt.Errorf("load staff %d: %w", id, err)
	}
	list, err := gateway.Reach(ctx, t.Queries, []int64{s.PersonID}, 0)
	return len(list) > 0, err
}
