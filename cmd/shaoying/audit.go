package main

import (
	"errors"
	"fmt"

	"shaoying/internal/app"
)

type auditCmd struct {
	Verify auditVerifyCmd `cmd:"" help:"Walk the chained trail and name the first row that was altered."`
}

type auditVerifyCmd struct{}

// Run fails when a row of the trail is not as it was sealed.
func (c *auditVerifyCmd) Run(e *env) error {
	return e.house(func(h *app.House) error {
		report, err := h.VerifyTrail(e.ctx)
		if err != nil {
			return err
		}
		fmt.Println(report)
		if !report.OK() {
			return errors.New("the trail was altered")
		}
		return nil
	})
}
