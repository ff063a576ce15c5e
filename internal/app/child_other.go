//go:build unix && !linux

package app

import (
	"errors"
	"syscall"
	"time"
)

// agentAttributes: a group of its own. The agent ends with us by the end of its
// standard input alone.
func agentAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// Usage implements remote.Child: nobody can tell here without cgo.
func (c *child) Usage() (time.Duration, int64, error) {
	return 0, 0, errors.New("not known on this system")
}
