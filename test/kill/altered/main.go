// Command altered is the product with one thing changed on purpose. Two of its
// alterations break a promise: a test of the whole system that does not see
// them break it proves nothing. KILL_ALTER names the alteration; everything
// else is `shaoying serve`.
package main

import (
	"os"

	"shaoying/internal/app"
	"shaoying/test/altered"
)

func main() {
	altered.Main(func(env *app.Env) (err error) {
		env.Alter, err = alteration(os.Getenv("KILL_ALTER"))
		return err
	}, nil)
}
