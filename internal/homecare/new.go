package homecare

import (
	"fmt"

	"shaoying/configs"
	"shaoying/internal/care"
	"shaoying/internal/workorder"
	"shaoying/scheduler"
)

const policyFile = "policies/care.yaml"

// New reads the policy and the programmes of configs and returns the service.
func New(orders *workorder.Service, quiet scheduler.Quiet) (*Service, error) {
	body, err := configs.Read(policyFile)
	if err != nil {
		return nil, fmt.Errorf("read the policy of family beds: %w", err)
	}
	policy, err := care.ParsePolicy(policyFile, body)
	if err != nil {
		return nil, err
	}
	programmes, err := care.Programmes()
	if err != nil {
		return nil, err
	}
	rules, err := care.NewRules(policy, programmes, orders.Work, quiet)
	if err != nil {
		return nil, err
	}
	return &Service{Rules: rules, Orders: orders, Quiet: quiet}, nil
}
