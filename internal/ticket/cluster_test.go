package ticket_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"shaoying/configs"
	"shaoying/internal/people"
	"shaoying/internal/ticket"
)

func topics(t testing.TB) ticket.TopicPolicy {
	t.Helper()
	body, err := configs.Read("policies/topics.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := ticket.ParseTopicPolicy("topics.yaml", body)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const (
	spotVillage, spotGrid = "360313001001", "360313001001001"
	otherVillage          = "360313001002"
)

func spotNow() time.Time { return time.Date(2026, 3, 31, 8, 10, 0, 0, time.UTC) }

// spot is a ticket of a reporter so many days ago.
func spot(id, reporter int64, daysAgo float64, place ticket.PlaceRef, at *people.LatLon) ticket.Spot {
	return ticket.Spot{
		ID: id, Reporter: reporter, Place: place, At: at, State: ticket.Dispatched,
		Received: spotNow().Add(-time.Duration(daysAgo * float64(24*time.Hour))),
	}
}

func TestNear(t *testing.T) {
	here := &people.LatLon{Lat: 27.64, Lon: 113.73}
	north := func(metres float64) *people.LatLon { return &people.LatLon{Lat: 27.64 + metres/111_320, Lon: 113.73} }
	ref := func(division, grid string, place int64) ticket.PlaceRef {
		return ticket.PlaceRef{Division: division, Grid: grid, PlaceID: place}
	}
	tests := []struct {
		name string
		a, b ticket.Spot
		want bool
	}{
		{"249 m", spot(1, 1, 1, ref(spotVillage, "", 1), here), spot(2, 2, 1, ref(otherVillage, "", 2), north(249)), true},
		{"251 m in one village", spot(1, 1, 1, ref(spotVillage, spotGrid, 1), here), spot(2, 2, 1, ref(spotVillage, spotGrid, 2), north(251)), false},
		{"one building without position", spot(1, 1, 1, ref(spotVillage, spotGrid, 3), nil), spot(2, 2, 1, ref(spotVillage, spotGrid, 3), nil), true},
		{"one grid", spot(1, 1, 1, ref(spotVillage, spotGrid, 1), here), spot(2, 2, 1, ref(spotVillage, spotGrid, 3), nil), true},
		{"two grids of a village", spot(1, 1, 1, ref(spotVillage, spotGrid, 1), nil), spot(2, 2, 1, ref(spotVillage, "360313001001002", 3), nil), false},
		{"only the village", spot(1, 1, 1, ref(spotVillage, "", 0), nil), spot(2, 2, 1, ref(spotVillage, spotGrid, 3), nil), true},
		{"two villages", spot(1, 1, 1, ref(spotVillage, "", 0), nil), spot(2, 2, 1, ref(otherVillage, "", 0), nil), false},
		{"nowhere", spot(1, 1, 1, ref("", "", 0), nil), spot(2, 2, 1, ref("", "", 0), nil), false},
		{"a township is no place", spot(1, 1, 1, ref("360313001", "", 0), nil), spot(2, 2, 1, ref("360313001", "", 0), nil), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, pair := range [][2]ticket.Spot{{tt.a, tt.b}, {tt.b, tt.a}} {
				if got := ticket.Near(pair[0], pair[1], 250); got != tt.want {
					t.Errorf("near is %v", got)
				}
			}
		})
	}
}

