package app

import (
	"fmt"
	"os"

	"shaoying/configs"
	"shaoying/internal/gateway"
	"shaoying/internal/postgres/managed"
)

// Env is what the environment says; see docs/operations.md.
type Env struct {
	// Config is the path of SHAOYING_CONFIG, empty for the defaults.
	Config string
	// Addr is SHAOYING_ADDR. Empty means 127.0.0.1:8080 or, when that is
	// taken, the next free port; an address that was asked for and is taken
	// is an error.
	Addr string
	// Data is where the private database and the key file live.
	Data string
	// DSN is DATABASE_URL, empty for the private database.
	DSN string
	// Demo runs the demo city with its own clock.
	Demo bool
	// Role limits what this process does: all, gateway, sender or planner.
	Role string

	// Alter, where it is set, may change the gateway before it is made. It is
	// the one seam for the programs of test/kill, which break a promise on
	// purpose to prove that the tests would see it; the product sets it never.
	Alter func(*gateway.Config, *gateway.Deps)

	// unsafe accepts a database with fsync off. Tests only.
	unsafe bool
}

// FromEnvironment reads the environment.
func FromEnvironment() (Env, error) {
	dir, err := managed.DefaultDir()
	if err != nil {
		return Env{}, err
	}
	return Env{
		Config: os.Getenv("SHAOYING_CONFIG"), Addr: os.Getenv("SHAOYING_ADDR"), Data: dir,
		DSN: os.Getenv("DATABASE_URL"), Role: RoleAll,
	}, nil
}

// The roles of a process.
const (
	RoleAll     = "all"
	RoleGateway = "gateway"
	RoleSender  = "sender"
	RolePlanner = "planner"
)

func (e Env) does(role string) bool { return e.Role == RoleAll || e.Role == role }

// process loads the configuration of the process.
func (e Env) process() (configs.Process, error) {
	p, err := configs.Load(e.Config)
	if err != nil {
		return p, fmt.Errorf("configuration: %w", err)
	}
	return p, nil
}
