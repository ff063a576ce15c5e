package jobs

import (
	"shaoying/internal/gateway"
	"shaoying/internal/webhook"
)

// Webhook posts one event to one receiver. Its runner is one of its own, because
// it waits for machines of others: see gateway.NewRunner.
func Webhook(d Deps) gateway.Kind {
	return gateway.Kind{Name: webhook.Due, Workers: 4, Run: d.Hooks.Deliver}
}
