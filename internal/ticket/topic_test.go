package ticket_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"shaoying/internal/ticket"
)

// windows is a present window and its past.
func windows(now int, past ...int) []int {
	for len(past) < 12 {
		past = append(past, past[len(past)-1])
	}
	return append([]int{now}, past...)
}

func TestRise(t *testing.T) {
	tests := []struct {
		name  string
		in    []int
		usual float64
		want  bool
	}{
		{"three lamps where there never were any", windows(3, 0), 0, false},
		{"four where there never were any", windows(4, 0), 0, true},
		{"usual 1: mean + 3 roots is 4", windows(4, 1), 1, false},
		{"usual 1: 5 is more", windows(5, 1), 1, true},
		{"usual 9: 18 is the edge", windows(18, 9), 9, false},
		{"usual 9: 19", windows(19, 9), 9, true},
		{"a past that swings is wider than its root", windows(19, 0, 18, 0, 18, 0, 18, 0, 18, 0, 18, 0, 18), 9, false},
		{"a past that swings, far beyond", windows(37, 0, 18, 0, 18, 0, 18, 0, 18, 0, 18, 0, 18), 9, true},
		{"a short past", []int{50, 0, 0, 0}, 0, false},
		{"no past", []int{50}, 0, false},
		{"nothing at all", nil, 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			usual, unusual := topics(t).Rise.Rise(tt.in)
			if usual != tt.usual || unusual != tt.want {
				t.Errorf("Rise is %v, %v", usual, unusual)
			}
		})
	}
}

func TestIdeas(t *testing.T) {
	quiet := windows(0, 0)
	count := func(division string, n int, w []int) ticket.AreaCount {
		return ticket.AreaCount{Division: division, Lately: n, Windows: w}
	}
	tests := []struct {
		name          string
		counts        []ticket.AreaCount
		live, resting []string
		want          string
	}{
		{"five in a village", []ticket.AreaCount{count("360313001001", 5, quiet)}, nil, nil, "360313001001 village 5"},
		{"four in a village", []ticket.AreaCount{count("360313001001", 4, quiet)}, nil, nil, ""},
		{"ten over a county", []ticket.AreaCount{count("360313001001", 4, quiet), count("360313001002", 4, quiet), count("360313002", 2, quiet)}, nil, nil, "360313 county 10"},
		{"a village that explains itself is not counted twice", []ticket.AreaCount{count("360313001001", 9, quiet), count("360313001002", 4, quiet)}, nil, nil, "360313001001 village 9"},
		{"two counties", []ticket.AreaCount{count("360313001001", 4, quiet), count("360321001001", 4, quiet), count("360321001002", 4, quiet)}, nil, nil, ""},
		{"a township has no idea of its own", []ticket.AreaCount{count("360313001", 9, quiet)}, nil, nil, ""},
		{"a rise in a village", []ticket.AreaCount{count("360313001001", 4, windows(4, 0))}, nil, nil, "360313001001 rise 4"},
		{"a rise over a county", []ticket.AreaCount{count("360313001001", 3, windows(3, 0)), count("360313001002", 3, windows(3, 0))}, nil, nil, "360313 rise 6"},
		{"a topic runs there", []ticket.AreaCount{count("360313001001", 9, quiet)}, []string{"360313001001"}, nil, ""},
		{"a topic runs in the county", []ticket.AreaCount{count("360313001001", 9, quiet)}, []string{"360313"}, nil, ""},
		{"decided not long ago", []ticket.AreaCount{count("360313001001", 9, quiet)}, nil, []string{"360313001001"}, ""},
		{"decided not long ago, and rising", []ticket.AreaCount{count("360313001001", 9, windows(9, 1))}, nil, []string{"360313001001"}, "360313001001 village 9"},
		{"no village known", []ticket.AreaCount{count("", 30, quiet)}, nil, nil, ""},
		{"a young city has thresholds alone", []ticket.AreaCount{count("360313001001", 4, []int{4}), count("360313001002", 5, []int{5})}, nil, nil, "360313001002 village 5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, i := range topics(t).Ideas(tt.counts, tt.live, tt.resting) {
				got += fmt.Sprintf("%s %s %d", i.Area, i.Why, i.Count)
			}
			if got != tt.want {
				t.Errorf("ideas are %q, want %q", got, tt.want)
			}
		})
	}
}

// A rise is one only upwards: more of it never makes it usual again, and a
// busier past never makes the same count unusual.
func TestRiseIsMonotone(t *testing.T) {
	p := topics(t).Rise
	rapid.Check(t, func(r *rapid.T) {
		w := windows(rapid.IntRange(0, 200).Draw(r, "now"), rapid.SliceOfN(rapid.IntRange(0, 60), 12, 12).Draw(r, "past")...)
		_, was := p.Rise(w)
		more := slices.Clone(w)
		more[0]++
		if _, is := p.Rise(more); was && !is {
			r.Fatalf("%v rises and %v does not", w, more)
		}
		busier := slices.Clone(w)
		for i := range busier[1:] {
			busier[i+1]++
		}
		if _, is := p.Rise(busier); is && !was {
			r.Fatalf("%v rises and %v does not", busier, w)
		}
	})
}

func TestTopicPolicy(t *testing.T) {
	tests := []struct{ name, body, want string }{
		{"an unknown key", "cluster: {metre: 1}", "metre"},
		{"nothing", "{}", "cluster.days"},
	}
	for _, tt := range tests {
		if _, err := ticket.ParseTopicPolicy("topics.yaml", []byte(tt.body)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
