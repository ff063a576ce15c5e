// Package scheduler says when things are due: the working calendar with
// make-up days (调休), working time, the hours in which residents may be
// written to, and schedules with their slots.
//
// # What it is
//
// Pure functions over values. The package does no I/O but reading zones when it
// is set up, starts no goroutine, keeps no state between calls and never asks
// for the time: now is an argument. internal/postgres owns the rows (schedule, slot, due) and the
// planner loop in scheduler/jobs calls [Planner.Plan] and writes what it
// returns.
//
// # Slots
//
// A slot is one time at which a [Schedule] is nominally due. Its identity is
// (schedule, nominal time) and depends on the spec alone: neither a holiday,
// nor quiet hours, nor an imported calendar changes it. Those shift
// [Slot.Due]. So the database key on the nominal time makes a slot happen once
// over restarts, several processes and clocks that step back.
//
//	nominal --on_holiday--> workday --on_quiet--> due --catch_up--> planned | skipped(reason)
//
// [Planner.Plan] walks the nominal times after the last one it decided. Each gets a
// slot, also the ones that will not run; those carry the reason.
//
// # Local time
//
// Specs are wall-clock times of a zone. A wall time that daylight saving
// leaves out happens at the first instant after the gap, one that comes twice
// happens at the first. Asia/Shanghai has had neither since 1991, but other
// zones are tested. The zone database is linked in.
//
// # Failure
//
// Everything that a person writes (calendars, hours, schedules) is refused
// when it is loaded, with the place, the reason and what to write instead.
// robfig/cron only parses and finds the next time; what it would accept and
// misread is refused before (see cron.go). After loading nothing can fail:
// beyond the end of the calendar plain weekends and fixed-date holidays hold,
// and [Calendar.Coverage] warns before that.
package scheduler
