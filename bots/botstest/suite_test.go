package botstest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestPollingAdapter(t *testing.T) {
	Run(t, func(*testing.T) Rig { return newNetwork(faults{}, false) })
}

func TestWebhookAdapter(t *testing.T) {
	Run(t, func(*testing.T) Rig { return newNetwork(faults{}, true) })
}

// verdict is a T that remembers what a case said.
type verdict struct{ said []string }

func (v *verdict) Helper() {}

func (v *verdict) Errorf(format string, args ...any) {
	v.said = append(v.said, fmt.Sprintf(format, args...))
}

func (v *verdict) Fatalf(format string, args ...any) {
	v.Errorf(format, args...)
	runtime.Goexit()
}

// judge plays one case against a broken adapter and returns its complaints.
func judge(c testCase, f faults, hook bool) []string {
	v := &verdict{}
	done := make(chan struct{})
	go func() {
		defer close(done)
		check(v, c, 500*time.Millisecond, func() Rig { return newNetwork(f, hook) })
	}()
	<-done
	return v.said
}

// A suite that passes everything proves nothing: each way of being wrong must
// fail the case that is there for it.
func TestSuiteBites(t *testing.T) {
	for _, broken := range []struct {
		name   string
		faults faults
		hook   bool
		fails  []string // numbers of the cases
	}{
		{"text comes in as markup", faults{escapes: true}, false, []string{"01"}},
		{"limit in the wrong unit", faults{measuresBytes: true}, false, []string{"02"}},
		{"a tap is a text", faults{tapIsText: true}, false, []string{"03"}},
		{"GCJ-02 taken for WGS-84", faults{swapsPlace: true}, false, []string{"04"}},
		{"places are dropped", faults{hidesPlaces: true}, false, []string{"04"}},
		{"files are something else", faults{fetchesNoise: true}, false, []string{"05"}},
		{"the group is the sender", faults{groupSpeaks: true}, false, []string{"06"}},
		{"hears itself", faults{hearsItself: true}, false, []string{"07"}},
		{"a new key at each delivery", faults{newKeys: true}, false, []string{"08"}},
		{"acknowledges before the sink", faults{acksFirst: true}, false, []string{"09", "10"}},
		{"acknowledges before the sink, by webhook", faults{acksFirst: true}, true, []string{"09", "10", "14"}},
		{"a goroutine for each message", faults{concurrent: true}, false, []string{"09", "11"}},
		{"errors without class", faults{plainErrors: true}, false, []string{"12"}},
		{"leaves a goroutine behind", faults{staysBehind: true}, false, []string{"13"}},
		{"does not end", faults{neverEnds: true}, false, []string{"13"}},
		{"spins when the network is down", faults{spins: true}, false, []string{"14"}},
		{"believes anybody", faults{open: true}, true, []string{"15"}},
		{"reads any body", faults{unlimited: true}, true, []string{"15"}},
		{"token in errors", faults{leaksSecret: true}, false, []string{"12", "16"}},
		{"words in errors", faults{leaksPhone: true}, false, []string{"16"}},
		{"sends what caps deny", faults{sendsTooMuch: true}, false, []string{"02", "03", "17"}},
		{"claims verified", faults{verifies: true}, false, []string{"01", "17"}},
		{"notices without a template", faults{noticesAll: true}, false, []string{"22"}},
		{"takes a panic for success", faults{eatsPanics: true}, false, []string{"18"}},
	} {
		t.Run(broken.name, func(t *testing.T) {
			for _, number := range broken.fails {
				for _, c := range cases() {
					if strings.HasPrefix(c.name, number) && len(judge(c, broken.faults, broken.hook)) == 0 {
						t.Errorf("case %q passes", c.name)
					}
				}
			}
		})
	}
}
