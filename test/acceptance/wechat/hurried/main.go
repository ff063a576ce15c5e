// Command hurried is the product, but for how long an account may be out before
// its messages go another way and staff are told: seconds. These times are not of
// the demo's clock, which nothing moves.
package main

import (
	"time"

	"shaoying/internal/app"
	"shaoying/internal/gateway"
	"shaoying/test/altered"
)

func main() {
	altered.Main(func(env *app.Env) error {
		env.Demo = true
		env.Alter = func(_ *gateway.Config, deps *gateway.Deps) {
			deps.Logins.Move, deps.Logins.Alarm, deps.Logins.Look = time.Second, 2*time.Second, 500*time.Millisecond
		}
		return nil
	}, nil)
}
