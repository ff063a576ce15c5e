package app

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// agentAttributes: a group of its own, so that the ^C of a terminal is ours to
// pass on, and the end with us.
func agentAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// tick is the unit of processor time in /proc (USER_HZ, 100 on every Linux).
const tick = time.Second / 100

// Usage implements remote.Child from /proc/PID/stat (proc(5)): behind the name in
// parentheses utime and stime are the 12th and 13th field, rss in pages the 22nd.
func (c *child) Usage() (cpu time.Duration, memory int64, err error) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(c.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("look at the agent: %w", err)
	}
	return parseStat(raw)
}

func parseStat(raw []byte) (cpu time.Duration, memory int64, err error) {
	fields := bytes.Fields(raw[bytes.LastIndexByte(raw, ')')+1:])
	if len(fields) < 22 {
		return 0, 0, errors.New("look at the agent: not what proc(5) says")
	}
	var n [3]int64
	for i, at := range []int{11, 12, 21} {
		if n[i], err = strconv.ParseInt(string(fields[at]), 10, 64); err != nil {
			return 0, 0, fmt.Errorf("look at the agent: %w", err)
		}
	}
	return time.Duration(n[0]+n[1]) * tick, n[2] * int64(os.Getpagesize()), nil
}