func TestClusters(t *testing.T) {
	place := ticket.PlaceRef{Division: spotVillage, Grid: spotGrid}
	far := ticket.PlaceRef{Division: otherVillage, Grid: "360313001002001"}
	with := func(s ticket.Spot, state ticket.State) ticket.Spot { s.State = state; return s }
	tests := []struct {
		name  string
		spots []ticket.Spot
		want  string // master: others, reporters
	}{
		{"three people in a week", []ticket.Spot{spot(3, 3, 1, place, nil), spot(1, 1, 6, place, nil), spot(2, 2, 3, place, nil)}, "1:[2 3] 3"},
		{"two people", []ticket.Spot{spot(1, 1, 6, place, nil), spot(2, 2, 3, place, nil), spot(3, 2, 1, place, nil)}, ""},
		{"one of three longer ago than a week", []ticket.Spot{spot(1, 1, 8, place, nil), spot(2, 2, 3, place, nil), spot(3, 3, 1, place, nil)}, ""},
		{"a fourth, older one leads", []ticket.Spot{spot(9, 9, 20, place, nil), spot(1, 1, 6, place, nil), spot(2, 2, 3, place, nil), spot(3, 3, 1, place, nil)}, "9:[1 2 3] 3"},
		{"older than the days of a cluster", []ticket.Spot{spot(9, 9, 31, place, nil), spot(1, 1, 6, place, nil), spot(2, 2, 3, place, nil), spot(3, 3, 1, place, nil)}, "1:[2 3] 3"},
		{"somewhere else", []ticket.Spot{spot(1, 1, 6, place, nil), spot(2, 2, 3, place, nil), spot(3, 3, 1, far, nil)}, ""},
		{"merged ones count as reporters", []ticket.Spot{spot(1, 1, 6, place, nil), with(spot(2, 2, 3, place, nil), ticket.Merged), spot(3, 3, 1, place, nil)}, "1:[3] 3"},
		{"nothing left to merge", []ticket.Spot{spot(1, 1, 6, place, nil), with(spot(2, 2, 3, place, nil), ticket.Merged), with(spot(3, 3, 1, place, nil), ticket.Closed)}, ""},
		{"what is handled neither leads nor follows", []ticket.Spot{with(spot(1, 1, 6, place, nil), ticket.Handled), spot(2, 2, 3, place, nil), spot(3, 3, 1, place, nil)}, "2:[3] 3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			for _, c := range topics(t).Clusters(tt.spots, spotNow()) {
				var ids []int64
				for _, o := range c.Others {
					ids = append(ids, o.ID)
				}
				got += fmt.Sprintf("%d:%v %d", c.Master.ID, ids, c.Reporters)
			}
			if got != tt.want {
				t.Errorf("clusters are %q, want %q", got, tt.want)
			}
		})
	}
}

// Whatever comes in whatever order: a ticket is in one case at most, near its
// oldest, and every case has its three reporters.
func TestClustersHold(t *testing.T) {
	p := topics(t)
	rapid.Check(t, func(r *rapid.T) {
		n := rapid.IntRange(0, 30).Draw(r, "n")
		var spots []ticket.Spot
		for i := range n {
			s := spot(int64(i+1), rapid.Int64Range(1, 6).Draw(r, "reporter"), rapid.Float64Range(0, 40).Draw(r, "days"),
				ticket.PlaceRef{Division: rapid.SampledFrom([]string{spotVillage, otherVillage, "360313001", ""}).Draw(r, "division"), PlaceID: rapid.Int64Range(0, 3).Draw(r, "place")}, nil)
			s.State = rapid.SampledFrom(ticket.States()).Draw(r, "state")
			if rapid.Bool().Draw(r, "located") {
				s.At = &people.LatLon{Lat: 27.64 + rapid.Float64Range(0, 0.01).Draw(r, "lat"), Lon: 113.73}
			}
			spots = append(spots, s)
		}
		seen := map[int64]bool{}
		found := p.Clusters(spots, spotNow())
		for _, c := range found {
			for _, s := range append([]ticket.Spot{c.Master}, c.Others...) {
				if seen[s.ID] {
					r.Fatalf("ticket %d is in two cases", s.ID)
				}
				seen[s.ID] = true
				if !s.State.Open() || s.State == ticket.Merged || s.Received.Before(c.Master.Received) {
					r.Fatalf("ticket %d is %s, or older than its master", s.ID, s.State)
				}
			}
			if c.Reporters < p.Cluster.Reporters || len(c.Others) == 0 {
				r.Fatalf("no case: %+v", c)
			}
		}
		slices.Reverse(spots)
		if again := p.Clusters(spots, spotNow()); fmt.Sprint(again) != fmt.Sprint(found) {
			r.Fatal("the order of the rows decides")
		}
	})
}
