package main

import (
	"fmt"

	"shaoying/internal/app"
	"shaoying/internal/people"
)

type staffCmd struct {
	Invite staffInviteCmd `cmd:"" help:"Make a one-time code by which a person joins the staff in chat."`
	List   staffListCmd   `cmd:"" help:"List the staff with their roles."`
}

type staffInviteCmd struct {
	Name string `required:"" help:"The person's name, as colleagues see it."`
	Role string `required:"" help:"grid_worker, grid_leader, aide, community_police, auxiliary, dispatcher, handler, callback_clerk, supervisor, clerk, admin …"`
	Area string `required:"" help:"Kind and code, such as grid:360302001001001, county:360302 or unit:urban_management."`
}

// Run prints the code once; only its hash is kept.
func (c *staffInviteCmd) Run(e *env) error {
	area, err := people.ParseArea(c.Area)
	if err != nil {
		return err
	}
	return e.house(func(h *app.House) error {
		code, until, err := h.Invite(e.ctx, c.Name, people.Grant{Role: people.Role(c.Role), Area: area})
		if err != nil {
			return err
		}
		fmt.Printf("%s\nvalid until %s; the person writes: 加入 %s\n", code.Spoken(), until.In(h.Location).Format("2006-01-02 15:04"), code.Spoken())
		return nil
	})
}

type staffListCmd struct {
	Limit int32 `default:"200" help:"How many at most."`
}

// Run prints one line a person.
func (c *staffListCmd) Run(e *env) error {
	return e.house(func(h *app.House) error {
		rows, err := h.DB.ListStaff(e.ctx, c.Limit)
		if err != nil {
			return fmt.Errorf("list the staff: %w", err)
		}
		for _, r := range rows {
			duty := "on duty"
			if !r.OnDuty {
				duty = "off duty"
			}
			fmt.Printf("%d\t%s\t%s\t%s\t%s\n", r.ID, r.Slug, r.Name, duty, r.Grants)
		}
		return nil
	})
}
