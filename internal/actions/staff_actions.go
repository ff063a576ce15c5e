package actions

import (
	"shaoying/flows"
	"shaoying/internal/gateway"
)

// staff lists the actions of staff.
func (s *Set) staff() map[string]gateway.Action {
	return map[string]gateway.Action{}
}

func staffDocs() map[string]flows.ActionDoc {
	return map[string]flows.ActionDoc{}
}
